package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parley/acts"
	"parley/store"
	"parley/testrig"
)

// A message becomes a task by its menu; the card is ticked off, and the lists follow.
func TestFrontTasks(t *testing.T) {
	r := rig(t)
	b := start(t, r, "en", "light")
	b.signIn("romeo")
	shot := func(name string) {
		dir := os.Getenv("PARLEY_SHOTS")
		if dir == "" {
			return
		}
		png, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".png"), png.Data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.open("/chat/c/alice@" + testrig.Host)
	b.until(`document.querySelector(".composer textarea, textarea") !== null`)
	eval[bool](b, fmt.Sprintf(`fetch("/api/v1/conversations/alice@%s/messages", {method: "POST",
		headers: {"Content-Type": "application/json"}, body: JSON.stringify({text: "We need a ladder"})}), true`,
		testrig.Host))
	b.until(`[...document.querySelectorAll("article.message")].some(m => m.textContent.includes("We need a ladder"))`)

	// The menu of the message, by the keyboard.
	eval[bool](b, `(() => { const m = [...document.querySelectorAll("article.message")].find(m =>
		m.textContent.includes("We need a ladder")); m.focus();
		m.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})); return true })()`)
	b.until(`[...document.querySelectorAll("[role=menuitem]")].some(x => x.textContent.includes("Make a task of this"))`)
	eval[bool](b, `[...document.querySelectorAll("[role=menuitem]")].find(x =>
		x.textContent.includes("Make a task of this")).click(), true`)
	b.until(`document.querySelector("dialog[open] input[type=text]")?.value === "We need a ladder"`)
	eval[bool](b, fmt.Sprintf(`(() => { const set = (e, v, how) => { e.value = v;
		e.dispatchEvent(new Event(how, {bubbles: true})) };
		set(document.getElementById("task-for"), "alice@%s", "change");
		set(document.querySelector("dialog input[type=date]"), "2036-12-03", "input");
		set([...document.querySelectorAll("dialog input[type=text]")].at(-1), "https://tickets.example/7", "input");
		return true })()`, testrig.Host))
	shot("task-dialog")
	if faults := b.faults(); len(faults) > 0 {
		t.Error(faults)
	}
	b.until(`!document.querySelector("dialog[open] button.primary").disabled`)
	eval[bool](b, `document.querySelector("dialog[open] button.primary").click(), true`)
	b.until(`!document.querySelector("dialog[open]") && document.querySelector("article .task") !== null &&
		document.querySelector("article .task").textContent.includes("tickets.example/7")`)
	shot("task-card")

	// The details of the conversation list it; it is ticked off in the conversation.
	b.until(`document.querySelector("article .task .task-what").textContent === "We need a ladder"`)
	eval[bool](b, `document.querySelector("article .task-tick").click(), true`)
	b.until(`document.querySelector("article .task.done .task-tick").checked`)
	b.until(`[...document.querySelectorAll("article a")].some(a => a.textContent.includes("Done: We need a ladder"))`)

	b.open("/chat/tasks")
	b.until(`[...document.querySelectorAll(".task-choice button")].length === 3`)
	eval[bool](b, `[...document.querySelectorAll(".task-choice button")].at(-1).click(), true`)
	b.until(`document.querySelector(".task-list .task.done .task-what")?.textContent === "We need a ladder"`)
	shot("task-list")
	if faults := b.faults(); len(faults) > 0 {
		t.Error(faults)
	}
	b.clean()

	// In a group: from the details, for somebody who is picked.
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "engineering")
	if err != nil {
		t.Fatal(err)
	}
	m := []store.Member{{JID: "romeo@" + testrig.Host, Role: store.RoleMember}}
	if err := r.Node.Org.SetMembers(t.Context(), acts.Operator, testrig.Host, g.ID, m); err != nil {
		t.Fatal(err)
	}
	press := func(in, text string) {
		t.Helper()
		find := fmt.Sprintf(`[...document.querySelectorAll(%q)].find(x =>
			(x.getAttribute("aria-label") || x.textContent).includes(%q))`, in, text)
		b.until(find + ` !== undefined`)
		eval[bool](b, find+`.click(), true`)
	}
	b.open("/chat/c/" + g.Room + "@groups." + testrig.Host)
	press("main button", "About")
	press(".about button", "New task")
	b.until(`document.querySelector("dialog[open] input[type=text]") !== null`)
	eval[bool](b, `(() => { const e = document.querySelector("dialog[open] input[type=text]"); e.value = "Write the report";
		e.dispatchEvent(new Event("input", {bubbles: true})); return true })()`)
	press("dialog[open] button", "For whom")
	press("dialog[open] [role=option]", "Alice Martin")
	b.until(`document.querySelectorAll("dialog[open]").length === 1`)
	shot("task-group")
	press("dialog[open] button.primary", "Make the task")
	b.until(`document.querySelector(".about .task .task-what")?.textContent === "Write the report" &&
		document.querySelector(".about .task-facts").textContent.includes("Alice Martin")`)
	b.until(`document.querySelector("article .task .task-what")?.textContent === "Write the report"`)
	shot("task-about")
	if faults := b.faults(); len(faults) > 0 {
		t.Error(faults)
	}
	b.clean()
}
