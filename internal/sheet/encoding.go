package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	utf "golang.org/x/text/encoding/unicode"
)

// Encoding is a character encoding.
type Encoding struct {
	Name  string // as spreadsheets call it
	Title string // the languages that use it, in English
	enc   encoding.Encoding
	auto  bool // Decode detects it by itself
}

// Encodings lists the encodings that spreadsheets save in. Where detection is undecided, the earlier one wins.
var Encodings = []Encoding{
	{"UTF-8", "Unicode", nil, false},
	{"UTF-16LE", "Unicode text", utf.UTF16(utf.LittleEndian, utf.UseBOM), false},
	{"UTF-16BE", "Unicode text", utf.UTF16(utf.BigEndian, utf.UseBOM), false},
	{"Windows-1252", "Western Europe", charmap.Windows1252, true},
	{"ISO-8859-15", "Western Europe", charmap.ISO8859_15, true},
	{"Mac Roman", "Western Europe", charmap.Macintosh, true},
	{"DOS-850", "Western Europe", charmap.CodePage850, true},
	{"Windows-1250", "Central Europe", charmap.Windows1250, true},
	{"Windows-1251", "Cyrillic", charmap.Windows1251, true},
	{"Windows-1253", "Greek", charmap.Windows1253, false},
	{"Windows-1254", "Turkish", charmap.Windows1254, false},
	{"Windows-1255", "Hebrew", charmap.Windows1255, false},
	{"Windows-1256", "Arabic", charmap.Windows1256, false},
	{"Windows-1257", "Baltic", charmap.Windows1257, false},
	{"Windows-1258", "Vietnamese", charmap.Windows1258, false},
}

// ErrBinary says that a file is not text, and not of another known kind.
var ErrBinary = errors.New("sheet: this is not text")

// EncodingError says where a file does not follow the expected encoding.
type EncodingError struct {
	Encoding string
	Line     int
}

// Error names the line and the encoding.
func (e *EncodingError) Error() string {
	return fmt.Sprintf("sheet: line %d is not in %s", e.Line, e.Encoding)
}

// ForeignError says of which kind a file is that is not a table in text.
type ForeignError struct{ Kind Kind }

// Error names the kind of file.
func (e *ForeignError) Error() string { return "sheet: this is " + string(e.Kind) }

// Kind is a kind of file, named with its article in English.
type Kind string

// The kinds of files that people mistake for tables.
const (
	Excel        Kind = "an Excel workbook"
	OpenDocument Kind = "an OpenDocument table"
	Numbers      Kind = "a Numbers document"
	PDF          Kind = "a PDF"
	Page         Kind = "a web page"
	Archive      Kind = "an archive"
)

// Decode turns a file's bytes into text. name selects the encoding; "" detects it. It also returns the encoding's name.
// Errors are ErrBinary, *EncodingError or *ForeignError, or one for an unknown name.
func Decode(b []byte, name string) (text, encoding string, err error) {
	if k := kindOf(b); k != "" {
		return "", "", &ForeignError{k}
	}
	if name == "" {
		name = guess(b)
	}
	var e Encoding
	for _, one := range Encodings {
		if one.Name == name {
			e = one
		}
	}
	if e.Name == "" {
		return "", "", fmt.Errorf("sheet: unknown encoding %q", name)
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if e.enc != nil {
		if b, err = e.enc.NewDecoder().Bytes(b); err != nil {
			return "", "", &EncodingError{name, 1}
		}
	}
	text = strings.TrimPrefix(string(b), "\ufeff")
	if i := badAt(text); i >= 0 {
		return "", "", &EncodingError{name, lineAt(text, i)}
	}
	if strings.ContainsRune(text, 0) {
		return "", "", ErrBinary
	}
	return text, name, nil
}

// badAt returns the offset of the first character that the encoding does not have, or -1.
func badAt(text string) int {
	for i, r := range text {
		if r == utf8.RuneError {
			return i
		}
	}
	return -1
}

func lineAt(text string, at int) int {
	before := strings.ReplaceAll(text[:at], "\r\n", "\n")
	return 1 + strings.Count(before, "\n") + strings.Count(before, "\r")
}

// kindOf recognises files that are not text by their first bytes.
func kindOf(b []byte) Kind {
	begins := func(s string) bool { return bytes.HasPrefix(b, []byte(s)) }
	start := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(string(b[:min(len(b), 256)]), "\ufeff")))
	switch {
	case begins("PK\x03\x04") && bytes.Contains(b, []byte("application/vnd.oasis.opendocument")):
		return OpenDocument
	case begins("PK\x03\x04") && bytes.Contains(b, []byte("Index/")) && bytes.Contains(b, []byte(".iwa")):
		return Numbers
	case begins("PK\x03\x04") && bytes.Contains(b, []byte("xl/")), begins("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		return Excel
	case begins("PK\x03\x04"), begins("\x1f\x8b"):
		return Archive
	case begins("%PDF-"):
		return PDF
	case strings.HasPrefix(start, "<!doctype html"), strings.HasPrefix(start, "<html"),
		strings.HasPrefix(start, "<table"):
		return Page
	case strings.HasPrefix(start, "<?xml") &&
		strings.Contains(string(b[:min(len(b), 1024)]), "urn:schemas-microsoft-com:office:spreadsheet"):
		return Excel
	case strings.HasPrefix(start, "<?xml") &&
		strings.Contains(string(b[:min(len(b), 1024)]), "urn:oasis:names:tc:opendocument"):
		return OpenDocument
	}
	return ""
}

// guess detects the encoding: by a byte order mark, by which encodings are possible, and at last by which gives likely
// words.
func guess(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return "UTF-16LE"
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return "UTF-16BE"
	case bytes.HasPrefix(b, []byte("\ufeff")):
		return "UTF-8"
	}
	var zeros [2]int
	start := b[:min(len(b), 4096)]
	for i, c := range start {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch {
	case zeros[1] > len(start)/4 && zeros[0] == 0:
		return "UTF-16LE"
	case zeros[0] > len(start)/4 && zeros[1] == 0:
		return "UTF-16BE"
	case utf8.Valid(b):
		return "UTF-8"
	}
	best, most := "Windows-1252", -1<<30
	for _, e := range Encodings {
		if !e.auto {
			continue
		}
		text, err := e.enc.NewDecoder().Bytes(b)
		if err != nil {
			continue
		}
		if n := likely(string(text)) + habit(e.Name, b); n > most {
			best, most = e.Name, n
		}
	}
	return best
}

// habit scores the line ends that programs with this encoding usually write: old Macs CR, DOS CR and LF.
func habit(name string, b []byte) int {
	dos, cr := bytes.Contains(b, []byte("\r\n")), bytes.ContainsRune(b, '\r')
	switch {
	case name == "Mac Roman" && cr && !dos:
		return 2
	case name == "Mac Roman" && dos, name == "DOS-850" && !dos:
		return -2
	}
	return 0
}

// Letters of the languages whose spreadsheets use the detected encodings: the most frequent letters, the others of
// western Europe, and those of central Europe.
const (
	frequent = "éèüöäßñçÉÜÖÄ"
	western  = "àâæêëîïôœùûÿáíóúãõåøìòÀÂÇÈÊËÎÏÔŒÙÛÁÍÓÚÑÃÕÅØÆ"
	central  = "ąćęłńśźżřěůčžšýťďňőűăşţđĄĆĘŁŃŚŹŻŘĚŮČŽŠÝŤĎŇŐŰĂŞŢĐ"
	marks    = "«»“”„‚‘–—…°€£§©®·ºª\u00a0"
)

// likely scores how much a text looks as if people had written it: letters where words have them, and no symbols inside
// words.
func likely(text string) (n int) {
	rs := []rune(text)
	at := func(i int) rune {
		if i < 0 || i >= len(rs) {
			return ' '
		}
		return rs[i]
	}
	for i, r := range rs {
		if r >= utf8.RuneSelf {
			n += weight(at(i-2), at(i-1), r, at(i+1))
		}
	}
	return n
}

// weight scores one character beyond ASCII between its neighbours.
func weight(before, prev, r, next rune) int {
	near := func(script *unicode.RangeTable) bool { return unicode.Is(script, prev) || unicode.Is(script, next) }
	switch cyrillic := unicode.Is(unicode.Cyrillic, r); {
	case r == utf8.RuneError || unicode.IsControl(r):
		return -10
	case cyrillic && near(unicode.Latin):
		return -4
	case cyrillic && near(unicode.Cyrillic):
		return 4
	case unicode.IsUpper(r) && unicode.IsLower(prev): // CafÈ
		return -4
	case unicode.IsLower(r) && unicode.IsUpper(prev) && unicode.IsUpper(before): // CAFé
		return -2
	case prev >= utf8.RuneSelf && unicode.IsLetter(prev) && unicode.IsLetter(r) && !cyrillic:
		// rare in any language with Latin letters
		return 0
	}
	return letterWeight(prev, r, next)
}

// letterWeight scores a character by how frequent it is in the languages that the encodings are for.
func letterWeight(prev, r, next rune) int {
	switch {
	case strings.ContainsRune(frequent, r):
		return 4
	case strings.ContainsRune(western, r):
		return 3
	case strings.ContainsRune(central, r):
		return 2
	case r == '’' && unicode.IsLetter(prev) && unicode.IsLetter(next):
		return 2
	case unicode.IsLetter(r), strings.ContainsRune(marks, r) && !(unicode.IsLetter(prev) && unicode.IsLetter(next)):
		return 0
	case unicode.IsLetter(prev) || unicode.IsLetter(next):
		return -4
	}
	return -1
}
