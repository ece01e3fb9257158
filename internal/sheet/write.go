package sheet

import (
	"bufio"
	"io"
	"regexp"
	"strings"
)

// Writer writes a table that spreadsheets open with every letter whole: in UTF-8 with its mark, without which Excel takes
// it for the letters of its own country.
type Writer struct {
	w     *bufio.Writer
	comma rune
}

// NewWriter begins a table whose cells are parted by comma. What is written is out after Flush.
func NewWriter(w io.Writer, comma rune) *Writer {
	b := bufio.NewWriter(w)
	_, _ = b.WriteString("\ufeff") // Flush tells of errors
	return &Writer{b, comma}
}

// Write adds a row. Cells are made harmless.
func (w *Writer) Write(cells ...string) {
	for i, c := range cells {
		if i > 0 {
			_, _ = w.w.WriteRune(w.comma)
		}
		c = Harmless(c)
		// Spreadsheets may part cells at any of these, whatever the file uses.
		if strings.ContainsAny(c, ",;|\t\"\r\n") || strings.TrimSpace(c) != c || c == "" && len(cells) == 1 {
			c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
		}
		_, _ = w.w.WriteString(c)
	}
	_, _ = w.w.WriteString("\r\n")
}

// Flush sends what is left, and gives the first error there was.
func (w *Writer) Flush() error { return w.w.Flush() }

// signs begin formulas, in a cell or in what a spreadsheet takes for one because it parts cells at another sign.
const (
	signs   = `[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]`
	atStart = `(^|[,;|\t\r\n"])(\s*)`
)

var (
	formula  = regexp.MustCompile(atStart + `('*` + signs + `)`)
	harmless = regexp.MustCompile(atStart + `'('*` + signs + `)`)
	phone    = regexp.MustCompile(`^\+[0-9 ().\-/]+$`)
)

// Harmless keeps spreadsheets from taking a text for a formula: an apostrophe stands before it. Telephone numbers stay as
// they are. Plain takes it off again.
func Harmless(s string) string {
	if phone.MatchString(s) {
		return s
	}
	return formula.ReplaceAllString(s, "$1$2'$3")
}

// Plain gives the text that Harmless was given.
func Plain(s string) string { return harmless.ReplaceAllString(s, "$1$2$3") }
