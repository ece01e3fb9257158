package testrig_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"mellium.im/sasl"

	"parley/config"
	"parley/people"
	"parley/store"
	"parley/testrig"
)

// factor turns the second step on at the pages, and gives the authenticator's secret and the recovery codes.
func factor(t *testing.T, b *testrig.Browser) (secret string, recovery []string) {
	t.Helper()
	b.Post("/me/factor", "do", "start")
	page := b.Get("/me/security").Text
	secret = regexp.MustCompile(`<code>([A-Z2-7]{32})</code>`).FindStringSubmatch(page + "<code>none</code>")[1]
	if p := b.Get("/me/factor.png"); p.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the picture for the authenticator: %d", p.Status)
	}
	p := b.Post("/me/factor", "do", "confirm", "code", code(t, secret, 0))
	recovery = regexp.MustCompile(`[a-z2-7]{4}(-[a-z2-7]{4}){3}`).FindAllString(p.Text, -1)
	if p.Status != http.StatusOK || len(recovery) != 10 {
		t.Fatalf("turn it on: %d, %d recovery codes", p.Status, len(recovery))
	}
	return secret, recovery
}

// code is what the authenticator shows some steps from now; the server takes the one after now, and none twice.
func code(t *testing.T, secret string, steps int) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// spare forgets which code was used last, so that a test need not wait for the next.
func spare(t *testing.T, r *testrig.Rig, name string) {
	t.Helper()
	if err := r.Node.Store.UseSecondFactor(context.Background(), testrig.Host,
		name, func(f *store.SecondFactor) error { f.LastStep = 0; return nil }); err != nil {
		t.Fatal(err)
	}
}

// stale makes the sessions of an account such as have given no proof for long.
func stale(t *testing.T, r *testrig.Rig, name string) {
	t.Helper()
	ctx := context.Background()
	ws, err := r.Node.Store.WebSessionsOf(ctx, testrig.Host, name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range ws {
		w.Proven = time.Now().Add(-time.Hour)
		if err := r.Node.Store.TouchWebSession(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
}

// app makes an app password on the page.
func app(t *testing.T, b *testrig.Browser, name string) string {
	t.Helper()
	p := b.Post("/me/apps", "name", name)
	password := regexp.MustCompile(`value="([a-z2-7]{4}(?:-[a-z2-7]{4}){4})"`).FindStringSubmatch(p.Text)
	if p.Status != http.StatusOK || password == nil {
		t.Fatalf("an app password: %d", p.Status)
	}
	if strings.Contains(b.Get("/me/security").Text, password[1]) {
		t.Error("it is shown twice")
	}
	return password[1]
}

// scram signs in over direct TLS with the first profile of SASL, and gives the stream and the last answer.
func scram(t *testing.T, r *testrig.Rig, m sasl.Mechanism, user, password string) (*testrig.Client, *testrig.Element) {
	t.Helper()
	c := newer(t, r)
	n := sasl.NewClient(m, sasl.Credentials(func() ([]byte, []byte, []byte) {
		return []byte(user), []byte(password), nil
	}),
		sasl.RemoteMechanisms(m.Name), sasl.TLSState(c.TLS()))
	_, msg, err := n.Step(nil)
	write := func(format string, args ...any) *testrig.Element {
		t.Helper()
		if err := c.Write(fmt.Sprintf(format, args...)); err != nil {
			t.Fatal(err)
		}
		e, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if err != nil {
		t.Fatal(err)
	}
	e := write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='%s'>%s</auth>",
		m.Name, base64.StdEncoding.EncodeToString(msg))
	for e.Name.Local == "challenge" {
		data, err := base64.StdEncoding.DecodeString(e.Text)
		if err != nil {
			t.Fatal(err)
		}
		if _, msg, err = n.Step(data); err != nil {
			t.Fatal(err)
		}
		e = write("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</response>",
			base64.StdEncoding.EncodeToString(msg))
	}
	if e.Name.Local == "success" && e.Text != "" {
		data, _ := base64.StdEncoding.DecodeString(e.Text)
		if _, _, err := n.Step(data); err != nil {
			t.Errorf("%s: the client does not believe the server: %v", m.Name, err)
		}
	}
	return c, e
}

var mechanisms = []sasl.Mechanism{
	sasl.Plain, sasl.ScramSha1, sasl.ScramSha256, sasl.ScramSha1Plus, sasl.ScramSha256Plus,
}

// With the second step on, clients sign in with app passwords, each with its own. The account's password is refused:
// with an explanation for somebody who knows it, and without any for others.
func TestAppPasswords(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	before, err := r.Connect("tls", testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(before.Close)
	if err := before.SignIn("romeo", testrig.Password); err != nil {
		t.Fatal(err)
	}
	if err := before.Bind("before"); err != nil {
		t.Fatal(err)
	}
	if e := authenticate(t, newer(t, r), "PLAIN", "\x00romeo\x00"+testrig.Password,
		"<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"); e.Find("token") == nil {
		t.Fatal(e)
	} else {
		old := e.Find("token").Attr("token")
		defer func() {
			if e := authenticate(t, newer(t, r), "HT-SHA-256-NONE", proof(old),
				"<fast xmlns='urn:xmpp:fast:0'/>"); e.Name.Local != "failure" {
				t.Errorf("a token got with the password: %s", e)
			}
		}()
	}
	phone := app(t, b, "Phone")
	factor(t, b)
	closed(t, before, "reset")

	desk := app(t, b, "Desk")
	for _, m := range mechanisms {
		for _, password := range []string{phone, desk} {
			if _, e := scram(t, r, m, "romeo", password); e.Name.Local != "success" {
				t.Errorf("%s: %s", m.Name, e)
			}
		}
		if _, e := scram(t, r, m, "romeo", testrig.Password); e.Find("not-authorized") == nil ||
			!strings.Contains(e.String(), "/me/security") {
			t.Errorf("%s with the account's password: %s", m.Name, e)
		}
		for _, user := range []string{"romeo", "nobody"} {
			if _, e := scram(t, r, m, user, "wrong-"+m.Name); e.Find("not-authorized") == nil || e.Find("text") != nil {
				t.Errorf("%s, %s with a wrong one: %s", m.Name, user, e)
			}
		}
	}

	// A token belongs to the app password that it was got with.
	e := authenticate(t, newer(t, r), "PLAIN", "\x00romeo\x00"+phone,
		"<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>")
	token := e.Find("token").Attr("token")
	const fast = "<fast xmlns='urn:xmpp:fast:0'/><bind xmlns='urn:xmpp:bind:0'><tag>rig</tag></bind>"
	byToken := newer(t, r)
	if e := authenticate(t, byToken, "HT-SHA-256-NONE", proof(token), fast); e.Find("bound") == nil {
		t.Fatalf("with the token: %s", e)
	}
	byDesk, _ := scram(t, r, sasl.ScramSha256, "romeo", desk)
	bindAgain(t, byDesk, "desk")

	// The page shows its last use; revoking it ends the sessions signed in with it, and only those.
	as, err := r.Node.Store.AppPasswords(t.Context(), testrig.Host, "romeo")
	if err != nil || len(as) != 2 || as[0].Used.IsZero() || as[1].Used.IsZero() {
		t.Fatal(as, err)
	}
	if p := b.Post("/me/apps/revoke", "app", as[0].ID); p.Status != http.StatusSeeOther {
		t.Fatalf("revoke: %d", p.Status)
	}
	closed(t, byToken, "reset")
	if e := authenticate(t, newer(t, r), "HT-SHA-256-NONE", proof(token), fast); e.Name.Local != "failure" {
		t.Errorf("with the token of a revoked one: %s", e)
	}
	if _, e := scram(t, r, sasl.ScramSha256Plus, "romeo", phone); e.Name.Local != "failure" {
		t.Errorf("with a revoked one: %s", e)
	}
	if err := byDesk.Write("<iq type='get' id='p' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
		t.Fatal(err)
	}
	if e, err := byDesk.Next(); err != nil || e.Attr("id") != "p" {
		t.Errorf("the other one: %v %v", e, err)
	}

	// An app password that is revoked while its client is signing in does not work any more.
	late, _ := scram(t, r, sasl.ScramSha1, "romeo", app(t, b, "Late"))
	if err := late.Again(); err != nil {
		t.Fatal(err)
	}
	if as, err = r.Node.Store.AppPasswords(t.Context(), testrig.Host, "romeo"); err != nil {
		t.Fatal(err)
	}
	b.Post("/me/apps/revoke", "app", as[len(as)-1].ID)
	if err := late.Write("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"); err != nil {
		t.Fatal(err)
	}
	closed(t, late, "reset")

	// It is not enough to take the account over.
	for what, payload := range map[string]string{
		"change the password": "<username>romeo</username><password>Another-Word-77</password>",
		"give the account up": "<remove/>",
	} {
		if err := byDesk.Write("<iq type='set' id='r'><query xmlns='jabber:iq:register'>" + payload +
			"</query></iq>"); err != nil {
			t.Fatal(err)
		}
		if e, err := byDesk.Next(); err != nil || e.Find("not-allowed") == nil {
			t.Errorf("%s with an app password: %v %v", what, e, err)
		}
	}
	// A new password that a person sets for themselves leaves app passwords as they are.
	if p := b.Post("/me/password", "current", testrig.Password,
		"password", "Another-Word-77", "again", "Another-Word-77"); p.Status != http.StatusSeeOther {
		t.Fatalf("a new password: %d", p.Status)
	}
	if _, e := scram(t, r, sasl.ScramSha1Plus, "romeo", desk); e.Name.Local != "success" {
		t.Errorf("after a new password: %s", e)
	}
	if _, e := scram(t, r, sasl.ScramSha256, "romeo",
		"Another-Word-77"); !strings.Contains(e.String(), "/me/security") {
		t.Errorf("the new password: %s", e)
	}
}

// closed waits for the end of a stream with this error; stanzas before it do not matter.
func closed(t *testing.T, c *testrig.Client, condition string) {
	t.Helper()
	for {
		e, err := c.Next()
		if err != nil {
			t.Fatalf("the stream has not ended with %s: %v", condition, err)
		}
		if e.Name.Local == "error" && e.Find(condition) != nil {
			return
		}
	}
}

// bindAgain begins a new stream after SASL, and binds a resource.
func bindAgain(t *testing.T, c *testrig.Client, resource string) {
	t.Helper()
	if err := c.Again(); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(resource); err != nil {
		t.Fatal(err)
	}
}

// Somebody who gets a lost account back takes it out of other hands: the link for a new password revokes app passwords
// and API tokens.
func TestResetRevokes(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	b, hers := r.Browser(t), r.Browser(t)
	b.SignIn("romeo")
	hers.SignIn("juliet")
	phone := app(t, hers, "Phone")
	token := apiClient{t, r.Browser(t), newToken(t, hers, "groups:read")}
	if status := token.do("GET", "/v1/groups", "", nil); status != 200 {
		t.Fatal(status)
	}
	b.Post("/admin/people/juliet/reset")
	link := regexp.MustCompile(`/reset/[0-9a-z]{32}`).FindString(b.Get("/admin/people/juliet").Text)
	if p := r.Browser(t).Post(link, "password", "Another-Word-77",
		"again", "Another-Word-77"); p.Status != http.StatusSeeOther {
		t.Fatalf("%s: %d", link, p.Status)
	}
	if status := token.do("GET", "/v1/groups", "", nil); status != 401 {
		t.Errorf("the API token: %d", status)
	}
	if _, e := scram(t, r, sasl.ScramSha256, "juliet", phone); e.Name.Local != "failure" {
		t.Errorf("the app password: %s", e)
	}
	if _, e := scram(t, r, sasl.ScramSha256, "juliet", "Another-Word-77"); e.Name.Local != "success" {
		t.Errorf("the new password: %s", e)
	}
}

// People whose role demands the second step have to set it up before anything else, at every door.
func TestFactorDemanded(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Auth.TwoFactor = []string{store.RoleAdmin}
	})
	r.Account("!romeo", "juliet")
	if _, _, err := r.Node.Store.UpdatePerson(t.Context(), testrig.Host,
		"juliet", func(p *store.Person) error { p.Role = store.RoleOwner; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Node.Store.UpdatePerson(t.Context(), testrig.Host,
		"romeo", func(p *store.Person) error { p.Role = store.RoleMember; return nil }); err != nil {
		t.Fatal(err)
	}
	juliet, romeo := r.Browser(t), r.Browser(t)
	juliet.SignIn("juliet")
	romeo.SignIn("romeo")
	key := apiClient{t, r.Browser(t), newToken(t, romeo, "people:read")}
	phone := app(t, romeo, "Phone")
	c, _ := scram(t, r, sasl.ScramSha256, "romeo", phone)
	bindAgain(t, c, "phone")

	// A higher role demands more.
	if p := juliet.Post("/admin/people/romeo", "role", store.RoleAdmin); p.Status != http.StatusSeeOther {
		t.Fatalf("the role: %d", p.Status)
	}
	closed(t, c, "policy-violation")
	for _, path := range []string{"/", "/admin", "/me", "/chat", "/me/tokens"} {
		if p := romeo.Get(path); p.Status != http.StatusSeeOther || !strings.HasPrefix(p.To, "/me/security") {
			t.Errorf("%s: %d %s", path, p.Status, p.To)
		}
	}
	if p := romeo.Post("/me/apps", "name", "x"); p.Status != http.StatusSeeOther ||
		!strings.HasPrefix(p.To, "/me/security") {
		t.Errorf("an app password: %d %s", p.Status, p.To)
	}
	if status := key.do("GET", "/v1/people", "", nil); status != 403 {
		t.Errorf("the API: %d", status)
	}
	for _, password := range []string{phone, testrig.Password} {
		if _, e := scram(t, r, sasl.ScramSha256, "romeo", password); e.Find("not-authorized") == nil ||
			!strings.Contains(e.String(), "/me/security") {
			t.Errorf("a client: %s", e)
		}
	}
	secret, _ := factor(t, romeo)
	if p := romeo.Get("/admin"); p.Status != http.StatusOK {
		t.Errorf("with the second step: %d", p.Status)
	}
	if status := key.do("GET", "/v1/people", "", nil); status != 200 {
		t.Errorf("the API with it: %d", status)
	}
	if _, e := scram(t, r, sasl.ScramSha256, "romeo", phone); e.Name.Local != "success" {
		t.Errorf("a client with it: %s", e)
	}
	if p := romeo.Post("/me/factor", "do", "off"); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("turned off against the role: %d", p.Status)
	}
	spare(t, r, "romeo")
	again := r.Browser(t)
	if p := again.Post("/login", "user", "romeo",
		"password", testrig.Password); !strings.HasPrefix(p.To, "/login/code") {
		t.Fatalf("sign-in: %d %s", p.Status, p.To)
	}
	if p := again.Get("/admin"); p.Status != http.StatusSeeOther {
		t.Errorf("with half a sign-in: %d", p.Status)
	}
	if p := again.Post("/login/code", "code", code(t, secret, 0)); p.Status != http.StatusSeeOther {
		t.Errorf("with a code: %d", p.Status)
	}
	if p := again.Get("/admin"); p.Status != http.StatusOK {
		t.Errorf("signed in: %d", p.Status)
	}
}

// The organization's decisions apply also to people who are signed in already.
func TestFactorDemandedLater(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet")
	role(t, r, "juliet", store.RoleSupervisor, "")
	clients := make(map[string]*testrig.Client)
	for _, name := range []string{"romeo", "juliet"} {
		c, _ := scram(t, r, sasl.ScramSha256, name, testrig.Password)
		bindAgain(t, c, "phone")
		clients[name] = c
	}
	supervisors := store.RoleSupervisor
	if _, err := r.Node.People(testrig.Host).ChangeSettings(t.Context(), people.System,
		map[string]*string{"signin.two_factor": &supervisors}); err != nil {
		t.Fatal(err)
	}
	closed(t, clients["juliet"], "policy-violation")
	if err := clients["romeo"].Write("<iq type='get' id='p' to='example.org'>" +
		"<ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
		t.Fatal(err)
	}
	if e, err := clients["romeo"].Next(); err != nil || e.Attr("id") != "p" {
		t.Errorf("who needs none: %v %v", e, err)
	}
}

// An administrator's commands are for a client that has shown the account's own password.
func TestAppPasswordsDoNotAdminister(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	for _, c := range [][2]string{{app(t, b, "Phone"), "forbidden"}, {testrig.Password, "command"}} {
		s, _ := scram(t, r, sasl.ScramSha256Plus, "romeo", c[0])
		bindAgain(t, s, c[1])
		if err := s.Write("<iq type='set' id='x' to='example.org'>" +
			"<command xmlns='http://jabber.org/protocol/commands' " +
			"node='http://jabber.org/protocol/admin#get-online-users-num' action='execute'/></iq>"); err != nil {
			t.Fatal(err)
		}
		if e, err := s.Next(); err != nil || e.Find(c[1]) == nil ||
			(e.Attr("type") == "error") != (c[1] == "forbidden") {
			t.Errorf("%s: %v %v", c[1], e, err)
		}
	}
}
