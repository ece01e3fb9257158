package testrig_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/store"
	"parley/testrig"
	"parley/webchat"
	"parley/wire/jid"
)

// A message is forwarded as a quote with its author, and with its place only where its readers may know of that. It
// mentions nobody, and its files go with it.
func TestForward(t *testing.T) {
	r, _, g := verona(t, "juliet", "nurse", "paris")
	for _, name := range []string{"juliet", "nurse"} {
		addTo(t, r, g, name)
	}
	ctx := t.Context()
	secret, err := r.Node.Org.CreateTheme(ctx, acts.System, testrig.Host, g.ID, org.NewTheme{Name: "Plot",
		Restricted: true, Creator: jid.MustParse("juliet@" + testrig.Host)})
	if err != nil {
		t.Fatal(err)
	}
	room, plot := g.Room+"@groups."+testrig.Host, secret.Room+"@groups."+testrig.Host
	atNurse, atParis := "nurse@"+testrig.Host, "paris@"+testrig.Host
	juliet, nurse, paris := newChatter(t, r, "juliet"), newChatter(t, r, "nurse"), newChatter(t, r, "paris")
	c := signIn(t, r, "romeo")
	joinRoom(t, c, room, "Romeo")
	var sent webchat.Message
	juliet.must("POST", in(room, "/messages"), webchat.Outgoing{Text: "@all wait\n@nurse too, and a@b.example",
		Files: []webchat.File{{URL: "https://files.example/x.png", Name: "x.png", Type: "image/png"}}}, &sent)
	file := nurse.message(room, func(m webchat.Message, fresh bool) bool { return fresh && len(m.Files) == 1 })
	forward := func(from, message string, f webchat.Forwarding) (x webchat.Forwarded, status int) {
		t.Helper()
		status = juliet.do("POST", in(from, "/messages/", message, "/forward"), f, &x)
		return x, status
	}
	ours := func(text string) bool { return strings.HasPrefix(text, "Look, @nurse\n\n> juliet · "+g.Name+" · ") }
	f := webchat.Forwarding{To: atNurse, Text: "Look, @nurse", Origin: "once"}
	for range 2 {
		x, status := forward(room, sent.ID, f)
		if status != http.StatusCreated || x.Conversation != atNurse || !ours(x.Message.Text) {
			t.Fatalf("to a member: %d %+v", status, x)
		}
		f.Again = true
	}
	got := nurse.message("juliet@"+testrig.Host, func(m webchat.Message, fresh bool) bool {
		return fresh && ours(m.Text)
	})
	if !strings.Contains(got.Text, ":\n> @\u2060all wait\n> @\u2060nurse too, and a@b.example\nhttp") ||
		!strings.HasSuffix(got.Text, "/"+sent.ID) {
		t.Errorf("the nurse reads %q", got.Text)
	}
	if p := juliet.history(atNurse); len(p.Messages) != 1 {
		t.Errorf("sent %d times", len(p.Messages))
	}

	// Somebody who may not read the group.
	if _, status := forward(room, sent.ID, webchat.Forwarding{To: atParis}); status != http.StatusCreated {
		t.Errorf("to a stranger: %d", status)
	}
	paris.message("juliet@"+testrig.Host, func(m webchat.Message, fresh bool) bool {
		return fresh && strings.HasPrefix(m.Text, "> juliet · ") && !strings.Contains(m.Text, g.Name) &&
			!strings.Contains(m.Text, "http")
	})
	// A file, into a group: clients get it as a file.
	if _, status := forward(room, file.ID, webchat.Forwarding{To: plot}); status != http.StatusCreated {
		t.Errorf("a file: %d", status)
	}
	if p := juliet.history(plot); len(p.Messages) != 2 || len(p.Messages[1].Files) != 1 ||
		!strings.Contains(p.Messages[0].Text, g.Name) {
		t.Errorf("a file arrives as %+v", p.Messages)
	}
	// From a theme of some of the group's people.
	x, status := forward(plot, juliet.say(plot, "at dawn").ID, webchat.Forwarding{To: room})
	if status != http.StatusCreated || strings.Contains(x.Message.Text, "Plot") {
		t.Errorf("from a restricted theme: %d %q", status, x.Message.Text)
	}
	wantMessage(t, c, func(e *testrig.Element) bool { return strings.Contains(content(e, "body"), "> at dawn") })

	for what, at := range map[string][2]string{
		"where one may not write": {sent.ID, plot + "x"},
		"nowhere":                 {sent.ID, "no address"},
		"no message":              {"0000000000001", room},
	} {
		if _, status := forward(room, at[0], webchat.Forwarding{To: at[1]}); status < 400 {
			t.Errorf("%s: %d", what, status)
		}
	}
	if status := paris.do("POST", in(room, "/messages/", sent.ID, "/forward"), webchat.Forwarding{To: atNurse},
		nil); status != http.StatusForbidden && status != http.StatusNotFound {
		t.Errorf("by a stranger: %d", status)
	}
	m := []store.Member{{JID: "juliet@" + testrig.Host}}
	if err := r.Node.Org.SetMembers(ctx, acts.Operator, testrig.Host, g.ID, m); err != nil {
		t.Fatal(err)
	}
	if _, status := forward(atNurse, juliet.say(atNurse, "hm").ID, webchat.Forwarding{To: room}); status < 400 {
		t.Errorf("into a group that one has left: %d", status)
	}
}
