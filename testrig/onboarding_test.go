package testrig_test

import (
	"strings"
	"testing"

	"parley/testrig"
)

// The first owner names the organization, types the password twice, and may have a first group made, in the language of
// the page.
func TestSetup(t *testing.T) {
	r := testrig.Start(t, web) // which shows mails
	link, err := r.Node.FirstOwner(t.Context(), testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	path := link[strings.Index(link, "/setup/"):]
	b := r.Browser(t)
	b.Post("/lang", "lang", "fr")
	has(t, "the form", b.Get(path), 200, `name="organization"`, `name="again"`, `name="first"`)
	form := []string{"name", "olivia", "full_name", "Olivia", "organization", "Vérone & Cie", "first", "on"}
	for what, again := range map[string][]string{"another": {"again", "Correct-horse-8"}, "none": nil} {
		p := b.Post(path, append(append(form, "password", "Correct-horse-9"), again...)...)
		has(t, "a second password that is "+what, p, 422, "ne sont pas identiques", `value="Vérone &amp; Cie"`)
	}
	p := b.Post(path, append(form, "organization", strings.Repeat("x", 101), "password", "Correct-horse-9",
		"again", "Correct-horse-9")...)
	if p.To == "/admin" { // the first value of a name counts
		has(t, "the organization's name", b.Get("/admin"), 200, "Vérone &amp; Cie")
	} else {
		t.Fatalf("%d: %s", p.Status, p.Text)
	}
	gs, err := r.Node.Org.Groups(t.Context(), testrig.Host, "", 9)
	if err != nil || len(gs) != 1 || gs[0].Name != "Général" {
		t.Fatalf("%+v, %v", gs, err)
	}
	has(t, "its group", b.Get("/g/"+gs[0].Slug), 200, "Présentations")
	if d, _ := actsOn(t, r, "settings.change"); len(d) != 1 {
		t.Errorf("the audit log: %v", d)
	}

	// Mails are not sent but shown, and pages that speak of one say where.
	for _, path := range []string{"/admin/invitations", "/admin/people/olivia"} {
		has(t, path, b.Get(path), 200, `href="/dev/outbox"`)
	}
	has(t, "a forgotten password", r.Browser(t).Post("/forgot", "user", "olivia"), 200, `href="/dev/outbox"`)
}

// A name that cannot be the organization's makes no account.
func TestSetupWithABadName(t *testing.T) {
	r := testrig.Start(t, web)
	link, err := r.Node.FirstOwner(t.Context(), testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	b, path := r.Browser(t), link[strings.Index(link, "/setup/"):]
	has(t, "a long name", b.Post(path, "name", "olivia", "organization", strings.Repeat("x", 101),
		"password", "Correct-horse-9", "again", "Correct-horse-9"), 422, "too long")
	if p := b.Post(path, "name", "olivia", "password", "Correct-horse-9",
		"again", "Correct-horse-9"); p.To != "/admin" {
		t.Fatalf("without a name: %d: %s", p.Status, p.Text)
	}

	// Without a group, home offers to make the first, once.
	has(t, "an empty home", b.Get("/"), 200, `action="/groups/first"`)
	if p := b.Post("/groups/first"); p.To != "/g/general" {
		t.Fatalf("%d to %q: %s", p.Status, p.To, p.Text)
	}
	has(t, "the first group", b.Get("/g/general"), 200, "Introductions")
	hasNot(t, "home", b.Get("/"), `action="/groups/first"`)
	if p := b.Post("/groups/first"); p.To != "/" {
		t.Errorf("a second first group: %d to %q", p.Status, p.To)
	}
	if n, err := r.Node.Org.CountGroups(t.Context(), testrig.Host); err != nil || n != 1 {
		t.Errorf("%d groups, %v", n, err)
	}
}
