package wire

import (
	"encoding/xml"
	"unicode/utf8"
)

// The classes of a byte. Bytes of 0x80 and above need a look at the whole character.
const (
	isNameStart = 1 << iota // begins an NCName
	isName                  // continues an NCName
	isSpace                 // S of XML 1.0
	stopText                // ends a run of character data that needs no check
	stopValue               // ends a run of an attribute value that needs no check
)

var class = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
			t[c] = isNameStart | isName
		case c >= '0' && c <= '9', c == '-', c == '.':
			t[c] = isName
		case c == ' ':
			t[c] = isSpace
		case c == '\t', c == '\n', c == '\r':
			t[c] = isSpace | stopValue
		case c < ' ', c >= 0x80, c == '<', c == '&':
			t[c] = stopText | stopValue
		case c == '>':
			t[c] = stopText
		case c == '\'', c == '"':
			t[c] = stopValue
		}
	}
	return t
}()

// isChar reports whether r is a Char of XML 1.0, section 2.2.
func isChar(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	case r < 0xE000:
		return false
	}
	return r != 0xFFFE && r != 0xFFFF && r <= utf8.MaxRune
}

// scanRune checks the multi-byte character at b[i] and returns the index after it.
func scanRune(b []byte, i int) (int, error) {
	r, n := utf8.DecodeRune(b[i:])
	if r == utf8.RuneError && n <= 1 {
		if !utf8.FullRune(b[i:]) {
			return i, errMore
		}
		return i, badUTF8()
	}
	if r == 0xFFFE || r == 0xFFFF {
		return i, notWellFormed("illegal character")
	}
	return i + n, nil
}

// letters lists the characters beyond ASCII that every edition of XML 1.0 allows anywhere in a name: the scripts that
// names are written in. Editions 1 to 4 allow fewer than the fifth, and expat follows them; clients that use expat get
// what is accepted here.
var letters = [...][2]rune{
	{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x131}, {0x134, 0x13E}, {0x141, 0x148}, {0x14A, 0x17E}, // Latin
	{0x38E, 0x3A1}, {0x3A3, 0x3CE}, // Greek
	{0x401, 0x40C}, {0x40E, 0x44F}, {0x451, 0x45C}, {0x45E, 0x481}, // Cyrillic
	{0x5D0, 0x5EA}, {0x621, 0x63A}, {0x641, 0x64A}, {0x905, 0x939}, {0xE01, 0xE2E}, // Hebrew to Thai
	{0x3041, 0x3094}, {0x30A1, 0x30FA}, {0x4E00, 0x9FA5}, {0xAC00, 0xD7A3}, // Kana, Han, Hangul
}

// checkName checks a name without a colon that is not ASCII: nearly always by the table, otherwise by encoding/xml,
// which follows the older editions.
func checkName(b []byte) error {
	if len(b) == 0 {
		return notWellFormed("missing name")
	}
	known := true
	for i := 0; i < len(b) && known; {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return badUTF8()
		}
		if r < utf8.RuneSelf {
			known = i > 0 || class[r]&isNameStart != 0
		} else {
			known = false
			for _, l := range letters {
				if r >= l[0] && r <= l[1] {
					known = true
					break
				}
			}
		}
		i += n
	}
	if known {
		return nil
	}
	var e struct{ XMLName xml.Name }
	if len(b) > 256 || !utf8.Valid(b) || xml.Unmarshal([]byte("<"+string(b)+"/>"), &e) != nil {
		return notWellFormed("illegal name")
	}
	return nil
}
