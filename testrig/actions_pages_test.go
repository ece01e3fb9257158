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

// On the page of a group a message has the actions that one may use there. What is written stays where the program
// fails, and an answer for one person is on the page.
func TestActionsWithoutScripts(t *testing.T) {
	t.Parallel()
	a := startActing(t, askingPrograms)
	made := a.define(`,"comment":true`)
	other := a.define(`,"roles":["supervisor"]`)
	benvolio := newChatter(t, a.Rig, "benvolio")
	said := benvolio.say(a.room, "The ladder <is> broken")
	juliet := a.Browser(t)
	juliet.SignIn("juliet")
	room := juliet.Get("/g/verona")
	at := "/g/verona/m/" + said.ID + "/act/" + made.ID
	has(t, "the menu", room, 200, `href="`+at+`"`, "Create a ticket")
	hasNot(t, "the menu", room, other.ID)
	hasNot(t, "the menu", room, "/m/"+said.ID+"/retract")
	has(t, "the page", juliet.Get(at), 200, "The ladder &lt;is&gt; broken", `name="comment"`)
	a.p.does(func(w http.ResponseWriter) { w.WriteHeader(500) })
	has(t, "an error", juliet.Post(at, "comment", "before <noon>"), 503, "answered with an error (500)",
		"before &lt;noon&gt;")
	a.p.says(`{"text":"You have <3>","link":"https://t.example/?a=1&b=2"}`)
	has(t, "for oneself", juliet.Post(at, "comment", "x"), 200, "You have &lt;3&gt;", "Only you see this",
		`href="https://t.example/?a=1&amp;b=2"`)
	a.p.says(`{"text":"Ticket #7","visible":"conversation"}`)
	p := juliet.Post(at)
	if p.Status != http.StatusSeeOther || !strings.HasPrefix(p.To, "/g/verona/m/") {
		t.Errorf("%d to %q: %s", p.Status, p.To, p.Text)
	}
	benvolio.fresh(a.room, "Ticket #7\nAsked by juliet")
	for _, path := range []string{
		"/g/verona/m/" + said.ID + "/act/" + other.ID, "/g/verona/m/0000000000001/act/" + made.ID,
	} {
		if p := juliet.Get(path); p.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.Status)
		}
	}
}
