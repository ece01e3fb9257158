package messages

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/wire"
)

// Namespaces of descriptions of links (XEP-0511).
const (
	nsRDF       = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	nsOpenGraph = "https://ogp.me/ns#"
)

// Limits of a description, in characters, and of how many of a message's are looked at.
const (
	maxPreview  = 300
	maxSite     = 100
	maxPreviews = 5
)

// Preview describes a page that a message links to, as the message's sender says.
type Preview struct {
	Address     string // as it is in the text
	Title       string
	Description string
	Site        string // the name of the website
}

// NewPreview makes a Preview of what a page, or a sender, says of itself: one line each, within limits, without
// characters that are not seen or that turn a text around. ok is false without a title or an address of the web.
func NewPreview(address, title, description, site string) (p Preview, ok bool) {
	address, ok = webAddress(address)
	p = Preview{
		Address:     address,
		Title:       oneLine(title, maxPreview),
		Description: oneLine(description, maxPreview),
		Site:        oneLine(site, maxSite),
	}
	if p.Description == p.Title {
		p.Description = ""
	}
	return p, ok && p.Title != ""
}

// Element gives the preview as it is sent (XEP-0511).
func (p Preview) Element() *wire.Element {
	e := wire.E(nsRDF, "Description")
	e.Attrs = append(e.Attrs, wire.Attr{Name: wire.Name{Space: nsRDF, Local: "about"}, Value: p.Address})
	for _, x := range []struct{ name, value string }{
		{"title", p.Title}, {"description", p.Description}, {"url", p.Address}, {"site_name", p.Site},
	} {
		if x.value != "" {
			e.Add(wire.T(nsOpenGraph, x.name, x.value))
		}
	}
	return e
}

// preview reads the first description of a link that is in the text: of others nobody could say what they describe.
// Pictures are left out: to load them would tell strangers who reads.
func preview(st *wire.Stanza, text string) *Preview {
	seen := 0
	for _, c := range st.Children {
		if c.Name.Space != nsRDF || c.Name.Local != "Description" {
			continue
		}
		if seen++; seen > maxPreviews {
			return nil
		}
		e := parse(st, c)
		about := ""
		if e != nil {
			for _, a := range e.Attrs {
				if a.Name == (wire.Name{Space: nsRDF, Local: "about"}) {
					about = a.Value
				}
			}
		}
		p, ok := NewPreview(about, e.ChildText(nsOpenGraph, "title"), e.ChildText(nsOpenGraph, "description"),
			e.ChildText(nsOpenGraph, "site_name"))
		if ok && HasAddress(text, p.Address) {
			return &p
		}
	}
	return nil
}

// HasAddress says whether a text has an address that ends where a word ends.
func HasAddress(text, address string) bool {
	for {
		_, rest, found := strings.Cut(text, address)
		if !found || address == "" {
			return false
		}
		next, _ := utf8.DecodeRuneInString(rest)
		if rest == "" || unicode.IsSpace(next) || strings.ContainsRune(".,;:!?)]}<>|\"'*_~`»”’…", next) {
			return true
		}
		text = rest
	}
}

// oneLine gives a text as one line of at most n characters.
func oneLine(s string, n int) string {
	if len(s) > 16*n { // nothing of what is beyond is shown
		s = strings.ToValidUTF8(s[:16*n], "")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == utf8.RuneError, turns(r):
			return -1
		}
		return r
	}, s)
	return shorten(strings.Join(strings.Fields(s), " "), n)
}

// turns says whether a character changes the direction of the text after it, or is invisible between letters.
func turns(r rune) bool {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r >= 0xE0000 && r <= 0xE007F:
		return true
	}
	return strings.ContainsRune("\u061c\u200b\u200e\u200f\u2060\ufeff\u00ad", r)
}
