package testrig_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/acts"
	"parley/node"
	"parley/org"
	"parley/people"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// quietPhones is a push service whose server has a clock that a test sets.
type quietPhones struct {
	*pushes
	clock atomic.Int64
	room  string
	said  int
	api   apiClient
	web   *testrig.Browser
}

func startQuiet(t *testing.T, at string) *quietPhones {
	q := &quietPhones{}
	q.turn(t, at)
	q.pushes = startPushes(t, web, node.WithClock(func() time.Time { return time.UnixMicro(q.clock.Load()).UTC() }))
	g, err := q.rig.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host, org.NewGroup{
		Slug:    "verona",
		Name:    "Verona",
		Kind:    org.Private,
		Owner:   jid.MustParse("juliet@" + testrig.Host),
		Members: []jid.JID{jid.MustParse("romeo@" + testrig.Host)},
	})
	q.check(err)
	q.room = q.rig.Node.Org.RoomJID(testrig.Host, g.Room).String()
	do(t, q.juliet, "<presence id='j' to='"+q.room+
		"/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	// she gets her push last, whatever hours others have
	q.check(q.rig.Node.Store.SetQuietHours(t.Context(), testrig.Host, "nurse", store.QuietHours{Zone: "UTC"}))
	q.ask(q.romeo, "set", fmt.Sprintf(enable, "s"))
	q.leaves(q.romeo)
	q.web = q.rig.Browser(t)
	q.web.SignIn("romeo")
	q.api = apiClient{t, q.web, newToken(t, q.web, "people:read", "people:write")}
	return q
}

// turn sets the clock.
func (q *quietPhones) turn(t *testing.T, at string) {
	t.Helper()
	to, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	if now := q.clock.Load(); to.UnixMicro() < now {
		t.Fatalf("the clock is set back to %s", at)
	}
	q.clock.Store(to.UnixMicro())
}

func (q *quietPhones) set(body string) {
	q.t.Helper()
	var got map[string]any
	if status := q.api.do("PATCH", "/v1/me/quiet-hours", body, &got); status != 200 {
		q.t.Fatalf("%s: %d %v", body, status, got)
	}
}

// at has juliet write to romeo, call him, speak to him in the room and say something there at a moment, and says
// whether his phone is woken.
func (q *quietPhones) at(when string, pushed bool) {
	q.t.Helper()
	q.turn(q.t, when)
	for _, what := range []string{"<body>to him alone</body>", "<propose xmlns='urn:xmpp:jingle-message:0' id='c'>" +
		"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>", "@romeo called", "plain"} {
		q.said++
		id := fmt.Sprint("q", q.said)
		if strings.HasPrefix(what, "<") {
			q.says(id, what)
		} else {
			do(q.t, q.juliet, "<message type='groupchat' id='"+id+"' to='"+q.room+"'><body>"+
				what+"</body></message>", id)
		}
		if !pushed {
			q.nothing(when + ": " + what)
		} else if e := q.gets(""); !strings.Contains(e.String(), "node='n1'") ||
			!strings.Contains(e.String(), "<value>1</value>") {
			q.t.Errorf("%s: %s: %s", when, what, e)
		}
	}
}

// TestQuietHours: during the quiet hours that a person has chosen, in their local time, nothing wakes their phone, and
// messages from these hours do not wake it afterwards.
func TestQuietHours(t *testing.T) {
	q := startQuiet(t, "2027-03-27T20:00:00Z")
	q.at("2027-03-27T20:30:00Z", true)
	// The organization's quiet hours apply to people who have chosen none.
	set := func(name, value string) {
		t.Helper()
		if _, err := q.rig.Node.People(testrig.Host).ChangeSettings(t.Context(), people.System,
			map[string]*string{name: &value}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	set("organization.time_zone", "America/New_York") // 16:30
	set("phones.quiet_from", "16:00")
	set("phones.quiet_to", "17:00")
	q.at("2027-03-27T20:31:00Z", true)
	set("phones.quiet", "true")
	q.at("2027-03-27T20:32:00Z", false)
	set("phones.quiet_days", "mon,tue")
	q.at("2027-03-27T20:33:00Z", true)
	set("phones.quiet_days", "sat")
	q.at("2027-03-27T20:34:00Z", false)
	q.set(`{"on":false}`)
	q.at("2027-03-27T20:35:00Z", true)
	q.set(`{"on":true,"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"22:00","to":"07:00","time_zone":"Europe/Paris"}`)
	q.at("2027-03-27T20:59:00Z", true) // 21:59
	q.at("2027-03-27T21:00:00Z", false)
	q.at("2027-03-28T00:30:00Z", false) // past midnight; the clock goes forward half an hour later
	q.at("2027-03-28T04:59:00Z", false) // 06:59 in summer
	q.at("2027-03-28T05:00:00Z", true)
	q.set(`{"time_zone":"Asia/Kathmandu"}`) // 5:45 before Greenwich
	q.at("2027-03-28T16:14:00Z", true)
	q.at("2027-03-28T16:15:00Z", false)
	q.set(`{"days":["mon"]}`)
	q.at("2027-03-28T17:00:00Z", true) // Sunday
	q.at("2027-03-29T16:16:00Z", false)
	q.at("2027-03-29T18:30:00Z", false) // Tuesday, begun on Monday
	q.at("2027-03-30T16:20:00Z", true)
	q.set(`{"on":false,"paused_until":"2027-03-30T18:00:00Z"}`)
	q.at("2027-03-30T17:59:59Z", false)
	q.at("2027-03-30T18:00:00Z", true)
	// All messages without a push are there for people who look.
	if got := q.caughtUp("", ""); len(got) != q.said/4 {
		t.Errorf("%d messages are in his archive of %d", len(got), q.said/4)
	}
	if got := q.caughtUp(q.room, ""); len(got) != q.said/2 {
		t.Errorf("%d messages are in the room's archive of %d", len(got), q.said/2)
	}
	news, err := q.rig.Node.Org.News(t.Context(), testrig.Host, jid.MustParse("romeo@"+testrig.Host), false)
	if err != nil || len(news) != 1 || news[0].Unread != q.said/2 {
		t.Errorf("unread: %+v, %v", news, err)
	}
}

// TestQuietHoursPage: the API returns what was chosen on the page; an impossible value is refused with the name of its
// field, and stays in the form. People can choose only their own hours; these are deleted with the account.
func TestQuietHoursPage(t *testing.T) {
	q := startQuiet(t, "2027-03-27T20:00:00Z")
	state := func() string {
		t.Helper()
		var got json.RawMessage
		if status := q.api.do("GET", "/v1/me/quiet-hours", "", &got); status != 200 {
			t.Fatal(status, string(got))
		}
		return string(got)
	}
	if got := state(); !strings.Contains(got,
		`"on":false,"from":"22:00","to":"07:00","days":["mon","tue","wed","thu","fri","sat","sun"]`) {
		t.Error(got)
	}
	const want = `"on":true,"from":"21:30","to":"06:15","days":["mon","sun"],"time_zone":"America/New_York"`
	good := []string{
		"quiet_hours", "1", "quiet", "1", "from", "21:30", "to", "06:15", "days", "mon", "days", "sun",
		"time_zone", "America/New_York",
	}
	if p := q.web.Post("/me/notifications", good...); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if got := state(); !strings.Contains(got, want) || strings.Contains(got, "paused_until") {
		t.Error(got)
	}
	if p := q.web.Get("/me/notifications"); !strings.Contains(p.Text, `value="21:30"`) || !strings.Contains(p.Text,
		`value="America/New_York"`) || !strings.Contains(p.Text, `name="days" value="sun" checked`) {
		t.Error(p.Text)
	}
	for field, bad := range map[string]struct{ value, says string }{
		"from":      {"24:00", "Enter a time"},
		"to":        {"soon", "Enter a time"},
		"time_zone": {"Europe/Verona", "no such time zone"},
		"days":      {"someday", "Choose from these days"},
	} {
		p := q.web.Post("/me/notifications", "quiet_hours", "1", "quiet", "1", "days", "tue", field, bad.value)
		if p.Status != 422 || !strings.Contains(p.Text, bad.says) ||
			field != "days" && !strings.Contains(p.Text, `value="`+bad.value+`"`) {
			t.Errorf("%s: %d %s", field, p.Status, p.Text)
		}
	}
	for body, field := range map[string]string{
		`{"from":"7"}`:                            "from",
		`{"to":"25:00"}`:                          "to",
		`{"time_zone":"Local"}`:                   "time_zone",
		`{"time_zone":"../etc/passwd"}`:           "time_zone",
		`{"days":["x"]}`:                          "days",
		`{"days":[]}`:                             "days",
		`{"paused_until":"soon"}`:                 "paused_until",
		`{"paused_until":"2027-03-01T00:00:00Z"}`: "paused_until",
		`{"paused_until":"2029-03-01T00:00:00Z"}`: "paused_until",
	} {
		var got map[string]any
		if status := q.api.do("PATCH", "/v1/me/quiet-hours", body, &got); status != 422 ||
			!strings.Contains(fmt.Sprint(got["errors"]), "body."+field) {
			t.Errorf("%s: %d %v", body, status, got)
		}
	}
	if got := state(); !strings.Contains(got, want) {
		t.Errorf("after what was refused: %s", got)
	}
	q.web.Post("/me/notifications", append(good, "pause", "2h")...)
	if got := state(); !strings.Contains(got, want+`,"paused_until":"2027-03-27T22:00:0`) {
		t.Error(got)
	}
	if p := q.web.Get("/me/notifications"); !strings.Contains(p.Text, "Paused until 27 Mar 2027, 18:00") {
		t.Error(p.Text)
	}
	q.web.Post("/me/notifications", append(good, "pause", "off")...)
	if got := state(); strings.Contains(got, "paused_until") {
		t.Error(got)
	}
	rules := q.rig.Node.People(testrig.Host)
	on := true
	if _, err := rules.SetQuiet(t.Context(), people.Actor{Name: "juliet", Role: store.RoleOwner}, "romeo",
		people.QuietChange{On: &on}); err == nil {
		t.Error("an owner chooses for somebody else")
	}
	// A new account of the name has chosen none.
	q.check(rules.Delete(t.Context(), people.System, "romeo"))
	if quiet, err := rules.IsQuiet(t.Context(), "romeo",
		time.Date(2027, 3, 29, 2, 0, 0, 0, time.UTC)); err != nil || quiet {
		t.Error(quiet, err)
	}
}
