package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parley/acts"
	"parley/org"
	"parley/testrig"
	"parley/wire/jid"
)

// cable is a line between a browser and the node that a test can cut.
type cable struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
	work  sync.WaitGroup
}

// newCable lays a line to an address. It ends with the test.
func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: l, to: to, conns: make(map[net.Conn]bool)}
	c.work.Go(c.accept)
	t.Cleanup(func() {
		l.Close()
		c.turn(false)
		c.work.Wait()
	})
	return c
}

func (c *cable) accept() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.to)
		if err != nil || !c.add(near, far) {
			near.Close()
			if err == nil {
				far.Close()
			}
			continue
		}
		c.work.Go(func() { c.carry(near, far) })
		c.work.Go(func() { c.carry(far, near) })
	}
}

func (c *cable) add(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range conns {
		c.conns[x] = true
	}
	return !c.cut
}

func (c *cable) carry(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
	from.Close()
}

// turn cuts the line, or mends it.
func (c *cable) turn(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = !on
	for x := range c.conns {
		x.Close()
	}
	clear(c.conns)
}

// inVerona makes a group of romeo and juliet with a message, and gives the address of its page.
func inVerona(t *testing.T, r *testrig.Rig) (room, path string) {
	t.Helper()
	r.Account("romeo", "juliet")
	g, err := r.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host, org.NewGroup{
		Slug:    "verona",
		Name:    "Verona",
		Kind:    org.Private,
		Owner:   jid.MustParse("juliet@" + testrig.Host),
		Members: []jid.JID{jid.MustParse("romeo@" + testrig.Host)},
	})
	if err != nil {
		t.Fatal(err)
	}
	room = r.Node.Org.RoomJID(testrig.Host, g.Room).String()
	return room, "/chat/c/" + strings.ReplaceAll(room, "@", "%40")
}

// sendByButton writes a message in the conversation that is open, and presses the button.
func (b *browser) sendByButton(text string) {
	b.t.Helper()
	b.until(`document.querySelector(".composer textarea") !== null`)
	value, err := json.Marshal(text)
	if err != nil {
		b.t.Fatal(err)
	}
	eval[bool](b, fmt.Sprintf(`(() => {
		const field = document.querySelector(".composer textarea")
		field.focus()
		field.value = %s
		field.dispatchEvent(new InputEvent("input", {bubbles: true}))
		return true
	})()`, value))
	b.until(`document.querySelector(".composer .send")?.getAttribute("aria-disabled") === "false"`)
	eval[bool](b, `(() => { document.querySelector(".composer .send").click(); return true })()`)
}

// comes waits until a promise gives true.
func (b *browser) comes(js string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js, chromedp.EvalAwaitPromise))
		if err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.t.Fatalf("waiting for %s: %v\n%s", js, err, b.text())
		}
	}
}

// shown is a script that says whether the open conversation shows a message that was sent, with a text.
func shown(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("article[data-id]")].some((m) => m.innerText.includes(%q))`, text)
}

// pending is a script that says whether a message waits in the open conversation.
const pending = `document.querySelector("article.pending") !== null`

const (
	// ready says that the page and the messages are kept.
	ready = `(async () => {
		const page = await caches.match("/chat")
		const db = await new Promise((done) => {
			const r = indexedDB.open("parley")
			r.onsuccess = () => done(r.result)
		})
		if (!db.objectStoreNames.contains("tree")) { db.close(); return false }
		const count = (store) => new Promise((done) => {
			const r = db.transaction(store).objectStore(store).count()
			r.onsuccess = () => done(r.result)
		})
		const kept = await count("tree") > 0 && await count("messages") > 0
		db.close()
		return !!page && kept && navigator.serviceWorker.controller !== null
	})()`
	// wiped says that nothing is kept.
	wiped = `(async () => {
		for (const d of await indexedDB.databases()) {
			const db = await new Promise((done) => {
				const r = indexedDB.open(d.name)
				r.onsuccess = () => done(r.result)
			})
			let all = 0
			for (const store of db.objectStoreNames) {
				all += await new Promise((done) => {
					const r = db.transaction(store).objectStore(store).count()
					r.onsuccess = () => done(r.result)
				})
			}
			db.close()
			if (all) return false
		}
		return await caches.match("/chat") === undefined
	})()`
)

// keeps is a script that says whether the messages of n conversations are kept.
func keeps(n int) string {
	return fmt.Sprintf(`(async () => {
		const db = await new Promise((done) => {
			const r = indexedDB.open("parley")
			r.onsuccess = () => done(r.result)
		})
		const all = await new Promise((done) => {
			const r = db.transaction("messages").objectStore("messages").count()
			r.onsuccess = () => done(r.result)
		})
		db.close()
		return all === %d
	})()`, n)
}

// TestOffline: while offline, the chat opens with what was there last, what is written waits, also over another
// opening, and is sent once; what one may not read any more is forgotten at once, and all of it at the end of the
// session.
func TestOffline(t *testing.T) {
	r := testrig.Start(t, nil)
	room, path := inVerona(t, r)
	line := newCable(t, r.Node.Addr("websocket").String())
	b := startAt(t, line.listener.Addr().String(), "en", "light")
	b.signIn("romeo")
	b.open(path)
	b.sendByButton("But, soft!")
	b.until(shown("But, soft!"))
	b.comes(ready)

	line.turn(false)
	b.do(chromedp.Navigate(base + path))
	b.until(shown("But, soft!"))
	b.until(`document.querySelector("[role=tree]")?.innerText.includes("Verona")`)
	b.sendByButton("What light?")
	b.until(pending)
	b.do(chromedp.Navigate(base + path))
	b.until(pending)

	line.turn(true)
	b.until(shown("What light?") + " && !(" + pending + ")")
	b.do(chromedp.Navigate(base + path))
	b.until(shown("What light?"))
	if n := eval[int](b, `[...document.querySelectorAll("article")]
		.filter((m) => m.innerText.includes("What light?")).length`); n != 1 {
		t.Errorf("it was sent %d times to %s", n, room)
	}

	b.comes(ready)
	b.open("/chat/c/juliet%40" + testrig.Host)
	b.sendByButton("Who is there?")
	b.until(shown("Who is there?"))
	b.comes(keeps(2))
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	romeo := jid.MustParse("romeo@" + testrig.Host)
	if err := r.Node.Org.SetMember(t.Context(), acts.Operator, testrig.Host, g.ID, romeo, ""); err != nil {
		t.Fatal(err)
	}
	b.comes(keeps(1))                               // what he may not read any more is not kept
	for _, may := range []string{"false", "true"} { // the organization forbids it, and then does not
		if _, err := r.Node.Settings().Change(t.Context(), testrig.Host, "",
			map[string]*string{"chat.offline": &may}); err != nil {
			t.Fatal(err)
		}
		b.open("/chat/c/juliet%40" + testrig.Host)
		b.until(shown("Who is there?"))
		b.comes(map[string]string{"false": wiped, "true": keeps(1)}[may])
	}
	if err := r.Node.Store.DeleteWebSessions(t.Context(), testrig.Host, "romeo", ""); err != nil {
		t.Fatal(err)
	}
	b.open(path)
	b.until(`location.pathname === "/login"`)
	b.comes(wiped)
}

// TestNobodyLooks: a browser whose page of the chat is closed is woken at once, and one that shows it is not. No push
// service is there: the server tries.
func TestNobodyLooks(t *testing.T) {
	r := testrig.Start(t, nil)
	_, path := inVerona(t, r)
	b := start(t, r, "en", "light")
	b.signIn("romeo")
	b.open(path)
	b.until(`document.querySelector("[role=tree]") !== null`)
	b.comes(`(async () => {
		const pair = await crypto.subtle.generateKey({name: "ECDH", namedCurve: "P-256"}, true, ["deriveBits"])
		const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
			.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
		const keys = {
			p256dh: text(await crypto.subtle.exportKey("raw", pair.publicKey)),
			auth: text(crypto.getRandomValues(new Uint8Array(16))),
		}
		const answer = await fetch("/api/v1/me/push", {
			method: "PUT",
			headers: {"Content-Type": "application/json"},
			body: JSON.stringify({endpoint: "https://push.invalid/x", keys}),
		})
		return answer.ok
	})()`)
	juliet, err := r.Connect("tls", testrig.Host)
	if err == nil {
		err = juliet.SignIn("juliet", testrig.Password)
	}
	if err == nil {
		err = juliet.Bind("")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(juliet.Close)
	// becomes has juliet write until it has an outcome: the browser tells the server in its own time.
	becomes := func(outcome string) {
		t.Helper()
		before := outcomes(t, r, outcome)
		tick, late := time.NewTicker(50*time.Millisecond), time.After(time.Minute)
		defer tick.Stop()
		for outcomes(t, r, outcome) == before {
			if err := juliet.Write("<message type='chat' to='romeo@" + testrig.Host +
				"'><body>Romeo?</body></message>"); err != nil {
				t.Fatal(err)
			}
			select {
			case <-tick.C:
			case <-late:
				t.Fatalf("no message is %s", outcome)
			}
		}
	}
	becomes("awake")
	b.open("/me")
	becomes("later")
	b.open(path)
	becomes("awake")
}

// outcomes gives how many messages for browsers had an outcome.
func outcomes(t *testing.T, r *testrig.Rig, outcome string) float64 {
	t.Helper()
	all, err := r.Node.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() != "parley_webpush_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == outcome {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("%s is not counted", outcome)
	return 0
}
