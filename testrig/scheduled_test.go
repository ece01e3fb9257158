package testrig_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/store"
	"parley/testrig"
	"parley/webchat"
)

// later has somebody's message sent at a time.
func (c *chatter) later(id, text string, at time.Time) (x webchat.Scheduled) {
	c.t.Helper()
	c.must("POST", in(id, "/scheduled"), webchat.NewScheduled{Text: text, At: at}, &x)
	return x
}

// scheduled gives what is left to be sent.
func (c *chatter) scheduled() []webchat.Scheduled {
	c.t.Helper()
	var l webchat.ScheduledList
	c.must("GET", "/scheduled", nil, &l)
	return l.Scheduled
}

// wantScheduled waits for an event of a scheduled message.
func (c *chatter) wantScheduled(is func(x *webchat.Scheduled, gone string) bool) {
	c.t.Helper()
	c.want("scheduled", func(data string) bool {
		var e struct {
			Scheduled *webchat.Scheduled
			Gone      string
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			c.t.Fatal(err)
		}
		return is(e.Scheduled, e.Gone)
	})
}

// absent is somebody who uses the API without an open stream of events.
func absent(t *testing.T, r *testrig.Rig, name string) *chatter {
	t.Helper()
	c := &chatter{t: t, b: r.Browser(t)}
	c.b.SignIn(name)
	return c
}

// A message is sent at its time to a group and to a person, once, though its author has no browser open and the server
// was restarted meanwhile.
func TestScheduled(t *testing.T) {
	r, _, g := verona(t, "juliet", "benvolio")
	addTo(t, r, g, "juliet")
	addTo(t, r, g, "benvolio")
	room := g.Room + "@groups." + testrig.Host
	juliet := absent(t, r, "juliet")
	said := juliet.say(room, "Who comes?")
	soon := time.Now().Add(3 * time.Second)
	x := juliet.later(room, "Good *morning*  \n", soon)
	if x.Where != g.Name || x.Text != "Good *morning*" || !x.At.Equal(soon.Truncate(time.Microsecond)) ||
		x.Kind != "message" || x.Conversation != room {
		t.Errorf("scheduled %+v", x)
	}
	var answer webchat.Scheduled
	juliet.must("POST", in(room, "/scheduled"), webchat.NewScheduled{Text: "I do", At: soon, Reply: said.ID}, &answer)
	juliet.later("benvolio@"+testrig.Host, "Hello", soon)
	for what, n := range map[string]webchat.NewScheduled{
		"no text":    {Text: " ", At: soon},
		"the past":   {Text: "x", At: time.Now().Add(-time.Second)},
		"far future": {Text: "x", At: time.Now().AddDate(2, 0, 0)},
	} {
		if status := juliet.do("POST", in(room, "/scheduled"), n, nil); status != 422 {
			t.Errorf("%s: %d", what, status)
		}
	}
	r.Restart()
	benvolio := newChatter(t, r, "benvolio")
	c := signIn(t, r, "romeo")
	joinRoom(t, c, room, "Romeo")
	got := wantMessage(t, c, func(e *testrig.Element) bool { return content(e, "body") == "Good *morning*" })
	if got.Attr("id") != "later-"+x.ID || got.Attr("from") != room+"/juliet" {
		t.Errorf("the client got %s", got)
	}
	wantMessage(t, c, func(e *testrig.Element) bool {
		return strings.HasSuffix(content(e, "body"), "\nI do") && e.Find("reply") != nil
	})
	benvolio.fresh("juliet@"+testrig.Host, "Hello")
	juliet = newChatter(t, r, "juliet")
	if left := juliet.scheduled(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}

	// A process that ended in the middle had sent it: it is not sent again.
	y := juliet.later(room, "Twice?", time.Now().Add(time.Hour))
	juliet.must("POST", in(room, "/messages"), webchat.Outgoing{Text: "Twice?", Origin: "later-" + y.ID}, nil)
	id, err := store.ParseID(y.ID)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := r.Node.Store.ClaimScheduled(t.Context(), testrig.Host, id, y.At, time.Now()); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if status := juliet.do("PATCH", "/scheduled/"+y.ID, webchat.ScheduledChange{Text: ptr("x")}, nil); status != 409 {
		t.Errorf("changed while it is sent: %d", status)
	}
	juliet.later(room, "At last", time.Now().Add(time.Second)) // it wakes the service
	juliet.wantScheduled(func(_ *webchat.Scheduled, gone string) bool { return gone == y.ID })
	juliet.fresh(room, "At last")
	n := 0
	for _, m := range juliet.history(room).Messages {
		if m.Text == "Twice?" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("sent %d times", n)
	}
}

// What one has sent later is changed, sent at once and deleted by oneself alone, and there are 100 at most.
func TestScheduledChanges(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet", "paris")
	romeo, juliet, paris := newChatter(t, r, "romeo"), newChatter(t, r, "juliet"), newChatter(t, r, "paris")
	atJuliet, atRomeo := "juliet@"+testrig.Host, "romeo@"+testrig.Host
	hour := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	x := romeo.later(atJuliet, "Come", hour)
	romeo.wantScheduled(func(e *webchat.Scheduled, _ string) bool { return e.ID == x.ID && e.Where == "juliet" })
	var now webchat.Scheduled
	romeo.must("PATCH", "/scheduled/"+x.ID,
		webchat.ScheduledChange{Text: ptr("Come down"), At: ptr(hour.Add(time.Hour))}, &now)
	if now.Text != "Come down" || !now.At.Equal(hour.Add(time.Hour)) {
		t.Errorf("changed: %+v", now)
	}
	for _, status := range []int{
		paris.do("PATCH", "/scheduled/"+x.ID, webchat.ScheduledChange{Text: ptr("x")}, nil),
		paris.do("POST", "/scheduled/"+x.ID+"/send", nil, nil),
		paris.do("DELETE", "/scheduled/"+x.ID, nil, nil),
		romeo.do("DELETE", "/scheduled/none", nil, nil),
	} {
		if status != http.StatusNotFound {
			t.Errorf("somebody else: %d", status)
		}
	}
	if status := romeo.do("PATCH", "/scheduled/"+x.ID, webchat.ScheduledChange{Text: ptr(" ")}, nil); status != 422 {
		t.Errorf("without a text: %d", status)
	}
	romeo.must("POST", "/scheduled/"+x.ID+"/send", nil, nil)
	juliet.fresh(atRomeo, "Come down")
	romeo.fresh(atJuliet, "Come down")
	y := romeo.later(atJuliet, "Go", hour)
	romeo.must("DELETE", "/scheduled/"+y.ID, nil, nil)
	romeo.wantScheduled(func(_ *webchat.Scheduled, gone string) bool { return gone == y.ID })
	for range 100 {
		romeo.later(atJuliet, "and again", hour)
	}
	n := webchat.NewScheduled{Text: "too much", At: hour}
	if status := romeo.do("POST", in(atJuliet, "/scheduled"), n, nil); status != 403 {
		t.Errorf("the 101st: %d", status)
	}
	if l := romeo.scheduled(); len(l) != 100 {
		t.Errorf("%d are left", len(l))
	}
}

// Who may not write any more at the time is told so, with the text.
func TestScheduledRefused(t *testing.T) {
	r, _, g := verona(t, "juliet", "benvolio")
	addTo(t, r, g, "juliet")
	room := g.Room + "@groups." + testrig.Host
	juliet, benvolio := newChatter(t, r, "juliet"), newChatter(t, r, "benvolio")
	if status := benvolio.do("POST", in(room, "/scheduled"),
		webchat.NewScheduled{Text: "x", At: time.Now().Add(time.Hour)}, nil); status != 404 && status != 403 {
		t.Errorf("a stranger: %d", status)
	}
	x := juliet.later(room, "Dear all,\nfarewell", time.Now().Add(2*time.Second))
	m := []store.Member{{JID: "juliet@" + testrig.Host}}
	if err := r.Node.Org.SetMembers(t.Context(), acts.Operator, testrig.Host, g.ID, m); err != nil {
		t.Fatal(err)
	}
	juliet.wantScheduled(func(e *webchat.Scheduled, _ string) bool { return e != nil && e.Failed != "" })
	told := juliet.message("notify@"+testrig.Host, func(m webchat.Message, fresh bool) bool { return fresh })
	if !strings.HasPrefix(told.Text, "A scheduled message was not sent. ") ||
		!strings.HasSuffix(told.Text, ".\nDear all,\nfarewell") {
		t.Errorf("told %q", told.Text)
	}
	l := juliet.scheduled()
	if len(l) != 1 || l[0].ID != x.ID || l[0].Failed == "" || l[0].Where != "" || l[0].Text != "Dear all,\nfarewell" {
		t.Errorf("kept %+v", l)
	}
	if status := juliet.do("POST", "/scheduled/"+x.ID+"/send", nil, nil); status != 404 && status != 403 {
		t.Errorf("again: %d", status)
	}
	addTo(t, r, g, "juliet")
	juliet.must("POST", "/scheduled/"+x.ID+"/send", nil, nil)
	juliet.fresh(room, "Dear all,\nfarewell")
	// Of a destroyed group there is nothing to send to.
	juliet.later(room, "Anybody?", time.Now().Add(2*time.Second))
	if err := r.Node.Org.DeleteGroup(t.Context(), acts.Operator, testrig.Host, g.ID); err != nil {
		t.Fatal(err)
	}
	juliet.wantScheduled(func(e *webchat.Scheduled, _ string) bool { return e != nil && e.Failed != "" })
}

// One is reminded of a text and of a message, once, by a message of the host; not of what a message says that one may
// not read any more.
func TestReminders(t *testing.T) {
	r, _, g := verona(t, "juliet", "benvolio")
	addTo(t, r, g, "juliet")
	room := g.Room + "@groups." + testrig.Host
	juliet := newChatter(t, r, "juliet")
	said := juliet.say(room, "We need a ladder")
	soon := time.Now().Add(2 * time.Second)
	var x, y webchat.Scheduled
	juliet.must("POST", "/reminders", webchat.NewReminder{At: soon, Text: "Buy milk"}, &x)
	juliet.must("POST", "/reminders", webchat.NewReminder{At: soon, Conversation: room, Message: said.ID}, &y)
	if x.Kind != "reminder" || y.Text != "juliet: We need a ladder" || y.Where != g.Name || y.Message != said.ID {
		t.Errorf("made %+v and %+v", x, y)
	}
	from := "notify@" + testrig.Host
	juliet.fresh(from, "Reminder: Buy milk")
	juliet.message(from, func(m webchat.Message, fresh bool) bool {
		return fresh && strings.HasPrefix(m.Text, "Reminder: juliet: We need a ladder\n"+g.Name+"\n") &&
			strings.HasSuffix(m.Text, "/chat/c/"+room+"/"+said.ID)
	})
	juliet.wantScheduled(func(_ *webchat.Scheduled, gone string) bool { return gone == y.ID })
	if l := juliet.scheduled(); len(l) != 0 {
		t.Errorf("left %+v", l)
	}
	benvolio := newChatter(t, r, "benvolio")
	for what, n := range map[string]webchat.NewReminder{
		"nothing":      {At: time.Now().Add(time.Hour)},
		"the past":     {At: time.Now().Add(-time.Hour), Text: "x"},
		"of a secret":  {At: time.Now().Add(time.Hour), Conversation: room, Message: said.ID},
		"of no room":   {At: time.Now().Add(time.Hour), Conversation: "x", Message: said.ID},
		"of a lie":     {At: time.Now().Add(time.Hour), Conversation: "juliet@" + testrig.Host, Message: said.ID},
		"out of reach": {At: time.Now().AddDate(2, 0, 0), Text: "x"},
	} {
		if status := benvolio.do("POST", "/reminders", n, nil); status != 422 && status != 404 && status != 403 {
			t.Errorf("%s: %d", what, status)
		}
	}
	soon = time.Now().Add(2 * time.Second)
	juliet.must("POST", "/reminders", webchat.NewReminder{At: soon, Conversation: room, Message: said.ID}, nil)
	m := []store.Member{{JID: "juliet@" + testrig.Host}}
	if err := r.Node.Org.SetMembers(t.Context(), acts.Operator, testrig.Host, g.ID, m); err != nil {
		t.Fatal(err)
	}
	juliet.fresh(from, "You wanted to be reminded of a message. You cannot read it any more.")
}
