package testrig_test

import (
	"strings"
	"testing"

	"parley/acts"
	"parley/config"
	"parley/org"
	"parley/testrig"
	"parley/webchat"
	"parley/wire/jid"
)

// Somebody who was away finds the calls that nobody took (XEP-0353), and meetings that have begun.
func TestMissedCallsAndMeetings(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Groups.MeetingURL = "https://meet.example/{room}-{secret}"
	})
	r.Account("romeo", "juliet", "paris")
	ctx := t.Context()
	romeo, juliet := signIn(t, r, "romeo"), newChatter(t, r, "juliet")
	missed := func() string {
		t.Helper()
		var l webchat.MissedCalls
		juliet.must("GET", "/calls/missed", nil, &l)
		var all []string
		for _, c := range l.Calls {
			all = append(all, c.By.Name+" "+c.Conversation)
		}
		return strings.Join(all, ", ")
	}
	signal := func(payload string) {
		t.Helper()
		sends(t, romeo, "<message to='juliet@"+testrig.Host+"' type='chat'>"+payload+
			"<store xmlns='urn:xmpp:hints'/></message>")
		ask(t, romeo, testrig.Host, "get", "<ping xmlns='urn:xmpp:ping'/>")
	}
	const space = "xmlns='urn:xmpp:jingle-message:0'"
	signal("<propose " + space + " id='c1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>")
	if got := missed(); got != "" {
		t.Errorf("while it rings: %s", got)
	}
	signal("<retract " + space + " id='c1'/>")
	if got, want := missed(), "romeo romeo@"+testrig.Host; got != want {
		t.Errorf("missed %q, want %q", got, want)
	}
	juliet.say("romeo@"+testrig.Host, "You called?")
	if got := missed(); got != "" {
		t.Errorf("after an answer: %s", got)
	}
	signal("<propose " + space + " id='c2'/>")
	signal("<retract " + space + " id='c2'/>")
	var l webchat.MissedCalls
	juliet.must("GET", "/calls/missed", nil, &l)
	if len(l.Calls) != 1 || l.Calls[0].Video {
		t.Fatalf("missed %+v", l)
	}
	juliet.must("PUT", in("romeo@"+testrig.Host, "/read"), map[string]string{"message": l.Calls[0].ID}, nil)
	if got := missed(); got != "" {
		t.Errorf("after it was seen: %s", got)
	}

	// Meetings, for those who may read of them.
	g, err := r.Node.Org.CreateGroup(ctx, acts.Operator, testrig.Host, org.NewGroup{Name: "Verona", Kind: "private",
		Owner: jid.MustParse("juliet@" + testrig.Host)})
	if err != nil {
		t.Fatal(err)
	}
	room := g.Room + "@groups." + testrig.Host
	juliet.say(room, "!meet The feud")
	juliet.message(room, func(m webchat.Message, _ bool) bool { return m.Kind == "meeting" })
	for name, want := range map[string]int{"juliet": 1, "paris": 0} {
		var held webchat.HeldMeetings
		c := juliet
		if name != "juliet" {
			c = newChatter(t, r, name)
		}
		c.must("GET", "/meetings", nil, &held)
		if len(held.Meetings) != want {
			t.Errorf("%s sees %+v", name, held)
		} else if want == 1 && (held.Meetings[0].Conversation != room || held.Meetings[0].Where != "Verona" ||
			!strings.HasPrefix(held.Meetings[0].Message.Link, "https://meet.example/")) {
			t.Errorf("%s sees %+v", name, held)
		}
	}
}
