package pages

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"parley/people"
	"parley/store"
	"parley/testrig"
)

// look makes axe examine the open page.
func (b *browser) look(what string) {
	b.t.Helper()
	for _, f := range b.faults() {
		b.t.Errorf("%s: %s", what, f)
	}
}

func (b *browser) where() string {
	b.t.Helper()
	at, err := chromedp.Run(b.ctx, chromedp.Location())
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimPrefix(at, base)
}

// code is the authenticator's present code. The server accepts none twice: the test makes it forget those it has seen.
func code(t *testing.T, r *testrig.Rig, name, secret string) string {
	t.Helper()
	err := r.Node.Store.UseSecondFactor(t.Context(), testrig.Host,
		name, func(f *store.SecondFactor) error { f.LastStep = 0; return nil })
	if err != nil {
		t.Fatal(err)
	}
	c, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stale makes the sessions of an account such as have given no proof for long.
func stale(t *testing.T, r *testrig.Rig, name string) {
	t.Helper()
	ws, err := r.Node.Store.WebSessionsOf(t.Context(), testrig.Host, name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range ws {
		w.Proven = time.Now().Add(-time.Hour)
		if err := r.Node.Store.TouchWebSession(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
}

// From setting up the second step to signing in with it, by the authenticator and by a recovery code; an app password
// for a client; and the page that asks for a proof.
func TestSecondStep(t *testing.T) {
	r := rig(t)
	b := start(t, r, "en", "light")
	b.signIn("romeo")
	b.open("/me/security")
	b.press("#factor button[value=start]")
	b.until(`document.querySelector("#factor img.qr").naturalWidth > 100`)
	b.look("setting it up")
	secret := eval[string](b, `document.querySelector("#factor code").innerText`)
	b.fill("code", "000000")
	b.press("#factor button[value=confirm]")
	if !strings.Contains(b.text(), "This code is wrong") {
		t.Errorf("a wrong code: %s", b.text())
	}
	b.fill("code", code(t, r, "romeo", secret))
	b.press("#factor button[value=confirm]")
	b.look("the recovery codes")
	codes := regexp.MustCompile(`[a-z2-7]{4}(-[a-z2-7]{4}){3}`).FindAllString(b.text(), -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes: %s", len(codes), b.text())
	}
	b.press("main a.primary")

	b.fill("name", "My telephone")
	b.press("form[action='/me/apps'] button")
	b.look("an app password")
	password := eval[string](b, `document.getElementById("made").value`)
	c, err := r.Connect("tls", testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.SignIn("romeo", password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind("telephone"); err != nil {
		t.Fatal(err)
	}
	b.open("/me/security")
	if text := b.text(); !strings.Contains(text, "My telephone") || strings.Contains(text, password) {
		t.Errorf("the page: %s", text)
	}

	// A code of the authenticator is a proof, too.
	stale(t, r, "romeo")
	b.open("/admin/people/bob")
	eval[bool](b, `(() => { document.querySelector("details").open = true; return true })()`)
	b.fill("confirm", "bob")
	b.press("form[action='/admin/people/bob/delete'] button")
	b.look("the proof")
	if !strings.Contains(b.text(), "Is it you?") {
		t.Fatalf("no proof was asked for: %s", b.text())
	}
	b.fill("proof", "wrong")
	b.press("form[action='/admin/people/bob/delete'] button")
	b.look("a wrong proof")
	b.fill("proof", code(t, r, "romeo", secret))
	b.press("form[action='/admin/people/bob/delete'] button")
	if _, err := r.Node.Store.Person(t.Context(), testrig.Host, "bob"); err == nil || b.where() != "/admin/people" {
		t.Errorf("not deleted, and on %s", b.where())
	}

	signOut := func() { b.press("form[action='/logout'] button") }
	signOut()
	b.signIn("romeo")
	if !strings.HasPrefix(b.where(), "/login/code") {
		t.Fatalf("signed in with half of it, and on %s", b.where())
	}
	b.look("the second step")
	b.fill("code", code(t, r, "romeo", secret))
	b.press("form[action='/login/code'] button")
	if b.where() != "/" {
		t.Fatalf("signed in, and on %s", b.where())
	}
	for i, good := range []bool{true, false} { // each is good once
		signOut()
		b.signIn("romeo")
		b.fill("code", strings.ToUpper(codes[3]))
		b.press("form[action='/login/code'] button")
		if (b.where() == "/") != good {
			t.Fatalf("recovery code, time %d: on %s", i+1, b.where())
		}
		if !good {
			break
		}
	}
	if !strings.Contains(b.text(), "or was already used") {
		t.Errorf("a code that was used: %s", b.text())
	}
}

// Somebody is disabled: the streams of clients and of the chat in the browser end, and the next page is the sign-in.
func TestDisabledEverywhere(t *testing.T) {
	r := rig(t)
	r.Account("paris")
	b, hers := start(t, r, "en", "light"), start(t, r, "fr", "dark")
	b.signIn("romeo")
	hers.signIn("paris")
	c, err := r.Connect("tls", testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.SignIn("paris", testrig.Password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind("telephone"); err != nil {
		t.Fatal(err)
	}
	hers.do(chromedp.Navigate(base + "/chat/converse"))
	hers.until(`document.querySelector("converse-root") !== null`)
	sessions := func() int { return len(r.Node.Host(testrig.Host).Account("paris").Sessions()) }
	hers.wait(func() bool { return sessions() == 2 })

	b.open("/admin/people/paris")
	if text := b.text(); !strings.Contains(text, "telephone") {
		t.Errorf("the devices: %s", text)
	}
	b.press("form[action$='/disable'] button")
	for {
		e, err := c.Next()
		if err != nil {
			t.Fatalf("the stream has ended without a word: %v", err)
		}
		if e.Name.Local == "error" {
			if e.Find("not-authorized") == nil {
				t.Errorf("got %s", e)
			}
			break
		}
	}
	hers.wait(func() bool { return sessions() == 0 })
	hers.open("/groups")
	if at := hers.where(); !strings.HasPrefix(at, "/login") {
		t.Errorf("disabled, and on %s", at)
	}
	hers.signIn("paris")
	if at := hers.where(); at != "/login" {
		t.Errorf("signed in again, and on %s", at)
	}
}

// wait waits until ok returns true: it is until for conditions outside the page.
func (b *browser) wait(ok func() bool) {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			b.t.Fatal("it does not come to that")
		}
	}
}

// typed and follow are what a person does whose browser runs no scripts.
func (b *browser) typed(id, text string) {
	b.t.Helper()
	b.keys("#"+id, text)
}

// keys types into an element. chromedp's SendKeys reads what the page may be changing (v0.23.0): the
// race detector sees it.
func (b *browser) keys(selector, text string) {
	b.t.Helper()
	b.do(chromedp.Focus(chromedp.CSS(selector), chromedp.NodeVisible))
	b.key(text)
}

// follow clicks and waits for the page it leads to.
func (b *browser) follow(selector, until string) {
	b.t.Helper()
	eval[bool](b, `window.__here = true`)
	b.do(chromedp.Click(chromedp.CSS(selector)))
	b.until(`!window.__here && document.readyState === "complete" && ` + until)
}

// An invitation is accepted, a group joined and written in, the second step set up and a dangerous thing proven, in a
// Chromium that runs no scripts at all.
func TestWithoutScripts(t *testing.T) {
	r := rig(t)
	p := r.Node.People(testrig.Host)
	u, err := p.Create(t.Context(), people.System,
		people.NewPerson{Name: "paris", Email: "paris@work.example", Role: store.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := p.Invite(t.Context(), people.System, people.Invite{Username: u.Name})
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, r, "en", "light")
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(base + "/i/" + token))
	if eval[bool](b, `"htmx" in window`) {
		t.Fatal("scripts run")
	}
	b.typed("full_name", "Paris Escalus")
	b.typed("password", "short")
	b.typed("again", "short")
	// The browser refuses some input itself and does not send it; the server says what only it knows.
	eval[bool](b, `(() => { for (const id of ["password", "again"]) document.getElementById(id).removeAttribute("minlength"); return true })()`)
	b.follow("main form button.primary", `document.querySelector(".alert.error, .error") !== null`)
	b.typed("password", "Mot-de-passe-7")
	b.typed("again", "Mot-de-passe-7")
	b.follow("main form button.primary", `location.pathname === "/welcome"`)
	if text := b.text(); !strings.Contains(text, "paris@example.org") {
		t.Errorf("welcome: %s", text)
	}
	b.do(chromedp.Navigate(base + "/g/engineering"))
	b.follow("form[action='/g/engineering/join'] button", `document.querySelector("form.compose") !== null`)
	b.typed("text", "without scripts")
	b.follow("form.compose button", `document.body.innerText.includes("without scripts")`)

	b.do(chromedp.Navigate(base + "/me/security"))
	b.follow("#factor button[value=start]", `document.querySelector("#factor code") !== null`)
	b.typed("code", code(t, r, "paris", eval[string](b, `document.querySelector("#factor code").innerText`)))
	b.follow("#factor button[value=confirm]", `document.querySelectorAll(".codes li").length === 10`)

	stale(t, r, "paris")
	b.do(chromedp.Navigate(base + "/admin/people/carol"))
	b.follow("form[action='/admin/people/carol/reset'] button", `document.querySelector("#proof") !== null`)
	b.typed("proof", "Mot-de-passe-7")
	b.follow("form[action='/admin/people/carol/reset'] button",
		fmt.Sprintf(`location.pathname === %q && document.body.innerText.includes("The link for a new password is ready")`, "/admin/people/carol"))
}
