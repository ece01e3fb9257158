package testrig_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/store"
	"parley/testrig"
)

func web(c *config.Config) { c.Mail.Show = true }

// Every route, signed out and signed in, answers with the strict headers.
func TestHeadersOfEveryRoute(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo")
	in, out := r.Browser(t), r.Browser(t)
	in.SignIn("romeo")
	fill := regexp.MustCompile(`\{[^}]*\}`)
	n := 0
	for _, route := range r.Node.WebRoutes() {
		method, path, ok := strings.Cut(route, " ")
		if !ok {
			method, path = "GET", "/nothing/here"
		}
		path = fill.ReplaceAllString(strings.ReplaceAll(path, "{$}", ""), "x")
		for _, b := range []*testrig.Browser{out, in} {
			if path == "/logout" && b == in {
				continue
			}
			var form url.Values
			if method == "POST" {
				form = url.Values{}
			}
			p := b.Do(method, path, form, nil)
			n++
			if p.Status >= 500 {
				t.Errorf("%s: %d", route, p.Status)
			}
			for name, want := range map[string]string{
				"Content-Security-Policy":      "default-src 'none'",
				"X-Content-Type-Options":       "nosniff",
				"Cross-Origin-Opener-Policy":   "same-origin",
				"Cross-Origin-Resource-Policy": "same-origin",
				"Referrer-Policy":              "no-referrer",
				"Strict-Transport-Security":    "max-age=",
				"X-Robots-Tag":                 "noindex",
			} {
				if !strings.Contains(p.Header.Get(name), want) {
					t.Errorf("%s: %s is %q", route, name, p.Header.Get(name))
				}
			}
			loose := path == "/chat/converse" // its client has styles in attributes
			if csp := p.Header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe-") && !loose ||
				!strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("%s: the policy is %q", route, csp)
			}
			if c := p.Header.Get("Cache-Control"); p.Status == 200 &&
				!strings.HasPrefix(path, "/assets") && c != "no-store" {
				t.Errorf("%s: Cache-Control is %q", route, c)
			}
			for _, c := range p.Header.Values("Set-Cookie") {
				if !strings.HasPrefix(c, "__Host-") || !strings.Contains(c, "Secure") ||
					!strings.Contains(c, "HttpOnly") {
					t.Errorf("%s: cookie %q", route, c)
				}
			}
		}
	}
	if n < 80 {
		t.Errorf("only %d requests", n)
	}
}

// People who are not signed in, or who lack the role, get in by no route.
func TestWhoMayOpenWhat(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	out, juliet := r.Browser(t), r.Browser(t)
	juliet.SignIn("juliet")
	for _, route := range r.Node.WebRoutes() {
		method, path, _ := strings.Cut(route, " ")
		if !strings.HasPrefix(path, "/admin") && !strings.HasPrefix(path, "/me") {
			continue
		}
		path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "romeo")
		var form url.Values
		if method == "POST" {
			form = url.Values{}
		}
		if p := out.Do(method, path, form, nil); p.Status != http.StatusSeeOther || !strings.HasPrefix(p.To, "/login") {
			t.Errorf("%s signed out: %d to %q", route, p.Status, p.To)
		}
		if p := juliet.Do(method, path, form, nil); strings.HasPrefix(path, "/admin") &&
			p.Status != http.StatusForbidden {
			t.Errorf("%s as a member: %d", route, p.Status)
		}
	}
	// A request that another site makes the browser send.
	p := juliet.Do("POST", "/me", url.Values{"full_name": {"Mallory"}}, func(q *http.Request) {
		q.Header.Set("Sec-Fetch-Site", "cross-site")
		q.Header.Set("Origin", "https://evil.example")
	})
	if p.Status != http.StatusForbidden {
		t.Errorf("from another site: %d", p.Status)
	}
	if u, err := r.Node.Store.User(t.Context(), testrig.Host, "juliet"); err != nil || u.FullName != "" {
		t.Errorf("got %q, %v", u.FullName, err)
	}
}

func TestSignIn(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet")
	ctx := context.Background()
	if _, _, err := r.Node.Store.UpdatePerson(ctx, testrig.Host,
		"juliet", func(p *store.Person) error { p.Email = "j.capulet@work.example"; return nil }); err != nil {
		t.Fatal(err)
	}
	b := r.Browser(t)
	for _, who := range []string{"juliet", "JULIET@example.org", "J.Capulet@work.example"} {
		if p := b.Post("/login", "user", who, "password", testrig.Password,
			"back", "/groups"); p.Status != 303 || p.To != "/groups" {
			t.Errorf("%s: %d to %q", who, p.Status, p.To)
		}
	}
	for _, back := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)"} {
		if p := r.Browser(t).Post("/login", "user", "juliet", "password", testrig.Password, "back", back); p.To != "/" {
			t.Errorf("back to %q leads to %q", back, p.To)
		}
	}
	// The same words for a wrong password and for nobody.
	wrong, nobody := r.Browser(t).Post("/login", "user", "romeo", "password", "x"),
		r.Browser(t).Post("/login", "user", "nobody", "password", "x")
	if wrong.Status != 401 || strings.ReplaceAll(wrong.Text, "romeo", "nobody") != nobody.Text {
		t.Errorf("%d, %d: the answers differ", wrong.Status, nobody.Status)
	}
	// Disabled: the session is over at once.
	if err := r.Node.Store.SetDisabled(ctx, testrig.Host, "juliet", true); err != nil {
		t.Fatal(err)
	}
	if p := b.Get("/"); p.Status != 303 {
		t.Errorf("a disabled account: %d", p.Status)
	}
	if err := r.Node.Store.SetDisabled(ctx, testrig.Host, "juliet", false); err != nil {
		t.Fatal(err)
	}
	// Signing out ends the session itself, not only the cookie.
	var cookie string
	if p := b.Do("GET", "/", nil, func(q *http.Request) { cookie = q.Header.Get("Cookie") }); p.Status != 200 {
		t.Fatalf("%d", p.Status)
	}
	ws, err := r.Node.Store.WebSessionsOf(ctx, testrig.Host, "juliet", time.Now())
	if err != nil || len(ws) == 0 {
		t.Fatalf("%v, %v, %s", ws, err, cookie)
	}
	before := len(ws)
	b.Post("/logout")
	if ws, _ = r.Node.Store.WebSessionsOf(ctx, testrig.Host, "juliet", time.Now()); len(ws) != before-1 {
		t.Errorf("%d sessions of %d are left", len(ws), before)
	}
	// Guessing is slowed down, for this address and account.
	status := 0
	for i := range 30 { // repeats of the same password are one guess
		if status = r.Browser(t).Post("/login", "user", "romeo",
			"password", fmt.Sprint("guess", i)).Status; status == http.StatusTooManyRequests {
			break
		}
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("thirty guesses: %d", status)
	}
}

// From the printed link to an owner, who creates a colleague, who accepts the invitation and is in the groups.
func TestFromOwnerToColleague(t *testing.T) {
	r := testrig.Start(t, web)
	ctx := context.Background()
	link, err := r.Node.FirstOwner(ctx, testrig.Host)
	if err != nil || link == "" {
		t.Fatalf("%q, %v", link, err)
	}
	newer, err := r.Node.FirstOwner(ctx, testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	owner := r.Browser(t)
	path := func(link string) string { return link[strings.LastIndex(link[:strings.LastIndex(link, "/")], "/"):] }
	if p := owner.Get(path(link)); p.Status != 404 {
		t.Errorf("an older link: %d", p.Status)
	}
	setup := path(newer)
	if p := owner.Post(setup, "name", "olivia", "full_name", "Olivia Owner", "password", "short",
		"again", "short"); p.Status != 422 ||
		!strings.Contains(p.Text, "too short") {
		t.Errorf("a weak password: %d", p.Status)
	}
	if p := owner.Post(setup, "name", "olivia", "full_name", "Olivia Owner",
		"password", "Correct-horse-9", "again", "Correct-horse-9"); p.To != "/admin" {
		t.Fatalf("%d to %q: %s", p.Status, p.To, p.Text)
	}
	if p := owner.Get(setup); p.Status != 404 {
		t.Errorf("the link is good twice: %d", p.Status)
	}
	if l, err := r.Node.FirstOwner(ctx, testrig.Host); l != "" || err != nil {
		t.Errorf("another link: %q, %v", l, err)
	}
	owner.Post("/groups/new", "name", "Engineering", "kind", "public", "themes_by", "members")

	// The four buttons.
	if p := owner.Post("/admin/people/new", "full_name", "Ann One", "do", "create"); p.To != "/admin/people" {
		t.Errorf("create: %d to %q", p.Status, p.To)
	}
	if p := owner.Post("/admin/people/new", "full_name", "Ben Two", "role", "supervisor", "department", "Sales",
		"groups", "engineering", "lang", "fr", "do", "another"); p.Status != 200 ||
		!strings.Contains(p.Text, "Ben Two was created") || !strings.Contains(p.Text, `value="Sales"`) ||
		!strings.Contains(p.Text, `value="supervisor" selected`) ||
		!strings.Contains(p.Text, `value="engineering" checked`) {
		t.Errorf("create & add another: %d", p.Status)
	}
	if p := owner.Post("/admin/people/new", "full_name", "Cleo", "do", "invite"); p.Status != 422 {
		t.Errorf("invite without an address: %d", p.Status)
	}
	if p := owner.Post("/admin/people/new", "full_name", "Cléo Three", "email", "cleo@work.example",
		"groups", "engineering", "lang", "fr", "note", "à <bientôt>", "do", "invite"); p.To != "/admin/people" {
		t.Errorf("create & invite: %d to %q", p.Status, p.To)
	}
	if p := owner.Post("/admin/people/new", "full_name", "Other", "name", "other", "email", "CLEO@work.example",
		"do", "create"); p.Status != 422 || !strings.Contains(p.Text, "/admin/people/cleo") {
		t.Errorf("an address that is known: %d", p.Status)
	}
	if p := owner.Post("/admin/people/new", "full_name", "Dan Four", "email", "dan@work.example",
		"do", "invite another"); p.Status != 200 || !strings.Contains(p.Text, "Dan Four was created") {
		t.Errorf("create & invite & add another: %d", p.Status)
	}
	ms, err := r.Node.Store.Mails(ctx, testrig.Host, 0, 10)
	if err != nil || len(ms) != 2 {
		t.Fatalf("%d mails, %v", len(ms), err)
	}
	m := ms[1]
	if m.To != "cleo@work.example" || !strings.HasPrefix(m.Subject, "Vous êtes invité·e à rejoindre") ||
		!strings.Contains(m.Text, "à <bientôt>") || !strings.Contains(m.HTML, "à &lt;bientôt&gt;") {
		t.Errorf("the mail: %+v", m)
	}
	token := regexp.MustCompile(`/i/([0-9a-z]{32})`).FindStringSubmatch(m.Text)
	if token == nil {
		t.Fatalf("no link in %s", m.Text)
	}

	// GET and HEAD do not use up the link.
	guest := r.Browser(t)
	for range 3 {
		if p := guest.Do("HEAD", "/i/"+strings.ToUpper(token[1]), nil, nil); p.Status != 200 ||
			!strings.Contains(p.Header.Get("Link"), "xmpp:cleo@example.org?register;preauth=") {
			t.Errorf("HEAD: %d, %q", p.Status, p.Header.Get("Link"))
		}
	}
	if p := guest.Get("/i/" + token[1]); p.Status != 200 || !strings.Contains(p.Text, "cleo@example.org") ||
		!strings.Contains(p.Text, `lang="fr"`) {
		t.Errorf("GET: %d", p.Status)
	}
	if p := guest.Post("/i/"+token[1], "full_name", "Cléo Trois", "password", "cleo-cleo-cleo",
		"again", "cleo-cleo-cleo"); p.Status != 422 {
		t.Errorf("the own name as a password: %d", p.Status)
	}
	if p := guest.Post("/i/"+token[1], "full_name", "Cléo Trois", "password", "Un-mot-de-passe-7",
		"again", "Un-mot-de-passe-7"); p.To != "/welcome" {
		t.Fatalf("accept: %d to %q", p.Status, p.To)
	}
	if p := guest.Get("/"); p.Status != 200 || !strings.Contains(p.Text, "Engineering") ||
		!strings.Contains(p.Text, "Bonjour, Cléo Trois") {
		t.Errorf("her home: %d", p.Status)
	}
	if p := r.Browser(t).Get("/i/" + token[1]); p.Status != http.StatusGone {
		t.Errorf("the link again: %d", p.Status)
	}
	if p := r.Browser(t).Get("/i/" + strings.Repeat("0", 32)); p.Status != http.StatusNotFound {
		t.Errorf("a link that is none: %d", p.Status)
	}
	is, _, err := r.Node.Store.Invitations(ctx, testrig.Host, store.InvitationFilter{Username: "cleo", Limit: 5})
	if err != nil || len(is) != 1 {
		t.Fatal(is, err)
	}
	var kinds []string
	es, err := r.Node.Store.InvitationEvents(ctx, testrig.Host, is[0].ID)
	for _, e := range es {
		kinds = append(kinds, e.Kind)
	}
	if got := strings.Join(kinds, " "); err != nil || got != "created queued opened accepted" {
		t.Errorf("history: %s, %v", got, err)
	}
	// Her client signs in with the same password.
	c, err := r.Connect("tls", testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.SignIn("cleo", "Un-mot-de-passe-7"); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind("phone"); err != nil {
		t.Fatal(err)
	}
	// Disabling ends her stream and her session in the browser.
	if p := owner.Post("/admin/people/cleo/disable"); p.Status != 303 {
		t.Errorf("disable: %d", p.Status)
	}
	for {
		e, err := c.Next()
		if err != nil {
			t.Fatalf("no stream error: %v", err)
		}
		if e.Find("not-authorized") != nil {
			break
		}
	}
	if p := guest.Get("/"); p.Status != 303 {
		t.Errorf("her browser: %d", p.Status)
	}
	// The owner stays: nobody else is one.
	if p := owner.Post("/admin/people/olivia", "role", "member"); p.Status != 422 ||
		!strings.Contains(p.Text, "last owner") {
		t.Errorf("the last owner: %d", p.Status)
	}
	// Deleting wants the name typed.
	owner.Post("/admin/people/cleo/delete", "confirm", "wrong")
	if _, err := r.Node.Store.User(ctx, testrig.Host, "cleo"); err != nil {
		t.Error("deleted without confirmation")
	}
	owner.Post("/admin/people/cleo/delete", "confirm", "cleo")
	if _, err := r.Node.Store.User(ctx, testrig.Host, "cleo"); err == nil {
		t.Error("not deleted")
	}
	a, err := r.Node.Store.AuditEntries(ctx, testrig.Host, store.AuditFilter{Target: "cleo@example.org", Limit: 50})
	var did []string
	for _, e := range a {
		did = append(did, e.Actor+":"+e.Action)
		if strings.Contains(e.Detail, "mot-de-passe") {
			t.Error("a password is in the log")
		}
	}
	if got := strings.Join(did, " "); err != nil || got != "olivia:person.delete olivia:person.disable "+
		"cleo:invitation.accept olivia:invitation.create olivia:person.create" {
		t.Errorf("audit: %s, %v", got, err)
	}
}

func TestImportOfMany(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	var csv strings.Builder
	csv.WriteString("Nom complet;Courriel;Service;role\n")
	for i := range 500 {
		fmt.Fprintf(&csv, "Person %d;p%d@work.example;Team %d;member\n", i, i, i%5)
	}
	csv.WriteString("Twice;p7@work.example;;\nNobody;not an address;;\n\"Romeo\";romeo@work.example;;\n")
	dry := b.Post("/admin/people/import", "text", csv.String())
	if dry.Status != 200 || !strings.Contains(dry.Text, "Create 500 people") ||
		!strings.Contains(dry.Text, "2 wrong") || !strings.Contains(dry.Text, "1 known") {
		t.Fatalf("dry run: %d", dry.Status)
	}
	if n, err := r.Node.Store.CountUsers(t.Context(), testrig.Host); n != 1 || err != nil {
		t.Fatalf("the dry run has made %d accounts, %v", n, err)
	}
	if p := b.Post("/admin/people/import", "text", csv.String(), "do", "import"); p.Status != 200 ||
		!strings.Contains(p.Text, "500 people created") {
		t.Fatalf("import: %d", p.Status)
	}
	if n, err := r.Node.Store.CountUsers(t.Context(), testrig.Host); n != 501 || err != nil {
		t.Fatalf("%d accounts, %v", n, err)
	}
	if p := b.Get("/admin/people?q=person+499&department=Team+4"); !strings.Contains(p.Text, "p499@work.example") ||
		strings.Contains(p.Text, "p4@work.example") {
		t.Error("the filter does not find one of them")
	}
	if p := b.Get("/admin/people.csv?department=Team+1"); strings.Count(p.Text, "\n") != 101 {
		t.Errorf("the export has %d lines", strings.Count(p.Text, "\n"))
	}
}

// Messages written on a page reach clients in the room, and their messages are on the page.
func TestGroupOnAPage(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "tybalt")
	romeo, tybalt := r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	tybalt.SignIn("tybalt")
	if p := romeo.Post("/groups/new", "name", "Verona", "kind", "private", "themes_by", "members",
		"member", "juliet"); p.To != "/g/verona" {
		t.Fatalf("%d to %q", p.Status, p.To)
	}
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	c := signIn(t, r, "juliet")
	room := g.Room + "@groups." + testrig.Host
	do(t, c, "<presence to='"+room+"/juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	if p := romeo.Post("/g/verona", "text", "from the <page>"); p.Status != 303 {
		t.Fatalf("%d %s", p.Status, p.Text)
	}
	for {
		e, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		if b := e.Find("body"); b != nil && b.Text == "from the <page>" {
			break
		}
	}
	do(t, c, "<message id='back' type='groupchat' to='"+room+"'><body>from the &lt;client&gt;</body></message>", "back")
	p := romeo.Get("/g/verona")
	if !strings.Contains(p.Text, "from the &lt;client&gt;") || !strings.Contains(p.Text, "from the &lt;page&gt;") {
		t.Error("not on the page")
	}
	id := regexp.MustCompile(`/g/verona/m/([0-9a-z]{13})`).FindStringSubmatch(p.Text)
	if id == nil {
		t.Fatal("no link to a message")
	}
	if p := romeo.Get("/g/verona/m/" + id[1]); p.Status != 200 || !strings.Contains(p.Text, `message here`) {
		t.Errorf("the link: %d", p.Status)
	}
	// Outsiders do not learn that it exists, by any address.
	for _, path := range []string{"/g/verona", "/g/verona/m/" + id[1], "/g/verona/settings"} {
		if p := tybalt.Get(path); p.Status != 404 || strings.Contains(p.Text, "Verona") {
			t.Errorf("%s as a stranger: %d", path, p.Status)
		}
	}
	if p := tybalt.Post("/g/verona", "text", "let me in"); p.Status != 404 {
		t.Errorf("a stranger writes: %d", p.Status)
	}
	if p := romeo.Get("/search?q=client"); !strings.Contains(p.Text, "/g/verona/m/") {
		t.Error("the search does not find it")
	}
	if p := tybalt.Get("/search?q=client"); strings.Contains(p.Text, "Verona") ||
		strings.Contains(p.Text, "/g/verona") {
		t.Error("the search finds it for a stranger")
	}
	if p := tybalt.Get("/groups"); strings.Contains(p.Text, "Verona") {
		t.Error("a stranger sees the group")
	}
}

func TestPasswordByLink(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	if _, _, err := r.Node.Store.UpdatePerson(t.Context(), testrig.Host,
		"juliet", func(p *store.Person) error { p.Email = "j@work.example"; return nil }); err != nil {
		t.Fatal(err)
	}
	admin, juliet := r.Browser(t), r.Browser(t)
	admin.SignIn("romeo")
	juliet.SignIn("juliet")
	known, unknown := r.Browser(t).Post("/forgot", "user", "j@work.example"),
		r.Browser(t).Post("/forgot", "user", "nobody@work.example")
	if known.Text != unknown.Text || known.Status != 200 {
		t.Error("who asks learns whether there is an account")
	}
	if p := admin.Post("/admin/people/juliet/reset"); p.Status != 303 {
		t.Fatalf("%d", p.Status)
	}
	var token []string
	deadline := time.Now().Add(time.Minute)
	for token == nil && time.Now().Before(deadline) {
		ms, err := r.Node.Store.Mails(t.Context(), testrig.Host, 0, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ms {
			token = regexp.MustCompile(`/reset/([0-9a-z]{32})`).FindStringSubmatch(m.Text)
		}
	}
	if token == nil {
		t.Fatal("no link")
	}
	if p := r.Browser(t).Get("/i/" + token[1]); p.Status != 404 {
		t.Errorf("the link of another kind: %d", p.Status)
	}
	b := r.Browser(t)
	if p := b.Post("/reset/"+token[1], "password", "A-new-Password-1", "again", "A-new-Password-1"); p.Status != 303 {
		t.Fatalf("%d %s", p.Status, p.Text)
	}
	if p := b.Get("/"); p.Status != 200 {
		t.Errorf("signed in afterwards: %d", p.Status)
	}
	if p := juliet.Get("/"); p.Status != 303 {
		t.Errorf("an older session goes on: %d", p.Status)
	}
	if p := r.Browser(t).Post("/reset/"+token[1], "password", "Another-Password-1",
		"again", "Another-Password-1"); p.Status != http.StatusGone {
		t.Errorf("the link is good twice: %d", p.Status)
	}
	if p := r.Browser(t).Post("/login", "user", "juliet", "password", "A-new-Password-1"); p.Status != 303 {
		t.Errorf("the new password: %d", p.Status)
	}
}
