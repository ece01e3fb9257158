package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parley/acts"
	"parley/org"
	"parley/testrig"
	"parley/wire/jid"
)

// TestFrontLooks takes pictures of the chat to look at, in what tries its layout: PARLEY_SHOTS names the directory.
func TestFrontLooks(t *testing.T) {
	dir := os.Getenv("PARLEY_SHOTS")
	if dir == "" {
		t.Skip("PARLEY_SHOTS is not set")
	}
	r, password := seeded(t)
	address := r.Node.Addr("websocket").String()
	r.Account("nobody")
	theme := themeOf(t, r)
	for _, c := range []struct{ lang, scheme string }{{"en", "light"}, {"fr", "dark"}} {
		b := chatter(t, address, c.lang, c.scheme)
		b.signInWith("alice", password)
		nobody := b.somebody()
		nobody.signIn("nobody")
		for _, wide := range []int64{1280, 390} {
			shot := func(b *browser, name string) {
				b.shot(dir, fmt.Sprintf("front-%s-%s-%d-%s", c.lang, c.scheme, wide, name))
			}
			for _, x := range []*browser{b, nobody} {
				x.size(wide)
			}
			nobody.open("/chat")
			nobody.until(`document.querySelector(".chat-content .empty, .tree .section") !== null`)
			shot(nobody, "empty")
			b.open("/chat")
			b.until(`!!__tree("Engineering")`)
			shot(b, "tree")
			b.open("/chat/c/" + theme)
			b.shows("On it.")
			b.run(`__row("On it.").focus(), true`)
			shot(b, "theme")
			b.run(`document.querySelector(".conversation-head [aria-pressed]").click(), true`)
			b.until(`document.querySelector(".about .member-list li") !== null`)
			shot(b, "about")
			b.run(`document.querySelector(".about-head button").click(), true`)
			b.open("/chat/missed")
			b.until(`document.querySelector(".missed-card .snippet, .chat-content .empty") !== null`)
			shot(b, "missed")
			b.open("/chat/search?q=launch")
			b.until(`document.querySelector(".hits .snippet, .chat-content .empty") !== null`)
			shot(b, "search")
		}
	}
	strange(t, dir)
}

// strange takes pictures of what tries a layout: many groups, long names, other directions of writing, long messages.
func strange(t *testing.T, dir string) {
	s := newStage(t)
	for i := range 300 {
		s.makeGroup(fmt.Sprintf("Department %03d", i), romeo)
	}
	long := s.makeGroup(strings.Repeat("Strategische Unternehmensentwicklung ", 2)+"Quartalsplanung", romeo, juliet)
	s.makeGroup("قسم الهندسة", romeo, juliet)
	if _, err := s.Node.Org.CreateTheme(t.Context(), acts.System, testrig.Host, s.group.ID,
		org.NewTheme{Name: "A theme with a very long name that goes on and on until nobody reads it", Creator: jid.MustParse(romeo)}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"مرحبا بالجميع، كيف حالكم اليوم؟ هذا نص طويل قليلا لنرى كيف يظهر في الصفحة.",
		"שלום לכולם — see https://example.org/path for *details*",
		"🎉", "👍👍🏽🇫🇷",
		"```\nfunc main() {\n\tfmt.Println(\"a line of code that is rather long, so that it does not fit into a narrow window at all\")\n}\n```",
		"> quoted by somebody\nand answered in two\nlines",
		"https://example.org/" + strings.Repeat("averylongpathwithoutanybreak", 8),
		strings.Repeat("Lorem ipsum dolor sit amet, consectetur adipiscing elit. ", 88),
	} {
		s.tells(text)
	}
	s.group = long
	s.tells("Here too")
	for _, scheme := range []string{"light", "dark"} {
		b := chatter(t, s.Node.Addr("websocket").String(), "en", scheme)
		b.signIn("romeo")
		for _, wide := range []int64{1280, 390} {
			shot := func(name string) { b.shot(dir, fmt.Sprintf("front-strange-%s-%d-%s", scheme, wide, name)) }
			b.size(wide)
			b.open("/chat")
			b.until(`!!__tree("Department 299")`)
			shot("tree")
			b.open("/chat/c/" + s.room)
			b.shows("Lorem ipsum")
			shot("end")
			b.until(`(() => { const l = document.querySelector(".list"); l.scrollTop = 0; l.dispatchEvent(new Event("scroll")); return l.scrollTop === 0 && !!l.querySelector(".beginning") })()`)
			shot("messages")
			b.run(`(e => { e.scrollIntoView(); e.click(); return true })(__row("Lorem ipsum").querySelector(".fold"))`)
			shot("unfolded")
			b.open("/chat/c/" + s.roomOf(long.Room))
			b.shows("Here too")
			shot("longname")
		}
	}
}

// themeOf gives the room of the demo's theme.
func themeOf(t *testing.T, r *testrig.Rig) string {
	t.Helper()
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "engineering")
	if err != nil {
		t.Fatal(err)
	}
	ts, err := r.Node.Org.Themes(t.Context(), testrig.Host, g.ID, jid.JID{})
	if err != nil || len(ts) == 0 {
		t.Fatal(ts, err)
	}
	return r.Node.Org.RoomJID(testrig.Host, ts[0].Room).String()
}

// size gives the window a width; a narrow one is that of a telephone.
func (b *browser) size(wide int64) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: wide, Height: 800, DeviceScaleFactor: 1, Mobile: wide < 500}); err != nil {
		b.t.Fatal(err)
	}
}

// shot takes a picture of the window.
func (b *browser) shot(dir, name string) {
	b.t.Helper()
	b.until(`[...document.images].every(i => i.complete || i.loading === "lazy")`)
	png, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png.Data, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}
