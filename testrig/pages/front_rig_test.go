package pages

import (
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/acts"
	"parley/config"
	"parley/org"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// lens is what tests look at the chat with. What the chat writes on the console as an error is a fault.
const lens = `{ const say = console.error; console.error = (...a) => { __faults.push("console: " + a.join(" ")); say(...a) } }
window.__rows = text => [...document.querySelectorAll(".list .message")].filter(m => m.textContent.includes(text));
window.__row = text => __rows(text).at(-1);
window.__tree = name => [...document.querySelectorAll(".tree [role=treeitem]")].find(r => r.querySelector(".name")?.textContent === name);
window.__press = (text, within = document) => { const e = [...within.querySelectorAll("button, a, [role=menuitem], [role=menuitemradio], [role=option]")].find(e => (e.getAttribute("aria-label") ?? e.textContent).trim().startsWith(text)); e?.click(); return !!e };`

// chatter opens a browser whose pages are watched through lens.
func chatter(t testing.TB, addr, lang, scheme string) *browser {
	t.Helper()
	b := startAt(t, addr, lang, scheme)
	b.watched()
	return b
}

// watched prepares a tab for the chat. It counts as looked at, though there are several in the window.
func (b *browser) watched() {
	b.t.Helper()
	b.prepare(lens)
	if _, err := chromedp.Call(b.ctx, emulation.SetFocusEmulationEnabled,
		emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		b.t.Fatal(err)
	}
}

// tab opens another tab of the browser; with options, such as a browser context of its own, of somebody else.
func (b *browser) tab(options ...chromedp.ContextOption) *browser {
	b.t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx, options...)
	b.t.Cleanup(closeTab)
	other := &browser{b.t, ctx, b.axe, b.scheme}
	other.prepare(watch)
	other.watched()
	return other
}

// somebody opens a browser that shares nothing with this one.
func (b *browser) somebody() *browser {
	b.t.Helper()
	return b.tab(chromedp.WithNewBrowserContext())
}

// untilf is until for a script with texts in it.
func (b *browser) untilf(format string, args ...any) {
	b.t.Helper()
	b.until(scripted(format, args...))
}

// scripted puts texts into a script, as its literals.
func scripted(format string, args ...any) string {
	for i, a := range args {
		if text, err := json.Marshal(a); err == nil {
			args[i] = string(text)
		}
	}
	return fmt.Sprintf(format, args...)
}

// run has the page do something that has to be possible.
func (b *browser) run(format string, args ...any) {
	b.t.Helper()
	js := scripted(format, args...)
	if !eval[bool](b, js) {
		b.t.Fatalf("%s: not possible\n%.900s", js, b.text())
	}
}

// chat opens a conversation, and waits until one can write in it.
func (b *browser) chat(conversation string) {
	b.t.Helper()
	b.open("/chat/c/" + url.PathEscape(conversation))
	b.until(`document.querySelector(".tree .row[aria-current]") !== null && document.querySelector(".list [role=status], .conversation[aria-busy]") === null && document.activeElement.matches(".composer textarea")`)
}

// insert writes into what has the focus.
func (b *browser) insert(text string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		b.t.Fatal(err)
	}
}

// key presses keys, with modifiers if there are any.
func (b *browser) key(keys string, modifiers ...chromedp.Modifier) {
	b.t.Helper()
	// As keyboards do it: what a page does not let a key do, its letter does not do either.
	raw := func(p *input.DispatchKeyEventParams) {
		if p.Type == input.DispatchKeyEventTypeKeyDown {
			p.Type = input.DispatchKeyEventTypeRawKeyDown
		}
	}
	b.do(chromedp.KeyEvent(keys, raw, chromedp.KeyModifiers(modifiers...)))
}

// write sends a text from the field of the open conversation.
func (b *browser) write(text string) {
	b.t.Helper()
	b.run(`(e => { e?.focus(); return !!e })(document.querySelector(".composer textarea"))`)
	b.insert(text)
	b.key(kb.Enter)
	b.until(`document.querySelector(".composer textarea").value === ""`)
}

// shows waits for a message.
func (b *browser) shows(text string) {
	b.t.Helper()
	b.untilf(`!!__row(%s)`, text)
}

// focus puts the focus on a message.
func (b *browser) focus(text string) {
	b.t.Helper()
	b.shows(text)
	b.run(`(e => { e.focus(); return document.activeElement === e })(__row(%s))`, text)
}

// choose opens the menu of a message that the server has, and chooses a line of it.
func (b *browser) choose(text, item string) {
	b.t.Helper()
	b.untilf(`__row(%s)?.matches(":not(.pending)")`, text)
	b.focus(text)
	b.key(kb.Enter)
	b.until(`document.querySelector("[role=menu]:popover-open") !== null`)
	b.run(`__press(%s, document.querySelector("[role=menu]:popover-open"))`, item)
}

// stage is a server with a group, Romeo who runs it, and Juliet who is in it.
type stage struct {
	*testrig.Rig
	t     testing.TB
	group store.Group
	room  string // of the group
}

const (
	romeo  = "romeo@" + testrig.Host
	juliet = "juliet@" + testrig.Host
)

// newStage makes a stage, with the accounts of others if there are any.
func newStage(t testing.TB, others ...string) *stage {
	t.Helper()
	r := testrig.Start(t, func(c *config.Config) {
		c.Mail.Show = true
		c.Hosts[0].Title = "Verona"
		c.Web.URL = base
		c.Rooms.MessageRate, c.Rooms.MessageBurst = 1000, 1000 // tests write faster than people
	})
	r.Account(append([]string{"!romeo", "juliet"}, others...)...) // administrators may make groups
	for name, full := range map[string]string{"romeo": "Romeo Montague", "juliet": "Juliet Capulet"} {
		if _, _, err := r.Node.Store.UpdatePerson(t.Context(), testrig.Host, name, func(p *store.Person) error {
			p.FullName, p.Email = full, name+"@work.example"
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		r.AccountChanged(testrig.Host, name)
	}
	s := &stage{Rig: r, t: t}
	s.group = s.makeGroup("Balcony", romeo, juliet)
	s.room = s.roomOf(s.group.Room)
	return s
}

// makeGroup makes a group with its owner and members.
func (s *stage) makeGroup(name, owner string, members ...string) store.Group {
	s.t.Helper()
	n := org.NewGroup{Name: name, Kind: "private", ThemesBy: "members", Owner: jid.MustParse(owner)}
	for _, m := range members {
		n.Members = append(n.Members, jid.MustParse(m))
	}
	g, err := s.Node.Org.CreateGroup(s.t.Context(), acts.System, testrig.Host, n)
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

// roomOf gives the address of a room.
func (s *stage) roomOf(room string) string {
	return s.Node.Org.RoomJID(testrig.Host, room).String()
}

// raw sends a stanza as it stands.
func (p *peer) raw(xml string) {
	p.t.Helper()
	if err := p.in.Encode(map[string]string{"xml": xml}); err != nil {
		p.t.Fatal(err)
	}
}

// gets waits for a message that has all of some texts in it.
func (p *peer) gets(parts ...string) said {
	p.t.Helper()
	return p.want(func(s said) bool {
		for _, part := range parts {
			if !strings.Contains(s.XML, part) {
				return false
			}
		}
		return s.Event == "stanza"
	})
}

// newID gives an id for a stanza.
func newID() string { return strings.ToLower(rand.Text()) }

// idOf gives the id that a stanza has.
func idOf(t testing.TB, s said) string {
	t.Helper()
	var m struct {
		ID string `xml:"id,attr"`
	}
	if err := xml.Unmarshal([]byte(s.XML), &m); err != nil || m.ID == "" {
		t.Fatal(err, s.XML)
	}
	return m.ID
}

// stanzaID gives the id under which the server keeps a stanza (XEP-0359).
func stanzaID(t testing.TB, s said) string {
	t.Helper()
	var m struct {
		Kept struct {
			ID string `xml:"id,attr"`
		} `xml:"urn:xmpp:sid:0 stanza-id"`
	}
	if err := xml.Unmarshal([]byte(s.XML), &m); err != nil || m.Kept.ID == "" {
		t.Fatal(err, s.XML)
	}
	return m.Kept.ID
}
