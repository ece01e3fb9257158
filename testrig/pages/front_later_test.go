package pages

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// What is written is sent later by the menu beside Send, and a message is remembered by its menu; a draft and a
// favourite are there in another browser.
func TestFrontLater(t *testing.T) {
	s := newStage(t)
	b := chatter(t, s.Node.Addr("websocket").String(), "en", "light")
	b.signIn("romeo")
	b.chat(juliet)
	press := func(b *browser, button, item string) {
		t.Helper()
		b.run(`__press(%s)`, button)
		b.until(`document.querySelector("[role=menu]:popover-open") !== null`)
		b.run(`__press(%s, document.querySelector("[role=menu]:popover-open"))`, item)
	}
	b.insert("Good morning")
	press(b, "Sending", "Send later: Tomorrow morning")
	b.until(`document.querySelector(".later-banner")?.textContent.startsWith("A message will be sent tomorrow at") &&
		document.querySelector(".composer textarea").value === ""`)
	b.write("We need a ladder")
	b.choose("We need a ladder", "Remind me about this")
	b.until(`document.querySelector("[role=menu]:popover-open")?.textContent.includes("In an hour")`)
	b.run(`__press("In an hour", document.querySelector("[role=menu]:popover-open"))`)
	b.write("/remind tomorrow 9:00 to call Juliet")
	b.write("/status in a meeting until 23:59")
	b.until(`document.querySelector(".whoami small").textContent.includes("in a meeting until")`)

	b.open("/chat/scheduled")
	b.until(`document.querySelectorAll(".later-list .later").length === 3`)
	if faults := b.faults(); len(faults) > 0 {
		t.Error(faults)
	}
	b.run(`__press("Edit")`)
	b.until(`document.querySelector("dialog textarea")?.value === "Good morning"`)
	b.insert(", Juliet")
	b.until(`document.querySelector("dialog textarea").value.includes(", Juliet")`)
	if faults := b.faults(); len(faults) > 0 {
		t.Error(faults)
	}
	b.run(`(e => { e?.click(); return !!e })(document.querySelector("dialog button.primary"))`)
	b.until(`document.querySelector("dialog") === null`)
	b.run(`__press("Send now")`)
	b.until(`document.querySelectorAll(".later-list .later").length === 2`)

	other := b.somebody()
	other.signIn("romeo")
	other.open("/chat/scheduled")
	other.until(`document.querySelector(".tree .row .name") !== null`)
	b.chat(juliet)
	b.shows("Good morning, Juliet")
	b.insert("Half a thought")
	b.run(`(e => { e?.dispatchEvent(new MouseEvent("contextmenu", {bubbles: true, cancelable: true, clientX: 9, clientY: 9}));
		return !!e })(document.querySelector(".tree .row[aria-current]"))`)
	b.until(`document.querySelector("[role=menu]:popover-open") !== null`)
	b.run(`__press("Add to favourites", document.querySelector("[role=menu]:popover-open"))`)
	other.until(`document.querySelector(".tree .draft") !== null`)
	other.until(`[...document.querySelectorAll(".tree [role=treeitem]")][0]?.textContent.includes("Favourites")`)
	other.chat(juliet)
	other.until(`document.querySelector(".composer textarea").value === "Half a thought"`)
	other.key(kb.Enter)
	other.shows("Half a thought")
	b.clean()
	other.clean()
}
