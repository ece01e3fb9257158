package messages

import (
	"regexp"
	"strings"

	"parley/wire"
	"parley/wire/jid"
)

// Opens is the room that a message hands over, such as the room of a new theme. The addresses are not in the text:
// doors show them as a way to the room.
type Opens struct {
	Room string // the bare address
	Page string // the path of its page on this site, such as "/g/verona/t/abc"; "" if the message has none
}

// themePage is the address of a theme's page at the end of a text, for whoever has no client for the room.
var themePage = regexp.MustCompile(` https?://[^\s/]+(?:/[^\s/]+)*?(/g/[\w.%-]+/t/[\w.%-]+)$`)

// opens reads which room a message hands over: its text ends with the address of the room that XEP-0066 names, too,
// maybe behind that of the theme's page.
func opens(st *wire.Stanza, text string) (rest string, o *Opens) {
	at := strings.LastIndex(text, " xmpp:")
	if at < 0 || !strings.HasSuffix(text, "?join") || strings.Contains(text, "\n") || !names(st, text[at+1:]) {
		return text, nil
	}
	rest = text[:at]
	room, err := jid.Parse(strings.TrimSuffix(text[at+len(" xmpp:"):], "?join"))
	if err != nil || room.Local() == "" || !room.IsBare() {
		return text, nil
	}
	o = &Opens{Room: room.String()}
	if m := themePage.FindStringSubmatch(rest); m != nil {
		rest, o.Page = strings.TrimSuffix(rest, m[0]), m[1]
	}
	if rest = strings.TrimSuffix(strings.TrimSpace(rest), ":"); rest == "" {
		return text, nil
	}
	return rest, o
}

// names says whether a message has an address out of band (XEP-0066).
func names(st *wire.Stanza, uri string) bool {
	looked := 0
	for _, c := range st.Children {
		if c.Name.Space != wire.NSOOB || c.Name.Local != "x" || looked >= maxFiles {
			continue
		}
		looked++
		if e := parse(st, c); e.ChildText(wire.NSOOB, "url") == uri {
			return true
		}
	}
	return false
}
