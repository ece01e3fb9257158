// Package sheet reads and writes tables as spreadsheets save them: CSV and its relatives, in the encodings that Excel,
// LibreOffice, Google Sheets and Numbers know.
package sheet

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Row is a line of a table that is not empty. Cells are as they were written, without their quotation marks.
type Row struct {
	Line  int // in the file, from 1
	Cells []string
}

// Table is what a file has in it.
type Table struct {
	Comma rune // what parts the cells
	Rows  []Row
}

// Fault is what can be wrong with a table.
type Fault int

// Faults of a table.
const (
	Unclosed   Fault = iota + 1 // a quotation mark opens a cell and nothing closes it
	AfterQuote                  // text follows the quotation mark that closes a cell
	TooMany                     // more rows than are read
)

// Error says where a table cannot be read.
type Error struct {
	Fault        Fault
	Line, Column int // from 1
}

func (e *Error) Error() string {
	return map[Fault]string{Unclosed: "sheet: a quotation mark is not closed", AfterQuote: "sheet: text after a closing quotation mark",
		TooMany: "sheet: too many rows"}[e.Fault]
}

// sepLine is how Excel is told what parts the cells; a spreadsheet that has saved the file again adds empty cells.
var sepLine = regexp.MustCompile(`(?i)^"?sep=(.)"?[,;\t]*$`)

// Parse reads a table of at most most rows that are not empty. Lines may end in any way; empty rows, and empty cells at the
// end of a row, are left out.
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

// commaOf finds what parts the cells: what the first row that has any of it has most of, outside quotation marks.
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
		if count[r] > 0 && count[r] >= count[best] { // texts have commas rather than the others
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

// cell reads up to what ends a cell: the comma, the line's end or the text's.
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
		// Where tabs part the cells, some programs write quotation marks as they stand.
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

// quoted reads a cell in quotation marks, and gives its length with what is left out after it.
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

// trim takes the spaces off that stand before a cell or after its quotation marks.
func (p *parser) trim(s string) string {
	if p.comma == '\t' {
		return strings.TrimLeft(s, " ")
	}
	return strings.TrimLeft(s, " \t")
}
