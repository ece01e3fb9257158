package testrig_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/testrig"
	"parley/transfer"
)

// TestNameQuarantine: the name of an account that was deleted is given again after a time, and each door says
// when; an owner may give it sooner. The script feature/register/testdata/quarantine.xmpp has the doors of clients
// and of the command line.
func TestNameQuarantine(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!!queen", "!friar", "zed")
	ctx, p := context.Background(), r.Node.People(testrig.Host)
	if err := p.Delete(ctx, people.System, "zed"); err != nil {
		t.Fatal(err)
	}
	until := time.Now().UTC().Add(90 * 24 * time.Hour).Format(time.DateOnly)
	queen, friar := r.Browser(t), r.Browser(t)
	queen.SignIn("queen")
	friar.SignIn("friar")

	form := []string{"full_name", "Zed Other", "name", "zed", "role", "member", "do", "create"}
	for _, by := range []*testrig.Browser{queen, friar} {
		page := by.Post("/admin/people/new", form...)
		if page.Status != http.StatusUnprocessableEntity || !strings.Contains(page.Text, "deleted on") ||
			!strings.Contains(page.Text, until) {
			t.Errorf("the page: %d %s", page.Status, page.Text)
		}
		if asks := strings.Contains(page.Text, `name="reuse_name"`); asks != (by == queen) {
			t.Errorf("whether the page offers to give the name again: %v", asks)
		}
	}
	if page := friar.Post("/admin/people/new",
		append(form, "reuse_name", "1")...); page.Status != http.StatusUnprocessableEntity ||
		!strings.Contains(page.Text, "Only an owner") {
		t.Errorf("an administrator who ticks what is not there: %d %s", page.Status, page.Text)
	}
	api := apiClient{t, r.Browser(t), newToken(t, friar, "people:write")}
	var refused struct{ Detail string }
	if code := api.do("POST", "/v1/people", `{"name":"zed"}`, &refused); code != http.StatusConflict ||
		!strings.Contains(refused.Detail, until) {
		t.Errorf("the API: %d %q", code, refused.Detail)
	}
	_, token, err := p.Invite(ctx, people.System, people.Invite{})
	if err != nil {
		t.Fatal(err)
	}
	var pe *fault.Error
	if _, err := p.Accept(ctx, people.Actor{Door: acts.Link}, token, people.Acceptance{
		Name:     "zed",
		FullName: "Zed",
		Password: "a-long-enough-one-7",
		How:      "web",
	}); !errors.As(err, &pe) || pe.Field != "name" || strings.Contains(err.Error(), "deleted") {
		t.Errorf("an invitation: %v", err)
	}
	if _, err := p.Accept(ctx, people.Actor{Door: acts.Link}, token, people.Acceptance{
		Name:     "zed2",
		FullName: "Zed",
		Password: "a-long-enough-one-7",
		How:      "web",
	}); err != nil {
		t.Errorf("it is not used up by that: %v", err)
	}
	file := `<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'><user name='zed' password='a-long-enough-one-7'/></host></server-data>`
	im := transfer.Importer{
		Config:    transfer.Config{Store: r.Node.Store},
		Host:      r.Node.Host,
		FreeSince: func(*server.Host) time.Time { return time.Now().Add(-time.Hour) },
	}
	if rep, err := im.Read(ctx, strings.NewReader(file)); err != nil || len(rep.Users) != 0 || len(rep.Problems) != 1 ||
		!strings.Contains(rep.Problems[0], "--reuse-name") {
		t.Errorf("an import: %+v %v", rep, err)
	}
	if page := queen.Post("/admin/people/new", append(form, "reuse_name", "1")...); page.Status != http.StatusSeeOther {
		t.Errorf("an owner: %d %s", page.Status, page.Text)
	}
	if _, err := r.Node.Store.User(ctx, testrig.Host, "zed"); err != nil {
		t.Error(err)
	}
	// The organization says for how long.
	if err := p.Delete(ctx, people.System, "zed"); err != nil {
		t.Fatal(err)
	}
	none := "0"
	if _, err := p.ChangeSettings(ctx, people.System, map[string]*string{"retention.names": &none}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Create(ctx, people.Actor{Name: "friar", Role: store.RoleAdmin, Door: acts.Page},
		people.NewPerson{Name: "zed"}); err != nil {
		t.Error(err)
	}
}
