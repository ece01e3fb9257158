package groups_test

import (
	"context"
	"strings"
	"testing"

	"mellium.im/xmpp/stanza"

	"parley/acts"
	"parley/muc"
	"parley/muc/groups"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

func person(name string) jid.JID { return jid.MustParse(name + "@" + testHost) }

// group makes a group of romeo's with juliet and nurse in it.
func (r *rig) group(kind string) store.Group {
	r.T.Helper()
	g, err := r.org.CreateGroup(context.Background(), acts.System, testHost, org.NewGroup{
		Name:    "Verona",
		Kind:    kind,
		Owner:   person("romeo"),
		Members: []jid.JID{person("juliet"), person("nurse")},
	})
	if err != nil {
		r.T.Fatal(err)
	}
	return g
}

// speak has an actor's session say something in a room without entering it.
func (r *rig) speak(actor, room, payload string, nicks ...string) (store.ID, *wire.Stanza, error) {
	r.T.Helper()
	at := r.org.RoomJID(testHost, room).String()
	st, err := wire.ParseStanza([]byte("<message xmlns='jabber:client' type='groupchat' id='m' to='"+at+"'>"+payload+
		"</message>"), wire.Limits{Stanza: 1 << 20})
	if err != nil {
		r.T.Fatal(err)
	}
	return r.svc.Speak(context.Background(), r.Clients[actor].Session.JID, nicks, st)
}

// refuses fails the test unless an error has this condition.
func refuses(t *testing.T, want stanza.Condition, err error) {
	t.Helper()
	if e, ok := server.Refusal(err); !ok || e.Condition != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSpeakInGroup(t *testing.T) {
	mentioned := make(chan groups.Mention, 1)
	r := newRig(t, func(c *groups.Config, _ *muc.Config) {
		c.Meetings = "https://meet.example.net/{secret}"
		c.Mentioned = func(_ context.Context, m groups.Mention) { mentioned <- m }
	})
	r.User("romeo", "juliet", "nurse", "tybalt")
	r.Login("romeo/x", "juliet/x", "nurse/x", "tybalt/x")
	g := r.group(org.Private)
	at := r.org.RoomJID(testHost, g.Room).String()
	r.Play(`romeo sends: <presence to='` + at + `/Romeo'>` + x + `</presence>
	romeo forgets from ` + at)
	_, _, err := r.speak("tybalt", g.Room, "<body>x</body>", "Tybalt")
	refuses(t, stanza.RegistrationRequired, err)
	if id, _, err := r.speak("juliet", g.Room, "<body>Ay me!</body>", "Juliet C"); err != nil || id == 0 {
		t.Fatalf("%s: %v", id, err)
	}
	r.Play(`romeo gets: <message from='` + at + `/Juliet C'/>`)

	// A command is answered to the session that gave it, and nobody else sees it.
	id, shown, err := r.speak("juliet", g.Room, "<body>!help</body>", "Juliet C")
	if id != 0 || shown != nil || err != nil {
		t.Errorf("!help: %s, %v, %v", id, shown, err)
	}
	if e := r.Clients["juliet"].Next(); e.Attr("from") != at || e.Attr("to") != "juliet@example.org/x" ||
		!strings.Contains(e.ChildText(wire.NSClient, "body"), "!theme") {
		t.Errorf("the answer is %s", e.AppendXML(nil, ""))
	}
	_, _, err = r.speak("juliet", g.Room, "<body>!invite tybalt</body>", "Juliet C")
	refuses(t, stanza.Forbidden, err)
	if _, _, err = r.speak("juliet", g.Room, "<body>!meet Feast</body>", "Juliet C"); err != nil {
		t.Error(err)
	}
	r.Play(`romeo gets: <message from='` + at + `/Juliet C'><invite xmlns='urn:xmpp:call-invites:0'/></message>`)

	// People call her by the name that they see.
	r.Play(`romeo sends: <message type='groupchat' id='r1' to='` + at + `'><body>@Juliet C: I take thee at thy word</body></message>`)
	if m := <-mentioned; len(m.People) != 1 || m.People[0] != person("juliet") {
		t.Errorf("mentioned: %v", m.People)
	}

	// Who is not in the group any more does not speak, and leaves the name to others.
	_, _, err = r.speak("nurse", g.Room, "<body>x</body>", "Juliet C")
	refuses(t, stanza.Conflict, err)
	if err := r.org.SetMember(context.Background(), acts.System, testHost, g.ID, person("juliet"), ""); err != nil {
		t.Fatal(err)
	}
	_, _, err = r.speak("juliet", g.Room, "<body>x</body>", "Juliet C")
	refuses(t, stanza.RegistrationRequired, err)
	if _, _, err = r.speak("nurse", g.Room, "<body>x</body>", "Juliet C"); err != nil {
		t.Error(err)
	}
	if err := r.org.SetMember(
		context.Background(), acts.System, testHost, g.ID, person("nurse"), store.RoleBanned); err != nil {
		t.Fatal(err)
	}
	_, _, err = r.speak("nurse", g.Room, "<body>x</body>", "Nurse")
	refuses(t, stanza.Forbidden, err)
}

func TestSpeakInTheme(t *testing.T) {
	r := newRig(t)
	r.User("romeo", "juliet", "nurse")
	r.Login("juliet/x", "nurse/x")
	ctx, g := context.Background(), r.group(org.Private)
	th, err := r.org.CreateTheme(ctx, acts.System, testHost, g.ID,
		org.NewTheme{Name: "Feast", Creator: person("juliet"), Restricted: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.speak("juliet", th.Room, "<body>x</body>", "Juliet"); err != nil {
		t.Error(err)
	}
	_, _, err = r.speak("nurse", th.Room, "<body>x</body>", "Nurse")
	refuses(t, stanza.RegistrationRequired, err)
	by := acts.Person(person("juliet"), testHost, acts.API)
	if err := r.org.SetThemeState(ctx, by, testHost, th.Key, org.ThemeClosed); err != nil {
		t.Fatal(err)
	}
	if err := r.svc.Ask(ctx, th.Room, muc.Patience, func(context.Context, *muc.Room) error { return nil }); err != nil {
		t.Fatal(err)
	}
	_, _, err = r.speak("juliet", th.Room, "<body>x</body>", "Juliet")
	refuses(t, stanza.Forbidden, err)
}

// In an announcement group, those who only read react, under their own names.
func TestSpeakWhereModeratorsWrite(t *testing.T) {
	r := newRig(t)
	r.User("romeo", "juliet", "nurse")
	r.Login("romeo/x", "juliet/x")
	g := r.group(org.Announcement)
	id, _, err := r.speak("romeo", g.Room, "<body>A feast tonight</body>", "Romeo")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = r.speak("juliet", g.Room, "<body>x</body>", "Juliet")
	refuses(t, stanza.Forbidden, err)
	_, shown, err := r.speak("juliet", g.Room, "<reactions xmlns='urn:xmpp:reactions:0' id='"+id.String()+
		"'><reaction>🎉</reaction></reactions>", "Buy rings at rings.example")
	if err != nil || shown.From.Resource() != "juliet" {
		t.Errorf("shown as %+v: %v", shown, err)
	}
}
