package testrig_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/store"
	"parley/testrig"
)

const actionsPage = "/admin/settings/actions"

// An administrator defines actions on a page, sees the secret once, changes who may use them and where, and gives them
// a new secret; the audit log has it all, without secrets.
func TestActionsOnPages(t *testing.T) {
	t.Parallel()
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	role(t, r, "romeo", store.RoleOwner, "")
	for _, name := range []string{"Verona", "Mantua"} {
		if _, err := r.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host,
			newGroup(name, "romeo")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Node.Org.CreateTeam(t.Context(), acts.System, testrig.Host,
		org.NewTeam{Slug: "desk", Name: "Desk", People: []string{"juliet"}}); err != nil {
		t.Fatal(err)
	}
	owner := r.Browser(t)
	owner.SignIn("romeo")
	has(t, "without actions", owner.Get(actionsPage), 200, "No actions yet", `value="desk"`, `value="author" checked`)
	form := []string{"name", "Create a ticket", "name_fr", "Créer une demande",
		"url", "https://tickets.example/new?a=1",
		"icon", "ticket", "tells", "text", "tells", "link", "comment", "on", "teams", "desk"}
	all := func() []store.Action {
		as, err := r.Node.Store.Actions(t.Context(), testrig.Host)
		if err != nil {
			t.Fatal(err)
		}
		return as
	}
	with := func(more ...string) []string { return append(append([]string(nil), form...), more...) }
	has(t, "no group", owner.Post(actionsPage, with("where", "groups")...), 422, "Choose the groups",
		`value="groups" checked`, `value="https://tickets.example/new?a=1"`, `value="desk" checked`)
	searched := with("where", "groups", "find", "groups", "find_groups", "mant")
	has(t, "searched", owner.Post(actionsPage, searched...), 200, `value="mantua"`)
	has(t, "plain http", owner.Post(actionsPage, "name", "X", "url", "http://x.example/", "icon", "zap"), 422,
		"must be https")
	if len(all()) != 0 {
		t.Fatal(all())
	}
	made := owner.Post(actionsPage, with("where", "groups", "groups", "mantua")...)
	has(t, "made", made, 200, "You see this only once", "Create a ticket")
	a := all()[0]
	if !strings.Contains(made.Text, a.Secret) || len(a.Groups) != 1 || len(a.Teams) != 1 || !a.Comment ||
		strings.Join(a.Tells, " ") != "text link" {
		t.Errorf("%+v", a)
	}
	one := actionsPage + "/" + a.ID
	for _, path := range []string{actionsPage, one} {
		hasNot(t, path, owner.Get(path), a.Secret)
	}
	has(t, "one", owner.Get(one), 200, `value="mantua" checked`, `value="desk" checked`, `value="text" checked`)
	hasNot(t, "one", owner.Get(one), `value="author" checked`)
	renewed := owner.Post(one + "/secret")
	if now := all()[0]; now.Secret == a.Secret || !strings.Contains(renewed.Text, now.Secret) {
		t.Error("the secret is not new, or not shown")
	}
	if p := owner.Post(one, "name", "Ticket", "url", "https://tickets.example/", "icon", "zap",
		"where", "all", "groups", "mantua"); p.Status != http.StatusSeeOther {
		t.Fatal(p.Status, p.Text)
	}
	if a := all()[0]; len(a.Groups)+len(a.Teams)+len(a.Tells) != 0 || a.Comment || a.Name != "Ticket" {
		t.Errorf("%+v", a)
	}
	owner.Post(actionsPage, "name", "Second", "url", "https://second.example/", "icon", "zap", "where", "all")
	second := all()[1]
	owner.Post(actionsPage + "/" + second.ID + "/up")
	if all()[0].ID != second.ID {
		t.Error("it was not moved")
	}
	owner.Post(one + "/delete")
	has(t, "deleted", owner.Get(one), 404)
	for verb, n := range map[string]int{"action.create": 2, "action.change": 2, "action.renew": 1, "action.delete": 1} {
		d, _ := actsOn(t, r, verb)
		if len(d) != n {
			t.Errorf("%s in the audit log: %v", verb, d)
		}
		if all := fmt.Sprint(d); strings.Contains(all, a.Secret) || strings.Contains(all, second.Secret) {
			t.Errorf("a secret in the audit log: %s", all)
		}
	}
	has(t, "the audit log", owner.Get("/admin/audit"), 200, "Defined an action on messages")
	juliet := r.Browser(t)
	juliet.SignIn("juliet")
	for _, path := range []string{actionsPage, actionsPage + "/" + second.ID} {
		if p := juliet.Get(path); p.Status == 200 {
			t.Errorf("%s is for everybody", path)
		}
	}
}
