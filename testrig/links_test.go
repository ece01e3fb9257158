package testrig_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/admin/api"
	"parley/org"
	"parley/store"
	"parley/testrig"

	"parley/acts"
)

const linksPage = "/admin/settings/links"

// An administrator defines links on a page; people see those for everybody, for their role and for their teams, at home
// and in the chat, in their language.
func TestLinksOnPages(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "nurse", "paris")
	role(t, r, "romeo", store.RoleOwner, "")
	role(t, r, "nurse", store.RoleSupervisor, "")
	team, err := r.Node.Org.CreateTeam(t.Context(), acts.System, testrig.Host,
		org.NewTeam{Slug: "desk", Name: "Desk", People: []string{"juliet"}})
	if err != nil {
		t.Fatal(err)
	}
	owner := r.Browser(t)
	owner.SignIn("romeo")
	has(t, "without links", owner.Get(linksPage), 200, "No links yet", `name="roles" value="admin"`, `value="desk"`)
	for _, f := range [][]string{
		{"name", "Wiki", "name_fr", "Le wiki", "url", "https://wiki.example/?a=1&b=2", "icon", "book-open"},
		{"name", "Tickets", "url", "https://tickets.example/", "icon", "ticket", "teams", "desk"},
		{"name", "Telephony", "url", "https://phones.example/", "icon", "phone",
			"roles", "supervisor", "roles", "owner"},
	} {
		if p := owner.Post(linksPage, f...); p.Status != http.StatusSeeOther || p.To != linksPage {
			t.Fatalf("%v: %d to %q: %s", f, p.Status, p.To, p.Text)
		}
	}
	for _, c := range []struct{ what, name, url, icon, want string }{
		{"a script", "Bad", "javascript:alert(1)", "link", "This is no address of a page"},
		{"no name", " ", "https://x.example/", "link", "A link needs a name"},
		{"no address", "Bad", "", "link", "A link needs an address"},
		{"an unknown icon", "Bad", "https://x.example/", "skull", "This is one of:"},
	} {
		p := owner.Post(linksPage, "name", c.name, "url", c.url, "icon", c.icon, "roles", "owner")
		has(t, c.what, p, 422, c.want, `value="owner" checked`)
	}
	has(t, "no such team", owner.Post(linksPage, "name", "X", "url", "https://x.example/", "icon", "link",
		"teams", "none"), 422, "There is no team none")

	for name, sees := range map[string]string{"romeo": "Wiki Telephony", "juliet": "Wiki Tickets",
		"nurse": "Wiki Telephony", "paris": "Wiki"} {
		b := r.Browser(t)
		b.SignIn(name)
		for _, path := range []string{"/", "/chat"} {
			page := b.Get(path).Text
			for link, to := range map[string]string{"Wiki": "wiki", "Tickets": "tickets", "Telephony": "phones"} {
				shown := strings.Contains(page, `"https://`+to+".example/")
				if want := strings.Contains(sees, link); shown != want {
					t.Errorf("%s at %s: %s is shown: %v", name, path, link, shown)
				}
			}
		}
		b.Post("/lang", "lang", "fr")
		has(t, name+" in French", b.Get("/"), 200, "Le wiki", `href="https://wiki.example/?a=1&amp;b=2"`)
		b.Post("/lang", "lang", "en")
	}

	// Order, change, delete; the team's end does not show its link to everybody.
	ls, err := r.Node.Store.Links(t.Context(), testrig.Host)
	if err != nil || len(ls) != 3 {
		t.Fatal(ls, err)
	}
	tickets := linksPage + "/" + ls[1].ID
	owner.Post(tickets + "/up")
	has(t, "one link", owner.Get(tickets), 200, `value="desk" checked`, `value="https://tickets.example/"`)
	if p := owner.Post(tickets, "name", "Desk", "url", "https://desk.example/", "icon", "life-buoy",
		"teams", "desk"); p.To != linksPage {
		t.Fatalf("%d: %s", p.Status, p.Text)
	}
	p := owner.Get(linksPage)
	if strings.Index(p.Text, ">Desk</a>") > strings.Index(p.Text, ">Wiki</a>") || strings.Contains(p.Text, "Tickets") {
		t.Error("it was not moved, or not changed")
	}
	if err := r.Node.Org.DeleteTeam(t.Context(), acts.System, testrig.Host, team.ID); err != nil {
		t.Fatal(err)
	}
	hasNot(t, "the team is gone", owner.Get("/"), "desk.example")
	owner.Post(tickets + "/delete")
	has(t, "deleted", owner.Get(tickets), 404)
	for verb, n := range map[string]int{"link.create": 3, "link.change": 2, "link.delete": 1} {
		if d, _ := actsOn(t, r, verb); len(d) != n {
			t.Errorf("%s in the audit log: %v", verb, d)
		}
	}
	has(t, "the audit log", owner.Get("/admin/audit"), 200, "Defined a link", "Deleted a link")
}

// The same by the API, which tokens of others than administrators may not use.
func TestLinksByAPI(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	role(t, r, "romeo", store.RoleOwner, "")
	cs := apiOfAll(t, r, "romeo", "juliet")
	admin, member := cs[0], cs[1]
	var l api.Link
	admin.want(201, "POST", "/v1/links", `{"name":"Wiki","url":"https://wiki.example/","roles":["member"]}`, &l)
	if l.Icon != "link" || l.Place != 1 || len(l.Roles) != 1 || len(l.Teams) != 0 {
		t.Errorf("%+v", l)
	}
	admin.want(200, "PATCH", "/v1/links/"+l.ID, `{"icon":"globe","roles":[]}`, &l)
	if l.Icon != "globe" || l.Name != "Wiki" || len(l.Roles) != 0 {
		t.Errorf("%+v", l)
	}
	admin.want(422, "POST", "/v1/links", `{"name":"X","url":"ftp://x.example/"}`, nil)
	admin.want(422, "PATCH", "/v1/links/"+l.ID, `{"roles":["king"]}`, nil)
	admin.want(404, "PATCH", "/v1/links/none", `{"name":"X"}`, nil)
	var ls []api.Link
	admin.want(200, "GET", "/v1/links", "", &ls)
	if len(ls) != 1 || ls[0].ID != l.ID {
		t.Errorf("%+v", ls)
	}
	member.want(403, "GET", "/v1/links", "", nil)
	member.want(403, "POST", "/v1/links", `{"name":"X","url":"https://x.example/"}`, nil)
	admin.want(204, "DELETE", "/v1/links/"+l.ID, "", nil)
	admin.want(404, "DELETE", "/v1/links/"+l.ID, "", nil)
}
