package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/testrig"
)

// page is a Chromium without a window, on the chat of one of the processes.
type page struct {
	at  *process
	ctx context.Context
}

// browse opens a browser that finds the process under the host's name, and signs somebody in.
func (p *process) browse(chromium, name string) *page {
	p.Helper()
	_, port, err := net.SplitHostPort(p.doors["websocket"])
	if err != nil {
		p.Fatal(err)
	}
	opts := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	opts = append(opts, chromedp.ExecPath(chromium), chromedp.WindowSize(1280, 900), chromedp.UserDataDir(profile(p.T)),
		chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("ignore-certificate-errors", true), chromedp.Flag("lang", "en"),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("headless", "new"), chromedp.Flag("host-resolver-rules",
			"MAP "+testrig.Host+":443 127.0.0.1:"+port+", MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	ctx, stop := chromedp.NewExecAllocator(p.Context(), opts...)
	p.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	p.Cleanup(closeTab)
	b := &page{p, ctx}
	if _, err := chromedp.Call(b.ctx, emulation.SetFocusEmulationEnabled,
		emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		p.Fatal(err)
	}
	b.open("/login")
	b.until(`(() => { const u = document.getElementById("user"), p = document.getElementById("password");
		if (!u || !p) return false;
		u.value = %s; p.value = %s;
		document.querySelector("form[action='/login'] button").click(); return true })()`, name, testrig.Password)
	b.until(`location.pathname !== "/login" && document.readyState === "complete"`)
	return b
}

// profile makes a folder for a browser's profile. Processes of the browser may write in it for a moment after the
// browser has ended, so it is removed until it is gone.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley-browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		again := time.NewTicker(10 * time.Millisecond)
		defer again.Stop()
		late := time.After(patience)
		for err := os.RemoveAll(dir); err != nil; err = os.RemoveAll(dir) {
			select {
			case <-again.C:
			case <-late:
				t.Error(err)
				return
			}
		}
	})
	return dir
}

func (b *page) open(path string) {
	b.at.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate("https://"+testrig.Host+path)); err != nil {
		b.at.Fatalf("%s: %v", path, err)
	}
}

// until waits for something on the page to become true; texts are put into the script as its literals.
func (b *page) until(js string, texts ...any) {
	b.at.Helper()
	for i, text := range texts {
		if literal, err := json.Marshal(text); err == nil {
			texts[i] = string(literal)
		}
	}
	if len(texts) > 0 {
		js = fmt.Sprintf(js, texts...)
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](js))
		if err == nil && ok {
			return
		}
		select {
		case <-again.C:
		case <-late:
			text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText.slice(0, 900)`))
			b.at.Fatalf("the browser at %s, waiting for %s: %v\n%s", b.at.name, js, err, text)
		}
	}
}

// chat opens the conversation with somebody, and waits until one can write in it.
func (b *page) chat(name string) {
	b.at.Helper()
	b.open("/chat/c/" + url.PathEscape(name+"@"+testrig.Host))
	b.until(`document.querySelector(".list [role=status], .conversation[aria-busy]") === null &&
		!!document.activeElement?.matches(".composer textarea")`)
}

// write sends a text from the field of the open conversation.
func (b *page) write(text string) {
	b.at.Helper()
	b.until(`(e => { e?.focus(); return !!e })(document.querySelector(".composer textarea"))`)
	if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		b.at.Fatal(err)
	}
	// As keyboards do it: what a page does not let a key do, its letter does not do either.
	raw := func(p *input.DispatchKeyEventParams) {
		if p.Type == input.DispatchKeyEventTypeKeyDown {
			p.Type = input.DispatchKeyEventTypeRawKeyDown
		}
	}
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Enter, raw)); err != nil {
		b.at.Fatal(err)
	}
	b.until(`document.querySelector(".composer textarea").value === ""`)
}

// shows waits for a message in the open conversation.
func (b *page) shows(text string) {
	b.at.Helper()
	b.until(`[...document.querySelectorAll(".list .message")].some(m => m.textContent.includes(%s))`, text)
}
