package testrig_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/acts"
	"parley/admin/api"
	"parley/store"
	"parley/testrig"
)

// Acts on the command line are in the audit log like acts on pages, and follow the same rules.
func TestCommandLineIsAudited(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "tybalt")
	role(t, r, "romeo", store.RoleOwner, "")
	line, ctx := r.Line(t), t.Context()
	var theme api.Theme
	for _, x := range []struct {
		method, path, body string
		into               any
	}{
		{"POST", "/groups", `{"slug": "verona", "name": "Verona", "kind": "private", "owner": "romeo"}`, nil},
		{"PATCH", "/groups/verona", `{"name": "Verona, Italy"}`, nil},
		{"PUT", "/groups/verona/members/juliet", `{"role": "member"}`, nil},
		{"DELETE", "/groups/verona/members/juliet", "", nil},
		{"POST", "/groups/verona/themes", `{"name": "balcony", "creator": "romeo"}`, &theme},
		{"POST", "/teams", `{"slug": "sales", "name": "Sales"}`, nil},
		{"PUT", "/teams/sales/people", `{"in": ["juliet"]}`, nil},
		{"PUT", "/teams/sales/shares/snippets/Offer", `{"text": "Here it is."}`, nil},
		{"DELETE", "/teams/sales/shares/snippets/Offer", "", nil},
		{"DELETE", "/teams/sales", "", nil},
		{"DELETE", "/groups/verona", "", nil},
		{"PATCH", "/people/juliet", `{"full_name": "Juliet Capulet"}`, nil},
		{"PATCH", "/people/tybalt", `{"disabled": true}`, nil},
		{"DELETE", "/people/tybalt", "", nil},
	} {
		if err := line.Do(x.method, x.path, x.body, x.into); err != nil {
			t.Fatalf("%s %s: %v", x.method, x.path, err)
		}
	}
	if theme.Creator != "romeo@"+testrig.Host {
		t.Errorf("the theme is of %q", theme.Creator)
	}
	if err := line.Do("PATCH", "/groups/nowhere", `{"name": "Verona"}`, nil); err == nil {
		t.Error("a group that there is not")
	}
	for what, err := range map[string]error{
		"disabled":   line.Do("PATCH", "/people/romeo", `{"disabled": true}`, nil),
		"no admin":   line.Do("PATCH", "/people/romeo", `{"role": "member"}`, nil),
		"is no more": line.Do("DELETE", "/people/romeo", "", nil),
	} {
		if err == nil || !strings.Contains(err.Error(), "last owner") {
			t.Errorf("the last owner %s: %v", what, err)
		}
	}
	es, err := r.Node.Store.AuditEntries(ctx, testrig.Host, store.AuditFilter{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range slices.Backward(es) {
		if e.Remote == acts.ByCommandLine && e.Actor == "" {
			got = append(got, e.Action+" "+e.Target)
		}
	}
	want := []string{
		"group.create verona", "group.change verona", "group.members verona", "group.members verona",
		"theme.create verona/", "team.create sales", "team.people sales", "team.share sales", "team.unshare sales",
		"team.delete sales", "group.delete verona", "person.change juliet@" + testrig.Host,
		"person.disable tybalt@" + testrig.Host, "person.delete tybalt@" + testrig.Host,
	}
	if len(got) != len(want) {
		t.Fatalf("got %q\nwant %q", got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
	for _, e := range es {
		if e.Action == "group.change" && !strings.Contains(e.Detail, `"name":["Verona","Verona, Italy"]`) {
			t.Errorf("not before and after: %s", e.Detail)
		}
		if e.Action == "person.change" && !strings.Contains(e.Detail, `"Juliet Capulet"]`) {
			t.Errorf("not before and after: %s", e.Detail)
		}
	}
	b := r.Browser(t)
	b.SignIn("romeo")
	if p := b.Get("/admin/audit"); p.Status != http.StatusOK || !strings.Contains(p.Text, "The command line") {
		t.Errorf("the page: %d", p.Status)
	}
}

// Where several hosts are served the command line says which one it means, unless it means all of them.
func TestCommandLineNamesItsHost(t *testing.T) {
	r := testrig.Start(t, web)
	line := r.Line(t)
	for _, c := range []struct {
		host, method, path, body string
		status                   int
		text                     string
	}{
		{"", "GET", "/groups", "", 422, "several domains are hosted here"},
		{"nowhere.example", "GET", "/groups", "", 404, "nowhere.example is not hosted here"},
		{"@", "GET", "/groups", "", 422, "is not a domain"},
		{"", "GET", "/export?address=romeo", "", 422, "several domains are hosted here"},
		{"", "GET", "/export?address=nobody@" + testrig.Second, "", 404, "There is no account nobody"},
		{"nowhere.example", "GET", "/federation/rules", "", 404, "nowhere.example is not hosted here"},
		{"", "GET", "/federation/rules", "", 0, ""},
		{"", "GET", "/server", "", 0, ""},
		{testrig.Second, "GET", "/groups", "", 0, ""},
		{testrig.Host, "GET", "/none", "", 404, "may be of different versions"},
	} {
		line.Host = c.host
		err := line.Do(c.method, c.path, c.body, nil)
		var e *testrig.LineError
		switch {
		case c.status == 0 && err != nil:
			t.Errorf("%q %s: %v", c.host, c.path, err)
		case c.status == 0:
		case !errors.As(err, &e) || e.Status != c.status || !strings.Contains(e.Text, c.text):
			t.Errorf("%q %s: got %v, want %d %s", c.host, c.path, err, c.status, c.text)
		}
	}
}
