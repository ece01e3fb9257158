package testrig_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/store"
	"parley/testrig"
)

// settingsRig has an owner, a supervisor and a member; romeo is signed in as the owner.
func settingsRig(t *testing.T) (r *testrig.Rig, owner *testrig.Browser) {
	t.Helper()
	r = testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Hosts[0].Title = "Verona Ltd"
		c.Web.SessionIdle = 48 * time.Hour
	})
	r.Account("!romeo", "tybalt", "juliet")
	role(t, r, "romeo", store.RoleOwner, "Sales")
	role(t, r, "tybalt", store.RoleSupervisor, "Sales")
	role(t, r, "juliet", store.RoleMember, "Sales")
	owner = r.Browser(t)
	owner.SignIn("romeo")
	return r, owner
}

// as returns the fields that the section's form sends if nothing is changed in it, with some fields changed.
func as(fields ...string) []string {
	is := [][2]string{{"organization.title", "Verona Ltd"}, {"organization.lang", ""}, {"organization.role_member", ""}}
	var out []string
	for _, f := range is {
		out = append(out, "was:"+f[0], f[1])
	}
	return append(out, fields...)
}

func TestSettingsPage(t *testing.T) {
	r, owner := settingsRig(t)
	p := owner.Get("/admin/settings")
	for _, want := range []string{
		`value="Verona Ltd"`, "from the configuration", "hosts.title", "auth.two_factor", "No tokens",
		`name="signin.session_idle.n" value="2"`,
	} {
		if !strings.Contains(p.Text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if p := owner.Post("/admin/settings/organization", as("organization.title", "Montague & Co",
		"organization.role_member", "Agent")...); p.Status != http.StatusSeeOther {
		t.Fatal(p.Status, p.Text)
	}
	if v := r.Node.Settings().Of(testrig.Host); v.Title != "Montague & Co" ||
		v.Roles["member"] != "Agent" || v.Lang != "" {
		t.Errorf("%+v", v)
	}
	p = owner.Get("/admin/settings")
	for _, want := range []string{"Montague &amp; Co</title>", "by romeo, ", "Default: Verona Ltd"} {
		if !strings.Contains(p.Text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if p := owner.Get("/admin/people"); !strings.Contains(p.Text, "Agent") {
		t.Error("members are not called agents")
	}
	es, err := r.Node.Store.AuditEntries(t.Context(), testrig.Host, store.AuditFilter{Action: "settings", Limit: 5})
	if err != nil || len(es) != 1 || es[0].Actor != "romeo" ||
		!strings.Contains(es[0].Detail, `"organization.title":["Verona Ltd","Montague \u0026 Co"]`) {
		t.Errorf("%v %+v", err, es)
	}
	if p := owner.Get("/admin/audit?action=settings"); !strings.Contains(p.Text,
		"Name of the organization: <del>Verona Ltd</del> → Montague &amp; Co") {
		t.Error("the audit log does not say what has changed")
	}
	if p := owner.Post("/admin/settings/default", "name", "organization.title"); p.Status != http.StatusSeeOther {
		t.Fatal(p.Status)
	}
	if v := r.Node.Settings().Of(testrig.Host); v.Title != "Verona Ltd" || v.Roles["member"] != "Agent" {
		t.Errorf("%+v", v)
	}
	if p := owner.Post("/admin/settings/default", "name", "no.such"); p.Status != http.StatusNotFound {
		t.Error(p.Status)
	}
	if p := owner.Post("/admin/settings/nothing"); p.Status != http.StatusNotFound {
		t.Error(p.Status)
	}
}

// An error is shown beside its field, with the input, and nothing is saved; somebody who has not touched a field does
// not undo another's change of it.
func TestSettingsMistakesAndOthers(t *testing.T) {
	r, owner := settingsRig(t)
	p := owner.Post("/admin/settings/signin", "was:signin.two_factor", "", "signin.two_factor", "owner",
		"signin.two_factor", "admin", "was:signin.session_idle", "2d", "signin.session_idle.n", "forty",
		"signin.session_idle.unit", "h")
	if p.Status != http.StatusUnprocessableEntity {
		t.Fatal(p.Status)
	}
	for _, want := range []string{
		"Enter a duration from 5 minutes to 365 days", `value="forty"`, `value="owner" checked`, "Nothing was saved",
	} {
		if !strings.Contains(p.Text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if v := r.Node.Settings().Of(testrig.Host); len(v.TwoFactor) != 0 {
		t.Errorf("%+v", v)
	}
	save := func(fields ...string) {
		t.Helper()
		if p := owner.Post("/admin/settings/retention", fields...); p.Status != http.StatusSeeOther {
			t.Fatal(p.Status, p.Text)
		}
	}
	shown := []string{"was:retention.archive", "0d", "was:retention.uploads", "90d"}
	save(append(shown, "retention.archive.n", "400", "retention.archive.unit", "d", "retention.uploads.n", "90",
		"retention.uploads.unit", "d")...)
	// from a page that was opened before
	save(append(shown, "retention.archive.n", "0", "retention.archive.unit", "d", "retention.uploads.n", "30",
		"retention.uploads.unit", "d")...)
	day := 24 * time.Hour
	if v := r.Node.Settings().Of(testrig.Host); v.Archive != 400*day || v.Uploads != 30*day {
		t.Errorf("%v %v", v.Archive, v.Uploads)
	}
	if v := r.Node.Settings().Of(testrig.Second); v.Archive != 0 || v.Uploads != 90*day {
		t.Errorf("the other host: %v %v", v.Archive, v.Uploads)
	}
}

// Only administrators can open the pages.
func TestSettingsAreForAdministrators(t *testing.T) {
	r, _ := settingsRig(t)
	for _, name := range []string{"tybalt", "juliet"} {
		b := r.Browser(t)
		b.SignIn(name)
		for _, p := range []testrig.Page{b.Get("/admin/settings"), b.Post("/admin/settings/organization",
			as("organization.title", "Mine")...),
			b.Post("/admin/settings/default", "name", "organization.title"), b.Post("/admin/settings/tokens/revoke",
				"owner", "romeo", "token", "x")} {
			if p.Status != http.StatusForbidden {
				t.Errorf("%s: %d", name, p.Status)
			}
		}
	}
}

// Settings about invitations apply on pages, and there is no way round them.
func TestSettingsOfInvitations(t *testing.T) {
	r, owner := settingsRig(t)
	if p := owner.Post("/admin/settings/invitations", "was:invitations.by", "supervisor", "invitations.by", "admin",
		"was:invitations.reusable", "true", "was:invitations.validity", "7d", "invitations.validity.n", "3",
		"invitations.validity.unit", "h", "was:invitations.apps", "admins", "invitations.apps", "admins",
		"was:invitations.max_uses", "500", "invitations.max_uses", "500", "was:invitations.max_open", "2000",
		"invitations.max_open", "1"); p.Status != http.StatusSeeOther {
		t.Fatal(p.Status, p.Text)
	}
	tybalt := r.Browser(t)
	tybalt.SignIn("tybalt")
	if p := tybalt.Get("/admin/invitations"); !strings.Contains(p.Text, "settings do not let your role invite") {
		t.Error("a supervisor is offered what is not allowed")
	}
	open := func() (is []store.Invitation) {
		is, _, err := r.Node.Store.Invitations(t.Context(), testrig.Host, store.InvitationFilter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	tybalt.Post("/admin/invitations", "uses", "1", "days", "7")
	owner.Post("/admin/invitations", "uses", "10", "days", "7") // a link for several people
	if is := open(); len(is) != 0 {
		t.Errorf("made all the same: %+v", is)
	}
	if p := owner.Post("/admin/invitations", "uses", "1", "days", ""); p.Status != http.StatusSeeOther {
		t.Fatal(p.Status)
	}
	owner.Post("/admin/invitations", "uses", "1", "days", "") // more links than may be open
	is := open()
	if len(is) != 1 || is[0].Expires.Sub(is[0].Created) != 3*time.Hour {
		t.Errorf("%+v", is)
	}
}

// A shorter time holds for browsers that are signed in already.
func TestSettingsOfSessions(t *testing.T) {
	r, owner := settingsRig(t)
	juliet := r.Browser(t)
	juliet.SignIn("juliet")
	ws, err := r.Node.Store.WebSessionsOf(t.Context(), testrig.Host, "juliet", time.Now())
	if err != nil || len(ws) != 1 {
		t.Fatal(err, ws)
	}
	ws[0].Seen = time.Now().Add(-time.Hour)
	if err := r.Node.Store.TouchWebSession(t.Context(), ws[0]); err != nil {
		t.Fatal(err)
	}
	if p := owner.Post("/admin/settings/signin", "was:signin.two_factor", "", "was:signin.session_idle", "2d",
		"signin.session_idle.n", "30", "signin.session_idle.unit", "m"); p.Status != http.StatusSeeOther {
		t.Fatal(p.Status, p.Text)
	}
	if p := juliet.Get("/me"); p.Status != http.StatusSeeOther || !strings.HasPrefix(p.To, "/login") {
		t.Errorf("still signed in: %d", p.Status)
	}
	if p := owner.Get("/me"); p.Status != http.StatusOK {
		t.Errorf("who is there is out: %d", p.Status)
	}
}

// People who may sign others out see and revoke their tokens.
func TestSettingsTokens(t *testing.T) {
	r, owner := settingsRig(t)
	juliet := r.Browser(t)
	juliet.SignIn("juliet")
	if p := juliet.Post("/me/tokens", "name", "robot", "scope", "people:read", "days", "30",
		"current", testrig.Password); p.Status != http.StatusOK {
		t.Fatal(p.Status, p.Text)
	}
	if p := owner.Get("/admin/settings"); !strings.Contains(p.Text, "robot") {
		t.Error("the token is not listed")
	}
	ts, err := r.Node.Store.APITokensOf(t.Context(), testrig.Host, "juliet")
	if err != nil || len(ts) != 1 {
		t.Fatal(err, ts)
	}
	owner.Post("/admin/settings/tokens/revoke", "owner", "juliet", "token", ts[0].Hash)
	if ts, err := r.Node.Store.APITokensOf(t.Context(), testrig.Host, "juliet"); err != nil || len(ts) != 0 {
		t.Error(err, ts)
	}
}
