package wire

import (
	"bytes"
	"unicode/utf8"
)

// The functions in this file look at bytes and keep no state. They return errMore if b ends too early to decide, and a
// *StreamError for what they refuse. All offsets are offsets in b.

// rawAttr holds the offsets of an attribute.
type rawAttr struct {
	at             int32 // of the white space before it
	name, nameEnd  int32
	colon          int32 // -1: no colon
	value, valueTo int32 // without the quotes
	esc            bool  // the value is not the plain bytes: it has references or white space to normalise
}

// rawTag holds the offsets of a start tag or an empty-element tag.
type rawTag struct {
	at            int32
	name, nameEnd int32
	colon         int32 // -1: no colon
	end           int32 // after the '>'
	empty         bool
}

// maxRef is the length of the longest reference that is accepted: &#x, leading zeros and six digits.
const maxRef = 16

// scanName reads the QName at b[i].
func scanName(b []byte, i int) (colon, end int, err error) {
	if uint(i) >= uint(len(b)) {
		return 0, 0, errMore
	}
	start, part := i, i
	if class[b[i]]&isNameStart == 0 && b[i] < utf8.RuneSelf {
		return 0, 0, notWellFormed("missing name")
	}
	colon = -1
	i = skipClass(b, i, isName)
	if i < len(b) && b[i] == ':' {
		colon, part = i, i+1
		i = skipClass(b, i+1, isName)
	}
	if i >= len(b) {
		return 0, 0, errMore
	}
	if b[i] >= utf8.RuneSelf {
		return scanWideName(b, start)
	}
	if i == part || class[b[part]]&isNameStart == 0 || b[i] == ':' {
		return 0, 0, notWellFormed("illegal name")
	}
	return colon, i, nil
}

// scanWideName is scanName for a name that is not ASCII.
func scanWideName(b []byte, i int) (colon, end int, err error) {
	start, part := i, i
	colon = -1
	for ; ; i++ {
		if i == len(b) {
			return 0, 0, errMore
		}
		if b[i] == ':' && colon < 0 {
			if err := checkName(b[part:i]); err != nil {
				return 0, 0, err
			}
			colon, part = i, i+1
			continue
		}
		if b[i] < utf8.RuneSelf && class[b[i]]&isName == 0 {
			break
		}
	}
	if i == start || b[i] == ':' {
		return 0, 0, notWellFormed("illegal name")
	}
	return colon, i, checkName(b[part:i])
}

func skipSpace(b []byte, i int) int {
	if uint(i) < uint(len(b)) && b[i] > ' ' { // there mostly is no white space
		return i
	}
	return skipClass(b, i, isSpace)
}

// skipClass returns the first index from i on whose byte is not of the class. This loop and that of skipTo take most of
// the parser's time.
func skipClass(b []byte, i int, of uint8) int {
	if i >= len(b) {
		return i
	}
	for _, c := range b[i:] {
		if class[c]&of == 0 {
			break
		}
		i++
	}
	return i
}

func skipTo(b []byte, i int, of uint8) int {
	for _, c := range b[i:] {
		if class[c]&of != 0 {
			break
		}
		i++
	}
	return i
}

// scanTag reads the start tag at b[i], which is its '<'. It appends the attributes to attrs, at most limit of them.
func scanTag(b []byte, i int, attrs []rawAttr, limit int) (t rawTag, _ []rawAttr, err error) {
	attrs = attrs[:0]
	t.at, t.name = int32(i), int32(i+1)
	colon, i, err := scanName(b, i+1)
	if err != nil {
		return t, attrs, err
	}
	t.colon, t.nameEnd = int32(colon), int32(i)
	for {
		at := i
		i = skipSpace(b, i)
		if i >= len(b) {
			return t, attrs, errMore
		}
		switch b[i] {
		case '>':
			t.end = int32(i + 1)
			return t, attrs, nil
		case '/':
			if i+1 >= len(b) {
				return t, attrs, errMore
			}
			if b[i+1] != '>' {
				return t, attrs, notWellFormed("unexpected slash in a tag")
			}
			t.end, t.empty = int32(i+2), true
			return t, attrs, nil
		}
		if at == i {
			return t, attrs, notWellFormed("missing space before an attribute")
		}
		if len(attrs) >= limit {
			return t, attrs, tooMuch("too many attributes")
		}
		attrs = append(attrs, rawAttr{at: int32(at)})
		if i, err = scanAttr(b, i, &attrs[len(attrs)-1]); err != nil {
			return t, attrs, err
		}
		if twice(b, attrs) {
			return t, attrs, notWellFormed("duplicate attribute")
		}
	}
}

// twice reports whether the last attribute has the same name, as written, as another one.
func twice(b []byte, attrs []rawAttr) bool {
	n := len(attrs) - 1
	name := b[attrs[n].name:attrs[n].nameEnd]
	for i := range attrs[:n] {
		o := b[attrs[i].name:attrs[i].nameEnd]
		if len(o) == len(name) && o[0] == name[0] && string(o) == string(name) {
			return true
		}
	}
	return false
}

// scanAttr reads the attribute at b[i].
func scanAttr(b []byte, i int, a *rawAttr) (int, error) {
	a.name = int32(i)
	colon, i, err := scanName(b, i)
	if err != nil {
		return i, err
	}
	a.colon, a.nameEnd = int32(colon), int32(i)
	if i < len(b) && b[i] != '=' {
		if i = skipSpace(b, i); i < len(b) && b[i] != '=' {
			return i, notWellFormed("attribute without a value")
		}
	}
	if i = skipSpace(b, i+1); i >= len(b) {
		return i, errMore
	}
	quote := b[i]
	if quote != '\'' && quote != '"' {
		return i, notWellFormed("attribute value without quotes")
	}
	i++
	a.value = int32(i)
	for {
		if i = skipTo(b, i, stopValue); i >= len(b) {
			return i, errMore
		}
		switch c := b[i]; {
		case c == quote:
			a.valueTo = int32(i)
			return i + 1, nil
		case c == '\'', c == '"':
			i++
		case c == '&':
			if _, i, err = scanRef(b, i); err != nil {
				return i, err
			}
			a.esc = true
		case c == '<':
			return i, notWellFormed("'<' in an attribute")
		case c >= utf8.RuneSelf:
			if i, err = scanRune(b, i); err != nil {
				return i, err
			}
		case class[c]&isSpace != 0:
			a.esc = true
			i++
		default:
			return i, notWellFormed("illegal character")
		}
	}
}

// scanRef reads the reference at b[i], which is its '&': one of the five predefined entities or a character (RFC 6120,
// section 11.1). It returns the character and the index after the reference.
func scanRef(b []byte, i int) (rune, int, error) {
	for j := i + 1; ; j++ {
		if j >= len(b) {
			return 0, i, errMore
		}
		c := b[j]
		if c == ';' {
			r, err := refRune(b[i+1 : j])
			return r, j + 1, err
		}
		if c != '#' && class[c]&isName == 0 && c < utf8.RuneSelf || c == '#' && j > i+1 {
			return 0, i, notWellFormed("'&' does not begin a reference")
		}
		if j-i > maxRef {
			if b[i+1] == '#' {
				return 0, i, notWellFormed("a character reference is too long")
			}
			return 0, i, restricted("undefined entity")
		}
	}
}

// refRune returns the character for the text between '&' and ';'.
func refRune(b []byte) (rune, error) {
	switch string(b) {
	case "lt":
		return '<', nil
	case "gt":
		return '>', nil
	case "amp":
		return '&', nil
	case "apos":
		return '\'', nil
	case "quot":
		return '"', nil
	case "":
		return 0, notWellFormed("empty reference")
	}
	if b[0] != '#' {
		if class[b[0]]&isNameStart == 0 && b[0] < utf8.RuneSelf {
			return 0, notWellFormed("'&' does not begin a reference")
		}
		return 0, restricted("undefined entity")
	}
	return charRef(b[1:])
}

// charRef returns the character for the text between "&#" and ';'.
func charRef(b []byte) (rune, error) {
	base := rune(10)
	if len(b) > 0 && b[0] == 'x' {
		base, b = 16, b[1:]
	}
	if len(b) == 0 {
		return 0, notWellFormed("empty character reference")
	}
	var r rune
	for _, c := range b {
		d := rune(99)
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case c >= 'a' && c <= 'f':
			d = rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			d = rune(c-'A') + 10
		}
		if d >= base {
			return 0, notWellFormed("invalid character reference")
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, notWellFormed("reference to an illegal character")
		}
	}
	if !isChar(r) {
		return 0, notWellFormed("reference to an illegal character")
	}
	return r, nil
}

// scanText reads character data from b[i] and returns the index of the '<' that ends it. With errMore, the index is
// where to continue when there are more bytes.
func scanText(b []byte, i int) (_ int, err error) {
	for {
		if i = skipTo(b, i, stopText); i >= len(b) {
			return i, errMore
		}
		switch c := b[i]; {
		case c == '<':
			return i, nil
		case c == '&':
			_, i, err = scanRef(b, i)
		case c == '>':
			if i >= 2 && b[i-1] == ']' && b[i-2] == ']' { // character data follows '>', so both brackets belong to it
				return i, notWellFormed("']]>' in character data")
			}
			i++
		case c >= utf8.RuneSelf:
			i, err = scanRune(b, i)
		default:
			return i, notWellFormed("illegal character")
		}
		if err != nil {
			return i, err
		}
	}
}

const cdataStart = "<![CDATA["

// scanCDATA reads a CDATA section from b[i], after its opening, and returns the index after its "]]>". With errMore,
// the index is where to continue.
func scanCDATA(b []byte, i int) (_ int, err error) {
	for i < len(b) {
		c := b[i]
		if class[c]&stopText == 0 || c == '<' || c == '&' {
			i++
			continue
		}
		switch {
		case c == '>':
			i++
			if b[i-2] == ']' && b[i-3] == ']' { // the opening ends in '[', so both brackets are content
				return i, nil
			}
		case c >= utf8.RuneSelf:
			if i, err = scanRune(b, i); err != nil {
				return i, err
			}
		default:
			return i, notWellFormed("illegal character")
		}
	}
	return i, errMore
}

// scanBang reads what begins with "<!". It returns the index after the opening of a CDATA section; nothing else is
// allowed in a stream.
func scanBang(b []byte, i int) (int, error) {
	rest := b[i:]
	if len(rest) > len(cdataStart) {
		rest = rest[:len(cdataStart)]
	}
	if string(rest) != cdataStart[:len(rest)] {
		if len(rest) > 2 && (rest[2] == '-' || rest[2] == 'D') {
			return i, restricted("comments and DTDs are not allowed")
		}
		return i, notWellFormed("unknown markup")
	}
	if len(rest) < len(cdataStart) {
		return i, errMore
	}
	return i + len(cdataStart), nil
}

// appendText appends checked character data with resolved references and normalised line ends (XML 1.0, section 2.11).
func appendText(dst, b []byte) []byte {
	last := 0
	for i := 0; i < len(b); {
		switch b[i] {
		case '&':
			r, n, err := scanRef(b, i)
			if err != nil { // it was checked before
				return dst
			}
			dst = utf8.AppendRune(append(dst, b[last:i]...), r)
			i, last = n, n
		case '\r':
			dst = append(append(dst, b[last:i]...), '\n')
			if i++; i < len(b) && b[i] == '\n' {
				i++
			}
			last = i
		default:
			i++
		}
	}
	return append(dst, b[last:]...)
}

// appendCDATA is appendText for the content of a CDATA section.
func appendCDATA(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(append(dst, b[:i]...), '\n')
		if b = b[i+1:]; len(b) > 0 && b[0] == '\n' {
			b = b[1:]
		}
	}
}

// appendValue appends a checked attribute value, normalised (XML 1.0, section 3.3.3).
func appendValue(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		switch c := b[i]; c {
		case '&':
			r, n, err := scanRef(b, i)
			if err != nil { // it was checked before
				return dst
			}
			dst = utf8.AppendRune(dst, r)
			i = n
		case '\t', '\n', '\r':
			if c == '\r' && i+1 < len(b) && b[i+1] == '\n' {
				i++
			}
			dst = append(dst, ' ')
			i++
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

// text returns an attribute's value. Frequent values cost no allocation.
func (a *rawAttr) text(b []byte) string {
	if a.esc {
		return string(appendValue(nil, b[a.value:a.valueTo]))
	}
	return intern(b[a.value:a.valueTo])
}

// prefix returns the prefix of an attribute's name.
func (a *rawAttr) prefix(b []byte) []byte {
	if a.colon < 0 {
		return nil
	}
	return b[a.name:a.colon]
}

func (a *rawAttr) local(b []byte) []byte {
	if a.colon < 0 {
		return b[a.name:a.nameEnd]
	}
	return b[a.colon+1 : a.nameEnd]
}

func (t *rawTag) prefix(b []byte) []byte {
	if t.colon < 0 {
		return nil
	}
	return b[t.name:t.colon]
}

func (t *rawTag) local(b []byte) []byte {
	if t.colon < 0 {
		return b[t.name:t.nameEnd]
	}
	return b[t.colon+1 : t.nameEnd]
}
