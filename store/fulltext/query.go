package fulltext

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Query is a parsed search: a message must have all of its parts.
type Query struct{ parts []part }

// part is a sequence of words; with prefix the last word may be the beginning of one.
type part struct {
	words  []string
	prefix bool
}

// Limits of a query.
const (
	MaxText       = 1024 // bytes
	maxQueryWords = 16
)

// ErrTooMuch is returned by Parse for a text of more than MaxText bytes or 16 words.
var ErrTooMuch = errors.New("fulltext: too much is asked for")

// Parse reads a search as a person types it: words that must all occur, in any order, and "words in quotes" that must
// follow each other, as must those of one piece like e-mail or example.org. The last word, unless quoted, and a word
// with a * behind it stand for every word that begins with it. ErrTooMuch if it is too long.
func Parse(text string) (Query, error) {
	var q Query
	if len(text) > MaxText {
		return q, ErrTooMuch
	}
	quoted := false
	n := 0
	for _, piece := range strings.Split(quotes.Replace(text), `"`) {
		var pieces []string
		if quoted {
			pieces = []string{piece}
		} else {
			pieces = strings.Fields(piece)
		}
		for _, s := range pieces {
			p := part{words: split(nil, s, maxQueryWords+1)}
			if n += len(p.words); n > maxQueryWords {
				return Query{}, ErrTooMuch
			}
			if len(p.words) > 0 {
				last := p.words[len(p.words)-1]
				p.prefix = !quoted && strings.HasSuffix(s, "*") && enough(last)
				q.parts = append(q.parts, p)
			}
		}
		quoted = !quoted
	}
	// After an even number of quotes the text ends outside of them: the last part is not quoted.
	if n := len(q.parts); n > 0 && quoted && endsInWord(text) {
		last := &q.parts[n-1]
		last.prefix = last.prefix || enough(last.words[len(last.words)-1])
	}
	return q, nil
}

var quotes = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`)

// enough says whether a word may stand for all words that begin with it: a single Latin letter would match half of all
// words, but a single character may be a word in other scripts.
func enough(word string) bool {
	return len(word) >= 2 && (utf8.RuneCountInString(word) >= 2 || word[0] >= utf8.RuneSelf)
}

func endsInWord(text string) bool {
	r, _ := utf8.DecodeLastRuneInString(text)
	return isWord(r) || unicode.Is(unicode.M, r)
}

// MatchStanza says whether an archived message has the query's words. It does not parse most messages without them:
// their bytes do not contain the words.
func (q Query) MatchStanza(stanza []byte) bool {
	return q.among(stanza) && q.Match(Words(stanza))
}

// among gives false only if a word cannot be in the message. Text that is not plain ASCII may be written in any way, so
// it gives true.
func (q Query) among(stanza []byte) bool {
	var buf [2048]byte
	lower := append(buf[:0], stanza...)
	for i, c := range lower {
		switch {
		case c >= utf8.RuneSelf:
			return true
		case 'A' <= c && c <= 'Z':
			lower[i] = c + 'a' - 'A'
		}
	}
	if bytes.Contains(lower, []byte("&#")) || bytes.Contains(lower, []byte("<![")) {
		return true
	}
	for _, p := range q.parts {
		for _, w := range p.words {
			if !bytes.Contains(lower, []byte(w)) {
				return false
			}
		}
	}
	return true
}

// Empty says whether the query has no word, and so finds nothing.
func (q Query) Empty() bool { return len(q.parts) == 0 }

// Terms gives the words that a message must have, and the prefixes that some word must begin with, both sorted.
func (q Query) Terms() (exact, prefixes []string) {
	for _, p := range q.parts {
		ws := p.words
		if p.prefix {
			prefixes = append(prefixes, ws[len(ws)-1])
			ws = ws[:len(ws)-1]
		}
		exact = append(exact, ws...)
	}
	slices.Sort(exact)
	slices.Sort(prefixes)
	return slices.Compact(exact), slices.Compact(prefixes)
}

// Match says whether a message with the words ws, in order, matches.
func (q Query) Match(ws []string) bool {
	for _, p := range q.parts {
		if !p.in(ws) {
			return false
		}
	}
	return len(q.parts) > 0
}

func (p part) in(ws []string) bool {
	n := len(p.words)
	for i := 0; i+n <= len(ws); i++ {
		if p.at(ws[i : i+n]) {
			return true
		}
	}
	return false
}

func (p part) at(ws []string) bool {
	for i, w := range p.words {
		if ws[i] == w {
			continue
		}
		if p.prefix && i == len(p.words)-1 && strings.HasPrefix(ws[i], w) {
			continue
		}
		return false
	}
	return true
}

// Excerpt gives the part of a text around the query's first words, on one line, of about length characters.
func (q Query) Excerpt(text string, length int) string {
	fields := strings.Fields(text)
	first := 0
	for i, s := range fields {
		if q.touches(split(nil, s, maxQueryWords)) {
			first = i
			break
		}
	}
	// A third of the length comes before the found words.
	from, n := first, 0
	for from > 0 && n+utf8.RuneCountInString(fields[from-1]) < length/3 {
		from--
		n += utf8.RuneCountInString(fields[from]) + 1
	}
	var b strings.Builder
	if from > 0 {
		b.WriteString("… ")
	}
	left := length
	for i, s := range fields[from:] {
		if i > 0 {
			b.WriteByte(' ')
			left--
		}
		rs := []rune(s)
		if len(rs) > left {
			if i == 0 || left > length/4 { // one long word
				b.WriteString(string(rs[:left]))
			}
			b.WriteString("…")
			break
		}
		b.WriteString(s)
		left -= len(rs)
	}
	return b.String()
}

// touches says whether the first word of a part is among some words.
func (q Query) touches(ws []string) bool {
	for _, p := range q.parts {
		one := part{words: p.words[:1], prefix: p.prefix && len(p.words) == 1}
		if one.in(ws) {
			return true
		}
	}
	return false
}
