package pages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/config"
	"parley/testrig"
)

// TestFrontLowWindow: on a screen of 1280 x 800 at 200 % a window has 640 x 400. The field, its button and what goes
// with the message stay in view, a preview of a link among them, and a menu moves nothing.
func TestFrontLowWindow(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<title>The balcony</title><meta name="description" content="It is the east">`))
	}))
	t.Cleanup(page.Close)
	r := testrig.Start(t, func(c *config.Config) { c.Previews.Allow = []string{"127.0.0.1/32"} })
	r.Account("!romeo", "juliet")
	b := chatter(t, r.Node.Addr("websocket").String(), "en", "light")
	b.signIn("romeo")
	if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: 640, Height: 400, DeviceScaleFactor: 2}); err != nil {
		t.Fatal(err)
	}
	b.open("/chat/c/juliet%40" + testrig.Host)
	b.until(`document.activeElement?.matches(".composer textarea")`)
	b.write("first")
	b.shows("first")
	b.until(`document.querySelector("article.pending") === null`) // the row that waits cannot be answered
	b.choose("first", "Reply")
	b.insert("see " + page.URL + "/a" + strings.Repeat("\nand more", 12))
	b.until(`document.querySelector(".written-preview")?.innerText.includes("The balcony")`)
	const inView = `[".send", ".composer-tools", ".composer-bar", ".written-preview", ".composer textarea"].every((q) => {
		const r = document.querySelector(q).getBoundingClientRect()
		return r.top >= 0 && r.bottom <= innerHeight && r.height >= 20
	})`
	b.until(inView)
	b.key(kb.Enter)
	b.until(`document.querySelector("article .link-preview")?.innerText.includes("It is the east")`)
	const place = `document.querySelector(".composer").getBoundingClientRect().bottom`
	before := eval[float64](b, place)
	b.run(`(m => { m?.focus(); return !!m })([...document.querySelectorAll("article.message")].at(-1))`)
	b.key(kb.Enter)
	b.until(`document.querySelector("[role=menu]") !== null`)
	if now := eval[float64](b, place); now != before {
		t.Errorf("with a menu the field ends at %v, not at %v", now, before)
	}
	b.clean()
}
