package pages

import (
	"os"
	"testing"

	"parley/acts"
	"parley/store"
	"parley/testrig"
)

// What one does with a message by its menu: mark as unread, save, pin, forward, show versions, report.
func TestFrontMarks(t *testing.T) {
	r := rig(t)
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "engineering")
	if err != nil {
		t.Fatal(err)
	}
	m := []store.Member{{JID: "romeo@" + testrig.Host, Role: store.RoleOwner}}
	if err := r.Node.Org.SetMembers(t.Context(), acts.Operator, testrig.Host, g.ID, m); err != nil {
		t.Fatal(err)
	}
	b := chatter(t, r.Node.Addr("websocket").String(), "en", "light")
	b.signIn("romeo")
	room := g.Room + "@groups." + testrig.Host
	b.chat(room)
	for _, text := range []string{"One for the road", "Two households", "Three civil swords"} {
		b.write(text)
		b.shows(text)
	}
	b.untilf(`__row(%s).dataset.id.length === 13`, "Three civil swords")
	shot := func(name string) {
		if dir := os.Getenv("PARLEY_SHOTS"); dir != "" {
			b.shot(dir, "marks-"+name)
		}
	}
	act := func(text, what string) {
		t.Helper()
		b.run(`(m => { m.focus(); m.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true,
			cancelable: true})); return true })(__rows(%s)[0])`, text)
		b.untilf(`[...document.querySelectorAll("[role=menuitem]")].some(x => x.textContent.includes(%s))`, what)
		b.run(`([...document.querySelectorAll("[role=menuitem]")].find(x => x.textContent.includes(%s)).click(), true)`, what)
	}
	act("Two households", "Save for later")
	b.untilf(`__rows(%s)[0].textContent.includes("Saved for later")`, "Two households")
	act("Two households", "Pin for everyone")
	b.untilf(`__rows(%s)[0].textContent.includes("Pinned for everyone")`, "Two households")
	b.shows("pinned a message")
	b.run(`(__rows(%s)[0].querySelector(".marks button").click(), true)`, "Two households")
	b.until(`document.querySelector(".about .pin-list .snippet")?.textContent.includes("Two households")`)
	shot("pinned")
	b.run(`__press("Close", document.querySelector(".about"))`)

	act("Two households", "Mark as unread from here")
	b.until(`document.querySelector(".new-line + .message").textContent.includes("Two households")`)
	b.untilf(`__tree(%s).textContent.includes("3")`, g.Name)
	shot("unread")

	act("One for the road", "Forward")
	b.until(`document.querySelector("dialog[open] [role=combobox]") !== null`)
	b.insert("alice")
	b.until(`document.querySelector("dialog[open] [role=option]")?.textContent.includes("Alice")`)
	b.run(`(document.querySelector("dialog[open] [role=option]").click(), true)`)
	b.until(`document.querySelector("dialog[open] .picked li") !== null`)
	shot("forward")
	b.run(`__press("Forward", document.querySelector("dialog[open] footer"))`)
	b.until(`document.querySelector("dialog[open]") === null`)
	b.chat("alice@" + testrig.Host)
	b.shows("One for the road")
	shot("forwarded")

	b.open("/chat/saved")
	b.until(`document.querySelector(".saved-entry")?.textContent.includes("Two households")`)
	shot("saved")
	b.run(`__press("Remove from saved messages", document.querySelector(".saved-entry"))`)
	b.until(`document.querySelector(".saved-entry") === null && document.querySelector(".empty") !== null`)
	if faults := b.faults(); len(faults) > 0 {
		t.Error(faults)
	}
	b.clean()
}
