// Package fulltext splits messages into the words by which they are found, and says whether a message has the words of
// a query. Words are segmented by Unicode's rules (UAX #29), in lower case, without accents.
package fulltext

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	uax29 "github.com/clipperhouse/uax29/v2/words"
	"golang.org/x/text/unicode/norm"

	"parley/wire"
)

const (
	maxWords  = 1000 // for one message: words beyond them are not found
	maxLength = 40   // bytes of a word; longer ones are cut, also where they are asked for
)

// Words gives the words of an archived message in order, with "" between two texts. A message that is encrypted,
// retracted or a retraction has none: its fallback text for other clients was written by nobody.
func Words(stanza []byte) []string {
	st, err := wire.ParseStanza(stanza, wire.Limits{Stanza: len(stanza)})
	if err != nil {
		return nil
	}
	return wordsOf(st)
}

// WordsIn gives the words of a plain text in order.
func WordsIn(text string) []string { return split(nil, text, maxWords) }

// wordsOf is Words for a parsed message.
func wordsOf(st *wire.Stanza) []string {
	var ws []string
	for _, c := range st.Children {
		switch {
		case silent(c.Name):
			return nil
		case c.Name.Space != wire.NSClient || c.Name.Local != "body" && c.Name.Local != "subject":
			continue
		}
		e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
		if err != nil {
			continue
		}
		if len(ws) > 0 {
			ws = append(ws, "")
		}
		text := e.Text()
		if c.Name.Local == "body" && st.Has(nsFallback, "fallback") {
			text = withoutQuotations(st, text)
		}
		ws = split(ws, text, maxWords)
	}
	return ws
}

const (
	nsFallback = "urn:xmpp:fallback:0"
	nsReply    = "urn:xmpp:reply:0"

	maxQuotations = 20
)

// withoutQuotations leaves out what a body repeats of the message that it replies to (XEP-0461, XEP-0428): others have
// said it, and that message is found. Places count characters; those that cannot be are left alone.
func withoutQuotations(st *wire.Stanza, text string) string {
	letters, cut := []rune(text), 0
	for _, c := range st.Children {
		if c.Name.Space != nsFallback || cut >= maxQuotations {
			continue
		}
		e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
		if err != nil || e.Attr("for") != nsReply {
			continue
		}
		b := e.Child(nsFallback, "body")
		begin, err1 := strconv.Atoi(b.Attr("start"))
		end, err2 := strconv.Atoi(b.Attr("end"))
		if end = min(end, len(letters)); err1 != nil || err2 != nil || begin < 0 || begin >= end ||
			end-begin == len(letters) { // a message is not lost to a wrong range
			continue
		}
		cut++
		for i := range letters[begin:end] {
			letters[begin+i] = ' '
		}
	}
	return string(letters)
}

// silent says whether a payload makes the body a mere fallback for clients that do not know it.
func silent(n wire.Name) bool {
	switch n.Space {
	case "urn:xmpp:eme:0", "eu.siacs.conversations.axolotl", "jabber:x:encrypted", "urn:xmpp:openpgp:0",
		wire.NSRetract, "urn:xmpp:reactions:0":
		return true
	}
	return strings.HasPrefix(n.Space, "urn:xmpp:omemo:")
}

// Terms gives the distinct words, sorted.
func Terms(ws []string) []string {
	ts := slices.Clone(ws)
	slices.Sort(ts)
	ts = slices.Compact(ts)
	if len(ts) > 0 && ts[0] == "" {
		ts = ts[1:]
	}
	return ts
}

// split appends the words of a text until there are max.
func split(ws []string, text string, max int) []string {
	segments := uax29.FromString(norm.NFKC.String(text)) // ﬁ and ½ are more than one letter
	for segments.Next() {
		// A segment may be don't, 3.14 or report_final.pdf. Its parts are words that follow each other.
		for s := segments.Value(); ; {
			i := strings.IndexFunc(s, isWord)
			if i < 0 {
				break
			}
			s = s[i:]
			n := strings.IndexFunc(s, func(r rune) bool { return !isWord(r) && !unicode.Is(unicode.M, r) })
			if n < 0 {
				n = len(s)
			}
			if len(ws) >= max {
				return ws
			}
			ws = append(ws, fold(s[:n]))
			s = s[n:]
		}
	}
	return ws
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// fold gives a word in the form in which it is looked up.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return cut(foldWide(s))
		}
	}
	return cut(strings.ToLower(s))
}

// foldWide is fold for words outside ASCII. It removes accents from Latin and Greek letters only: elsewhere marks are
// vowels, or make another letter.
func foldWide(s string) string {
	var b strings.Builder
	bare := false
	for _, r := range norm.NFD.String(s) {
		r = unicode.ToLower(r)
		if unicode.Is(unicode.M, r) && bare {
			continue
		}
		bare = unicode.In(r, unicode.Latin, unicode.Greek)
		if as, ok := letters[r]; ok {
			b.WriteString(as)
			continue
		}
		b.WriteRune(r)
	}
	out := norm.NFC.String(b.String())
	return strings.ReplaceAll(out, "ё", "е")
}

// letters are those that people write differently where their keyboard lacks them, and that do not decompose.
var letters = map[rune]string{
	'ß': "ss",
	'æ': "ae",
	'œ': "oe",
	'ø': "o",
	'ł': "l",
	'đ': "d",
	'ð': "d",
	'þ': "th",
	'ħ': "h",
	'ı': "i",
	'ς': "σ",
}

func cut(s string) string {
	if len(s) <= maxLength {
		return s
	}
	n := maxLength
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
