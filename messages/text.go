package messages

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/wire"
)

// maxRanges is how many ranges of a body are looked at.
const maxRanges = 50

// span is a part of a text, in code points; the end is the one after the last.
type span struct{ begin, end int }

// cutting is a body of which parts are taken away. Places in it are counted in code points, as XEP-0426 has it, and
// may be anything: they come from clients.
type cutting struct {
	body  string
	runes []rune // of the body, once something asks for a place
	cuts  []span // in order, apart from each other
}

func (c *cutting) letters() []rune {
	if c.runes == nil {
		c.runes = []rune(c.body)
	}
	return c.runes
}

// cut takes a part away and returns it.
func (c *cutting) cut(begin, end int) string {
	rs := c.letters()
	begin, end = max(begin, 0), min(end, len(rs))
	if begin >= end {
		return ""
	}
	c.cuts = append(c.cuts, span{begin, end})
	slices.SortFunc(c.cuts, func(a, b span) int { return cmp.Compare(a.begin, b.begin) })
	joined := c.cuts[:1]
	for _, s := range c.cuts[1:] {
		if last := &joined[len(joined)-1]; s.begin <= last.end {
			last.end = max(last.end, s.end)
		} else {
			joined = append(joined, s)
		}
	}
	c.cuts = joined
	return string(rs[begin:end])
}

// cutAll takes everything away.
func (c *cutting) cutAll() { c.cut(0, len(c.letters())) }

// restore puts everything back.
func (c *cutting) restore() { c.cuts = nil }

// kept gives the parts that are left.
func (c *cutting) kept() (all []span) {
	at := 0
	for _, s := range c.cuts {
		if s.begin > at {
			all = append(all, span{at, s.begin})
		}
		at = s.end
	}
	if n := len(c.letters()); n > at {
		all = append(all, span{at, n})
	}
	return all
}

// left gives the text that is left.
func (c *cutting) left() string {
	if len(c.cuts) == 0 {
		return c.body
	}
	var b strings.Builder
	for _, s := range c.kept() {
		b.WriteString(string(c.runes[s.begin:s.end]))
	}
	return b.String()
}

// trim takes away empty lines at both ends where something was cut, and a text of nothing but white space.
func (c *cutting) trim() {
	if strings.TrimSpace(c.left()) == "" {
		c.cutAll()
		return
	}
	if len(c.cuts) == 0 {
		return
	}
	for _, s := range c.kept() {
		i := s.begin
		for i < s.end && blank(c.runes[i]) {
			i++
		}
		c.cut(s.begin, i)
		if i < s.end {
			break
		}
	}
	for _, s := range slices.Backward(c.kept()) {
		i := s.end
		for i > s.begin && blank(c.runes[i-1]) {
			i--
		}
		c.cut(i, s.end)
		if i > s.begin {
			break
		}
	}
}

func blank(r rune) bool { return r == '\n' || r == '\r' || r == ' ' }

// begins says whether what is left begins with a text.
func (c *cutting) begins(with string) bool { return strings.HasPrefix(c.left(), with) }

// skip takes n code points away from the beginning of what is left.
func (c *cutting) skip(n int) {
	for _, s := range c.kept() {
		k := min(n, s.end-s.begin)
		c.cut(s.begin, s.begin+k)
		if n -= k; n == 0 {
			return
		}
	}
}

// place gives where a part of the body is in what is left; not ok if nothing of it is.
func (c *cutting) place(s span) (span, bool) {
	n := len(c.letters())
	s.begin, s.end = max(s.begin, 0), min(s.end, n)
	if s.begin >= s.end {
		return s, false
	}
	out := span{c.before(s.begin), c.before(s.end)}
	return out, out.begin < out.end
}

// before counts the code points that are left before a place in the body.
func (c *cutting) before(at int) int {
	n := at
	for _, s := range c.cuts {
		if s.begin >= at {
			break
		}
		n -= min(s.end, at) - s.begin
	}
	return n
}

// fallback is a part of the body that is there for clients that do not know something (XEP-0428).
type fallback struct {
	span
	all bool // the whole body
}

// fallbacks gives the parts of the body that are there for clients without a feature.
func fallbacks(st *wire.Stanza, feature string) (all []fallback) {
	for _, c := range st.Children {
		if c.Name.Space != nsFallback || c.Name.Local != "fallback" || len(all) >= maxRanges {
			continue
		}
		e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
		if err != nil || e.Attr("for") != feature {
			continue
		}
		parts := 0
		for _, b := range e.Elements() {
			if b.Name.Space != nsFallback {
				continue
			}
			if parts++; len(all) >= maxRanges {
				return all
			}
			if b.Name.Local == "body" {
				all = append(all, fallbackOf(b))
			}
		}
		if parts == 0 {
			all = append(all, fallback{all: true})
		}
	}
	return all
}

func fallbackOf(body *wire.Element) fallback {
	if body.Attr("start") == "" && body.Attr("end") == "" {
		return fallback{all: true}
	}
	return fallback{span: span{number(body.Attr("start")), number(body.Attr("end"))}}
}

// number reads a number that is not negative. It gives -1 for anything else.
func number(s string) int {
	if s == "" {
		return -1
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' || n > 1<<26 {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// shorten gives at most n code points of a text, the last one then an ellipsis.
func shorten(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count++; count == n {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}
