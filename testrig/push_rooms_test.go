package testrig_test

import (
	"fmt"
	"strings"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/testrig"
	"parley/wire/jid"
)

// TestPushFromRooms: somebody whose client is gone gets a push for messages in their rooms, once, as their bookmark
// says (XEP-0492): all, mentions, nothing; in a room that is not for members only the default is mentions. A new theme
// counts as a message. People who asked not to be disturbed get none.
func TestPushFromRooms(t *testing.T) {
	p := startPushes(t, nil)
	p.rig.Account("tybalt")
	group := func(slug, kind string) string {
		t.Helper()
		n := org.NewGroup{Slug: slug, Name: slug, Kind: kind, Owner: jid.MustParse("juliet@" + testrig.Host)}
		for _, name := range []string{"romeo", "tybalt"} {
			n.Members = append(n.Members, jid.MustParse(name+"@"+testrig.Host))
		}
		g, err := p.rig.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host, n)
		p.check(err)
		room := p.rig.Node.Org.RoomJID(testrig.Host, g.Room).String()
		do(t, p.juliet, "<presence id='j' to='"+room+
			"/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
		return room
	}
	wants := func(name, room, notify string) {
		t.Helper()
		c := p.signIn(name, "desk")
		e := p.ask(c, "set",
			"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='"+room+
				"'><conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'><nick>Rom</nick><extensions>"+
				"<notify xmlns='urn:xmpp:notification-settings:1'>"+notify+
				"</notify></extensions></conference></item></publish></pubsub>")
		if e.Attr("type") != "result" {
			t.Fatal(e)
		}
		p.leaves(c)
	}
	private, large := group("secret", org.Private), group("piazza", org.Large)
	said := 0
	// says makes juliet say something. tybalt, who wants all, is told after romeo: once he is, it is decided whether
	// romeo is.
	says := func(what, room, body string, pushed bool) {
		t.Helper()
		said++
		id := fmt.Sprint("g", said)
		do(t, p.juliet, "<message type='groupchat' id='"+id+"' to='"+room+"'><body>"+body+"</body></message>", id)
		for romeo, tybalt := !pushed, false; !romeo || !tybalt; {
			e := p.gets("")
			switch s := e.String(); {
			case !strings.Contains(s, "<value>1</value>"):
				t.Fatalf("%s: more than one: %s", what, e)
			case strings.Contains(s, "node='tybalt'"):
				tybalt = true
			case romeo:
				t.Fatalf("%s: %s", what, e)
			default:
				romeo = true
			}
		}
	}
	tybalt := p.signIn("tybalt", "phone")
	p.ask(tybalt, "set", "<enable xmlns='urn:xmpp:push:0' jid='push.example' node='tybalt'/>")
	p.leaves(tybalt)
	wants("tybalt", large, "<always/>")
	p.ask(p.romeo, "set", fmt.Sprintf(enable, "s"))
	says("the client is there", private, "he is here", false)
	p.leaves(p.romeo)

	says("a plain message", private, "plain", true)
	says("a mention", private, "@romeo called", true)
	says("a plain message where one is not a member", large, "plain", false)
	says("a mention where one is not a member", large, "@romeo called", true)
	wants("romeo", private, "<on-mention/>")
	says("on mention", private, "plain", false)
	says("on mention, a mention", private, "@romeo called", true)
	wants("romeo", private, "<never identity-category='client' identity-type='phone'/><always/>")
	says("never", private, "plain", false)
	says("never, a mention", private, "@romeo called", false)
	wants("romeo", private, "<always/>")
	says("always", private, "plain", true)

	// Somebody may sit at a desk.
	desk := p.signIn("romeo", "desk")
	p.check(desk.Write("<presence><show>dnd</show></presence>"))
	p.ask(desk, "get", "<ping xmlns='urn:xmpp:ping'/>")
	says("do not disturb", private, "plain", false)
	says("do not disturb, a mention", private, "@romeo called", false)
	p.says("dnd", "<body>to him alone</body>")
	p.nothing("do not disturb, a message to a person")
	p.leaves(desk)

	// A theme is announced in the group's room; people of a restricted theme are told of it by themselves.
	do(t, p.juliet, "<message type='groupchat' id='t1' to='"+private+"'><body>!theme Budget</body></message>", "t1")
	both := p.gets("").String() + p.gets("").String()
	if !strings.Contains(both, "node='n1'") || !strings.Contains(both, "node='tybalt'") {
		t.Errorf("a new theme: %s", both)
	}
	g, err := p.rig.Node.Org.Group(t.Context(), testrig.Host, "secret")
	p.check(err)
	plot := org.NewTheme{
		Name:       "Plot",
		Restricted: true,
		Creator:    jid.MustParse("juliet@" + testrig.Host),
		People:     []jid.JID{jid.MustParse("romeo@" + testrig.Host)},
	}
	_, err = p.rig.Node.Org.CreateTheme(t.Context(), acts.System, testrig.Host, g.ID, plot)
	p.check(err)
	if e := p.gets(""); !strings.Contains(e.String(), "node='n1'") {
		t.Errorf("a restricted theme: %s", e)
	}
	p.nothing("more than that")
}

// Phones of people who are away are told of what is said in a conversation of several people, and that somebody added
// them.
func TestPushFromSeveral(t *testing.T) {
	p := startPushes(t, web)
	p.rig.Account("tybalt", "paris")
	for _, name := range []string{"tybalt", "paris"} {
		c := p.signIn(name, "phone")
		p.ask(c, "set", "<enable xmlns='urn:xmpp:push:0' jid='push.example' node='"+name+"'/>")
		p.leaves(c)
	}
	juliet := newChatter(t, p.rig, "juliet")
	c := juliet.open("romeo", "tybalt")
	juliet.say(c.ID, "The masque is tonight")
	if e := p.gets("").String(); !strings.Contains(e, "node='tybalt'") {
		t.Errorf("a message: %s", e)
	}
	juliet.must("POST", in(c.ID, "/people"), withOthers("paris"), nil)
	both := p.gets("").String() + p.gets("").String()
	if !strings.Contains(both, "node='paris'") || !strings.Contains(both, "node='tybalt'") {
		t.Errorf("somebody was added: %s", both)
	}
	juliet.must("PATCH", in(c.ID), map[string]string{"name": "Masque"}, nil)
	p.nothing("a name")
}

// TestPushSleepingInRoom: a client that is asleep in a room is woken by the same wishes, and once.
func TestPushSleepingInRoom(t *testing.T) {
	p := startPushes(t, nil)
	n := org.NewGroup{
		Slug:    "piazza",
		Name:    "Piazza",
		Kind:    org.Large,
		Owner:   jid.MustParse("juliet@" + testrig.Host),
		Members: []jid.JID{jid.MustParse("romeo@" + testrig.Host)},
	}
	g, err := p.rig.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host, n)
	p.check(err)
	room := p.rig.Node.Org.RoomJID(testrig.Host, g.Room).String()
	do(t, p.juliet, "<presence id='j' to='"+room+
		"/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	p.ask(p.romeo, "set", fmt.Sprintf(enable, "s"))
	do(t, p.romeo, "<enable xmlns='urn:xmpp:sm:3' resume='true'/><presence id='j' to='"+room+
		"/Rom'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	p.ask(p.romeo, "get", "<ping xmlns='urn:xmpp:ping'/>")
	p.romeo.Close()
	do(t, p.juliet, "<message type='groupchat' id='a' to='"+room+"'><body>plain</body></message>", "a")
	p.nothing("a plain message where one is not a member")
	do(t, p.juliet, "<message type='groupchat' id='b' to='"+room+"'><body>@Rom called</body></message>", "b")
	if e := p.gets(""); !strings.Contains(e.String(), "node='n1'") ||
		!strings.Contains(e.String(), "<value>1</value>") {
		t.Errorf("a mention: %s", e)
	}
	p.nothing("woken twice for one message")
}
