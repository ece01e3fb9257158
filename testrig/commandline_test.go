package testrig_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/admin"
	"parley/config"
	"parley/people"
	"parley/store"
	"parley/testrig"
)

// What is done on the command line is in the audit log as what is done on pages is, and goes by the same rules.
func TestCommandLineIsAudited(t *testing.T) {
	var path string
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		path = c.Listeners.Control.Path
	})
	r.Account("!romeo", "juliet", "tybalt")
	role(t, r, "romeo", store.RoleOwner, "")
	c := admin.NewClient(path)
	defer c.Close()
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.CreateGroup(ctx, admin.NewGroup{Host: testrig.Host, Slug: "verona", Name: "Verona", Kind: "private", Owner: "romeo"}))
	name := "Verona, Italy"
	must(c.ChangeGroup(ctx, testrig.Host, "verona", admin.GroupChange{Name: &name}))
	must(c.SetMember(ctx, testrig.Host, "verona", "juliet", "member"))
	no(c.RemoveMember(ctx, testrig.Host, "verona", "juliet"))
	must(c.CreateTheme(ctx, testrig.Host, "verona", admin.NewTheme{Name: "balcony", Creator: "romeo"}))
	must(c.CreateTeam(ctx, admin.NewTeam{Host: testrig.Host, Slug: "sales", Name: "Sales"}))
	no(c.SetTeamPeople(ctx, testrig.Host, "sales", []string{"juliet"}, nil))
	no(c.SetTeamShare(ctx, testrig.Host, "sales", admin.Snippets, admin.Share{Name: "Offer", Text: "Here it is."}))
	no(c.DeleteTeamShare(ctx, testrig.Host, "sales", admin.Snippets, "Offer"))
	no(c.DeleteTeam(ctx, testrig.Host, "sales"))
	no(c.DeleteGroup(ctx, testrig.Host, "verona"))
	yes, full := true, "Juliet Capulet"
	must(c.ChangeUser(ctx, "juliet@"+testrig.Host, admin.UserChange{Name: &full}))
	must(c.ChangeUser(ctx, "tybalt@"+testrig.Host, admin.UserChange{Disabled: &yes}))
	no(c.DeleteUser(ctx, "tybalt@"+testrig.Host))
	if _, err := c.ChangeGroup(ctx, testrig.Host, "nowhere", admin.GroupChange{Name: &name}); err == nil {
		t.Error("a group that there is not")
	}
	off := false
	for what, err := range map[string]error{
		"disabled":   second(c.ChangeUser(ctx, "romeo@"+testrig.Host, admin.UserChange{Disabled: &yes})),
		"no admin":   second(c.ChangeUser(ctx, "romeo@"+testrig.Host, admin.UserChange{Admin: &off})),
		"is no more": c.DeleteUser(ctx, "romeo@"+testrig.Host),
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
		if e.Remote == people.ByCommandLine && e.Actor == "" {
			got = append(got, e.Action+" "+e.Target)
		}
	}
	want := []string{"group.create verona", "group.change verona", "group.members verona", "group.members verona", "theme.create verona/", "team.create sales", "team.people sales", "team.share sales", "team.unshare sales", "team.delete sales",
		"group.delete verona", "person.change juliet@" + testrig.Host, "person.disable tybalt@" + testrig.Host, "person.delete tybalt@" + testrig.Host}
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

func second[T any](_ T, err error) error { return err }
