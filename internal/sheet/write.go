package sheet

import (
	"bufio"
	"io"
	"regexp"
	"strings"
)

// Writer writes a table that spreadsheets open without damaged letters: in UTF-8 with a byte order mark, without which
// Excel assumes a regional encoding.
type Writer struct {
	w     *bufio.Writer
	comma rune
}

// NewWriter begins a table whose cells are separated by comma. Call Flush at the end.
func NewWriter(w io.Writer, comma rune) *Writer {
	b := bufio.NewWriter(w)
	_, _ = b.WriteString("\ufeff") // Flush returns errors
	return &Writer{b, comma}
}

// Write adds a row, and makes its cells safe with Harmless.
func (w *Writer) Write(cells ...string) {
	for i, c := range cells {
		if i > 0 {
			_, _ = w.w.WriteRune(w.comma)
		}
		c = Harmless(c)
		// A spreadsheet may separate cells at any of these, whatever the file uses.
		if strings.ContainsAny(c, ",;|\t\"\r\n") || strings.TrimSpace(c) != c || c == "" && len(cells) == 1 {
			c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
		}
		_, _ = w.w.WriteString(c)
	}
	_, _ = w.w.WriteString("\r\n")
}

// Flush writes the buffered rest, and returns the first error of all writes.
func (w *Writer) Flush() error { return w.w.Flush() }

// signs lists what begins a formula, in a cell or in the part of a cell that a spreadsheet splits off at another
// separator.
const (
	signs   = `[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]`
	atStart = `(^|[,;|\t\r\n"])(\s*)`
)

var (
	formula  = regexp.MustCompile(atStart + `('*` + signs + `)`)
	harmless = regexp.MustCompile(atStart + `'('*` + signs + `)`)
	phone    = regexp.MustCompile(`^\+[0-9 ().\-/]+$`)
)

// Harmless puts an apostrophe before a text that spreadsheets would take for a formula. It leaves telephone numbers as
// they are. Plain removes the apostrophe.
func Harmless(s string) string {
	if phone.MatchString(s) {
		return s
	}
	return formula.ReplaceAllString(s, "$1$2'$3")
}

// Plain returns the text that was given to Harmless.
func Plain(s string) string { return harmless.ReplaceAllString(s, "$1$2$3") }
