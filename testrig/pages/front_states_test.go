package pages

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/acts"
	"parley/testrig"
	"parley/wire/jid"
)

// relay stands between browsers and a rig: it has one address while the rig starts anew, and can stand still as a line
// does that leads nowhere any more.
type relay struct {
	door net.Listener

	mu    sync.Mutex
	to    string // "": nobody is there
	stand chan struct{}
	conns []net.Conn
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &relay{door: door, to: to, stand: make(chan struct{})}
	go func() {
		for {
			c, err := door.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	t.Cleanup(func() {
		door.Close()
		p.lead("")
	})
	return p
}

// serve carries a connection until it ends, or the line stands still.
func (p *relay) serve(c net.Conn) {
	p.mu.Lock()
	to, stand := p.to, p.stand
	p.conns = append(p.conns, c)
	p.mu.Unlock()
	d, err := net.Dial("tcp", to)
	if err != nil {
		c.Close()
		return
	}
	defer d.Close()
	defer c.Close()
	ends := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{c, d}, {d, c}} {
		go func() {
			carry(pair[0], pair[1], stand)
			ends <- struct{}{}
		}()
	}
	<-ends
	select {
	case <-stand: // the browser hears nothing more of this connection until it is closed
		io.Copy(io.Discard, c)
	default:
	}
}

// carry copies until an end, and drops what comes once the line stands still.
func carry(from, to net.Conn, stand <-chan struct{}) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		select {
		case <-stand:
			continue
		default:
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// freeze lets nothing more through, without ending a connection.
func (p *relay) freeze() { close(p.stand) }

// thaw lets new connections lead on. Those of before lead nowhere for good.
func (p *relay) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stand = make(chan struct{})
}

// lead ends all connections. New ones lead to an address; nowhere if it is "".
func (p *relay) lead(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *relay) addr() string { return p.door.Addr().String() }

// stateScene is Romeo's browser behind a relay, in the conversation of the group.
func stateScene(t *testing.T) (*stage, *relay, *browser) {
	t.Helper()
	s := newStage(t)
	p := newRelay(t, s.Node.Addr("websocket").String())
	b := chatter(t, p.addr(), "en", "light")
	b.signIn("romeo")
	b.chat(s.room)
	b.run(`window.__here = true`)
	return s, p, b
}

// once says that each text is on the page once and in the archive once, in this order, and the page is still the same.
func (s *stage) once(b *browser, texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		b.untilf(`__rows(%s).length === 1 && __row(%[1]s).matches(":not(.pending)")`, text)
	}
	b.run(`window.__here`)
	http := s.Browser(s.t)
	http.SignIn("romeo")
	page := http.Get("/g/" + s.group.Slug).Text
	var at []int
	for _, text := range texts {
		if n := strings.Count(page, `<div class="text">`+text); n != 1 {
			s.t.Errorf("%q is kept %d times", text, n)
		}
		at = append(at, strings.Index(page, text))
	}
	if !slices.IsSorted(at) {
		s.t.Errorf("not in the order of %q", texts)
	}
	b.clean()
}

// Who is put out of a group loses its conversation and what was said in it at once.
func TestFrontPutOut(t *testing.T) {
	s := newStage(t, "benvolio")
	b := chatter(t, s.Node.Addr("websocket").String(), "en", "light")
	b.signIn("juliet")
	b.chat(s.room)
	b.write("A secret")
	b.until(`__row("A secret")?.matches(":not(.pending)")`)
	b.insert("half a secret")
	if err := s.Node.Org.SetMember(t.Context(), acts.System, testrig.Host, s.group.ID,
		jid.MustParse(juliet), ""); err != nil {
		t.Fatal(err)
	}
	b.until(`!__tree("Balcony") && !document.body.textContent.includes("secret") && document.querySelector("textarea") === null`)
	for _, f := range b.findings("serious", "critical", "moderate") {
		t.Error(f)
	}
	b.open("/chat/c/" + s.room)
	b.until(`document.querySelector(".tree") !== null && document.querySelector(".chat-content .empty, .chat-content .alert") !== null`)
	if text := b.text(); strings.Contains(text, "secret") || strings.Contains(text, "Balcony") {
		t.Errorf("it is still there: %s", text)
	}
	b.clean()
}

// A browser that is signed out from elsewhere says so, and what was being written is there after signing in again.
func TestFrontSignedOut(t *testing.T) {
	s := newStage(t)
	b := chatter(t, s.Node.Addr("websocket").String(), "en", "light")
	b.signIn("romeo")
	b.chat(s.room)
	b.insert("It is the lark")
	other := s.Browser(t)
	other.SignIn("romeo")
	other.Post("/me/sessions")
	b.until(`document.querySelector(".line-state.offline")?.textContent.includes("You are signed out")`)
	if text := eval[string](b, `document.querySelector(".composer textarea").value`); text != "It is the lark" {
		t.Errorf("the draft is %q", text)
	}
	// What is sent all the same waits.
	b.key(kb.Enter)
	b.until(`__row("It is the lark")?.matches(".pending")`)
	b.insert("Believe me, love")
	b.press(`.line-state a[href^="/login"]`)
	b.fill("user", "romeo")
	b.fill("password", testrig.Password)
	b.press("form[action^='/login'] button")
	if at := b.where(); !strings.HasPrefix(at, "/chat/c/") {
		t.Fatalf("signed in, and on %s", at)
	}
	b.until(`document.querySelector(".composer textarea")?.value === "Believe me, love"`)
	b.run(`window.__here = true`)
	s.once(b, "It is the lark")
}

// A server that starts anew: the browser catches up, and sends what was written meanwhile, once.
func TestFrontRestart(t *testing.T) {
	s, p, b := stateScene(t)
	b.write("before")
	b.until(`__row("before")?.matches(":not(.pending)")`)
	p.lead("")
	b.write("meanwhile")
	b.until(`__row("meanwhile")?.matches(".pending")`)
	s.Restart()
	s.tells("from elsewhere")
	p.lead(s.Node.Addr("websocket").String())
	b.shows("from elsewhere")
	b.until(`__row("meanwhile")?.matches(":not(.pending)")`)
	b.write("after")
	s.once(b, "before", "from elsewhere", "meanwhile", "after")
}

// tells has Juliet write in the group from another browser.
func (s *stage) tells(text string) {
	s.t.Helper()
	w := s.Browser(s.t)
	w.SignIn("juliet")
	if page := w.Post("/g/"+s.group.Slug, "text", text); page.Status != 303 {
		s.t.Fatalf("%d %s", page.Status, page.Text)
	}
}

// A line that leads nowhere without having ended, as after a machine has slept: the browser finds out, and catches up.
func TestFrontFrozen(t *testing.T) {
	s, p, b := stateScene(t)
	b.write("before")
	b.until(`__row("before")?.matches(":not(.pending)")`)
	p.freeze()
	s.tells("into the void")
	b.write("meanwhile")
	b.until(`__row("meanwhile")?.matches(".pending")`)
	p.thaw()
	// The machine wakes: by its clock, the last beat is long ago.
	b.run(`{ const now = Date.now.bind(Date); Date.now = () => now() + 60_000; document.dispatchEvent(new Event("visibilitychange")); true }`)
	b.shows("into the void")
	b.write("after")
	s.once(b, "before", "into the void", "meanwhile", "after")
}

// What is written without a network is sent once when it is back.
func TestFrontOffline(t *testing.T) {
	s, _, b := stateScene(t)
	b.write("before")
	b.until(`__row("before")?.matches(":not(.pending)")`)
	b.offline(true)
	b.until(`document.querySelector(".line-state.offline") !== null`)
	for i := range 3 {
		b.write(fmt.Sprint("written without a line ", i))
	}
	b.until(`document.querySelector(".line-state.offline").textContent.includes("3 messages wait") && __rows("written without").every(m => m.textContent.includes("Will be sent when you are online again"))`)
	for _, f := range b.findings("serious", "critical", "moderate") {
		t.Error(f)
	}
	s.tells("from elsewhere")
	b.offline(false)
	b.until(`document.querySelector(".line-state.offline") === null`)
	s.once(b, "before", "from elsewhere", "written without a line 0", "written without a line 1",
		"written without a line 2")
	// The page was closed before the line was back: the next one sends it.
	b.offline(true)
	b.write("and then closed")
	b.until(`__row("and then closed")?.matches(".pending")`)
	b.offline(false)
	b.chat(s.room)
	b.run(`window.__here = true`)
	s.once(b, "and then closed")
}

// offline takes the network away from a tab, or gives it back.
func (b *browser) offline(off bool) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.EmulateNetworkConditionsByRule,
		network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
			{Offline: off, DownloadThroughput: -1, UploadThroughput: -1},
		}}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{
		Offline: off, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
		b.t.Fatal(err)
	}
}

// Two tabs share what is being written: what one has sent does not come back from the other. One of them reads the
// stream of events for both, because HTTP/1.1 allows six connections: ten tabs would take all of them.
func TestFrontTwoTabs(t *testing.T) {
	s := newStage(t)
	b := chatter(t, s.Node.Addr("websocket").String(), "en", "light")
	b.signIn("romeo")
	other := b.tab()
	b.chat(s.room)
	other.chat(s.room)
	b.insert("half of it")
	other.until(`document.querySelector(".composer textarea").value === "half of it"`)
	b.key("a", chromedp.ModifierCtrl)
	for i := range 20 {
		b.write(fmt.Sprintf("number %02d", i))
	}
	other.shows("number 19")
	other.comes(`navigator.locks.query().then(({held, pending}) => [held, pending].every((all) =>
		all.filter((lock) => lock.name === "parley/romeo@example.org").length === 1))`)
	for _, x := range []*browser{b, other} {
		x.until(`document.querySelector(".composer textarea").value === "" && __rows("number").length === 20`)
		x.until(`document.querySelector(".tree .draft") === null`)
	}
	b.until(`!Object.keys(localStorage).some(k => /\/(draft|out)\//.test(k))`)
	b.clean()
	other.clean()
}
