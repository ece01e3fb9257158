package pages

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/acts"
	"parley/org"
	"parley/testrig"
	"parley/wire/jid"
)

// tabTo presses Tab until an element that a selector finds has the focus.
func (b *browser) tabTo(selector string, modifiers ...chromedp.Modifier) {
	b.t.Helper()
	var seen []string
	for range 80 {
		if eval[bool](b, scripted(`document.activeElement.matches(%s)`, selector)) {
			return
		}
		b.key(kb.Tab, modifiers...)
		seen = append(seen, eval[string](b, `document.activeElement.outerHTML.slice(0, 80)`))
	}
	b.t.Fatalf("Tab does not lead to %s, but to %q", selector, seen)
}

// arrowTo presses an arrow until an element that a selector finds has the focus.
func (b *browser) arrowTo(arrow, selector string) {
	b.t.Helper()
	for range 40 {
		if eval[bool](b, scripted(`document.activeElement.matches(%s)`, selector)) {
			return
		}
		b.key(arrow)
	}
	b.t.Fatalf("arrows do not lead to %s", selector)
}

// pick chooses a line of the open menu with arrows.
func (b *browser) pick(item string) {
	b.t.Helper()
	b.until(`document.activeElement.matches("[role=menu]:popover-open [role^=menuitem]")`)
	for range 20 {
		if eval[bool](b, scripted(`document.activeElement.textContent.trim().startsWith(%s)`, item)) {
			b.key(kb.Enter)
			return
		}
		b.key(kb.ArrowDown)
	}
	b.t.Fatalf("the menu has no %s: %s", item, eval[string](b, `document.querySelector("[role=menu]:popover-open").innerText`))
}

// caretAtEnd is true once the field is ready to go on writing in.
const caretAtEnd = inField + ` && document.activeElement.selectionStart === document.activeElement.value.length`

const inField = `document.activeElement.matches(".composer textarea")`

// Every act is reached without a mouse.
func TestFrontKeys(t *testing.T) {
	s := newStage(t)
	s.tells("Good pilgrim")
	b := chatter(t, s.Node.Addr("websocket").String(), "en", "light")
	b.signIn("romeo")
	b.open("/chat")
	b.until(`!!__tree("Balcony")`)

	// The tree: one stop of Tab, arrows inside, Enter opens, its menu by Shift+F10.
	b.tabTo(".tree [role=treeitem]")
	b.arrowTo(kb.ArrowDown, `[role=treeitem][data-key^="groups/"]`)
	b.key(kb.F10, chromedp.ModifierShift)
	b.pick("Notify of mentions only")
	b.until(`document.activeElement.matches("[role=treeitem]")`)
	b.key(kb.Enter)
	b.until(inField)
	b.write("I kiss thy hand")
	b.until(`__row("I kiss thy hand")?.matches(":not(.pending)")`)

	// The last message is edited from an empty field; Escape leaves.
	b.key(kb.ArrowUp)
	b.until(`document.querySelector(".composer.editing") !== null`)
	b.key(kb.Escape)
	b.until(`document.querySelector(".composer.editing") === null && ` + inField)

	// Messages: one stop of Tab, arrows inside, letters and a menu for the acts.
	b.tabTo("[data-row]", chromedp.ModifierShift)
	b.key(kb.ArrowUp)
	b.until(`document.activeElement === __row("Good pilgrim")`)
	b.key(kb.Enter)
	b.until(`document.activeElement.matches("[role=menu]:popover-open [role^=menuitem]")`)
	menu := eval[[]string](b, `[...document.querySelectorAll("[role=menu]:popover-open [role^=menuitem]")].map(e => e.textContent.trim())`)
	for i, want := range []string{
		"Add a reaction", "Reply", "Forward", "Copy the text", "Copy the link", "Save for later",
		"Remind me about this", "Mark as unread from here", "Pin for everyone", "Start a theme from this",
		"Make a task of this", "Report", "Remove",
	} {
		if i >= len(menu) || menu[i] != want {
			t.Fatalf("the menu of a message has %q", menu)
		}
	}
	b.key(kb.Escape)
	b.until(`document.activeElement === __row("Good pilgrim")`)
	b.key("r")
	b.until(`document.querySelector(".composer-bar") !== null && ` + inField)
	b.key(kb.Escape)
	b.until(`document.querySelector(".composer-bar") === null`)
	b.tabTo("[data-row]", chromedp.ModifierShift)
	b.arrowTo(kb.ArrowUp, `[data-row]:has(+ .new-line), [data-row][aria-label*="Good pilgrim"]`)
	b.key("+")
	b.until(`document.activeElement.matches(".emoji-picker input")`)
	b.insert("rose")
	b.until(`document.querySelector(".emoji-foot").textContent.includes("rose")`)
	b.key(kb.Enter)
	b.until(`__row("Good pilgrim").querySelector(".reaction.own") !== null`)

	// One's own: edited, taken back.
	b.focus("I kiss thy hand")
	b.key("e")
	b.until(`document.querySelector(".composer.editing textarea")?.value === "I kiss thy hand" && ` + caretAtEnd)
	b.insert(", too")
	b.key(kb.Enter)
	b.until(`__row("I kiss thy hand, too")?.querySelector(".edited") !== null`)
	b.tabTo("[data-row]", chromedp.ModifierShift)
	b.arrowTo(kb.ArrowDown, `[data-row][aria-label*="I kiss thy hand"]`)
	b.key(kb.Delete)
	b.until(`document.activeElement.matches("dialog .destroy")`)
	b.key(kb.Enter)
	b.until(`__rows("Romeo Montague took this message back").length === 1 && document.querySelector("dialog[open]") === null`)

	// The tools of the field.
	b.run(`(document.querySelector(".composer textarea").focus(), true)`)
	for _, tool := range []string{"Bold", "Mention somebody", "Emoji", "Add files", "Preview", "Sending"} {
		b.tabTo(`.composer-tools button:is([aria-label="` + tool + `"], [title="` + tool + `"])`)
	}

	// The details, where one chooses what one is told of, and leaves.
	b.key("i", chromedp.ModifierCtrl)
	b.until(`document.activeElement.matches(".about")`)
	b.tabTo("#about-notify")
	b.tabTo(".member-list button")
	b.tabTo(`.about a[href$="/settings"]`)
	b.tabTo(`.about .side-list button`)
	b.key(kb.Escape)
	b.until(`document.querySelector(".about") === null`)

	// Anywhere.
	b.key("k", chromedp.ModifierCtrl)
	b.until(`document.activeElement.matches("dialog.jump input")`)
	b.insert("juliet")
	b.until(`document.querySelector("dialog.jump li.active")?.textContent.includes("Juliet Capulet")`)
	b.key(kb.Enter)
	b.until(`document.querySelector(".composer textarea")?.placeholder === "Write to Juliet Capulet" && ` + inField)
	s.tells("Saints do not move")
	b.until(`__tree("Balcony").querySelector(".count") !== null`)
	b.key(kb.ArrowDown, chromedp.ModifierAlt)
	b.until(`document.querySelector(".composer textarea")?.placeholder === "Write to Balcony"`)
	b.tabTo(`.chat-side > header [aria-haspopup=menu]`)
	b.key(kb.Enter)
	b.pick("New group")
	b.until(`document.activeElement.matches("dialog input")`)
	b.key(kb.Escape)
	b.until(`document.querySelector("dialog[open]") === null && document.activeElement.matches(".chat-side > header button")`)
	b.tabTo(".whoami")
	b.key(kb.Enter)
	b.pick("Set a status")
	b.until(`document.activeElement.matches("dialog input")`)
	b.key(kb.Escape)
	b.until(`document.querySelector("dialog[open]") === null`)
	b.key("?")
	b.until(`document.querySelector("dialog .keys") !== null`)
	b.key(kb.Escape)
	b.until(`document.querySelector("dialog[open]") === null`)
	b.clean()
}

// Axe finds nothing that is serious or moderate in any state, in light and dark, on a telephone as on a wide window;
// nothing is wider than the window.
func TestFrontAxe(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			s := newStage(t, "benvolio")
			s.fill()
			lang := map[string]string{"light": "en", "dark": "fr"}[scheme]
			b := chatter(t, s.Node.Addr("websocket").String(), lang, scheme)
			nobody := b.somebody()
			nobody.signIn("benvolio")
			nobody.open("/chat")
			nobody.until(`document.querySelector(".chat-content .empty") !== null`)
			nobody.examine("empty")
			b.signIn("romeo")
			for _, wide := range []int64{1280, 360} {
				b.size(wide)
				b.states(s, fmt.Sprint(wide, " px: "))
				if w := eval[int64](b, `document.documentElement.scrollWidth`); w > wide {
					t.Errorf("%d px: %d wide", wide, w)
				}
			}
		})
	}
}

// examine fails the test for what axe finds, and for what the page has done wrong.
func (b *browser) examine(state string) {
	b.t.Helper()
	for _, f := range b.findings("moderate", "serious", "critical") {
		b.t.Errorf("%s: %s", state, f)
	}
	b.clean()
}

// fill puts messages of many kinds into the group, and a theme that is closed.
func (s *stage) fill() {
	s.t.Helper()
	for _, text := range []string{
		"*bold* and `code`", "```\nfor {\n}\n```", "> quoted\nanswered", "https://example.org/", "👍",
	} {
		s.tells(text)
	}
	for _, name := range []string{"Masque", "Crypt"} {
		if _, err := s.Node.Org.CreateTheme(s.t.Context(), acts.System, testrig.Host, s.group.ID,
			org.NewTheme{Name: name, Creator: jid.MustParse(romeo)}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// states leads the chat through its states, and has each examined.
func (b *browser) states(s *stage, at string) {
	b.t.Helper()
	b.open("/chat")
	b.until(`!!__tree("Balcony")`)
	b.examine(at + "tree")
	b.open("/chat/c/" + s.room)
	b.until(`!!__row("👍") && document.querySelector(".composer textarea") !== null`)
	b.run(`__row("👍").focus(), true`)
	b.examine(at + "conversation")
	b.key("r")
	b.until(`document.querySelector(".composer-bar") !== null`)
	b.insert("@")
	b.until(`document.querySelector(".completion li") !== null`)
	b.examine(at + "composer with a menu")
	b.key(kb.Escape)
	b.key(kb.Backspace)
	b.key(kb.Escape)
	b.until(`document.querySelector(".composer-bar") === null && document.querySelector(".completion") === null`)
	b.run(`__row("👍").focus(), true`)
	b.key(kb.Enter)
	b.until(`document.querySelector("[role=menu]:popover-open") !== null`)
	b.examine(at + "menu open")
	b.key(kb.Escape)
	b.key("+")
	b.until(`document.querySelector(".emoji-picker:popover-open") !== null`)
	b.examine(at + "emoji")
	b.key(kb.Escape)
	b.until(`document.querySelector(".emoji-picker") === null`)
	b.run(`document.querySelector(".conversation-head [aria-pressed]").click(), true`)
	b.until(`document.querySelector(".about .member-list li") !== null`)
	b.examine(at + "details")
	b.run(`document.querySelector(".about-head button").click(), true`)
	b.until(`document.querySelector(".about") === null`)
	b.dialogs(at)
	b.open("/chat/missed")
	b.until(`document.querySelector(".page-head") !== null && document.querySelector(".tree") !== null`)
	b.examine(at + "missed activity")
	b.open("/chat/search?q=quoted")
	b.until(`document.querySelector(".hits .snippet, .chat-content .empty") !== null`)
	b.examine(at + "search")
}

// dialogs opens each dialog.
func (b *browser) dialogs(at string) {
	b.t.Helper()
	closed := `document.querySelector("dialog[open]") === null`
	b.key("k", chromedp.ModifierCtrl)
	b.until(`document.querySelector("dialog.jump li") !== null`)
	b.examine(at + "going to")
	b.key(kb.Escape)
	b.until(closed)
	b.run(`__row("👍").focus(), true`)
	b.key("?")
	b.until(`document.querySelector("dialog .keys") !== null`)
	b.examine(at + "keys")
	b.key(kb.Escape)
	b.until(closed)
	b.run(`__row("👍").focus(), true`)
	b.key(kb.Delete)
	b.until(`document.querySelector("dialog .destroy") !== null`)
	b.examine(at + "removing")
	b.key(kb.Escape)
	b.until(closed)
	if eval[bool](b, `document.querySelector(".chat-side").checkVisibility()`) {
		for i, what := range []string{"new conversation", "new group"} {
			b.run(`document.querySelector(".chat-side > header [aria-haspopup=menu]").click(), true`)
			b.until(`document.querySelector("[role=menu]:popover-open") !== null`)
			b.run(`document.querySelectorAll("[role=menu]:popover-open [role=menuitem]")[%v].click(), true`, i)
			b.until(`document.querySelector("dialog[open] .picker-list li") !== null`)
			b.examine(at + what)
			b.key(kb.Escape)
			b.until(closed)
		}
	}
}
