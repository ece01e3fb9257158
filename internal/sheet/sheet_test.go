package sheet

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		text  string
		comma rune
		rows  []string // line: cells
	}{
		"commas":                     {"a,b\r\n1,\"2, 3\"\r\n", ',', []string{"1: a|b", "2: 1|2, 3"}},
		"semicolons, a comma in one": {"a;b, c;d\n1;2;3\n", ';', []string{"1: a|b, c|d", "2: 1|2|3"}},
		"semicolons within quotes":   {"\"a;b;c\",d\n1,2\n", ',', []string{"1: a;b;c|d", "2: 1|2"}},
		"tabs":                       {"a\tb\n1\t2\n", '\t', []string{"1: a|b", "2: 1|2"}},
		"tabs, quotes as they stand": {"a\tb\n\"Bo\" One\t5\" pipe\n\"open\tend\n", '\t',
			[]string{"1: a|b", "2: \"Bo\" One|5\" pipe", "3: \"open|end"}},
		"tabs, an empty first cell": {"a\tb\n\t2\n", '\t', []string{"1: a|b", "2: |2"}},
		"an old Mac's lines":        {"a,b\r1,\"2\r3\"\r4,5\r", ',', []string{"1: a|b", "2: 1|2\n3", "4: 4|5"}},
		"quoted lines and quotes": {"a,b\n\"one\ntwo\",\"say \"\"hi\"\"\"\nx,y", ',',
			[]string{"1: a|b", "2: one\ntwo|say \"hi\"", "4: x|y"}},
		"what Excel is told":          {"sep=;\r\na;b,c,d\r\n", ';', []string{"2: a|b,c,d"}},
		"the same, saved once more":   {"\"SEP=|\",,,\na|b\n", '|', []string{"2: a|b"}},
		"empty rows and ends":         {"\n;;;\na;b;;\n\n;;\n1;;;\n", ';', []string{"3: a|b", "6: 1"}},
		"a mark, spaces about quotes": {"\ufeffa , b\n \"1\" , \"2\" \n", ',', []string{"1: a | b", "2: 1|2"}},
		"nothing":                     {"", ',', nil},
		"a title above":               {"List 1\n\na;b, c\n", ';', []string{"1: List 1", "3: a|b, c"}},
		"one column":                  {"a\n1", ',', []string{"1: a", "2: 1"}},
	} {
		got, err := Parse(tc.text, 100)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var rows []string
		for _, r := range got.Rows {
			rows = append(rows, string(rune('0'+r.Line))+": "+strings.Join(r.Cells, "|"))
		}
		if !slices.Equal(rows, tc.rows) || got.Comma != tc.comma {
			t.Errorf("%s: %q at %q, want %q at %q", name, rows, got.Comma, tc.rows, tc.comma)
		}
	}
	for text, want := range map[string]Error{
		"a,b\nx,\"y":                 {Unclosed, 2, 2},
		"a,b\n\"x\ny\",z\nu,\"v\n\n": {Unclosed, 4, 2},
		"a,b\n1,2\n\"Bo\" One,2":     {AfterQuote, 3, 1},
		"a\n1\n2\n3\n4":              {TooMany, 5, 1},
	} {
		var e *Error
		if _, err := Parse(text, 4); !errors.As(err, &e) || *e != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// Lists in the languages of each encoding are read as they were written.
func TestGuess(t *testing.T) {
	for _, tc := range []struct {
		name string
		enc  *charmap.Charmap
		text string
	}{
		{"Windows-1252", charmap.Windows1252, "Nom;Prénom\r\nLefèvre;Élodie\r\nGrönemeyer;Jürgen\r\n"},
		{"Windows-1252", charmap.Windows1252, "Name,City\r\nStraßer,Köln\r\n"},
		{"Windows-1252", charmap.Windows1252, "Apellidos;Título\r\nNúñez;Dirección\r\n"},
		{"Windows-1252", charmap.Windows1252, "Nom;Poste\r\nL’Hôte;Chargé d’études – à l’œuvre\r\nCAFÉ;5 €\r\n"},
		{"Windows-1252", charmap.Windows1252, "Name\r\nÅse Bjørnsdóttir\r\n"},
		{"ISO-8859-15", charmap.ISO8859_15, "Nom;Titre\nSœur;Maître d'œuvre\n"},
		{"Mac Roman", charmap.Macintosh, "Nom;Prénom\rLefèvre;Élodie\rGrönemeyer;Jürgen\r"},
		{"Mac Roman", charmap.Macintosh, "Name,City\nJörg,Köln\n"},
		{"Mac Roman", charmap.Macintosh, "Apellidos,Título\rNúñez,Dirección\r"},
		{"DOS-850", charmap.CodePage850, "Nom;Prénom\r\nLefèvre;Élodie\r\nGrönemeyer;Jürgen\r\n"},
		{"DOS-850", charmap.CodePage850, "Name;Stadt\r\nMüller;Köln\r\n"},
		{"Windows-1250", charmap.Windows1250, "Nazwisko;Imię\r\nWałęsa;Małgorzata\r\nŻółć;Łukasz\r\n"},
		{"Windows-1251", charmap.Windows1251, "Имя;Почта\r\nИванов Пётр;petr@work.example\r\n"},
	} {
		b, err := tc.enc.NewEncoder().Bytes([]byte(tc.text))
		if err != nil {
			t.Fatal(err)
		}
		if text, name, err := Decode(b, ""); err != nil || text != tc.text {
			t.Errorf("%s was taken for %s: %q, %v", tc.name, name, text, err)
		}
	}
	// A text that looks like another encoding is read in the given one.
	if text, _, err := Decode([]byte("Dvo\xf8\xe1k"), "Windows-1250"); err != nil || text != "Dvořák" {
		t.Errorf("%q, %v", text, err)
	}
	var e *EncodingError
	if _, _, err := Decode([]byte("a\r\nb\r\n\xe9,c"), "UTF-8"); !errors.As(err, &e) || e.Line != 3 {
		t.Errorf("not UTF-8: %v", err)
	}
	if _, _, err := Decode([]byte("a\x00\x01\x02,b"), ""); !errors.Is(err, ErrBinary) {
		t.Errorf("no text: %v", err)
	}
	if _, _, err := Decode([]byte("a"), "no such"); err == nil {
		t.Error("an encoding that there is not")
	}
}

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1":     "'=1+1",
		"+33 1 23": "+33 1 23",
		"+cmd":     "'+cmd",
		"@x":       "'@x",
		"-":        "'-",
		"Ann":      "Ann",
		"":         "",
		"'=1":      "''=1",
		"'t Hooft": "'t Hooft",
		"x;=1":     "x;'=1",
		"x\t @y":   "x\t '@y",
		"＝1":       "'＝1",
		"Jean-Luc": "Jean-Luc",
		"a+b@c":    "a+b@c",
		" =1":      " '=1",
	} {
		if got := Harmless(in); got != want || Plain(got) != in {
			t.Errorf("%q: %q, want %q, and back %q", in, got, want, Plain(got))
		}
	}
}

// A written table reads back the same, and no cell begins a formula, wherever a spreadsheet separates the cells.
func FuzzRoundTrip(f *testing.F) {
	f.Add("Élodie", "=1+1", `say "hi"`, ",;|\t\n")
	f.Add("'=x", "-;=1", " @", "''+")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		in := []string{"x" + a, b, c, d}
		for i, s := range in {
			if strings.ContainsAny(s, "\r\x00") || strings.ContainsRune(s, '\ufeff') ||
				strings.ContainsRune(s, '\ufffd') {
				t.Skip()
			}
			in[i] = strings.ToValidUTF8(s, "")
		}
		for _, comma := range []rune{',', ';', '\t'} {
			var out strings.Builder
			w := NewWriter(&out, comma)
			w.Write("a", "b", "c", "d")
			w.Write(in...)
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			text, name, err := Decode([]byte(out.String()), "")
			if err != nil || name != "UTF-8" {
				t.Fatalf("%q: %s, %v", out.String(), name, err)
			}
			got, err := Parse(text, 10)
			if err != nil || len(got.Rows) != 2 || got.Comma != comma {
				t.Fatalf("%q: %+v, %v", text, got, err)
			}
			for i, cell := range got.Rows[1].Cells {
				if Plain(cell) != in[i] {
					t.Errorf("%q came back as %q", in[i], Plain(cell))
				}
				for part := range strings.FieldsFuncSeq(cell, func(r rune) bool {
					return strings.ContainsRune(",;\t|\n\"", r)
				}) {
					if s := strings.TrimSpace(part); s != "" && strings.ContainsRune("=+-@", rune(s[0])) &&
						!phone.MatchString(cell) {
						t.Errorf("%q is a formula in %q", s, cell)
					}
				}
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("a,b\n\"1\n2\",3\n")
	f.Add("sep=;\r\"x\";\"y\"\"\"\r")
	f.Fuzz(func(t *testing.T, s string) {
		text, _, err := Decode([]byte(s), "")
		if err != nil {
			return
		}
		got, err := Parse(text, 50)
		if err != nil {
			return
		}
		last := 0
		for _, r := range got.Rows {
			if r.Line <= last || len(r.Cells) == 0 {
				t.Errorf("row %+v after line %d", r, last)
			}
			last = r.Line
		}
		if last > 1+strings.Count(text, "\n")+strings.Count(text, "\r") {
			t.Errorf("line %d of %q", last, text)
		}
	})
}
