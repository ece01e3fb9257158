package testrig_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/acts"
	"parley/config"
	"parley/internal/fault"
	"parley/org"
	"parley/people"
	"parley/store"
	"parley/testrig"
	"parley/testrig/pgtest"
	"parley/wire/jid"
)

// peopleStage is a node with an owner at every door that people are changed by.
type peopleStage struct {
	*testrig.Rig
	t      *testing.T
	page   *testrig.Browser
	api    apiClient
	line   *testrig.Line
	client *testrig.Client
	newest store.ID // of the audit log, when it was last looked at
}

func newPeopleStage(t *testing.T, change func(c *config.Config)) *peopleStage {
	t.Helper()
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Registration.Enabled = true
		change(c)
	})
	r.Account("!romeo", "juliet", "tybalt")
	role(t, r, "romeo", store.RoleOwner, "")
	s := &peopleStage{Rig: r, t: t, page: r.Browser(t), line: r.Line(t)}
	s.page.SignIn("romeo")
	scopes := []string{
		"people:read", "people:write", "webhooks:read", "webhooks:write", "system:read", "system:write",
		"tokens:read", "tokens:write",
	}
	s.api = apiClient{t, r.Browser(t), newToken(t, s.page, scopes...)}
	s.client = signIn(t, r, "romeo")
	s.entries()
	return s
}

// entries gives those of the audit log since it was last looked at, the oldest first.
func (s *peopleStage) entries() (es []store.AuditEntry) {
	s.t.Helper()
	all, err := s.Node.Store.AuditEntries(s.t.Context(), testrig.Host, store.AuditFilter{Limit: 200})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range all {
		if e.ID > s.newest {
			es = append(es, e)
		}
	}
	if len(all) > 0 {
		s.newest = all[0].ID
	}
	slices.Reverse(es)
	return es
}

// post sends a form of a page, which has to be taken.
func (s *peopleStage) post(path string, fields ...string) error {
	if p := s.page.Post(path, fields...); p.Status != 303 && p.Status != 200 {
		return fmt.Errorf("%d", p.Status)
	}
	return nil
}

// call asks the API, which has to do it.
func (s *peopleStage) call(method, path, body string) error {
	if status := s.api.do(method, path, body, nil); status >= 300 {
		return fmt.Errorf("%d", status)
	}
	return nil
}

// command gives an ad-hoc command with its form.
func (s *peopleStage) command(to, node string, fields ...string) error {
	e := ask(s.t, s.client, to, "set", "<command xmlns='http://jabber.org/protocol/commands' node='"+node+"'/>")
	form := ""
	for i := 0; i+1 < len(fields); i += 2 {
		form += "<field var='" + fields[i] + "'><value>" + fields[i+1] + "</value></field>"
	}
	if e.Find("command").Attr("status") != "completed" {
		e = ask(s.t, s.client, to, "set", "<command xmlns='http://jabber.org/protocol/commands' node='"+node+
			"' sessionid='"+e.Find("command").Attr("sessionid")+
			"'><x xmlns='jabber:x:data' type='submit'>"+form+"</x></command>")
	}
	if !ok(e) || strings.Contains(e.String(), "type='error'") || e.Find("command").Attr("status") != "completed" {
		return fmt.Errorf("%s", e)
	}
	return nil
}

// onEachEngine runs a test with the store of each engine that is here.
func onEachEngine(t *testing.T, test func(t *testing.T, engine func(c *config.Config))) {
	t.Run("SQLite", func(t *testing.T) { test(t, func(*config.Config) {}) })
	t.Run("PostgreSQL", func(t *testing.T) {
		dsn := pgtest.Fresh(t).Database(t)
		test(t, func(c *config.Config) { c.Store.DSN = dsn })
	})
}

const adminForm = "http://jabber.org/protocol/admin"

// Whichever door an act about people is done by: there is one entry in the audit log, under one name, which says who,
// by which door and from where.
func TestActsOfPeopleAreAudited(t *testing.T) { onEachEngine(t, testActsOfPeople) }

func testActsOfPeople(t *testing.T, engine func(c *config.Config)) {
	s := newPeopleStage(t, engine)
	host, ctx := testrig.Host, t.Context()
	line := func(method, path, body string) func() error {
		return func() error { return s.line.Do(method, path, body, nil) }
	}
	if _, err := s.Node.Org.CreateGroup(ctx, acts.System, host, newGroup("Verona", "romeo")); err != nil {
		t.Fatal(err)
	}
	s.entries()
	invitation := func() string {
		is, _, err := s.Node.Store.Invitations(ctx, host, store.InvitationFilter{Limit: 1})
		if err != nil || len(is) == 0 {
			t.Fatal(is, err)
		}
		return is[0].ID
	}
	webhook := func() string {
		ws, err := s.Node.Store.Webhooks(ctx, host)
		if err != nil || len(ws) == 0 {
			t.Fatal(ws, err)
		}
		return ws[len(ws)-1].ID
	}
	for _, c := range []struct {
		door acts.Door
		want string // the verb and the target of each entry
		do   func() error
	}{
		{acts.Page, "person.create p1@" + host, func() error {
			return s.post("/admin/people/new", "name", "p1", "full_name", "P")
		}},
		{acts.API, "person.create p2@" + host, func() error {
			return s.call("POST", "/v1/people", `{"name":"p2","password":"Very-Long-2026"}`)
		}},
		{acts.CommandLine, "person.create p3@" + host,
			line("POST", "/people", `{"name":"p3","password":"Very-Long-2026"}`)},
		{acts.Client, "person.create p4@" + host, func() error {
			return s.command(host, adminForm+"#add-user", "FORM_TYPE", adminForm, "accountjid", "p4@"+host, "password",
				"word", "password-verify", "word")
		}},
		{acts.Page, "person.change p2@" + host, func() error { return s.post("/admin/people/p2", "title", "Count") }},
		{acts.API, "person.change p2@" + host, func() error {
			return s.call("PATCH", "/v1/people/p2", `{"title":"Prince"}`)
		}},
		{acts.CommandLine, "person.change p2@" + host, line("PATCH", "/people/p2", `{"full_name":"Paris, Count"}`)},
		{acts.CommandLine, "person.change p2@" + host,
			line("PATCH", "/people/p2", `{"full_name":"Paris","retention":"90d"}`)},
		{acts.CommandLine, "person.password p2@" + host,
			line("PUT", "/people/p2/password", `{"password":"Another-Long-2026"}`)},
		{acts.Client, "person.password p2@" + host, func() error {
			return s.command(host, adminForm+"#change-user-password", "FORM_TYPE", adminForm, "accountjid",
				"p2@"+host, "password", "word")
		}},
		{acts.Page, "person.reset p2@" + host, func() error { return s.post("/admin/people/p2/reset") }},
		{acts.API, "person.reset p2@" + host, func() error { return s.call("POST", "/v1/people/p2/reset", `{}`) }},
		{acts.Page, "person.signout p2@" + host, func() error { return s.post("/admin/people/p2/signout") }},
		{acts.API, "person.signout p2@" + host, func() error { return s.call("POST", "/v1/people/p2/sign-out", "") }},
		{acts.Page, "person.disable p2@" + host, func() error { return s.post("/admin/people/p2/disable") }},
		{acts.API, "person.enable p2@" + host, func() error {
			return s.call("PATCH", "/v1/people/p2", `{"disabled":false}`)
		}},
		{acts.CommandLine, "person.disable p2@" + host, line("PATCH", "/people/p2", `{"disabled":true}`)},
		{acts.Client, "person.enable p2@" + host, func() error {
			return s.command(host, adminForm+"#reenable-user", "FORM_TYPE", adminForm, "accountjids", "p2@"+host)
		}},
		{acts.Client, "person.disable p2@" + host, func() error {
			return s.command(host, adminForm+"#disable-user", "FORM_TYPE", adminForm, "accountjids", "p2@"+host)
		}},
		{acts.Client, "person.delete p2@" + host, func() error {
			return s.command(host, adminForm+"#delete-user", "FORM_TYPE", adminForm, "accountjids", "p2@"+host)
		}},
		{acts.Page, "person.undo p1@" + host, func() error { return s.post("/admin/people/p1/undo") }},
		{acts.API, "person.disable p3@" + host + ", person.delete p3@" + host, func() error {
			return s.call("DELETE", "/v1/people/p3", "")
		}},
		{acts.CommandLine, "person.disable p4@" + host + ", person.delete p4@" + host,
			line("DELETE", "/people/p4", "")},

		{acts.Page, "invitation.create #", func() error {
			return s.post("/admin/invitations", "days", "3", "uses", "1")
		}},
		{acts.API, "invitation.create #", func() error { return s.call("POST", "/v1/invitations", `{}`) }},
		{acts.CommandLine, "invitation.create #", line("POST", "/invitations", `{}`)},
		{acts.Client, "invitation.create #", func() error { return s.command(host, "urn:xmpp:invite#invite") }},
		{acts.Page, "invitation.extend #", func() error {
			return s.post("/admin/invitations/" + invitation() + "/extend")
		}},
		{acts.API, "invitation.resend #", func() error {
			return s.call("POST", "/v1/invitations/"+invitation()+"/resend", `{}`)
		}},
		{acts.CommandLine, "invitation.revoke #", func() error {
			return s.line.Do("DELETE", "/invitations/"+invitation(), "", nil)
		}},
		{acts.CommandLine, "person.create p5@" + host + ", group.members verona, invitation.create p5@" + host,
			line("POST", "/people", `{"name":"p5","full_name":"P","groups":["verona"],"invitation":{}}`)},
		{acts.Page, "person.create p6@" + host + ", group.members verona, invitation.create p6@" + host, func() error {
			return s.post("/admin/people/new", "name", "p6", "full_name", "P", "email", "p6@work.example",
				"groups", "verona", "do", "invite")
		}},
		{acts.Import, "person.create p7@" + host + ", group.members verona, invitation.create p7@" + host +
			", person.import ", func() error {
			return s.post("/admin/people/import", "do", "import", "invite", "1",
				"text", "full_name,email,groups\nPeter,p7@work.example,verona\n")
		}},

		{acts.Page, "settings.change ", func() error {
			return s.post("/admin/settings/organization", "organization.title", "Capulet & Co")
		}},
		{acts.API, "settings.change ", func() error {
			return s.call("PATCH", "/v1/settings", `{"organization.title":"Montague"}`)
		}},
		{acts.CommandLine, "token.create juliet@" + host,
			line("POST", "/tokens", `{"owner":"juliet","name":"n","scopes":["people:read"],"valid":"1d"}`)},
		{acts.CommandLine, "person.app.create juliet@" + host,
			line("POST", "/people/juliet/app-passwords", `{"name":"phone"}`)},
		{acts.Page, "person.app.create romeo@" + host, func() error { return s.post("/me/apps", "name", "phone") }},

		{acts.Page, "system.webhook #", func() error {
			return s.post("/admin/webhooks", "group", "verona", "name", "CI", "direction", "in")
		}},
		{acts.API, "system.webhook #", func() error {
			return s.call("POST", "/v1/webhooks", `{"group":"verona","name":"CI"}`)
		}},
		{acts.CommandLine, "system.webhook #", line("POST", "/webhooks", `{"group":"verona","name":"CI"}`)},
		{acts.Page, "system.webhook #", func() error { return s.post("/admin/webhooks/" + webhook() + "/disable") }},
		{acts.API, "system.webhook #", func() error {
			return s.call("PATCH", "/v1/webhooks/"+webhook(), `{"disabled":false}`)
		}},
		{acts.CommandLine, "system.webhook #", func() error {
			return s.line.Do("DELETE", "/webhooks/"+webhook(), "", nil)
		}},
		{acts.Client, "system.webhook #", func() error {
			g, err := s.Node.Org.Group(ctx, host, "verona")
			if err != nil {
				return err
			}
			return s.command(s.Node.Org.RoomJID(host, g.Room).String(),
				"https://parley.im/commands#new-webhook", "name", "CI")
		}},

		{acts.Page, "system.federation a.example", func() error {
			return s.post("/admin/federation/rules", "domain", "a.example", "do", "block")
		}},
		{acts.API, "system.federation b.example", func() error {
			return s.call("PUT", "/v1/federation/rules/b.example", `{"action":"block"}`)
		}},
		{acts.CommandLine, "system.federation c.example",
			line("POST", "/federation/rules", `{"rules":[{"domain":"c.example","action":"block"}]}`)},
		{acts.Client, "system.federation d.example, system.federation a.example, system.federation b.example, " +
			"system.federation c.example", func() error {
			return s.command(host, adminForm+"#edit-blacklist", "FORM_TYPE", adminForm, "blacklistjids", "d.example")
		}},
		{acts.CommandLine, "system.federation ", line("PUT", "/federation/only-listed", `{"only_listed":true}`)},
		{acts.API, "system.federation ", func() error {
			return s.call("PUT", "/v1/federation/only-listed", `{"only_listed":false}`)
		}},
	} {
		if err := c.do(); err != nil {
			t.Errorf("%s %s: %v", c.door, c.want, err)
			continue
		}
		var got []string
		for _, e := range s.entries() {
			target := e.Target
			if strings.Contains(c.want, "#") {
				target = "#"
			}
			got = append(got, e.Action+" "+target)
			by := "romeo"
			if c.door == acts.CommandLine {
				by = ""
			}
			if e.Door != string(c.door) || e.Actor != by || e.Remote == "" {
				t.Errorf("%s %s: by %q, door %q, from %q", c.door, e.Action, e.Actor, e.Door, e.Remote)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: the log has %q, want %q", c.door, got, c.want)
		}
	}
}

// If a new colleague is refused a group, the account does not exist afterwards and nothing is in the audit log: by the
// page, the API, a file of people and the command line.
func TestColleagueOfAFullGroup(t *testing.T) { onEachEngine(t, testColleagueOfAFullGroup) }

func testColleagueOfAFullGroup(t *testing.T, engine func(c *config.Config)) {
	s := newPeopleStage(t, func(c *config.Config) {
		engine(c)
		c.Groups.MaxMembers = 2
	})
	host, ctx := testrig.Host, t.Context()
	for _, name := range []string{"Open", "Full"} {
		if _, err := s.Node.Org.CreateGroup(ctx, acts.System, host, newGroup(name, "romeo")); err != nil {
			t.Fatal(err)
		}
	}
	full, err := s.Node.Org.Group(ctx, host, "full")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Node.Org.SetMember(ctx, acts.System, host, full.ID,
		jid.MustParse("juliet@"+host), store.RoleMember); err != nil {
		t.Fatal(err)
	}
	s.entries()
	for door, do := range map[acts.Door]func() int{
		acts.Page: func() int {
			v := url.Values{
				"name":      {"ann"},
				"full_name": {"Ann"},
				"email":     {"ann@work.example"},
				"groups":    {"open", "full"},
				"do":        {"invite"},
			}
			return s.page.Do("POST", "/admin/people/new", v, nil).Status
		},
		acts.API: func() int { return s.api.do("POST", "/v1/people", `{"name":"ann","groups":["open","full"]}`, nil) },
		acts.Import: func() int {
			p := s.page.Post("/admin/people/import", "do", "import", "invite", "1",
				"text", "name,full_name,email,groups\nann,Ann,ann@work.example,open full\n")
			if p.Status != 200 || strings.Contains(p.Text, "person.create") {
				return p.Status
			}
			return 422 // the row is wrong, the file was read
		},
		acts.CommandLine: func() int {
			if err := s.line.Do("POST", "/people",
				`{"name":"ann","full_name":"Ann","groups":["open","full"],"invitation":{}}`, nil); err == nil {
				return 200
			}
			return 422
		},
	} {
		if status := do(); status != 422 && status != 403 {
			t.Errorf("%s: %d", door, status)
		}
		if _, err := s.Node.Store.User(ctx, host, "ann"); err == nil {
			t.Fatalf("%s: refused, and made", door)
		}
		for _, e := range s.entries() {
			if e.Action != string(acts.PersonImport) {
				t.Errorf("%s: the log has %s %s", door, e.Action, e.Target)
			}
		}
		if is, _, err := s.Node.Store.Invitations(ctx, host,
			store.InvitationFilter{Limit: 5}); err != nil || len(is) > 0 {
			t.Errorf("%s: refused, and invited: %v, %v", door, is, err)
		}
		open, err := s.Node.Store.GroupsOf(ctx, host, "ann@"+host)
		if err != nil || len(open) > 0 {
			t.Errorf("%s: refused, and in %v, %v", door, open, err)
		}
	}
}

// Of several colleagues who are created at once for the last seat of a group one exists afterwards, with one entry.
func TestLastSeat(t *testing.T) { onEachEngine(t, testLastSeat) }

func testLastSeat(t *testing.T, engine func(c *config.Config)) {
	s := newPeopleStage(t, func(c *config.Config) {
		engine(c)
		c.Groups.MaxMembers = 2
	})
	host, ctx := testrig.Host, t.Context()
	if _, err := s.Node.Org.CreateGroup(ctx, acts.System, host, newGroup("Verona", "romeo")); err != nil {
		t.Fatal(err)
	}
	s.entries()
	const many = 6
	errs := make([]error, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			n := people.Newcomer{
				NewPerson: people.NewPerson{Name: fmt.Sprint("seat", i), Groups: []string{"verona"}},
				Invite:    &people.Invite{},
			}
			_, errs[i] = s.Node.People(host).Welcome(ctx, acts.Operator, n)
		})
	}
	wg.Wait()
	made := 0
	for i, err := range errs {
		_, gone := s.Node.Store.User(ctx, host, fmt.Sprint("seat", i))
		var refused *fault.Error
		switch {
		case err == nil && gone == nil:
			made++
		case !errors.As(err, &refused) || !errors.Is(gone, store.ErrNotFound):
			t.Errorf("%d: %v, and the account: %v", i, err, gone)
		}
	}
	es := s.entries()
	if made != 1 || len(es) != 3 {
		t.Errorf("%d were created, with %d entries: %v", made, len(es), es)
	}
}

// A new colleague may be put by name into a group that everyone is in anyway.
func TestColleagueOfAMandatoryGroup(t *testing.T) {
	s := newPeopleStage(t, func(*config.Config) {})
	host, ctx := testrig.Host, t.Context()
	g, err := s.Node.Org.CreateGroup(ctx, acts.System, host, newGroup("Open", "romeo"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Node.Org.SetMandatory(ctx, acts.System, host, g.ID, org.Everyone); err != nil {
		t.Fatal(err)
	}
	if status := s.api.do("POST", "/v1/people", `{"name":"ann","groups":["open"]}`, nil); status != 201 {
		t.Errorf("%d", status)
	}
	if role, err := s.Node.Org.RoleOf(ctx, host, g.ID, jid.MustParse("ann@"+host)); err != nil ||
		role != store.RoleMember {
		t.Errorf("she is %q: %v", role, err)
	}
}
