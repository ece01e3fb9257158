package pages

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// In the chat, "/snippet" offers the saved replies of one's teams and puts one into the field, in a group and in a
// conversation of two; Ctrl+K finds the contacts that they share.
func TestSavedRepliesInTheChat(t *testing.T) {
	r, password := seeded(t)
	b := start(t, r, "en", "light")
	b.signInWith("alice", password)
	for _, path := range []string{"/chat/c/engineering@groups.example.org", "/chat/c/bob@example.org"} {
		b.open(path)
		b.until(`document.querySelector(".composer textarea") !== null`)
		b.keys(".composer textarea", "/snip")
		b.until(`document.querySelector(".completion")?.textContent.includes("/snippet")`)
		b.keys(".composer textarea", "\t")
		b.until(`[...document.querySelectorAll(".completion li")].some(e => e.textContent.includes("maintenance") && e.textContent.includes("Platform"))`)
		b.keys(".composer textarea", "serv")
		b.until(`document.querySelectorAll(".completion li").length === 1`)
		b.keys(".composer textarea", kb.Enter)
		b.until(`document.querySelector(".composer textarea").value.startsWith("We restart the servers tonight")`)
		b.until(`document.querySelector(".completion") === null`)
		b.keys(".composer textarea", kb.Enter)
		b.until(`document.querySelector(".composer textarea").value.trim() === ""`)
		b.until(`[...document.querySelectorAll("article.message")].some(e => e.textContent.includes("We restart the servers tonight"))`)
	}
	// A writer who is faster than the menu gets what fits the letters, and Enter sends what nothing fits.
	b.chat("engineering@groups.example.org")
	b.keys(".composer textarea", "@")
	b.until(`document.querySelectorAll(".completion li").length > 1`)
	b.keys(".composer textarea", "bob\t")
	b.until(`document.querySelector(".composer textarea").value === "@Bob Fischer "`)
	b.keys(".composer textarea", "or @")
	b.until(`document.querySelectorAll(".completion li").length > 1`)
	b.keys(".composer textarea", "nobody"+kb.Enter)
	b.until(`document.querySelector(".composer textarea").value === ""`)
	b.until(`[...document.querySelectorAll("article.message")].some(e => e.textContent.includes("@Bob Fischer or @nobody"))`)
	eval[bool](b, `document.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true}))`)
	b.until(`document.querySelectorAll(".jump [role=option]").length > 1`)
	b.keys(".jump input", "bob"+kb.Enter)
	b.until(`location.pathname === "/chat/c/bob%40example.org"`)
	eval[bool](b, `document.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true}))`)
	b.until(`document.querySelector(".jump input") !== null`)
	b.keys(".jump input", "hosting")
	b.until(`[...document.querySelectorAll(".jump [role=option]")].some(e => e.textContent.includes("Hosting, on call") && e.textContent.includes("noc@hosting.example"))`)
	b.keys(".jump input", kb.Enter)
	b.until(`location.pathname === "/chat/c/noc%40hosting.example"`)
	b.clean()
}
