package testrig_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"parley/people"
	"parley/store"
	"parley/testrig"
	"parley/webchat"
)

// wantConversation waits for the event of a conversation that is as is says.
func (c *chatter) wantConversation(is func(x webchat.Conversation) bool) webchat.Conversation {
	c.t.Helper()
	var got webchat.Conversation
	c.want("conversation", func(data string) bool {
		got = webchat.Conversation{}
		if err := json.Unmarshal([]byte(data), &got); err != nil {
			c.t.Fatal(err)
		}
		return is(got)
	})
	return got
}

// open asks for the conversation with others.
func (c *chatter) open(others ...string) (x webchat.Conversation) {
	c.t.Helper()
	c.must("POST", "/conversations", withOthers(others...), &x)
	return x
}

func withOthers(others ...string) (n webchat.NewSeveral) {
	for _, o := range others {
		if !strings.Contains(o, "@") {
			o += "@" + testrig.Host
		}
		n.People = append(n.People, o)
	}
	return n
}

// bookmarked gives the name under which somebody's clients find a room, and whether they enter it; "" if there is none.
func bookmarked(t *testing.T, r *testrig.Rig, name, room string) (title string, enters bool) {
	t.Helper()
	bs, err := r.Node.Store.Bookmarks(t.Context(), testrig.Host, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bs {
		if b.Room == room {
			return b.Name, b.Autojoin
		}
	}
	return "", false
}

// Three people talk without a group: a browser makes the conversation, a client finds it by its bookmark, and the same
// people get the same one again.
func TestSeveral(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet", "benvolio", "paris")
	juliet, benvolio, paris := newChatter(t, r, "juliet"), newChatter(t, r, "benvolio"), newChatter(t, r, "paris")
	romeo := signIn(t, r, "romeo")
	c := juliet.open("romeo", "benvolio")
	room := c.ID
	if c.Kind != "several" || c.Name != "benvolio, romeo" || len(c.People) != 2 || !c.Write || c.Named ||
		c.Me != "juliet@"+testrig.Host {
		t.Errorf("made %+v", c)
	}
	benvolio.wantConversation(func(x webchat.Conversation) bool { return x.ID == room && x.Name == "juliet, romeo" })
	if name, enters := bookmarked(t, r, "romeo", room); name != "benvolio, juliet" || !enters {
		t.Errorf("romeo's bookmark: %q %v", name, enters)
	}
	if again := benvolio.open("juliet", "romeo", "juliet"); again.ID != room {
		t.Errorf("a second one: %+v", again)
	}
	if _, ok := benvolio.conversation(room); !ok {
		t.Error("an empty conversation is not listed")
	}

	// The client is in it like any other room, and sees of what kind it is.
	joinRoom(t, romeo, room, "Romeo")
	info := do(t, romeo, "<iq type='get' id='i' to='"+room+
		"'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", "i").String()
	for _, feature := range []string{"muc_membersonly", "muc_nonanonymous", "muc_hidden", "muc_persistent"} {
		if !strings.Contains(info, feature) {
			t.Errorf("no %s in %s", feature, info)
		}
	}
	juliet.say(room, "Shall we?")
	wantMessage(t, romeo, func(e *testrig.Element) bool { return content(e, "body") == "Shall we?" })
	said := benvolio.fresh(room, "Shall we?")
	if x, _ := benvolio.conversation(room); *x.Unread != 1 || x.Last.Text != "Shall we?" || x.Notify != "all" {
		t.Errorf("listed as %+v", x)
	}
	saysIn(t, romeo, room, "r1", "<body>We shall</body>")
	if m := juliet.fresh(room, "We shall"); m.By.Name != "romeo" || m.By.Address != "romeo@"+testrig.Host {
		t.Errorf("by %+v", m.By)
	}
	benvolio.must("PUT", in(room, "/messages/"+said.ID+"/reactions"), map[string]any{"emoji": []string{"👍"}}, nil)

	// Nobody else knows of it, and nobody rules it.
	for _, status := range []int{
		paris.do("GET", in(room), nil, nil),
		paris.do("GET", in(room, "/messages"), nil, nil),
		paris.do("POST", in(room, "/messages"), webchat.Outgoing{Text: "Hello"}, nil),
		paris.do("POST", in(room, "/people"), withOthers("paris"), nil),
		paris.do("PATCH", in(room), map[string]string{"name": "Mine"}, nil),
		paris.do("POST", in(room, "/leave"), nil, nil),
	} {
		if status != http.StatusNotFound {
			t.Errorf("paris: %d", status)
		}
	}
	stranger := signIn(t, r, "paris")
	if e := do(t, stranger, "<iq type='get' id='i' to='"+room+
		"'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", "i"); e.Find("item-not-found") == nil {
		t.Errorf("a stranger is told %s", e)
	}
	for _, q := range []string{
		"<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>",
		"<query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='owner' jid='romeo@" + testrig.Host +
			"'/></query>",
		"<query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='none' jid='juliet@" + testrig.Host +
			"'/></query>",
	} {
		if e := do(t, romeo, "<iq type='set' id='q' to='"+room+"'>"+q+"</iq>", "q"); e.Attr("type") != "error" {
			t.Errorf("%s: %s", q, e)
		}
	}

	// A client adds somebody by an invitation (XEP-0045, section 7.8.2). Who is new reads what is said from then on.
	invite := func(who string) {
		sends(t, romeo, "<message id='v' to='"+room+"'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='"+who+
			"'/></x></message>")
	}
	invite("tybalt@elsewhere.example")
	wantMessage(t, romeo, func(e *testrig.Element) bool {
		return e.Attr("type") == "error" && e.Find("not-allowed") != nil
	})
	invite("paris@" + testrig.Host)
	paris.wantConversation(func(x webchat.Conversation) bool { return x.ID == room && len(x.People) == 3 })
	juliet.wantConversation(func(x webchat.Conversation) bool { return x.Name == "benvolio, paris, romeo" })
	if name, _ := bookmarked(t, r, "romeo", room); name != "benvolio, juliet, paris" {
		t.Errorf("romeo's bookmark: %q", name)
	}
	if m := paris.fresh(room, "romeo added paris"); m.By != nil {
		t.Errorf("said by %+v", m.By)
	}
	juliet.say(room, "Welcome")
	paris.fresh(room, "Welcome")
	if p := paris.history(room); len(p.Messages) != 2 {
		t.Errorf("paris reads %+v", p.Messages)
	}
	if again := juliet.open("romeo", "benvolio"); again.ID == room {
		t.Error("three people are in the conversation of four")
	}

	// It gets a name, and people leave.
	var named webchat.Conversation
	paris.must("PATCH", in(room), map[string]string{"name": " The  masque "}, &named)
	if named.Name != "The masque" || !named.Named {
		t.Errorf("named %+v", named)
	}
	juliet.wantConversation(func(x webchat.Conversation) bool { return x.Name == "The masque" })
	if name, _ := bookmarked(t, r, "romeo", room); name != "The masque" {
		t.Errorf("romeo's bookmark: %q", name)
	}
	wantMessage(t, romeo, func(e *testrig.Element) bool {
		return content(e, "body") == "paris named this conversation The masque" && e.Attr("from") == room
	})
	x, _ := juliet.conversation(room)
	unread := *x.Unread
	paris.must("POST", in(room, "/leave"), nil, nil)
	juliet.fresh(room, "paris has left the conversation")
	if x, _ := juliet.conversation(room); *x.Unread != unread {
		t.Errorf("%d unread after somebody left, %d before", *x.Unread, unread)
	}
	paris.want("gone", func(data string) bool { return strings.Contains(data, room) })
	if name, _ := bookmarked(t, r, "paris", room); name != "" {
		t.Errorf("paris still has %q", name)
	}
	if status := paris.do("GET", in(room, "/messages"), nil, nil); status != http.StatusNotFound {
		t.Errorf("paris reads: %d", status)
	}
	juliet.must("POST", in(room, "/leave"), nil, nil)
	benvolio.must("POST", in(room, "/leave"), nil, nil)
	// The client leaves by the standard's way (section 7.10), and with the last the room ends.
	do(t, romeo, "<iq type='set' id='u' to='"+room+"'><query xmlns='jabber:iq:register'><remove/></query></iq>", "u")
	saysIn(t, romeo, room, "late", "<body>Anybody?</body>")
	wantMessage(t, romeo, func(e *testrig.Element) bool { return e.Attr("id") == "late" && e.Attr("type") == "error" })
	wantNoRoom(t, r, room)
}

// wantNoRoom says that a room is gone.
func wantNoRoom(t *testing.T, r *testrig.Rig, room string) {
	t.Helper()
	local, service, _ := strings.Cut(room, "@")
	if _, err := r.Node.Store.Room(t.Context(), service, local); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the room is there: %v", err)
	}
}

// Three people who begin the same conversation at once get the same one.
func TestSeveralAtOnce(t *testing.T) {
	r := testrig.Start(t, web)
	names := []string{"romeo", "juliet", "benvolio"}
	r.Account(names...)
	got := make([]webchat.Conversation, len(names))
	status := make([]int, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		c := newChatter(t, r, name)
		others := withOthers(names[(i+1)%3], names[(i+2)%3])
		all.Go(func() { status[i] = c.do("POST", "/conversations", others, &got[i]) })
	}
	all.Wait()
	if got[0].ID == "" || got[0].ID != got[1].ID || got[0].ID != got[2].ID {
		t.Errorf("%v: %+v", status, got)
	}
}

// Who may be in a conversation of several people: up to nine enabled accounts of the organization, none of whom blocks
// who brings them together, if the organization wants such conversations.
func TestSeveralRefused(t *testing.T) {
	r := testrig.Start(t, web)
	many := []string{"p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"}
	r.Account(append([]string{"romeo", "juliet", "tybalt", "gone"}, many...)...)
	ctx := t.Context()
	if err := r.Node.Store.Block(ctx, testrig.Host, "tybalt", 9, "romeo@"+testrig.Host); err != nil {
		t.Fatal(err)
	}
	disabled := true
	rules := r.Node.People(testrig.Host)
	if _, err := rules.Update(ctx, people.System, "gone", people.Change{Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	romeo := newChatter(t, r, "romeo")
	for what, others := range map[string][]string{
		"one":        {"juliet"},
		"oneself":    {"juliet", "romeo"},
		"too many":   many,
		"an enemy":   {"juliet", "tybalt"},
		"disabled":   {"juliet", "gone"},
		"nobody":     {"juliet", "ghost"},
		"a stranger": {"juliet", "paris@elsewhere.example"},
		"no address": {"juliet", "@"},
	} {
		if status := romeo.do("POST", "/conversations", withOthers(others...), nil); status < 400 || status >= 500 {
			t.Errorf("%s: %d", what, status)
		}
	}
	c := romeo.open(many[:8]...)
	if len(c.People) != 8 {
		t.Errorf("%+v", c)
	}
	if status := romeo.do("POST", in(c.ID, "/people"), withOthers("p9"), nil); status < 400 {
		t.Errorf("a tenth: %d", status)
	}
	three := romeo.open("p1", "p2")
	for _, who := range []string{"tybalt", "gone", "ghost", "paris@elsewhere.example"} {
		if status := romeo.do("POST", in(three.ID, "/people"), withOthers(who), nil); status < 400 {
			t.Errorf("%s: %d", who, status)
		}
	}
	var four webchat.Conversation
	romeo.must("POST", in(three.ID, "/people"), withOthers("p3", "p1"), &four)
	if len(four.People) != 3 {
		t.Errorf("%+v", four)
	}

	// Accounts go, and the last takes the conversation along.
	for _, name := range []string{"p1", "p2", "p3"} {
		if err := rules.Delete(ctx, people.System, name); err != nil {
			t.Fatal(err)
		}
	}
	romeo.wantConversation(func(x webchat.Conversation) bool { return x.ID == three.ID && len(x.People) == 0 })
	owned, err := r.Node.Store.RoomsOwned(ctx, "groups."+testrig.Host, "romeo@"+testrig.Host)
	if err != nil || owned != 0 {
		t.Errorf("romeo owns %d, %v", owned, err)
	}
	if err := rules.Delete(ctx, people.System, "romeo"); err != nil {
		t.Fatal(err)
	}
	wantNoRoom(t, r, three.ID)

	// The organization does not want any.
	p4 := newChatter(t, r, "p4")
	off := "false"
	to := map[string]*string{"organization.conversations": &off}
	if _, err := r.Node.Settings().Change(ctx, testrig.Host, "", to); err != nil {
		t.Fatal(err)
	}
	for path, others := range map[string]webchat.NewSeveral{
		"/conversations":    withOthers("p5", "p6"),
		in(c.ID, "/people"): withOthers("p9"),
	} {
		if status := p4.do("POST", path, others, nil); status != http.StatusForbidden {
			t.Errorf("%s: %d", path, status)
		}
	}
	p4.say(c.ID, "We go on")
	for range 10 {
		p4.must("PATCH", in(c.ID), map[string]string{"name": "Verona"}, nil)
	}
	late := p4.b.Do("PATCH", "/api/v1"+in(c.ID), nil, func(q *http.Request) {
		text := `{"name": "Mantua"}`
		q.Body, q.ContentLength = readCloser{strings.NewReader(text)}, int64(len(text))
		q.Header.Set("Content-Type", "application/json")
	})
	if late.Status != http.StatusServiceUnavailable {
		t.Errorf("the eleventh name in a row: %d", late.Status)
	}
}
