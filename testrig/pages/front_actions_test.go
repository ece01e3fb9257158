package pages

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"parley/config"
	"parley/people"
	"parley/testrig"
)

// ticketing is a program that counts tickets at /count and makes them elsewhere, unless it fails.
type ticketing struct{ fails atomic.Bool }

func (p *ticketing) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	switch {
	case q.URL.Path == "/count":
		_, _ = io.WriteString(w, `{"text":"You have *3* tickets","link":"https://tickets.example/mine"}`)
	case p.fails.Load():
		w.WriteHeader(http.StatusInternalServerError)
	case strings.Contains(string(body), `"comment":"before noon"`):
		_, _ = io.WriteString(w, `{"text":"Ticket #7","link":"https://tickets.example/7","visible":"conversation"}`)
	}
}

// Programs are asked from the menu of a message: with a comment, which stays where the program fails, and without one.
func TestFrontActions(t *testing.T) {
	p := new(ticketing)
	p.fails.Store(true)
	program := httptest.NewServer(p)
	defer program.Close()
	r := testrig.Start(t, func(c *config.Config) {
		c.Web.URL = base
		c.Webhooks.Allow = []string{"127.0.0.0/8"}
	})
	r.Account("!romeo", "juliet")
	define := func(name, path, icon string, comment bool) {
		t.Helper()
		url := program.URL + path
		if _, err := r.Node.People(testrig.Host).CreateAction(t.Context(), people.System,
			people.ActionChange{Name: &name, URL: &url, Icon: &icon, Comment: &comment}); err != nil {
			t.Fatal(err)
		}
	}
	define("Create a ticket", "/new", "ticket", true)
	define("My tickets", "/count", "chart-column", false)

	b := start(t, r, "en", "light")
	dir := os.Getenv("PARLEY_SHOTS")
	shot := func(name string) {
		if dir != "" {
			b.shot(dir, name)
		}
	}
	b.watched()
	b.signIn("romeo")
	b.chat(juliet)
	b.run(`(fetch("/api/v1/conversations/" + encodeURIComponent(%s) + "/messages", {method: "POST",
		headers: {"Content-Type": "application/json"}, body: JSON.stringify({text: "We need a ladder"})}), true)`, juliet)
	b.choose("We need a ladder", "My tickets")
	b.until(`document.querySelector(".notice strong")?.textContent === "3" &&
		document.querySelector(".notice a")?.href === "https://tickets.example/mine"`)
	shot("action-notice")

	b.choose("We need a ladder", "Create a ticket")
	b.until(`document.activeElement.matches("dialog[open] textarea")`)
	b.insert("before noon")
	b.run(`__press("Send", document.querySelector("dialog[open]"))`)
	b.until(`document.querySelector("dialog[open] [role=alert]")?.textContent.includes("error (500)")`)
	b.examine("an action that failed")
	shot("action-dialog")
	b.key(kb.Escape)
	b.until(`document.querySelector("dialog[open]") === null`)
	p.fails.Store(false)
	b.focus("We need a ladder")
	b.key(kb.Enter)
	b.until(`document.querySelector("[role=menu]:popover-open") !== null`)
	shot("action-menu")
	b.run(`__press("Create a ticket", document.querySelector("[role=menu]:popover-open"))`)
	b.until(`document.querySelector("dialog[open] textarea")?.value === "before noon"`)
	b.run(`__press("Send", document.querySelector("dialog[open]"))`)
	b.until(`document.querySelector("dialog[open]") === null`)
	b.shows("Create a ticket: Ticket #7")
	shot("action-answer")
	if dir != "" {
		b.size(360)
		shot("action-phone")
	}
	b.clean()
}
