package testrig_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/acts"
	"parley/store"
	"parley/testrig"
)

// The panel of a new colleague: its picture, the mail before it is sent, groups that nobody has to
// tick, and the way back.
func TestNewColleague(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "tybalt")
	role(t, r, "tybalt", store.RoleSupervisor, "Sales")
	romeo, tybalt := r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	tybalt.SignIn("tybalt")
	for _, name := range []string{"Everybody", "Canteen"} {
		if p := romeo.Post("/groups/new", "name", name, "kind", "public", "themes_by", "members"); p.Status != 303 {
			t.Fatal(p.Status, p.Text)
		}
	}
	every, err := r.Node.Org.Group(t.Context(), testrig.Host, "everybody")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Node.Org.SetMandatory(t.Context(), acts.System, testrig.Host, every.ID, "everyone"); err != nil {
		t.Fatal(err)
	}
	if p := tybalt.Get("/admin/people/new"); p.Status != 200 || !strings.Contains(p.Text, "checked disabled") ||
		strings.Contains(p.Text, `value="everybody"`) || !strings.Contains(p.Text, `value="canteen"`) {
		t.Errorf("groups that everybody is in: %d", p.Status)
	}

	form := []string{
		"full_name", "Ann Chor", "email", "ann@work.example", "department", "Sales", "lang", "fr", "days",
		"3", "note", "À <bientôt>",
	}
	p := tybalt.Post("/admin/people/new/preview", form...)
	for _, want := range []string{
		"Vous êtes invité·e à rejoindre", "ann@example.org", "À &lt;bientôt&gt;", "Sales", `value="Ann Chor"`,
	} {
		if !strings.Contains(p.Text, want) {
			t.Errorf("the preview lacks %s: %d", want, p.Status)
		}
	}
	part := tybalt.Do("POST", "/admin/people/new/preview",
		nil, func(q *http.Request) { q.Header.Set("HX-Request", "true") })
	if part.Status != 200 || strings.Contains(part.Text, "<html") {
		t.Errorf("as a part: %d", part.Status)
	}
	if ms, err := r.Node.Store.Mails(t.Context(), testrig.Host, 0, 9); err != nil || len(ms) != 0 {
		t.Errorf("a preview has sent %d mails, %v", len(ms), err)
	}
	if _, err := r.Node.Store.User(t.Context(), testrig.Host, "ann"); err == nil {
		t.Error("a preview has made an account")
	}

	if p := uploaded(tybalt, "/admin/people/new", "photo", []byte("no picture"),
		append(form, "do", "invite")...); p.Status != 422 ||
		!strings.Contains(p.Text, "not a PNG, JPEG, GIF or WebP picture") {
		t.Errorf("no picture: %d", p.Status)
	}
	if _, err := r.Node.Store.User(t.Context(), testrig.Host, "ann"); err == nil {
		t.Error("refused, and made")
	}
	if p := uploaded(tybalt, "/admin/people/new", "photo", pngOf(t, 200, 100),
		append(form, "groups", "canteen", "do", "invite")...); p.Status != 303 || p.To != "/admin/people" {
		t.Fatalf("%d to %q: %s", p.Status, p.To, p.Text)
	}
	text := tybalt.Get("/admin/people").Text
	for _, want := range []string{
		`action="/admin/people/ann/undo"`, `<a href="/admin/people/ann">View</a>`, `id="toast-link"`,
		"/i/", "/people/ann/photo?v=",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("after it: no %s", want)
		}
	}
	gs, err := r.Node.Store.GroupsOf(t.Context(), testrig.Host, "ann@example.org")
	if err != nil || len(gs) != 2 {
		t.Errorf("in %d groups, %v", len(gs), err)
	}

	// Only the administrator who created the account can undo that, while nobody has used it; the waiting mail is
	// dropped.
	if p := romeo.Post("/admin/people/ann/undo"); p.Status != 303 {
		t.Fatal(p.Status)
	}
	if _, err := r.Node.Store.User(t.Context(), testrig.Host, "ann"); err != nil {
		t.Error("undone by somebody else")
	}
	if p := tybalt.Post("/admin/people/ann/undo"); p.Status != 303 || p.To != "/admin/people" {
		t.Errorf("undo: %d to %q", p.Status, p.To)
	}
	if _, err := r.Node.Store.User(t.Context(), testrig.Host, "ann"); err == nil {
		t.Error("still there")
	}
	if ms, err := r.Node.Store.Mails(t.Context(), testrig.Host, 0, 9); err != nil || len(ms) != 1 ||
		ms[0].State != store.MailDropped {
		t.Errorf("mails: %+v, %v", ms, err)
	}
	if p := uploaded(tybalt, "/admin/people/new", "photo", nil, append(form, "do", "another")...); p.Status != 200 ||
		!strings.Contains(p.Text, `formaction="/admin/people/ann/undo"`) ||
		!strings.Contains(p.Text, "Ann Chor was created") {
		t.Errorf("the address is free again: %d", p.Status)
	}
	if p := tybalt.Post("/admin/people/juliet/undo"); p.Status != 404 {
		t.Errorf("somebody of another department: %d", p.Status)
	}
	if p := romeo.Post("/admin/people/juliet/undo"); p.Status != 303 ||
		!strings.Contains(romeo.Get("/admin/people").Text, "Only the person who created the account") {
		t.Errorf("who was not created here: %d", p.Status)
	}
}
