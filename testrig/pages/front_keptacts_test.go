package pages

import (
	"strings"
)

// keptActs are what one does with a message so that it is found again.
func keptActs() []act {
	const (
		pinned = `__rows("Parting is such")[0].textContent.includes("Pinned for everyone")`
		saved  = `__row("Sweet sorrow").textContent.includes("Saved for later")`
	)
	return []act{{
		name: "save for later",
		do: func(s *scene) {
			s.says("Sweet sorrow")
			s.first.choose("Sweet sorrow", "Save for later")
		},
		silent: nobodySees,
		second: sees(saved),
		hers:   none(nobodySees),
		reload: sees(saved),
		plain:  none(notOnPlain),
	}, {
		name: "pin",
		do: func(s *scene) {
			s.says("Parting is such")
			s.first.choose("Parting is such", "Pin for everyone")
		},
		stanza: with("pinned a message", "Parting is such"),
		second: sees(pinned),
		hers:   sees(pinned),
		reload: sees(pinned),
		plain:  cell{js: "pinned a message"},
	}, {
		name: "forward",
		do: func(s *scene) {
			s.says("Come, gentle night")
			s.first.choose("Come, gentle night", "Forward")
			s.first.until(`document.querySelector("dialog[open] [role=combobox]") !== null`)
			to := "Juliet"
			if s.kind == "chat" {
				to = "Balcony"
			}
			s.first.insert(to)
			s.first.untilf(`document.querySelector("dialog[open] [role=option]")?.textContent.includes(%s)`, to)
			s.first.run(`(document.querySelector("dialog[open] [role=option]").click(), true)`)
			s.first.until(`document.querySelector("dialog[open] .picked li") !== null`)
			s.first.run(`__press("Forward", document.querySelector("dialog[open] footer"))`)
			s.first.until(`document.querySelector("dialog[open]") === null`)
		},
		stanza: func(m said) bool {
			return m.Event == "stanza" && strings.Contains(m.XML, "&gt; Come, gentle night")
		},
		second: none("it is in another conversation"),
		hers:   none("it is in another conversation"),
		reload: none("it is in another conversation"),
		plain:  none("it is in another conversation"),
	}}
}
