package pages

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/testrig"
	"parley/wire/jid"
)

// groupPages are those of the demo's group and of its theme.
func groupPages(t *testing.T, r *testrig.Rig) []string {
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "engineering")
	if err != nil {
		t.Fatal(err)
	}
	ts, err := r.Node.Org.Themes(t.Context(), testrig.Host, g.ID, jid.JID{})
	if err != nil || len(ts) == 0 {
		t.Fatal(ts, err)
	}
	theme := "/g/engineering/t/" + ts[0].Key
	return []string{
		"/g/engineering/members", "/g/engineering/members?q=nobody+like+that", "/g/engineering/members/add",
		"/g/engineering/themes/new", theme, theme + "/settings",
	}
}

// peer is a real client in a process of its own: slixmpp, which tells each message as a line of JSON
// and sends those it reads.
type peer struct {
	t     testing.TB
	in    *json.Encoder
	lines chan said
}

type said struct {
	Event, From, Type, Body string
	XML                     string // of a "stanza"
}

const python = "/usr/bin/python3" // Debian's, which is where Debian's slixmpp is

func slixmpp(t testing.TB, r *testrig.Rig, user string, rooms ...string) *peer {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import slixmpp").CombinedOutput(); err != nil {
		missing(t, "slixmpp", fmt.Errorf("%w: %s", err, out))
	}
	c := exec.Command(python, append([]string{"peer.py", user + "@" + testrig.Host}, rooms...)...)
	c.Dir = "../clients/py"
	ca := filepath.Join(filepath.Dir(r.Node.Config.TLS.Certificate), "ca.crt")
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1",
		"RIG_C2S="+r.Node.Addr("c2s").String(), "RIG_CA="+ca, "RIG_PASSWORD="+testrig.Password)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p := &peer{t, json.NewEncoder(in), make(chan said, 1000)}
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var s said
			if json.Unmarshal(lines.Bytes(), &s) == nil {
				p.lines <- s
			}
		}
	}()
	t.Cleanup(func() { // it signs out and ends when its input does
		in.Close()
		kill := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
		defer kill.Stop()
		for range p.lines {
		}
		if err := c.Wait(); err != nil {
			t.Errorf("slixmpp: %v", err)
		}
	})
	p.want(func(s said) bool { return s.Event == "ready" })
	return p
}

func (p *peer) want(is func(said) bool) said {
	p.t.Helper()
	late := time.After(time.Minute)
	var had []string
	for {
		select {
		case s, ok := <-p.lines:
			if !ok {
				p.t.Fatal("slixmpp has ended")
			}
			if is(s) {
				return s
			}
			had = append(had, s.XML)
		case <-late:
			p.t.Fatalf("slixmpp has not got it; it had %q", had)
		}
	}
}

// Pages create a group with members and a theme; a message written on the theme's page arrives in a client, and the
// client's answer is on the page, where a moderator retracts it.
func TestGroupOnTheWeb(t *testing.T) {
	r := rig(t)
	r.Account("juliet", "tybalt")
	b := start(t, r, "en", "dark")
	b.signIn("romeo")
	b.open("/groups")
	b.press("a[data-key=n]")
	b.fill("name", "Stage")
	b.look("a new group")
	eval[bool](b, `(() => { document.querySelector("input[name=member][value=juliet]").click(); document.querySelector("input[name=kind][value=private]").click(); return true })()`)
	b.press("form[action='/groups/new'] button.primary")
	if at := b.where(); at != "/g/stage" {
		t.Fatalf("made, and on %s", at)
	}
	b.press("a[href='/g/stage/themes/new']")
	b.fill("name", "Balcony")
	b.press("form[action='/g/stage/themes'] button.primary")
	if at := b.where(); !strings.HasPrefix(at, "/g/stage/t/") {
		t.Fatalf("made, and on %s", at)
	}
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "stage")
	if err != nil {
		t.Fatal(err)
	}
	ts, err := r.Node.Org.Themes(t.Context(), testrig.Host, g.ID, jid.JID{})
	if err != nil || len(ts) != 1 {
		t.Fatal(ts, err)
	}
	room := r.Node.Org.RoomJID(testrig.Host, ts[0].Room).String()
	juliet := slixmpp(t, r, "juliet", room)
	b.fill("text", "But soft, what light")
	b.press("form.compose button")
	juliet.want(func(s said) bool { return s.Body == "But soft, what light" && strings.HasPrefix(s.From, room+"/") })
	if err := juliet.in.Encode(map[string]string{"to": room, "type": "groupchat", "body": "Ay me"}); err != nil {
		t.Fatal(err)
	}
	juliet.want(func(s said) bool { return s.Body == "Ay me" })
	at, _, _ := strings.Cut(b.where(), "#") // with it the page would be scrolled, and not opened
	b.open(at)
	if text := b.text(); !strings.Contains(text, "Ay me") || !strings.Contains(text, "But soft") {
		t.Errorf("the page: %s", text)
	}
	// The menu of a message, and taking it back.
	eval[bool](b, `(() => { const m = [...document.querySelectorAll(".message")].find(m => m.textContent.includes("Ay me")); m.querySelector(".acts").open = true; m.id = "hers"; return true })()`)
	b.look("a message's menu")
	b.press("#hers form[action$='/retract'] button")
	if text := b.text(); strings.Contains(text, "Ay me") || !strings.Contains(text, "This message was removed") {
		t.Errorf("taken back: %s", text)
	}
	// Adding somebody: the preview, the act, and its undoing.
	b.open("/g/stage/members")
	b.press("a[href='/g/stage/members/add']")
	eval[bool](b, `(() => { document.querySelector("input[name=member][value=tybalt]").click(); return true })()`)
	b.press("button[name=step]")
	if text := b.text(); !strings.Contains(text, "1 person will be added") ||
		!strings.Contains(text, "Nobody is removed") {
		t.Errorf("what it comes to: %s", text)
	}
	b.look("what it comes to")
	for _, wide := range []int64{360, 1280} {
		if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride,
			emulation.SetDeviceMetricsOverrideParams{Width: wide, Height: 900, DeviceScaleFactor: 1}); err != nil {
			t.Fatal(err)
		}
		if w := eval[int64](b, `document.documentElement.scrollWidth`); w > wide {
			t.Errorf("what it comes to is %d wide on %d", w, wide)
		}
	}
	b.press("form.actions button.primary")
	in := func() bool {
		role, err := r.Node.Org.RoleOf(t.Context(), testrig.Host, g.ID, jid.MustParse("tybalt@"+testrig.Host))
		if err != nil {
			t.Fatal(err)
		}
		return role != ""
	}
	if !in() {
		t.Fatal("tybalt is not in the group")
	}
	b.look("with a toast")
	b.press(".toast button[data-undo]")
	if in() {
		t.Error("undone, and still in it")
	}
}

// Keys go anywhere and tell themselves.
func TestKeys(t *testing.T) {
	r := rig(t)
	for _, c := range [][2]string{{"en", "light"}, {"fr", "dark"}} {
		t.Run(c[0], func(t *testing.T) {
			b := start(t, r, c[0], c[1])
			b.signIn("romeo")
			b.open("/groups")
			open := func(id string) string { return `document.getElementById("` + id + `").open` }
			focused := func(selector string) string { return `document.activeElement.matches("` + selector + `")` }
			b.do(chromedp.KeyEvent("?"))
			b.until(open("keys"))
			b.look("the keys")
			b.do(chromedp.KeyEvent(kb.Escape))
			b.until("!" + open("keys"))

			b.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
			// pages, before anything is written
			b.until(open("palette") + ` && document.querySelectorAll("#palette-list a").length > 4`)
			b.look("the palette")
			b.typed("palette-q", "engin")
			b.until(`[...document.querySelectorAll("#palette-list a")].some(a => a.getAttribute("href") === "/g/engineering")`)
			b.until(`![...document.querySelectorAll("#palette-list a")].some(a => a.getAttribute("href") === "/groups")`)
			b.do(chromedp.KeyEvent(kb.ArrowDown))
			b.until(focused("#palette-list a"))
			b.do(chromedp.KeyEvent(kb.ArrowUp))
			b.until(focused("#palette-q"))
			eval[bool](b, `window.__here = true`)
			b.do(chromedp.KeyEvent(kb.Enter))
			b.until(`!window.__here && location.pathname === "/g/engineering"`)
			b.clean()

			// A person, whose page the role opens; focus comes back when it is closed.
			b.open("/groups")
			eval[bool](b, `(() => { document.querySelector("main a").focus(); return true })()`)
			b.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
			b.typed("palette-q", "carol")
			b.until(`document.querySelector("#palette-list a[href='/admin/people/carol']") !== null`)
			b.do(chromedp.KeyEvent(kb.Escape))
			b.until("!" + open("palette") + " && " + focused("main a"))

			b.do(chromedp.KeyEvent("/"))
			b.until(focused("main input[type=search]"))
			b.do(chromedp.KeyEvent("?")) // it is typed into the field instead
			b.until(`document.querySelector("main input[type=search]").value.endsWith("?") && !` + open("keys"))
			b.open("/g/engineering/members")
			b.do(chromedp.KeyEvent("j"))
			b.until(focused("tbody input"))
			eval[bool](b, `(() => { document.activeElement.blur(); window.__here = true; return true })()`)
			b.do(chromedp.KeyEvent("n"))
			b.until(`!window.__here && location.pathname === "/g/engineering/members/add"`)
			b.clean()
		})
	}
}
