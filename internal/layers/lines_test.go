package layers

import (
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// Columns of a line. A tab counts as four.
const (
	maxColumns = 120
	// longText is how long a text of a program is at least that may make a line too long: keys of translations, of
	// tests and of the wire are not cut.
	longText = 60
)

func columns(line string) int {
	return utf8.RuneCountInString(line) + 3*strings.Count(line, "\t")
}

// Lines of Go have 120 columns, unless they are part of a raw string, have a struct tag or are a long text.
func TestLinesOfGo(t *testing.T) {
	eachFile(t, ".go", func(name, text string) {
		lines := strings.Split(text, "\n")
		var long []int
		for i, l := range lines {
			if columns(l) > maxColumns {
				long = append(long, i+1)
			}
		}
		if len(long) == 0 {
			return
		}
		excused := excusedLines(text)
		for _, n := range long {
			if !excused[n] {
				t.Errorf("%s:%d has %d columns, more than %d", name, n, columns(lines[n-1]), maxColumns)
			}
		}
	})
}

// excusedLines gives the lines that have a part of a raw string or a long text.
func excusedLines(text string) map[int]bool {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), nil, 0)
	excused := make(map[int]bool)
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return excused
		}
		if tok != token.STRING || lit[0] == '"' && len(lit) < longText {
			continue
		}
		first := file.Line(pos)
		for n := first; n <= first+strings.Count(lit, "\n"); n++ {
			excused[n] = true
		}
	}
}

// Templates have one element a line.
func TestLinesOfTemplates(t *testing.T) {
	eachFile(t, ".html", func(name, text string) {
		for i, l := range strings.Split(text, "\n") {
			if n := columns(l); n > 200 {
				t.Errorf("%s:%d has %d columns: one element a line", name, i+1, n)
			}
		}
	})
}

// eachFile calls f for every file of the repository whose name ends with suffix. Packages of others are left out.
func eachFile(t *testing.T, suffix string, f func(name, text string)) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "vendor" ||
			d.Name() == "venv" || d.Name() == ".git"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, suffix):
			return nil
		}
		b, err := os.ReadFile(path)
		if err == nil {
			f(strings.TrimPrefix(filepath.ToSlash(path), "../../"), string(b))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
