package pages

import (
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// Somebody writes to two colleagues at once, finds them again in the tree, gives the conversation a name and adds
// somebody.
func TestFrontSeveral(t *testing.T) {
	r := rig(t)
	b := start(t, r, "en", "light")
	b.signIn("romeo")
	shot := func(name string) {
		if dir := os.Getenv("PARLEY_SHOTS"); dir != "" {
			b.shot(dir, name)
		}
	}
	press := func(in, text string) {
		t.Helper()
		find := fmt.Sprintf(`[...document.querySelectorAll(%q)].find(x =>
			(x.getAttribute("aria-label") || x.textContent).trim() === %q)`, in, text)
		b.until(find + ` !== undefined`)
		eval[bool](b, find+`.click(), true`)
	}
	fill := func(field, text string) {
		t.Helper()
		b.until(fmt.Sprintf(`document.querySelector(%q) !== null`, field))
		eval[bool](b, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.focus(); e.value = %q;
			e.dispatchEvent(new Event("input", {bubbles: true})); return true })()`, field, text))
	}
	pick := func(name string) {
		t.Helper()
		fill("dialog[open] input[type=search]", name)
		b.untilf(`document.querySelector("dialog[open] .picker-list li.active b:not(.avatar)")?.textContent === %s`, name)
		b.key(kb.Enter)
		b.untilf(`[...document.querySelectorAll("dialog[open] .picked li")].some(x => x.textContent === %s)`, name)
	}
	b.open("/chat")
	press(".chat-side > header button", "New")
	press("[role=menuitem]", "New conversation")
	press("dialog[open] button", "To several people")
	pick("Alice Martin")
	pick("Bob Fischer")
	shot("several-dialog")
	if faults := b.faults(); len(faults) > 0 {
		t.Error(faults)
	}
	press("dialog[open] button.primary", "Write")
	b.until(`document.querySelector(".conversation-head h2")?.textContent === "Alice Martin, Bob Fischer" &&
		document.querySelector(".conversation-head .members").textContent === "3"`)
	eval[bool](b, `fetch("/api/v1/conversations/" + location.pathname.split("/").at(-1) + "/messages", {method: "POST",
		headers: {"Content-Type": "application/json"}, body: JSON.stringify({text: "Lunch?"})}), true`)
	b.until(`[...document.querySelectorAll("article.message")].some(m => m.textContent.includes("Lunch?"))`)
	b.until(`document.querySelector("[data-key^='direct/'] .faces + .name")?.textContent ===
		"Alice Martin, Bob Fischer"`)

	press(".conversation-head button", "About")
	fill(".about .several-name input", "Lunch club")
	press(".about .several-name button", "Save")
	b.until(`document.querySelector(".conversation-head h2").textContent === "Lunch club" &&
		document.querySelector(".conversation-head p").textContent === "Alice Martin, Bob Fischer"`)
	press(".about button", "Add people")
	pick("Carol Rossi")
	press("dialog[open] button.primary", "Add")
	b.until(`document.querySelectorAll(".about .member-list li").length === 4`)
	shot("several-about")
	if faults := b.faults(); len(faults) > 0 {
		t.Error(faults)
	}

	// A new group with a whole department.
	press(".chat-side > header button", "New")
	press("[role=menuitem]", "New group")
	b.until(`document.querySelector("dialog[open] select option[value='department/Engineering']") !== null`)
	eval[bool](b, `(() => { const e = document.querySelector("dialog[open] select");
		e.value = "department/Engineering"; e.dispatchEvent(new Event("change", {bubbles: true})); return true })()`)
	b.until(`[...document.querySelectorAll("dialog[open] .picker-list li b:not(.avatar)")]
		.map(x => x.textContent).join() === "Alice Martin,Bob Fischer"`)
	press("dialog[open] button", "Select all that are listed")
	b.until(`document.querySelectorAll("dialog[open] .picked li").length === 2`)
	shot("several-group")
	if faults := b.faults(); len(faults) > 0 {
		t.Error(faults)
	}
	b.clean()
}
