// Package pages tries the pages in a real Chromium: nothing breaks the content security policy, no script fails, axe
// finds no serious fault, in both languages and both colour schemes, and what people do with a mouse works.
package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/config"
	"parley/node/demo"
	"parley/people"
	"parley/store"
	"parley/testrig"
)

const base = "https://" + testrig.Host

// missing skips the test; where all clients must be there, it fails.
func missing(t testing.TB, what string, err error) {
	t.Helper()
	if os.Getenv("PARLEY_TEST_REQUIRE_CLIENTS") == "1" {
		t.Fatalf("%s is not installed: %v", what, err)
	}
	t.Skipf("%s is not installed (%v): scripts/deps installs it", what, err)
}

// browser is a Chromium without a window that finds the rig under its name.
type browser struct {
	t   testing.TB
	ctx context.Context
	axe string

	scheme string // light or dark
}

// watch notes on each page what goes against the policy, and what fails in scripts.
const watch = `window.__faults = [];
addEventListener("securitypolicyviolation", e => __faults.push("policy: " + e.violatedDirective + " " + e.blockedURI + " " + (e.sample || "")));
addEventListener("error", e => __faults.push("error: " + e.message));
addEventListener("unhandledrejection", e => __faults.push("rejection: " + e.reason));`

func start(t testing.TB, r *testrig.Rig, lang, scheme string) *browser {
	t.Helper()
	return startAt(t, r.Node.Addr("websocket").String(), lang, scheme)
}

// startAt is start for a rig that is reached at an address.
func startAt(t testing.TB, addr, lang, scheme string) *browser {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium", err)
	}
	axe, err := os.ReadFile("../clients/js/node_modules/axe-core/axe.min.js")
	if err != nil {
		missing(t, "axe-core", err)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	opts := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	opts = append(opts, chromedp.ExecPath(chromium), chromedp.WindowSize(1280, 900), chromedp.UserDataDir(profile(t)),
		chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("ignore-certificate-errors", true), chromedp.Flag("lang", lang),
		chromedp.Flag("accept-lang", lang), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("headless", "new"), chromedp.Flag("host-resolver-rules",
			"MAP "+testrig.Host+":443 127.0.0.1:"+port+", MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := &browser{t, ctx, string(axe), scheme}
	b.prepare(watch)
	return b
}

// profile makes a folder for a browser's profile. Processes of the browser may write in it for a moment after the
// browser has ended, so it is removed until it is gone.
func profile(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley-browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		late := time.Now().Add(time.Minute)
		for err := os.RemoveAll(dir); err != nil; err = os.RemoveAll(dir) {
			if time.Now().After(late) {
				t.Error(err)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	return dir
}

// prepare has a script run on every page of a tab, before the page's own, and sets what the tab prefers.
func (b *browser) prepare(script string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument,
		page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: b.scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 90*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		where, _ := chromedp.Run(b.ctx, chromedp.Location())
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText.slice(0, 600)`))
		b.t.Fatalf("on %s: %v\n%s", where, err, text)
	}
}

func eval[T any](b *browser, js string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// open goes to a page and looks at it.
func (b *browser) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(base + path))
	b.clean()
}

// clean fails the test if the page has done something that it must not do.
func (b *browser) clean() {
	b.t.Helper()
	for _, f := range eval[[]string](b, `window.__faults || []`) {
		where, _ := chromedp.Run(b.ctx, chromedp.Location())
		b.t.Errorf("%s: %s", where, f)
	}
}

// until waits for something on the page to become true; pages may come and go meanwhile.
func (b *browser) until(js string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 90*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js))
		if err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			where, _ := chromedp.Run(b.ctx, chromedp.Location())
			text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`JSON.stringify([...document.querySelectorAll("textarea, input")].filter(e => e.type !== "password").map(e => e.value)) + "\n" + document.body.innerText.slice(0, 900)`))
			b.t.Fatalf("on %s, waiting for %s: %v\nfields: %s", where, js, err, text)
		}
	}
}

// fill writes into a field as somebody who types would leave it.
func (b *browser) fill(id, text string) {
	b.t.Helper()
	value, err := json.Marshal(text)
	if err != nil {
		b.t.Fatal(err)
	}
	eval[bool](b, fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.focus(); e.value = %s; e.dispatchEvent(new Event("input", {bubbles: true})); return true })()`, id, value))
}

// press clicks what the selector finds and waits for the page that follows.
func (b *browser) press(selector string) {
	b.t.Helper()
	eval[bool](b, `window.__here = true`)
	if !eval[bool](b,
		fmt.Sprintf(`(() => { const e = document.querySelector(%q); if (e) setTimeout(() => e.click(), 0); return !!e })()`, selector)) {
		text := eval[string](b, `document.body.innerText.slice(0, 600)`)
		b.t.Fatalf("nothing to press: %s\n%s", selector, text)
	}
	b.until(`!window.__here && document.readyState === "complete"`)
	b.clean()
}

func (b *browser) text() string { return eval[string](b, `document.body.innerText`) }

func (b *browser) signIn(user string) {
	b.t.Helper()
	b.signInWith(user, testrig.Password)
}

func (b *browser) signInWith(user, password string) {
	b.t.Helper()
	b.open("/login")
	b.fill("user", user)
	b.fill("password", password)
	b.press("form[action='/login'] button")
}

// faults are the serious ones that axe finds.
func (b *browser) faults() []string {
	b.t.Helper()
	return b.findings("serious", "critical")
}

// findings are the ones of some impacts that axe finds.
func (b *browser) findings(impacts ...string) []string {
	b.t.Helper()
	eval[bool](b, b.axe+"\n;true")
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	fs, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`axe.run(document, {resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r =>
		r.violations.filter(v => "`+strings.Join(impacts, " ")+`".split(" ").includes(v.impact)).map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + (n.any[0] ? n.any[0].message : "")).join(" | ")))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("axe: %v", err)
	}
	return fs
}

func rig(t *testing.T) *testrig.Rig {
	r, _ := seeded(t)
	return r
}

// seeded is a rig with the demo in it, and the password of its first account.
func seeded(t *testing.T) (*testrig.Rig, string) {
	r := testrig.Start(t, func(c *config.Config) {
		c.Mail.Show = true
		c.Hosts[0].Title = "Verona"
		c.Web.URL = base
	})
	accounts, err := demo.Seed(t.Context(), demo.Server{
		Host:   r.Node.Host(testrig.Host),
		People: r.Node.People(testrig.Host),
		Org:    r.Node.Org,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Account("!romeo")
	role := store.RoleOwner
	if _, _, err := r.Node.Store.UpdatePerson(t.Context(), testrig.Host, "romeo", func(p *store.Person) error {
		p.Role, p.FullName, p.Email = role, "Romeo Montague", "romeo@work.example"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return r, accounts[0].Password
}

// everyPage lists the pages that a person can open.
func everyPage(t *testing.T, r *testrig.Rig) []string {
	is, _, err := r.Node.Store.Invitations(t.Context(), testrig.Host, store.InvitationFilter{Limit: 1})
	if err != nil || len(is) == 0 {
		t.Fatal(is, err)
	}
	name, to, icon := "Tickets", "https://tickets.example/", "ticket"
	linked, err := r.Node.People(testrig.Host).CreateLink(t.Context(), people.System,
		people.LinkChange{Name: &name, URL: &to, Icon: &icon})
	if err != nil {
		t.Fatal(err)
	}
	name, to = "Create a ticket", "https://tickets.example/new"
	action, err := r.Node.People(testrig.Host).CreateAction(t.Context(), people.System,
		people.ActionChange{Name: &name, URL: &to, Icon: &icon})
	if err != nil {
		t.Fatal(err)
	}
	return append(groupPages(t, r), []string{
		"/", "/groups", "/groups/new", "/g/engineering", "/g/engineering/settings", "/search?q=launch", "/people",
		"/me", "/me/security", "/me/notifications", "/me/tokens", "/me/saved",
		"/me/data", "/me/apps", "/welcome", "/admin", "/admin/people",
		"/admin/people?state=invited&q=a", "/admin/people?q=nobody+at+all", "/admin/people/new", "/admin/people/import",
		"/admin/people/fields", "/admin/people/daniel", "/admin/people/bob", "/admin/invitations",
		"/admin/invitations/" + is[0].ID, "/admin/teams", "/admin/teams?q=nothing+like+it", "/admin/teams/platform",
		"/admin/teams/platform/people", "/admin/teams/platform/people?as=outside",
		"/admin/teams/platform/people?q=nobody", "/admin/teams/platform/shared", "/admin/federation", "/admin/webhooks",
		"/admin/audit", "/admin/system", "/admin/settings", "/admin/settings/links",
		"/admin/settings/links/" + linked.ID, "/admin/settings/actions", "/admin/settings/actions/" + action.ID,
		"/dev/outbox", "/nothing",
	}...)
}

func TestEveryPage(t *testing.T) {
	r := rig(t)
	// Each language and each scheme once: what a page looks like in one does not depend on the other.
	for _, c := range [][2]string{{"en", "light"}, {"fr", "dark"}} {
		t.Run(c[0]+" "+c[1], func(t *testing.T) {
			b := start(t, r, c[0], c[1])
			for _, path := range []string{"/login", "/forgot", "/i/00000000000000000000000000000000"} {
				b.open(path)
				for _, f := range b.faults() {
					t.Errorf("%s: %s", path, f)
				}
			}
			b.signIn("romeo")
			if lang := eval[string](b, `document.documentElement.lang`); lang != c[0] {
				t.Fatalf("the page is in %s", lang)
			}
			for _, path := range everyPage(t, r) {
				b.open(path)
				for _, f := range b.faults() {
					t.Errorf("%s: %s", path, f)
				}
			}
			// On a telephone nothing is wider than it.
			if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride,
				emulation.SetDeviceMetricsOverrideParams{
					Width:             360,
					Height:            740,
					DeviceScaleFactor: 1,
					Mobile:            true,
				}); err != nil {
				t.Fatal(err)
			}
			for _, path := range everyPage(t, r) {
				b.open(path)
				if w := eval[int](b, `document.documentElement.scrollWidth`); w > 360 {
					t.Errorf("%s: %d wide on a telephone", path, w)
				}
			}
		})
	}
}

// The panel beside the list, its four buttons, and the person who then accepts in a browser of their own.
func TestColleague(t *testing.T) {
	r := rig(t)
	b := start(t, r, "en", "light")
	b.signIn("romeo")
	b.open("/admin/people")
	openPanel := func() {
		eval[bool](b, `(() => { document.querySelector("main [data-key=n]").click(); return true })()`)
		b.until(`document.querySelector("#panel[open] #full_name") !== null`)
	}
	openPanel()
	b.fill("full_name", "Paris Escalus")
	b.fill("email", "paris@work.example")
	if name := eval[string](b, `document.getElementById("name").value`); name != "paris" {
		t.Errorf("the address that is proposed: %q", name)
	}
	b.fill("department-new", "Palace")
	eval[bool](b, `(() => { document.querySelector("#panel input[name=groups]").click(); document.querySelector("#panel button[value='invite another']").click(); return true })()`)
	b.until(`document.querySelector("#panel [data-made]") !== null`)
	if got := eval[string](b, `document.getElementById("department-new").value + " " + document.querySelector("#panel input[name=groups]").checked + " " + document.getElementById("full_name").value`); got != "Palace true " {
		t.Errorf("kept for the next one: %q", got)
	}
	// An address that is known leads to its owner.
	b.fill("full_name", "Another Paris")
	b.fill("email", "PARIS@work.example")
	eval[bool](b, `(() => { document.getElementById("name").value = "other"; document.querySelector("#panel button[value=create]").click(); return true })()`)
	b.until(`document.querySelector("#panel .alert.error a[href='/admin/people/paris']") !== null`)
	b.clean()
	b.fill("email", "other@work.example")
	eval[bool](b, `(() => { document.querySelector("#panel button[formaction$='/preview']").click(); return true })()`)
	b.until(`document.querySelector("#mail-preview .mail") !== null`)
	if text := eval[string](b,
		`document.getElementById("mail-preview").innerText`); !strings.Contains(text, "invited to join Verona") ||
		!strings.Contains(text, "other@example.org") {
		t.Errorf("the preview: %s", text)
	}
	b.press("#panel button[value=create]")
	if where, _ := chromedp.Run(b.ctx, chromedp.Location()); where != base+"/admin/people" {
		t.Errorf("created, and on %s", where)
	}
	if href := eval[string](b,
		`document.querySelector("#toasts .toast a").getAttribute("href")`); href != "/admin/people/other" {
		t.Errorf("the toast leads to %s", href)
	}
	b.press("#toasts button.undo")
	if text := b.text(); !strings.Contains(text, "was undone") {
		t.Errorf("undone: %s", text)
	}
	if _, err := r.Node.Store.User(t.Context(), testrig.Host, "other"); err == nil {
		t.Error("undone, and still there")
	}

	ms, err := r.Node.Store.Mails(t.Context(), testrig.Host, 0, 1)
	if err != nil || len(ms) != 1 || ms[0].To != "paris@work.example" {
		t.Fatal(ms, err)
	}
	link := regexp.MustCompile(`/i/[0-9a-z]{32}`).FindString(ms[0].Text)
	guest := start(t, r, "fr", "dark")
	guest.open(link)
	for _, f := range guest.faults() {
		t.Errorf("the invitation: %s", f)
	}
	guest.fill("password", "Mot-de-passe-7")
	guest.fill("again", "Mot-de-passe-8")
	if why := eval[string](guest, `document.getElementById("again").validationMessage`); why == "" {
		t.Error("the browser does not say that the passwords differ")
	}
	guest.fill("again", "Mot-de-passe-7")
	guest.press("form[action='" + link + "'] button")
	if text := guest.text(); !strings.Contains(text, "paris@example.org") || !strings.Contains(text, "Conversations") {
		t.Errorf("welcome: %s", text)
	}
	guest.open("/")
	if text := guest.text(); !strings.Contains(text, "Engineering") {
		t.Errorf("home: %s", text)
	}
	// Disabled: the next click leads to the sign-in.
	b.open("/admin/people/paris")
	b.press("form[action$='/disable'] button")
	guest.open("/groups")
	if where, _ := chromedp.Run(guest.ctx, chromedp.Location()); !strings.HasPrefix(where, base+"/login") {
		t.Errorf("disabled, and on %s", where)
	}
}

// Converse.js in the page: signed in by it, in the group, and its messages are on the group's page.
func TestChat(t *testing.T) {
	r := rig(t)
	if _, err := r.Node.Store.User(t.Context(), testrig.Host, "romeo"); err != nil {
		t.Fatal(err)
	}
	b := start(t, r, "en", "light")
	b.signIn("romeo")
	b.open("/g/engineering")
	b.press("form[action='/g/engineering/join'] button")
	b.do(chromedp.Navigate(base + "/chat/converse"))
	b.until(`[...document.querySelectorAll("converse-root .open-room")].some(e => e.textContent.includes("Engineering") && !e.textContent.includes("›"))`)
	eval[bool](b, `(() => { [...document.querySelectorAll("converse-root a.open-room, converse-root .open-room")].find(e => e.textContent.includes("Engineering") && !e.textContent.includes("›")).click(); return true })()`)
	b.until(`[...document.querySelectorAll("converse-root .chat-msg__text")].some(e => e.textContent.includes("Good morning"))`)
	b.until(`document.querySelector("converse-root converse-muc textarea.chat-textarea:not([disabled])") !== null`)
	b.keys("converse-muc textarea.chat-textarea", "@")
	b.until(`document.querySelector("converse-muc .suggestion-box__results li") !== null`)
	b.keys("converse-muc textarea.chat-textarea", kb.Escape+kb.Backspace+"from Converse\r")
	b.until(`[...document.querySelectorAll("converse-root .chat-msg__text")].some(e => e.textContent.includes("from Converse"))`)
	for _, f := range eval[[]string](b, `window.__faults`) {
		if strings.HasPrefix(f, "policy") {
			t.Errorf("the chat: %s", f)
		}
	}
	b.open("/g/engineering")
	if !strings.Contains(b.text(), "from Converse") {
		t.Error("not on the group's page")
	}
	b.fill("text", "from the page")
	b.press("form.compose button")
	if !strings.Contains(b.text(), "from the page") {
		t.Error("what was written is not there")
	}
}

// shots takes the pictures for docs: PARLEY_SHOTS names the directory.
func TestShots(t *testing.T) {
	dir := os.Getenv("PARLEY_SHOTS")
	if dir == "" {
		t.Skip("PARLEY_SHOTS is not set")
	}
	r, password := seeded(t)
	for _, c := range []struct{ lang, scheme, path, name, click string }{
		{"en", "light", "/admin", "overview", ""},
		{"en", "light", "/admin/people", "people", ""},
		{"en", "light", "/admin/people", "colleague", "main [data-key=n]"},
		{"en", "light", "/admin/people/daniel", "person", ""},
		{"en", "dark", "/g/engineering", "group", ""},
		{"fr", "dark", "/", "home", ""},
		{"en", "light", "/g/engineering/settings", "groupsettings", ""},
		{"fr", "light", "/g/engineering/members", "members", ""},
		{"en", "dark", "/groups", "palette", "[data-open=palette]"},
	} {
		b := start(t, r, c.lang, c.scheme)
		b.signInWith("alice", password)
		if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride,
			emulation.SetDeviceMetricsOverrideParams{Width: 1200, Height: 760, DeviceScaleFactor: 1}); err != nil {
			t.Fatal(err)
		}
		b.open(c.path)
		if c.click != "" {
			eval[bool](b, fmt.Sprintf(`(() => { document.querySelector(%q).click(); return true })()`, c.click))
			b.until(`document.querySelector("#panel[open] #full_name, #palette[open] #palette-list a") !== null`)
		}
		png, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, c.name+".png"), png.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
