package testrig_test

import (
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/store"
	"parley/testrig"
)

// role gives an account a role, directly in the store.
func role(t *testing.T, r *testrig.Rig, name, role, department string) {
	t.Helper()
	if _, _, err := r.Node.Store.UpdatePerson(t.Context(), testrig.Host, name, func(p *store.Person) error {
		p.Role, p.Department, p.Email = role, department, name+"@work.example"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A link is as good as a password: somebody who may see a person's page, but not set that person's password, gets no
// link from it.
func TestLinksAreForThoseWhoMayGiveThem(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "tybalt", "paris", "nurse")
	role(t, r, "juliet", store.RoleOwner, "Sales")
	role(t, r, "tybalt", store.RoleSupervisor, "Sales")
	role(t, r, "paris", store.RoleMember, "Sales")
	admin, supervisor, owner := r.Browser(t), r.Browser(t), r.Browser(t)
	admin.SignIn("romeo")
	supervisor.SignIn("tybalt")
	owner.SignIn("juliet")
	latest := func(name string) string { // the newest link for an account
		for {
			is, _, err := r.Node.Store.Invitations(t.Context(), testrig.Host,
				store.InvitationFilter{Username: name, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			if len(is) > 0 {
				return is[0].ID
			}
		}
	}
	reset := func(name string) string { // as if the person had forgotten the password
		if g := r.Browser(t).Post("/forgot", "user", name); g.Status != 200 {
			t.Fatal(g.Status)
		}
		return latest(name)
	}
	link := regexp.MustCompile(`/(i|reset)/[0-9a-z]{32}`)
	ofOwner, ofMember := reset("juliet"), reset("paris")
	for _, b := range []*testrig.Browser{admin, supervisor, owner} {
		if g := b.Get("/admin/people/juliet"); g.Status != 200 || link.MatchString(g.Text) {
			t.Errorf("the page of an owner: %d, %q", g.Status, link.FindString(g.Text))
		}
		if g := b.Get("/admin/invitations/" + ofOwner); link.MatchString(g.Text) {
			t.Errorf("the page of an owner's link: %d", g.Status)
		}
		if g := b.Get("/admin/invitations/" + ofOwner + "/qr.png"); g.Status < 400 {
			t.Errorf("the picture of an owner's link: %d", g.Status)
		}
		if g := b.Post("/admin/invitations/" + ofOwner +
			"/resend"); link.MatchString(b.Get("/admin/invitations/" + ofOwner).Text) {
			t.Errorf("made anew: %d", g.Status)
		}
	}
	for _, b := range []*testrig.Browser{admin, supervisor} {
		if g := b.Get("/admin/people/paris"); !link.MatchString(g.Text) {
			t.Errorf("the page of a member: %d", g.Status)
		}
	}
	// The supervisor who made the link has lost the right since.
	if g := supervisor.Post("/admin/people/paris/reset"); g.Status != 303 {
		t.Fatal(g.Status)
	}
	made := latest("paris")
	role(t, r, "paris", store.RoleAdmin, "Sales")
	for _, id := range []string{made, ofMember} {
		supervisor.Post("/admin/invitations/" + id + "/resend")
		if g := supervisor.Get("/admin/invitations/" + id); link.MatchString(g.Text) {
			t.Errorf("the link of who has become an administrator: %d", g.Status)
		}
	}
	// An account that waits to be an owner's.
	if g := owner.Post("/admin/people/new", "name", "boss", "full_name", "The Boss", "email", "boss@work.example",
		"role", "owner", "do", "invite"); g.Status != 303 {
		t.Fatal(g.Status, g.Text)
	}
	for _, path := range []string{"/admin/people/boss", "/admin/invitations"} {
		if g := admin.Get(path); g.Status != 200 || link.MatchString(g.Text) {
			t.Errorf("%s of an owner to be: %d", path, g.Status)
		}
		if g := owner.Get(path); path != "/admin/invitations" && !link.MatchString(g.Text) {
			t.Errorf("%s to another owner: %d", path, g.Status)
		}
	}
	if strings.Contains(admin.Get("/admin/people/boss").Text, "/invite\"") {
		t.Error("an administrator is offered to invite an owner")
	}
}

// A moderator may do on pages what a moderator may do in rooms: change members, but not higher roles, and not the
// group's settings.
func TestModeratorsOnPages(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "tybalt", "paris")
	romeo, tybalt := r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	tybalt.SignIn("tybalt")
	if p := romeo.Post("/groups/new", "name", "Verona", "kind", "private", "themes_by", "members", "member", "juliet",
		"member", "tybalt"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	romeo.Post("/g/verona/members", "member", "tybalt", "role", "moderator")
	romeo.Post("/g/verona/members", "member", "juliet", "role", "owner")
	roles := func() map[string]string {
		g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
		if err != nil {
			t.Fatal(err)
		}
		ms, err := r.Node.Org.Members(t.Context(), testrig.Host, g.ID)
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]string{"kind": g.Kind}
		for _, x := range ms {
			m[strings.TrimSuffix(x.JID, "@"+testrig.Host)] = x.Role
		}
		return m
	}
	want := map[string]string{"kind": "private", "romeo": "owner", "juliet": "owner", "tybalt": "moderator"}
	for _, try := range [][]string{
		{"juliet", "banned"}, {"juliet", "member"}, {"juliet", "remove"}, {"paris", "moderator"},
		{"paris", "owner"}, {"tybalt", "owner"},
	} {
		tybalt.Post("/g/verona/members", "member", try[0], "role", try[1])
	}
	tybalt.Post("/g/verona/settings", "name", "Verona", "kind", "public")
	if got := roles(); !maps.Equal(got, want) {
		t.Errorf("after what a moderator has tried: %v", got)
	}
	tybalt.Post("/g/verona/members", "member", "paris", "role", "member")
	if want["paris"] = "member"; !maps.Equal(roles(), want) {
		t.Errorf("a moderator adds a member: %v", roles())
	}
}

// Pages, like the room's archive, hide messages from before a member was added; addresses and the list of banned people
// are for moderators, as in rooms.
func TestPagesShowNoMoreThanRooms(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "tybalt")
	romeo, juliet := r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	juliet.SignIn("juliet")
	if p := romeo.Post("/groups/new", "name", "Verona", "kind", "private", "themes_by", "members"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	if _, err := r.Node.Org.Update(t.Context(), acts.System, testrig.Host, g.ID,
		org.GroupChange{SinceJoin: &yes}); err != nil {
		t.Fatal(err)
	}
	romeo.Post("/g/verona", "text", "an old secret")
	old := regexp.MustCompile(`/g/verona/m/([0-9a-z]{13})`).FindStringSubmatch(romeo.Get("/g/verona").Text)
	if old == nil {
		t.Fatal("nothing was said")
	}
	romeo.Post("/g/verona/members", "member", "juliet", "role", "member")
	romeo.Post("/g/verona/members", "member", "tybalt", "role", "banned")
	token := regexp.MustCompile(`parley_[0-9a-z]{20,}`).FindString(juliet.Post("/me/tokens", "name", "x",
		"scope", "messages:read", "scope", "groups:read", "days", "30").Text)
	bearer := func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+token) }
	api := func(path string) string { return juliet.Do("GET", "/api/v1"+path, nil, bearer).Text }
	look := func() map[string]string {
		return map[string]string{
			"home":             juliet.Get("/").Text,
			"room":             juliet.Get("/g/verona").Text,
			"link":             juliet.Get("/g/verona/m/" + old[1]).Text,
			"page":             juliet.Get("/g/verona?after=0000000000001").Text,
			"search":           juliet.Get("/search?q=secret").Text,
			"API":              api("/groups/verona/messages"),
			"group in the API": api("/groups/verona"),
		}
	}
	for where, text := range look() {
		if strings.Contains(text, "old secret") || strings.Contains(text, "tybalt") && where != "home" {
			t.Errorf("%s shows what is not for a new member", where)
		}
	}
	romeo.Post("/g/verona", "text", "said since then")
	for where, text := range look() {
		if strings.Contains(text, "old secret") {
			t.Errorf("%s shows what was said before", where)
		}
		if (where == "room" || where == "API" || where == "home") && !strings.Contains(text, "said since then") {
			t.Errorf("%s does not show what was said since", where)
		}
	}
	// Authors are shown by their full names, except where the room shows only nicknames.
	if err := r.Node.Store.SetFullName(t.Context(), testrig.Host, "romeo", "Romeo Montague"); err != nil {
		t.Fatal(err)
	}
	by := regexp.MustCompile(`<span class="by"[^>]*>([^<]*)`)
	if m := by.FindStringSubmatch(juliet.Get("/g/verona").Text); m == nil || m[1] != "Romeo Montague" {
		t.Errorf("said by %q", m)
	}
	kind := org.Federated
	if _, err := r.Node.Org.Update(t.Context(), acts.System, testrig.Host, g.ID,
		org.GroupChange{Kind: &kind}); err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{
		"group":    api("/groups/verona"),
		"messages": api("/groups/verona/messages"),
		"page":     juliet.Get("/g/verona").Text,
	} {
		if strings.Contains(text, "romeo@"+testrig.Host) {
			t.Errorf("%s shows an address that the room does not", where)
		}
	}
	if m := by.FindStringSubmatch(juliet.Get("/g/verona").Text); m == nil || m[1] != "romeo" {
		t.Errorf("in a room of nicknames said by %q", m)
	}
	if text := romeo.Get("/g/verona").Text; !strings.Contains(text, "juliet") || !strings.Contains(text, "tybalt") {
		t.Error("an owner does not see the members")
	}
}

// A supervisor does not read a group by an account made for it.
func TestSupervisorsPutPeopleWhereTheyMay(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "tybalt")
	role(t, r, "tybalt", store.RoleSupervisor, "Sales")
	romeo, tybalt := r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	tybalt.SignIn("tybalt")
	for name, kind := range map[string]string{"Board": "private", "Canteen": "public", "Council": "request"} {
		if p := romeo.Post("/groups/new", "name", name, "kind", kind, "themes_by", "members"); p.Status != 303 {
			t.Fatal(p.Status, p.Text)
		}
	}
	if p := tybalt.Get("/admin/people/new"); p.Status != 200 || strings.Contains(p.Text, "Board") ||
		strings.Contains(p.Text, "Council") || !strings.Contains(p.Text, "Canteen") {
		t.Errorf("the form: %d", p.Status)
	}
	for slug, status := range map[string]int{"board": 422, "council": 422, "canteen": 303} {
		if p := tybalt.Post("/admin/people/new", "full_name", "Spy "+slug, "department", "Sales",
			"groups", slug, "do", "create"); p.Status != status {
			t.Errorf("into %s: %d", slug, p.Status)
		}
	}
	// A supervisor without a department sees nobody; and an e-mail address that is taken is the sender's mistake. On
	// every engine.
	role(t, r, "tybalt", store.RoleSupervisor, "")
	tybalt.Get("/me") // the page shows the message about the last act
	if p := tybalt.Get("/admin/people"); p.Status != 200 || strings.Contains(p.Text, "spy") {
		t.Errorf("the people of no department: %d", p.Status)
	}
	if p := romeo.Post("/admin/people/spy.canteen", "email", "tybalt@work.example"); p.Status != 422 {
		t.Errorf("an address that is taken: %d", p.Status)
	}
}

// Characters that XML cannot hold reach no client by way of a page.
func TestWhatXMLCannotHold(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	romeo := r.Browser(t)
	romeo.SignIn("romeo")
	if p := romeo.Post("/groups/new", "name", "Verona", "kind", "private", "themes_by", "members",
		"member", "juliet"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	c := signIn(t, r, "juliet")
	do(t, c, "<presence to='"+g.Room+"@groups."+testrig.Host+
		"/juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	for _, text := range []string{"one\x01", "two\x00", "three\xff", "four\ufffe"} {
		if p := romeo.Post("/g/verona", "text", text); p.Status != 303 && p.Status != 422 {
			t.Errorf("%q: %d", text, p.Status)
		}
	}
	romeo.Post("/g/verona", "text", "the end")
	for {
		e, err := c.Next() // an error if it is not XML
		if err != nil {
			t.Fatal(err)
		}
		if b := e.Find("body"); b != nil && b.Text == "the end" {
			break
		}
	}
	for _, path := range []string{
		"/search?q=%00a", "/g/%00", "/people?q=%ff", "/admin/people?q=%00", "/i/%00", "/admin/people/%00",
	} {
		if p := romeo.Get(path); p.Status >= 500 {
			t.Errorf("%s: %d", path, p.Status)
		}
	}
}

// The creator of a theme may close it while they are in its group, and not afterwards.
func TestClosingAThemeOnPages(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "paris")
	romeo, juliet, paris := r.Browser(t), r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	juliet.SignIn("juliet")
	paris.SignIn("paris")
	if p := romeo.Post("/groups/new", "name", "Verona", "kind", "public", "themes_by", "members", "member", "juliet",
		"member", "paris"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	made := juliet.Post("/g/verona/themes", "name", "Balcony")
	if made.Status != 303 {
		t.Fatal(made.Status, made.Text)
	}
	closed := func() bool {
		t.Helper()
		th, err := r.Node.Org.Theme(t.Context(), testrig.Host, made.To[strings.LastIndexByte(made.To, '/')+1:])
		if err != nil {
			t.Fatal(err)
		}
		return !th.Closed.IsZero()
	}
	offered := func(b *testrig.Browser) bool { return strings.Contains(b.Get(made.To).Text, made.To+"/close") }
	for _, try := range []struct {
		who  string
		b    *testrig.Browser
		may  bool
		form string
	}{
		{"another member", paris, false, ""},
		{"who has created it", juliet, true, ""},
		{"who has created it", juliet, true, "open"},
	} {
		was := closed()
		if is := offered(try.b); is != try.may {
			t.Errorf("%s is offered to close it: %v", try.who, is)
		}
		try.b.Post(made.To+"/close", "do", try.form)
		if done := closed() != was; done != try.may {
			t.Errorf("%s closes or opens it: %v", try.who, done)
		}
	}
	if p := juliet.Post("/g/verona/leave"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if p := juliet.Post(made.To + "/close"); p.Status != 403 || closed() || offered(juliet) {
		t.Errorf("who has left closes it: %d, closed: %v, offered: %v", p.Status, closed(), offered(juliet))
	}
}
