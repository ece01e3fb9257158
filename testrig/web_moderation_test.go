package testrig_test

import (
	"strings"
	"testing"

	"parley/store"
	"parley/testrig"
)

// Moderation on pages goes through the room: apps see it as from an app.
func TestModerationOnPages(t *testing.T) {
	r, romeo, g := verona(t, "juliet", "tybalt")
	for _, n := range []string{"juliet", "tybalt"} {
		romeo.Post("/g/verona/members", "member", n, "role", "member")
	}
	juliet, tybalt := r.Browser(t), r.Browser(t)
	juliet.SignIn("juliet")
	tybalt.SignIn("tybalt")
	room := g.Room + "@groups." + testrig.Host
	x := signIn(t, r, "juliet")
	do(t, x, "<presence to='"+room+"/juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	until := func(is func(*testrig.Element) bool) *testrig.Element {
		t.Helper()
		for {
			e, err := x.Next()
			if err != nil {
				t.Fatal(err)
			}
			if is(e) {
				return e
			}
		}
	}
	said := func(b *testrig.Browser, text string) string {
		t.Helper()
		if p := b.Post("/g/verona", "text", text); p.Status != 303 {
			t.Fatal(p.Status, p.Text)
		}
		e := until(func(e *testrig.Element) bool { return e.Find("body") != nil && e.Find("body").Text == text })
		return e.Find("stanza-id").Attr("id")
	}
	// Somebody else's message: a moderator may, a member may not.
	id := said(tybalt, "What, drawn, and talk of peace!")
	if p := juliet.Post("/g/verona/m/" + id + "/retract"); p.Status != 403 {
		t.Errorf("a member takes another's message back: %d", p.Status)
	}
	if text := juliet.Get("/g/verona").Text; strings.Contains(text, "/g/verona/m/"+id+"/retract") ||
		strings.Contains(text, "/g/verona/out") {
		t.Error("a member is offered what moderators do")
	}
	if !strings.Contains(romeo.Get("/g/verona").Text, "/g/verona/m/"+id+"/retract") {
		t.Error("a moderator is not offered to take it back")
	}
	if p := romeo.Post("/g/verona/m/"+id+"/retract", "reason", "no quarrels"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	e := until(func(e *testrig.Element) bool { return e.Find("retract") != nil })
	if e.Find("retract").Attr("id") != id || e.Find("moderated") == nil || e.Find("reason") == nil ||
		e.Find("reason").Text != "no quarrels" {
		t.Errorf("juliet's app got %s", e)
	}
	if text := juliet.Get("/g/verona").Text; strings.Contains(text, "talk of peace") ||
		!strings.Contains(text, "This message was removed") {
		t.Error("it is still on the page")
	}
	// The person's own.
	id = said(tybalt, "I hate the word")
	if p := tybalt.Post("/g/verona/m/" + id + "/retract"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if e := until(func(e *testrig.Element) bool { return e.Find("retract") != nil }); e.Find("moderated") != nil ||
		e.Find("retract").Attr("id") != id {
		t.Errorf("juliet's app got %s", e)
	}
	if strings.Contains(juliet.Get("/g/verona").Text, "hate the word") {
		t.Error("it is still on the page")
	}
	for _, path := range []string{"/g/verona/m/0000000000001/retract", "/g/verona/m/nonsense/retract"} {
		if p := romeo.Post(path); p.Status != 404 {
			t.Errorf("%s: %d", path, p.Status)
		}
	}
	// Shown out: status 307, and back again.
	if p := tybalt.Post("/g/verona/out", "who", "juliet@example.org", "do", "kick"); p.Status != 403 {
		t.Errorf("a member shows somebody out: %d", p.Status)
	}
	romeo.Post("/g/verona/out", "who", "tybalt@example.org", "do", "kick")
	if !strings.Contains(romeo.Get("/g/verona").Text, "is not in the room now") {
		t.Error("who is not there was shown out")
	}
	if p := romeo.Post("/g/verona/out", "who", "juliet@example.org", "do", "kick",
		"reason", "calm down"); p.Status != 303 {
		t.Fatal(p.Status)
	}
	e = until(func(e *testrig.Element) bool { return e.Find("status") != nil && e.Attr("type") == "unavailable" })
	if !strings.Contains(e.String(), "307") || !strings.Contains(e.String(), "calm down") {
		t.Errorf("juliet's app got %s", e)
	}
	if rolesIn(t, r, g)["juliet"] != store.RoleMember {
		t.Error("shown out, she is no member any more")
	}
	romeo.Post("/g/verona/out", "who", "romeo@example.org", "do", "ban")
	if rolesIn(t, r, g)["romeo"] != store.RoleOwner {
		t.Error("an owner was kept out by himself")
	}
	// Kept out for good, and undone.
	romeo.Post("/g/verona/out", "who", "juliet", "do", "ban")
	if got := rolesIn(t, r, g)["juliet"]; got != store.RoleBanned || juliet.Get("/g/verona").Status != 404 {
		t.Errorf("kept out: %q, %d", got, juliet.Get("/g/verona").Status)
	}
	_, toast, _ := strings.Cut(romeo.Get("/g/verona").Text, `id="toasts"`)
	romeo.Post("/g/verona/members", form(t, toast, "/g/verona/members")...)
	if rolesIn(t, r, g)["juliet"] != store.RoleMember {
		t.Error("undone, and still kept out")
	}
}

// The toast undoes an act and restores the old values.
func TestUndoOnPages(t *testing.T) {
	r, romeo, _ := verona(t, "juliet")
	undo := func(b *testrig.Browser, page, to string) {
		t.Helper()
		_, toast, ok := strings.Cut(b.Get(page).Text, `id="toasts"`)
		if !ok || !strings.Contains(toast, "Undo") {
			t.Fatalf("%s has nothing to undo", page)
		}
		if p := b.Post(to, form(t, toast, to)...); p.Status != 303 {
			t.Errorf("%s: %d", to, p.Status)
		}
		b.Get(page) // the toast after that act
	}
	state := func() string {
		u, err := r.Node.Store.Person(t.Context(), testrig.Host, "juliet")
		if err != nil {
			t.Fatal(err)
		}
		return u.State()
	}
	const at = "/admin/people/juliet"
	romeo.Get(at)
	romeo.Post(at + "/disable")
	undo(romeo, at, at+"/enable")
	if got := state(); got != store.StateActive {
		t.Errorf("disabled and undone: %s", got)
	}
	romeo.Post(at + "/disable")
	romeo.Get(at)
	romeo.Post(at + "/enable")
	undo(romeo, at, at+"/disable")
	if got := state(); got != store.StateDisabled {
		t.Errorf("enabled and undone: %s", got)
	}
	romeo.Post(at + "/archive")
	if _, toast, _ := strings.Cut(romeo.Get(at).Text, `id="toasts"`); strings.Contains(toast, "Undo") ||
		state() != store.StateArchived {
		t.Error("from disabled to the archive is taken back by something else")
	}
	romeo.Post(at + "/enable")
	romeo.Post("/groups/new", "name", "Canteen", "kind", "public", "themes_by", "members")
	juliet := r.Browser(t)
	juliet.SignIn("juliet")
	juliet.Post("/g/canteen/join")
	juliet.Get("/groups")
	juliet.Post("/g/canteen/leave")
	undo(juliet, "/groups", "/g/canteen/join")
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "canteen")
	if err != nil {
		t.Fatal(err)
	}
	if got := rolesIn(t, r, g)["juliet"]; got != store.RoleMember {
		t.Errorf("left and undone: %q", got)
	}
}
