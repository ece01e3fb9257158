package testrig_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/store"
	"parley/testrig"
)

// Dangerous acts want a recent proof; the page that asks for it carries the act along, without scripts.
func TestStepUp(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "nurse")
	b := r.Browser(t)
	b.SignIn("romeo")
	// The first minutes after signing in nothing is asked.
	if p := b.Post("/admin/people/juliet/reset"); p.Status != http.StatusSeeOther {
		t.Errorf("just signed in: %d", p.Status)
	}
	for n, c := range [][]string{
		{"/admin/people/nurse/delete", "confirm", "nurse"},
		{"/admin/people/nurse/reset"},
		{"/admin/people/nurse/factor"},
		{"/admin/people/fields/extension/delete", "confirm", "extension"},
		{"/admin/people/nurse", "role", store.RoleSupervisor},
		{"/admin/people/nurse", "email", "other@work.example"},
		{"/admin/people/new", "name", "paris", "role", store.RoleSupervisor},
		{"/admin/webhooks", "name", "x", "direction", "in", "group", "g"},
		{"/admin/federation/rules", "domain", "evil.example", "do", "block"},
		{"/me/tokens", "name", "x", "scope", "people:read", "days", "30"},
		{"/me/apps", "name", "x"},
		{"/me/factor", "do", "start"},
		{"/me/data"},
		{"/admin/people/import"},
	} {
		stale(t, r, "romeo")
		p := b.Post(c[0], c[1:]...)
		if p.Status != http.StatusForbidden || !strings.Contains(p.Text, `name="proof"`) {
			t.Errorf("%s: %d", c, p.Status)
		}
		for i := 1; i+1 < len(c); i += 2 {
			if !strings.Contains(p.Text, `name="`+c[i]+`" value="`+c[i+1]+`"`) {
				t.Errorf("%s: %s is lost", c, c[i])
			}
		}
		if n < 4 { // guesses are counted
			p = b.Post(c[0], append(c[1:], "proof", "wrong")...)
			if p.Status != http.StatusUnprocessableEntity || strings.Contains(p.Text, "wrong") {
				t.Errorf("%s with a wrong password: %d", c, p.Status)
			}
		}
		if p := b.Post(c[0]+"?proof="+url.QueryEscape(testrig.Password), c[1:]...); p.Status != http.StatusForbidden {
			t.Errorf("%s with the password in the address: %d", c, p.Status)
		}
	}
	if _, err := r.Node.Store.Person(t.Context(), testrig.Host, "nurse"); err != nil {
		t.Error("gone without a proof")
	}
	// Acts that are not in the list go on without a proof.
	for _, c := range [][]string{
		{"/admin/people/nurse", "full_name", "The Nurse"},
		{"/admin/people/nurse/disable"},
		{"/me", "phone", "1"},
		{"/admin/people/new", "name", "paris"},
	} {
		if p := b.Post(c[0], c[1:]...); p.Status != http.StatusSeeOther {
			t.Errorf("%s: %d", c, p.Status)
		}
	}
	// The form that asks is sent with the password: the act is done, and the proof is good for a while.
	p := b.Post("/admin/people/nurse/delete", "confirm", "nurse")
	action := html.UnescapeString(regexp.MustCompile(`<form method="post" action="(/admin/[^"]+)"`).
		FindStringSubmatch(p.Text)[1])
	fields := []string{"proof", testrig.Password}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).
		FindAllStringSubmatch(p.Text, -1) {
		fields = append(fields, m[1], html.UnescapeString(m[2]))
	}
	if p := b.Post(action, fields...); p.Status != http.StatusSeeOther {
		t.Errorf("with the password: %d", p.Status)
	}
	if _, err := r.Node.Store.Person(t.Context(), testrig.Host, "nurse"); err == nil {
		t.Error("not deleted")
	}
	if p := b.Get("/admin/people.csv"); p.Status != http.StatusOK || !strings.Contains(p.Text, "juliet") {
		t.Errorf("the list, after the proof: %d", p.Status)
	}
	// A page that is dangerous to open comes back after the proof.
	stale(t, r, "romeo")
	if p := b.Get("/admin/people.csv?q=jul"); p.Status != http.StatusForbidden ||
		!strings.Contains(p.Text, `value="/admin/people.csv?q=jul"`) {
		t.Errorf("the list: %d", p.Status)
	}
	if p := b.Post("/me/prove", "back", "/admin/people.csv?q=jul",
		"proof", "wrong"); p.Status != http.StatusUnprocessableEntity || !strings.Contains(p.Text, "people.csv") {
		t.Errorf("a wrong proof: %d", p.Status)
	}
	if p := b.Post("/me/prove", "back", "https://evil.example/", "proof", testrig.Password); p.To != "/me/security" {
		t.Errorf("back to elsewhere: %s", p.To)
	}
	stale(t, r, "romeo")
	if p := b.Post("/me/prove", "back", "/admin/people.csv?q=jul",
		"proof", testrig.Password); p.To != "/admin/people.csv?q=jul" {
		t.Errorf("the proof: %d %s", p.Status, p.To)
	}
	if p := b.Get("/admin/people.csv?q=jul"); p.Status != http.StatusOK {
		t.Errorf("the list: %d", p.Status)
	}
}

// A code of the authenticator is a proof too, once; guesses are counted.
func TestStepUpByCode(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	secret, _ := factor(t, b)
	spare(t, r, "romeo")
	stale(t, r, "romeo")
	now := code(t, secret, 0)
	if p := b.Post("/me/apps", "name", "x", "proof", now); p.Status != http.StatusOK {
		t.Errorf("a code: %d", p.Status)
	}
	stale(t, r, "romeo")
	if p := b.Post("/me/apps", "name", "y", "proof", now); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("the same code again: %d", p.Status)
	}
	for range 12 {
		b.Post("/me/apps", "name", "y", "proof", "000000")
	}
	spare(t, r, "romeo")
	if p := b.Post("/me/apps", "name", "y", "proof", code(t, secret, 0)); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("a code after a dozen guesses: %d", p.Status)
	}
}
