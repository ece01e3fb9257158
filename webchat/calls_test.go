package webchat

import (
	"fmt"
	"strings"
	"testing"

	"parley/store"
)

// A call is missed if it was proposed, and no client of the person has taken or declined it, or answered it since.
func TestMissedCalls(t *testing.T) {
	const me, jingle, invites = "romeo@a.example", nsJingleMessage, nsCallInvites
	in := func(from, payload string) string {
		return fmt.Sprintf("<message xmlns='jabber:client' from='%s@a.example/x' to='%s' type='chat' id='m1'>%s</message>",
			from, me, payload)
	}
	out := func(to, payload string) string {
		return fmt.Sprintf("<message xmlns='jabber:client' from='%s/x' to='%s@a.example' type='chat' id='m2'>%s</message>",
			me, to, payload)
	}
	say := func(space, what, id string) string { return fmt.Sprintf("<%s xmlns='%s' id='%s'/>", what, space, id) }
	rings := in("juliet", "<propose xmlns='"+jingle+"' id='c'><description xmlns='urn:xmpp:jingle:apps:rtp:1' "+
		"media='video'/></propose>")
	invited := in("juliet", "<invite xmlns='"+invites+"'><jingle sid='s'/></invite>")
	for what, c := range map[string]struct {
		archive []string
		want    string
	}{
		"nobody":       {[]string{rings}, "juliet video"},
		"given up":     {[]string{rings, in("juliet", say(jingle, "retract", "c"))}, "juliet video over"},
		"taken":        {[]string{rings, out("juliet", say(jingle, "proceed", "c"))}, ""},
		"taken, older": {[]string{rings, out("juliet", say(jingle, "accept", "c"))}, ""},
		"declined":     {[]string{rings, out("juliet", say(jingle, "reject", "c"))}, ""},
		"was held":     {[]string{rings, in("juliet", say(jingle, "finish", "c"))}, ""},
		"rang":         {[]string{rings, out("juliet", say(jingle, "ringing", "c"))}, "juliet video"},
		"answered":     {[]string{rings, out("juliet", "<body>Later</body>")}, ""},
		"called back":  {[]string{rings, out("juliet", say(jingle, "propose", "d"))}, ""},
		"to another":   {[]string{rings, out("nurse", "<body>Later</body>")}, "juliet video"},
		"a stranger's word": {[]string{rings, in("tybalt", say(jingle, "finish", "c")),
			in("tybalt", say(jingle, "retract", "c"))}, "juliet video"},
		"one's own call": {[]string{out("juliet", say(jingle, "propose", "c"))}, ""},
		"without an id":  {[]string{in("juliet", say(jingle, "propose", ""))}, ""},
		"XEP-0482":       {[]string{invited}, "juliet"},
		"its retraction": {[]string{invited, in("juliet", say(invites, "retract", "m1"))}, "juliet over"},
		"its acceptance": {[]string{invited, out("juliet", say(invites, "accept", "m1"))}, ""},
		"a meeting": {[]string{in("juliet", "<invite xmlns='"+invites+"'><external uri='https://m.example'/></invite>"+
			"<body>Meet</body>")}, ""},
		"no stanza": {[]string{"<message", "<iq from='juliet@a.example'/>"}, ""},
	} {
		l := callLog{self: me, calls: make(map[callKey]*call)}
		for i, text := range c.archive {
			l.take(&store.Archived{ID: store.ID(i + 1), Stanza: []byte(text)})
		}
		got := ""
		for _, x := range l.calls {
			name, _, _ := strings.Cut(x.with, "@")
			got += name
			if x.video {
				got += " video"
			}
			if x.over {
				got += " over"
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}
