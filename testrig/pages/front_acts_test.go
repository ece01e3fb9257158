package pages

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// scene is where the acts are done: Romeo has two tabs of one browser, Juliet has a browser and slixmpp.
type scene struct {
	*stage
	first, second, hers *browser
	client              *peer
	place               string // the conversation, as Romeo's browser names it
	mirror              string // the same, as Juliet's does
	kind                string // of message
	to                  string // whom slixmpp writes to
	picture             string // a file
}

// cell is what is to be seen in one place after an act: a script that becomes true, or why there is nothing to see.
type cell struct{ js, none string }

func sees(format string, args ...any) cell { return cell{js: scripted(format, args...)} }

func none(why string) cell { return cell{none: why} }

// act is a row of the table.
type act struct {
	name   string
	do     func(s *scene)
	stanza func(s said) bool // what slixmpp gets
	silent string            // or why it gets nothing
	second cell              // in the other tab
	hers   cell              // in Juliet's browser
	reload cell              // in Romeo's browser, loaded anew once all is done
	plain  cell              // on the page without scripts: js is a part of it, or what it does not have after !
	direct string            // why it is not done in a conversation of two
}

// with says that a stanza has some texts in it.
func with(parts ...string) func(said) bool {
	return func(s said) bool {
		for _, part := range parts {
			if !strings.Contains(s.XML, part) {
				return false
			}
		}
		return s.Event == "stanza"
	}
}

const (
	nobodySees  = "it is nobody else's"
	notOnPlain  = "the plain page has no such thing"
	passes      = "it is over by then"
	forOneself  = "one is not told of what one does oneself"
	groupThings = "it is a thing of groups"
)

// Every act of the chat is seen by other clients as the stanza that they know, by another tab and another person's
// browser at once, after the page is loaded anew, and on the page that needs no scripts.
func TestFrontActs(t *testing.T) {
	for _, kind := range []string{"groupchat", "chat"} {
		t.Run(kind, func(t *testing.T) {
			s := newScene(t, kind)
			var done []act
			for _, a := range theActs() {
				if kind == "chat" && a.direct != "" {
					continue
				}
				t.Log(a.name)
				s.try(a)
				done = append(done, a)
			}
			s.first.chat(s.place)
			for _, a := range done {
				if a.reload.none == "" {
					s.first.t.Log("loaded anew:", a.name)
					s.first.until(a.reload.js)
				}
			}
			s.lookPlain(done)
			for _, b := range []*browser{s.first, s.second, s.hers} {
				b.clean()
			}
		})
	}
}

func newScene(t *testing.T, kind string) *scene {
	t.Helper()
	s := &scene{stage: newStage(t), kind: kind, picture: filepath.Join(t.TempDir(), "moon.png")}
	s.place, s.mirror, s.to = s.room, s.room, s.room
	if kind == "chat" {
		s.place, s.mirror, s.to = juliet, romeo, romeo
	}
	var buf bytes.Buffer
	moon := image.NewNRGBA(image.Rect(0, 0, 60, 40))
	for i := range 40 {
		moon.Set(i, i, color.NRGBA{R: 200, G: 180, A: 255})
	}
	if err := png.Encode(&buf, moon); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.picture, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	s.client = slixmpp(t, s.Rig, "juliet", s.room)
	s.first = chatter(t, s.Node.Addr("websocket").String(), "en", "light")
	s.second, s.hers = s.first.tab(), s.first.somebody()
	s.first.signIn("romeo")
	s.hers.signIn("juliet")
	s.first.chat(s.place)
	s.second.chat(s.place)
	s.hers.chat(s.mirror)
	return s
}

// says has Juliet write with slixmpp, and waits until all three see it.
func (s *scene) says(text string) {
	s.t.Helper()
	s.client.raw(scripted(`<message type='`+s.kind+`' to='`+s.to+`' id=%s><body>`+text+`</body></message>`, newID()))
	for _, b := range []*browser{s.first, s.second, s.hers} {
		b.shows(text)
	}
}

// try does an act and looks at once where it is to be seen.
func (s *scene) try(a act) {
	s.t.Helper()
	a.do(s)
	if a.silent == "" {
		s.client.want(a.stanza)
	}
	if a.second.none == "" {
		s.second.until(a.second.js)
	}
	if a.hers.none == "" {
		s.hers.until(a.hers.js)
	}
}

// lookPlain looks at the group's page as a browser without scripts does.
func (s *scene) lookPlain(done []act) {
	s.t.Helper()
	if s.kind == "chat" {
		return // colleagues' conversations have no page of that kind
	}
	b := s.Browser(s.t)
	b.SignIn("romeo")
	page := b.Get("/g/" + s.group.Slug).Text
	for _, a := range done {
		part, not := strings.CutPrefix(a.plain.js, "!")
		if a.plain.none == "" && strings.Contains(page, part) == not {
			s.t.Errorf("%s: the plain page: %s", a.name, a.plain.js)
		}
	}
}

// theActs is the table.
func theActs() []act {
	return slices.Concat(sayingActs(), changingActs(), otherActs())
}

func sayingActs() []act {
	return []act{{
		name:   "send",
		do:     func(s *scene) { s.first.write("Good morrow, cousin") },
		stanza: with("<body>Good morrow, cousin</body>", "urn:xmpp:sid:0"),
		second: sees(`__rows("Good morrow").length === 1`),
		hers:   sees(`__rows("Good morrow").length === 1`),
		reload: sees(`__rows("Good morrow").length === 1`),
		plain:  cell{js: "Good morrow, cousin"},
	}, {
		name:   "styled text",
		do:     func(s *scene) { s.first.write("*bold* _soft_ ~gone~ `code`") },
		stanza: with("<body>*bold* _soft_ ~gone~ `code`</body>"),
		second: sees(styled),
		hers:   sees(styled),
		reload: sees(styled),
		plain:  cell{js: "*bold* _soft_ ~gone~"},
	}, {
		name: "reply",
		do: func(s *scene) {
			s.says("Wherefore art thou")
			s.first.focus("Wherefore art thou")
			s.first.key("r")
			s.first.until(`document.querySelector(".composer-bar")?.textContent.includes("Wherefore") && document.activeElement.matches(".composer textarea")`)
			s.first.write("Call me but love")
		},
		stanza: with("urn:xmpp:reply:0", "urn:xmpp:fallback:0", "Call me but love"),
		second: sees(`__row("Call me but love").querySelector(".quote")?.textContent.includes("Wherefore")`),
		hers:   sees(`__row("Call me but love").querySelector(".quote")?.textContent.includes("Wherefore")`),
		reload: sees(`__row("Call me but love").querySelector(".quote")?.textContent.includes("Wherefore")`),
		plain:  cell{js: "Call me but love"},
	}, {
		name: "file",
		do: func(s *scene) {
			s.first.do(chromedp.SetUploadFiles(chromedp.CSS(".composer input[type=file]"), []string{s.picture}))
			s.first.until(`document.querySelector(".tray .attachment.ready") !== null`)
			s.first.run(`(document.querySelector(".composer textarea").focus(), true)`)
			s.first.key(kb.Enter)
			s.first.until(`document.querySelector(".tray") === null`)
		},
		stanza: with("jabber:x:oob", "moon.png", "urn:xmpp:sfs:0"),
		second: sees(inline),
		hers:   sees(inline),
		reload: sees(inline),
		plain:  cell{js: "moon.png"},
	}, {
		name: "mention by the @ menu",
		do: func(s *scene) {
			s.first.run(`(document.querySelector(".composer textarea").focus(), true)`)
			s.first.insert("@jul")
			s.first.until(`document.querySelector(".completion li.active")?.textContent.includes("Juliet Capulet")`)
			s.first.key(kb.Tab)
			s.first.until(`document.querySelector(".composer textarea").value === "@Juliet Capulet "`)
			s.first.write("it is the east")
		},
		stanza: with("urn:xmpp:reference:0", "xmpp:"+juliet, "it is the east"),
		second: sees(`__row("it is the east").querySelector(".mention:not(.own)") !== null`),
		hers:   sees(`__row("it is the east").matches(".for-me") && __row("it is the east").querySelector(".mention.own") !== null`),
		reload: sees(`__row("it is the east").querySelector(".mention") !== null`),
		plain:  cell{js: "it is the east"},
		direct: "all that is said to one person is for that person",
	}}
}

const (
	styled = `["strong", "em", "del", "code"].every(e => document.querySelector(".list .message .body " + e) !== null)`
	inline = `(i => i?.complete && i.naturalWidth === 60)(document.querySelector(".list .message:not(.pending) .picture img"))`
)

func changingActs() []act {
	return []act{{
		name: "react",
		do: func(s *scene) {
			s.says("Too sudden")
			s.first.focus("Too sudden")
			s.first.until(`__row("Too sudden").querySelector(".tools") !== null`)
			s.first.run(`__press("React with 👍", __row("Too sudden"))`)
		},
		stanza: with("urn:xmpp:reactions:0", "👍"),
		second: sees(`__row("Too sudden").querySelector(".reaction.own")?.textContent.includes("👍")`),
		hers:   sees(`__row("Too sudden").querySelector(".reaction:not(.own)")?.textContent.includes("👍")`),
		reload: none("it is taken back below"),
		plain:  none("it is taken back below"),
	}, {
		name: "unreact",
		do: func(s *scene) {
			s.first.run(`__press("👍 from you", __row("Too sudden"))`)
		},
		stanza: func(s said) bool {
			return with("urn:xmpp:reactions:0")(s) && !strings.Contains(s.XML, "👍")
		},
		second: sees(`__row("Too sudden").querySelector(".reaction") === null`),
		hers:   sees(`__row("Too sudden").querySelector(".reaction") === null`),
		reload: sees(`__row("Too sudden").querySelector(".reaction") === null`),
		plain:  cell{js: "!👍"},
	}, {
		name: "edit",
		do: func(s *scene) {
			s.first.write("A rose by any name")
			s.first.until(`__row("A rose")?.matches(":not(.pending)")`)
			s.first.focus("A rose by any name")
			s.first.key("e")
			s.first.until(`document.querySelector(".composer.editing textarea")?.value === "A rose by any name" && ` + caretAtEnd)
			s.first.insert(" would smell as sweet")
			s.first.key(kb.Enter)
			s.first.until(`document.querySelector(".composer.editing") === null`)
		},
		stanza: with("urn:xmpp:message-correct:0", "A rose by any name would smell as sweet"),
		second: sees(`__rows("A rose by any name").length === 1 && __row("as sweet").querySelector(".edited") !== null`),
		hers:   sees(`__rows("A rose by any name").length === 1 && __row("as sweet").querySelector(".edited") !== null`),
		reload: sees(`__rows("A rose by any name").length === 1 && __row("as sweet").querySelector(".edited") !== null`),
		plain:  cell{js: "A rose by any name would smell as sweet"},
	}, {
		name: "take back",
		do: func(s *scene) {
			s.first.write("I take thee at thy word")
			s.first.until(`__row("I take thee")?.matches(":not(.pending)")`)
			s.hers.shows("I take thee")
			s.first.choose("I take thee", "Take back")
			s.first.until(`document.activeElement.matches("dialog .destroy")`)
			s.first.key(kb.Enter)
			s.first.until(`document.querySelector("dialog[open]") === null`)
		},
		stanza: with("urn:xmpp:message-retract:1"),
		second: sees(`__rows("I take thee").length === 0 && __rows("Romeo Montague took this message back").length === 1`),
		hers:   sees(`__rows("I take thee").length === 0 && __rows("Romeo Montague took this message back").length === 1`),
		reload: sees(`__rows("I take thee").length === 0 && __rows("Romeo Montague took this message back").length === 1`),
		plain:  cell{js: "!I take thee"},
	}, {
		name: "a moderator removes",
		do: func(s *scene) {
			s.says("A plague on both")
			s.first.choose("A plague on both", "Remove")
			s.first.until(`document.activeElement.matches("dialog input")`)
			s.first.insert("too harsh")
			s.first.key(kb.Enter)
			s.first.until(`document.querySelector("dialog[open]") === null`)
		},
		stanza: with("urn:xmpp:message-moderate:1", "too harsh"),
		second: sees(`__rows("A plague").length === 0 && __rows("Romeo Montague removed this message. Reason: too harsh").length === 1`),
		hers:   sees(`__rows("A plague").length === 0 && __rows("Romeo Montague removed this message. Reason: too harsh").length === 1`),
		reload: sees(`__rows("A plague").length === 0 && __rows("Romeo Montague removed this message. Reason: too harsh").length === 1`),
		plain:  cell{js: "(too harsh)"},
		direct: "there are no moderators of two people",
	}}
}

func otherActs() []act {
	return []act{{
		name: "theme from a message",
		do: func(s *scene) {
			s.says("Let us talk of graves")
			s.first.choose("Let us talk of graves", "Start a theme from this")
			s.first.until(`document.activeElement.matches("dialog input")`)
			s.first.insert("Epitaphs")
			s.first.until(`document.querySelector("dialog .primary:enabled") !== null`)
			s.first.key(kb.Enter)
			s.first.until(`document.querySelector(".conversation-head h2")?.textContent.includes("Epitaphs") && document.querySelector(".composer textarea")?.value.includes("Let us talk of graves")`)
			s.first.chat(s.place)
		},
		stanza: with("Epitaphs"),
		second: sees(`!!__tree("Epitaphs")`),
		hers:   sees(`!!__tree("Epitaphs")`),
		reload: sees(`!!__tree("Epitaphs")`),
		plain:  cell{js: "Epitaphs"},
		direct: groupThings,
	}, {
		name: "typing",
		do: func(s *scene) {
			s.first.run(`(document.querySelector(".composer textarea").focus(), true)`)
			s.first.insert("hm")
		},
		stanza: with("http://jabber.org/protocol/chatstates", "composing"),
		second: none(forOneself),
		hers:   sees(`document.querySelector(".typing").textContent.includes("Romeo Montague is writing")`),
		reload: none(passes),
		plain:  none(passes),
	}, {
		name: "typing no more",
		do: func(s *scene) {
			s.first.key("a", chromedp.ModifierCtrl)
			s.first.key(kb.Backspace)
			s.first.until(`document.querySelector(".composer textarea").value === ""`)
		},
		silent: "some clients are told that one is active, with the next message",
		second: none(forOneself),
		hers:   sees(`document.querySelector(".typing").textContent === ""`),
		reload: none(passes),
		plain:  none(passes),
	}, {
		name: "read mark",
		do: func(s *scene) {
			s.first.open("/chat/missed")
			s.second.open("/chat")
			s.client.raw(`<message type='` + s.kind + `' to='` + s.to + `' id='` + newID() + `'><body>Art thou gone so</body></message>`)
			s.second.untilf(unreadIn, s.nameOfPlace())
			s.first.chat(s.place)
		},
		stanza: func(m said) bool {
			// In a room nobody else is told.
			return m.Type == "groupchat" || with("urn:xmpp:chat-markers:0", "<displayed")(m)
		},
		second: sees(`document.querySelector(".tree .count") === null && document.querySelector(".way .count") === null`),
		hers:   none(nobodySees),
		reload: sees(`document.querySelector(".tree .count") === null`),
		plain:  none(notOnPlain),
	}, {
		name: "mark all read",
		do: func(s *scene) {
			s.first.open("/chat/missed")
			s.client.raw(`<message type='` + s.kind + `' to='` + s.to + `' id='` + newID() + `'><body>Parting is such</body></message>`)
			s.second.untilf(unreadIn, s.nameOfPlace())
			s.first.until(`[...document.querySelectorAll(".missed-card .snippet")].some(e => e.textContent.includes("Parting is such"))`)
			s.first.run(`__press("Mark all as read")`)
			s.first.until(`document.querySelector(".empty h2")?.textContent.includes("You have seen everything")`)
		},
		silent: "of a room nobody is told, and of a person the mark above is the same",
		second: sees(`document.querySelector(".tree .count") === null`),
		hers:   none(nobodySees),
		reload: sees(`document.querySelector(".tree .count") === null`),
		plain:  none(notOnPlain),
	}, {
		name: "direct conversation from New conversation",
		do: func(s *scene) {
			s.first.run(`__press("New", document.querySelector(".chat-side > header"))`)
			s.first.until(`document.querySelector("[role=menu]:popover-open") !== null`)
			s.first.run(`__press("New conversation", document.querySelector("[role=menu]:popover-open"))`)
			s.first.until(`document.activeElement.matches("dialog input")`)
			s.first.insert("capulet")
			s.first.until(`document.querySelector("dialog .picker-list li.active")?.textContent.includes("Juliet Capulet")`)
			s.first.key(kb.Enter)
			s.first.until(`document.querySelector(".composer textarea")?.placeholder === "Write to Juliet Capulet"`)
			s.first.write("A word with you")
		},
		stanza: func(m said) bool { return with("A word with you")(m) && m.Type == "chat" },
		second: sees(`!!__tree("Juliet Capulet")`),
		hers:   sees(`__tree("Romeo Montague")?.querySelector(".count")?.textContent.includes("1")`),
		reload: sees(`!!__tree("Juliet Capulet")`),
		plain:  none("conversations of two have no plain page"),
		direct: "this is how one begins",
	}, {
		name: "notifications level",
		do: func(s *scene) {
			s.first.chat(s.place)
			s.first.run(`__press("About", document.querySelector(".conversation-head"))`)
			s.first.until(`document.activeElement.matches(".about")`)
			s.first.run(`(e => { e.value = "none"; e.dispatchEvent(new Event("change", {bubbles: true})); return true })(document.getElementById("about-notify"))`)
		},
		silent: nobodySees,
		second: sees(`document.querySelector(".tree .muted-row") !== null`),
		hers:   none(nobodySees),
		reload: sees(`document.querySelector(".tree .muted-row") !== null`),
		plain:  none(notOnPlain),
		direct: "one is always told what a colleague says",
	}}
}

// unreadIn is true once a conversation of some name has something unread.
const unreadIn = `__tree(%s)?.querySelector(".count") !== null`

func (s *scene) nameOfPlace() string {
	if s.kind == "chat" {
		return "Juliet Capulet"
	}
	return "Balcony"
}
