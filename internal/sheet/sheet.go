// Package sheet reads and writes tables as spreadsheets save them: CSV and similar formats, in the encodings of Excel,
// LibreOffice, Google Sheets and Numbers.
package sheet

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Row is a non-empty line of a table. Cells hold the text without its quotation marks.
type Row struct {
	Line  int // line number in the file, from 1
	Cells []string
}

// Table is the content of a file.
type Table struct {
	Comma rune // the character between the cells
	Rows  []Row
}

// Fault is a kind of error in a table.
type Fault int

// The faults of a table.
const (
	Unclosed   Fault = iota + 1 // a quotation mark opens a cell and none closes it
	AfterQuote                  // text follows the quotation mark that closes a cell
	TooMany                     // more rows than allowed
)

// Error says where a table cannot be read.
type Error struct {
	Fault        Fault
	Line, Column int // from 1
}

// Error names the fault.
func (e *Error) Error() string {
	return map[Fault]string{
		Unclosed:   "sheet: a quotation mark is not closed",
		AfterQuote: "sheet: text after a closing quotation mark",
		TooMany:    "sheet: too many rows",
	}[e.Fault]
}

// sepLine matches the line that tells Excel what separates the cells. A spreadsheet that saves such a file adds empty
// cells to it.
var sepLine = regexp.MustCompile(`(?i)^"?sep=(.)"?[,;\t]*$`)

// Parse reads a table of at most most non-empty rows. Lines may end in any way. It leaves out empty rows, and empty
// cells at the end of a row. Its error is an *Error.
func Parse(text string, most int) (Table, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	p := parser{text: text, line: 1}
	first, rest, _ := strings.Cut(text, "\n")
	if m := sepLine.FindStringSubmatch(first); m != nil {
		p.comma, _ = utf8.DecodeRuneInString(m[1])
		p.text, p.line = rest, 2
	} else {
		p.comma = commaOf(text)
	}
	t := Table{Comma: p.comma}
	for p.at < len(p.text) {
		r, err := p.row()
		if err != nil {
			return t, err
		}
		if len(r.Cells) == 0 {
			continue
		}
		if len(t.Rows) == most {
			return t, &Error{TooMany, r.Line, 1}
		}
		t.Rows = append(t.Rows, r)
	}
	return t, nil
}

// commaOf detects the character that separates the cells: the most frequent candidate, outside of quotation marks, in
// the first row that has any.
func commaOf(text string) rune {
	count, quoted := make(map[rune]int), false
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case strings.ContainsRune(",;\t|", r):
			count[r]++
		}
		if r == '\n' && !quoted && len(count) > 0 {
			break
		}
	}
	best := ','
	for _, r := range "|;\t" {
		if count[r] > 0 && count[r] >= count[best] { // cells contain commas more often than the other candidates
			best = r
		}
	}
	return best
}

type parser struct {
	text  string
	at    int
	line  int
	comma rune
}

func (p *parser) row() (Row, error) {
	r, last := Row{Line: p.line}, 0
	for {
		cell, err := p.cell(len(r.Cells) + 1)
		if err != nil {
			return r, err
		}
		r.Cells = append(r.Cells, cell)
		if strings.TrimSpace(cell) != "" {
			last = len(r.Cells)
		}
		if p.at == len(p.text) {
			break
		}
		c, n := utf8.DecodeRuneInString(p.text[p.at:])
		p.at += n
		if c == '\n' {
			p.line++
			break
		}
	}
	r.Cells = r.Cells[:last]
	return r, nil
}

// cell reads a cell up to what ends it: the comma, the line's end or the text's end.
func (p *parser) cell(column int) (string, error) {
	rest := p.text[p.at:]
	trimmed := p.trim(rest)
	if strings.HasPrefix(trimmed, `"`) {
		cell, n, fault := p.quoted(trimmed)
		if fault == 0 {
			p.line += strings.Count(cell, "\n")
			p.at += len(rest) - len(trimmed) + n
			return cell, nil
		}
		// In tables separated by tabs, some programs do not escape quotation marks.
		if p.comma != '\t' {
			return "", &Error{fault, p.line, column}
		}
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r == p.comma || r == '\n' })
	if end < 0 {
		end = len(rest)
	}
	p.at += end
	return rest[:end], nil
}

// quoted reads a cell in quotation marks. n is its length, including the characters that are skipped after it.
func (p *parser) quoted(s string) (cell string, n int, fault Fault) {
	var b strings.Builder
	for n = 1; ; {
		i := strings.IndexByte(s[n:], '"')
		if i < 0 {
			return "", 0, Unclosed
		}
		b.WriteString(s[n : n+i])
		n += i + 1
		if !strings.HasPrefix(s[n:], `"`) {
			break
		}
		b.WriteByte('"')
		n++
	}
	n = len(s) - len(p.trim(s[n:]))
	if c, _ := utf8.DecodeRuneInString(s[n:]); n < len(s) && c != p.comma && c != '\n' {
		return "", 0, AfterQuote
	}
	return b.String(), n, 0
}

// trim removes spaces before a cell or after its quotation marks.
func (p *parser) trim(s string) string {
	if p.comma == '\t' {
		return strings.TrimLeft(s, " ")
	}
	return strings.TrimLeft(s, " \t")
}
