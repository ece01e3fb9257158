package testrig_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/internal/fault"
	"parley/people"
	"parley/store"
	"parley/testrig"
)

// If several people use the first owner's link at the same moment, one of them becomes the owner; somebody who fills in
// the form badly may try again.
func TestFirstOwnerOnce(t *testing.T) {
	r := testrig.Start(t, web)
	link, err := r.Node.FirstOwner(t.Context(), testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	path := link[strings.Index(link, "/setup/"):]
	if p := r.Browser(t).Post(path, "name", "romeo", "password", "short",
		"again", "short"); p.Status != http.StatusUnprocessableEntity {
		t.Fatalf("a bad password: %d", p.Status)
	}
	var wg sync.WaitGroup
	got := make(chan int, 6)
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		b := r.Browser(t)
		wg.Go(func() {
			got <- b.Post(path, "name", "owner-"+name, "password", "Another-Word-77", "again", "Another-Word-77").Status
		})
	}
	wg.Wait()
	close(got)
	made := 0
	for status := range got {
		if status == http.StatusSeeOther {
			made++
		} else if status != http.StatusNotFound {
			t.Errorf("answered %d", status)
		}
	}
	_, owners, err := r.Node.Store.People(t.Context(), testrig.Host,
		store.PeopleFilter{Role: store.RoleOwner, Limit: 9})
	if err != nil || owners != 1 || made != 1 {
		t.Errorf("%d owners, %d who were told so: %v", owners, made, err)
	}
}

// Half a sign-in is worth nothing when the password is another one meanwhile.
func TestHalfSignInEndsWithPassword(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo")
	b, thief := r.Browser(t), r.Browser(t)
	b.SignIn("romeo")
	secret, _ := factor(t, b)
	spare(t, r, "romeo")
	if p := thief.Post("/login", "user", "romeo",
		"password", testrig.Password); !strings.HasPrefix(p.To, "/login/code") {
		t.Fatalf("%d %s", p.Status, p.To)
	}
	if p := b.Post("/me/password", "current", testrig.Password,
		"password", "Another-Word-77", "again", "Another-Word-77"); p.Status != http.StatusSeeOther {
		t.Fatal(p.Status)
	}
	if p := thief.Post("/login/code", "code", code(t, secret, 0)); p.To != "/login" {
		t.Errorf("goes on: %d %s", p.Status, p.To)
	}
	if p := thief.Get("/me"); p.Status != http.StatusSeeOther {
		t.Errorf("signed in: %d", p.Status)
	}
}

// Rules for other servers belong to the whole deployment: an administrator of another of its organizations may only
// read them.
func TestFederationRulesAreTheDeployments(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "!paris@second.example")
	op, other := r.Browser(t), r.Browser(t)
	op.SignIn("romeo")
	other.SignIn("paris@second.example")
	if p := other.Post("/admin/federation/rules",
		"domain", "evil.example", "do", "block"); p.Status != http.StatusForbidden {
		t.Errorf("another organization's administrator: %d", p.Status)
	}
	if p := other.Get("/admin/federation"); p.Status != http.StatusOK ||
		strings.Contains(p.Text, `action="/admin/federation/rules"`) {
		t.Errorf("the page: %d", p.Status)
	}
	if p := op.Post("/admin/federation/rules",
		"domain", "evil.example", "do", "block"); p.Status != http.StatusSeeOther {
		t.Errorf("who runs the first host: %d", p.Status)
	}
	if p := other.Get("/admin/federation"); !strings.Contains(p.Text, "evil.example") {
		t.Error("the rule is not shown")
	}
	for who, b := range map[int]*testrig.Browser{403: other, 204: op} {
		key := apiClient{t, r.Browser(t), newToken(t, b, "system:read", "system:write")}
		for _, c := range [][3]string{
			{"PUT", "/v1/federation/rules/worse.example", `{"action":"block"}`},
			{"DELETE", "/v1/federation/rules/worse.example", ""},
			{"PUT", "/v1/federation/only-listed", `{"only_listed":false}`},
		} {
			if status := key.do(c[0], c[1], c[2], nil); status != who {
				t.Errorf("%v: %d, want %d", c, status, who)
			}
		}
		if status := key.do("GET", "/v1/federation/rules", "", nil); status != 200 {
			t.Errorf("to read them: %d", status)
		}
	}
	// So are backups: they have every organization in them.
	role(t, r, "romeo", store.RoleOwner, "")
	if _, _, err := r.Node.Store.UpdatePerson(t.Context(), testrig.Second,
		"paris", func(p *store.Person) error { p.Role = store.RoleOwner; return nil }); err != nil {
		t.Fatal(err)
	}
	if p := other.Post("/admin/system/backup"); p.Status != http.StatusForbidden {
		t.Errorf("a backup for another organization's owner: %d", p.Status)
	}
	const button = `action="/admin/system/backup"`
	if !strings.Contains(op.Get("/admin/system").Text, button) ||
		strings.Contains(other.Get("/admin/system").Text, button) {
		t.Error("a backup is offered to the wrong one")
	}
}

// The places where somebody is signed in are shown to people who may sign that person out; others who see the page do
// not see them.
func TestDevicesAreForWhoMayEndThem(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("juliet", "tybalt", "paris")
	role(t, r, "juliet", store.RoleOwner, "Sales")
	role(t, r, "tybalt", store.RoleSupervisor, "Sales")
	role(t, r, "paris", store.RoleMember, "Sales")
	owner, supervisor, member := r.Browser(t), r.Browser(t), r.Browser(t)
	agent := func(b *testrig.Browser, name string) {
		if p := b.Do("POST", "/login", map[string][]string{"user": {name}, "password": {testrig.Password}},
			func(q *http.Request) { q.Header.Set("User-Agent", "Firefox/1 Linux") }); p.Status != http.StatusSeeOther {
			t.Fatal(p.Status)
		}
	}
	agent(owner, "juliet")
	agent(supervisor, "tybalt")
	agent(member, "paris")
	for _, c := range []struct {
		b    *testrig.Browser
		of   string
		seen bool
	}{
		{supervisor, "paris", true}, {supervisor, "juliet", false}, {supervisor, "tybalt", true},
		{owner, "tybalt", true}, {owner, "juliet", true},
	} {
		p := c.b.Get("/admin/people/" + c.of)
		if p.Status != http.StatusOK || strings.Contains(p.Text, "127.0.0.1") != c.seen {
			t.Errorf("%s: %d, %v", c.of, p.Status, !c.seen)
		}
	}
	// Nor can a supervisor turn off the second step of somebody with a higher role, or make a link for a new password
	// for them.
	for _, act := range []string{"factor", "reset", "signout", "disable"} {
		if p := supervisor.Post("/admin/people/juliet/" + act); p.Status == http.StatusOK ||
			strings.HasSuffix(p.To, "#access") && !denied(supervisor, "juliet") {
			t.Errorf("%s of an owner: %d %s", act, p.Status, p.To)
		}
	}
	if u, err := r.Node.Store.Person(t.Context(), testrig.Host, "juliet"); err != nil || u.Disabled {
		t.Error(u, err)
	}
}

// denied checks that the page refuses the act just tried.
func denied(b *testrig.Browser, name string) bool {
	return strings.Contains(b.Get("/admin/people/"+name).Text, "Your role does not allow this")
}

// chat opens the stream of the chat page, bound, and gives what waits for its end, and what asks whether it goes on.
func chat(t *testing.T, b *testrig.Browser) (ends, goesOn func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	c, _, err := websocket.Dial(ctx, "wss://"+testrig.Host+"/chat/ws", &websocket.DialOptions{
		HTTPClient:   b.Client(),
		HTTPHeader:   http.Header{"Origin": {"https://" + testrig.Host}},
		Subprotocols: []string{"xmpp"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	for _, step := range [][2]string{
		{`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>`, "features"},
		{`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>`, "success"},
		{`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>`, "features"},
		{`<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`, `id='b'`},
	} {
		if err := c.Write(ctx, websocket.MessageText, []byte(step[0])); err != nil {
			t.Fatal(err)
		}
		for {
			_, text, err := c.Read(ctx)
			if err != nil {
				t.Fatalf("waiting for %s: %v", step[1], err)
			}
			if strings.Contains(string(text), step[1]) {
				break
			}
		}
	}
	read := func(until ...string) (found string) {
		for {
			_, text, err := c.Read(ctx)
			for _, u := range until {
				if err == nil && strings.Contains(string(text), u) {
					return u
				}
			}
			if err != nil {
				return "end"
			}
		}
	}
	ends = func() bool { return read("policy-violation", "reset") != "" && ctx.Err() == nil }
	goesOn = func() bool {
		err := c.Write(ctx, websocket.MessageText,
			[]byte(`<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>`))
		return err == nil && read("policy-violation", "reset", `id='p'`) == `id='p'`
	}
	return ends, goesOn
}

// The chat in a browser ends with the session of that browser, and with no other; nothing is to be had on its
// stream that outlives it.
func TestChatEndsWithSession(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo")
	here, there := r.Browser(t), r.Browser(t)
	here.SignIn("romeo")
	there.SignIn("romeo")
	_, mine := chat(t, here)
	theirs, _ := chat(t, there)
	other := regexp.MustCompile(`name="session" value="([0-9a-f]{64})"`).
		FindStringSubmatch(here.Get("/me/security").Text)
	if other == nil {
		t.Fatal("the other browser is not on the page")
	}
	here.Post("/me/sessions", "session", other[1])
	if !theirs() || !mine() {
		t.Error("a browser that was signed out goes on to chat, or one that was not has ended")
	}
	there.SignIn("romeo")
	theirs, _ = chat(t, there)
	here.Post("/me/sessions")
	if !theirs() || !mine() {
		t.Error("everywhere else: the other browser goes on to chat, or this one has ended")
	}
	// A session that is gone by another way is missed when the stream binds.
	ctx := t.Context()
	c, _, err := websocket.Dial(ctx, "wss://"+testrig.Host+"/chat/ws", &websocket.DialOptions{
		HTTPClient:   here.Client(),
		HTTPHeader:   http.Header{"Origin": {"https://" + testrig.Host}},
		Subprotocols: []string{"xmpp"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	say := func(text, until string) string {
		t.Helper()
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		for {
			_, b, err := c.Read(ctx)
			if err != nil {
				t.Fatalf("waiting for %s: %v", until, err)
			}
			if strings.Contains(string(b), until) {
				return string(b)
			}
		}
	}
	const open = `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>`
	if f := say(open, "features"); strings.Contains(f, "urn:xmpp:sasl:2") || strings.Contains(f, "urn:xmpp:fast:0") {
		t.Errorf("on offer: %s", f)
	}
	say(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>`, "success")
	say(open, "features")
	if err := r.Node.Store.DeleteWebSessions(ctx, testrig.Host, "romeo", ""); err != nil {
		t.Fatal(err)
	}
	say(`<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`, "reset")
}

// A token (XEP-0484) is not to be had where the browser has signed in.
func TestNoTokensInTheChat(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	ctx := t.Context()
	c, _, err := websocket.Dial(ctx, "wss://"+testrig.Host+"/chat/ws", &websocket.DialOptions{
		HTTPClient:   b.Client(),
		HTTPHeader:   http.Header{"Origin": {"https://" + testrig.Host}},
		Subprotocols: []string{"xmpp"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, text := range []string{`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>`,
		`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='EXTERNAL'><initial-response>=</initial-response><user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/><request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>`} {
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for {
		_, text, err := c.Read(ctx)
		if err != nil || strings.Contains(string(text), "success") || strings.Contains(string(text), "token") {
			t.Fatalf("%s, %v", text, err)
		}
		if strings.Contains(string(text), "not-authorized") {
			return
		}
	}
}

// Guesses are counted alike for accounts that there are and such as there are not, however they are written.
func TestGuessesTellNothing(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo")
	for _, name := range []string{"romeo", "nobody"} {
		b := r.Browser(t)
		for range 20 { // repeats of one password are one failure
			if p := b.Post("/login", "user", name, "password", "old"); p.Status != http.StatusUnauthorized {
				t.Fatalf("%s: %d", name, p.Status)
			}
		}
		for i := range 9 {
			if p := b.Post("/login", "user", name,
				"password", fmt.Sprint("wrong", i)); p.Status != http.StatusUnauthorized {
				t.Fatalf("%s: %d", name, p.Status)
			}
		}
		for _, who := range []string{
			name, name + "@" + testrig.Host, strings.ToUpper(name), strings.ToUpper(name) + "@" + testrig.Host,
		} {
			if p := b.Post("/login", "user", who, "password", "another"); p.Status != http.StatusTooManyRequests ||
				p.Header.Get("Retry-After") == "" {
				t.Errorf("%s: %d", who, p.Status)
			}
		}
	}
}

// A sign-in ends the browser's older session, and never continues under a token that was there before.
func TestSignInEndsWhatWasThere(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet")
	b := r.Browser(t)
	b.SignIn("juliet")
	over, _ := chat(t, b)
	b.SignIn("romeo")
	for name, want := range map[string]int{"juliet": 0, "romeo": 1} {
		if ws, err := r.Node.Store.WebSessionsOf(t.Context(),
			testrig.Host, name, time.Now()); err != nil || len(ws) != want {
			t.Errorf("%s: %d sessions, %v", name, len(ws), err)
		}
	}
	if !over() {
		t.Error("the chat of who was there before goes on")
	}
	p := b.Do("POST", "/login", map[string][]string{"user": {"romeo"}, "password": {testrig.Password}}, nil)
	cookie := p.Header.Get("Set-Cookie")
	for _, flag := range []string{"__Host-parley=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(cookie, flag) {
			t.Errorf("the cookie has no %s: %s", flag, cookie)
		}
	}
	if strings.Contains(cookie, "Domain=") {
		t.Error("the cookie is for other hosts too")
	}
}

// With a new password, no link for another one is good; and there are not more of them than a mailbox can bear.
func TestLinksForPasswordsEnd(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo")
	ctx, p := t.Context(), r.Node.People(testrig.Host)
	var links []string
	for {
		_, token, err := p.Reset(ctx, people.System, "romeo", false)
		var pe *fault.Error
		if errors.As(err, &pe) && len(links) > 1 {
			break
		}
		if err != nil || len(links) > 100 {
			t.Fatal(len(links), err)
		}
		links = append(links, "/reset/"+token)
	}
	b := r.Browser(t)
	if g := b.Post(links[0], "password", "Another-Word-77",
		"again", "Another-Word-77"); g.Status != http.StatusSeeOther {
		t.Fatal(g.Status)
	}
	for _, link := range links {
		if g := r.Browser(t).Post(link, "password", "Another-Word-78",
			"again", "Another-Word-78"); g.Status != http.StatusGone {
			t.Errorf("%s: %d", link, g.Status)
		}
	}
	// Nor does a link that was out when the person set a password.
	_, token, err := p.Reset(ctx, people.System, "romeo", false)
	if err != nil {
		t.Fatal(err)
	}
	if g := b.Post("/me/password", "current", "Another-Word-77",
		"password", "Another-Word-79", "again", "Another-Word-79"); g.Status != http.StatusSeeOther {
		t.Fatal(g.Status)
	}
	if g := r.Browser(t).Get("/reset/" + token); g.Status != http.StatusGone {
		t.Errorf("after a password of one's own: %d", g.Status)
	}
}
