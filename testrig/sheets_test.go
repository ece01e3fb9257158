package testrig_test

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"

	"parley/testrig"
)

// wide writes a text as Excel's “Unicode Text” does.
func wide(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// A list is taken as any spreadsheet saves it: the bytes are those of the program and the format that each case names.
func TestSpreadsheetsAreImported(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	const unicodeText = "\ufeffPrénom\tNom\tCourriel\r\nÉlodie\tMüller\televe@work.example\r\n\t\t\r\n"
	for name, file := range map[string]string{
		"Excel, CSV UTF-8": "\xef\xbb\xbfPr\xc3\xa9nom;Nom;Courriel\r\n" +
			"\xc3\x89lodie;M\xc3\xbcller;eleve@work.example\r\n",
		"Excel, CSV, Western Windows": "Pr\xe9nom;Nom;Courriel;;\r\n" +
			"\xc9lodie;M\xfcller;eleve@work.example;;\r\n;;;;\r\n",
		"Excel, CSV (Macintosh)":             "Pr\x8enom;Nom;Courriel\r\x83lodie;M\x9fller;eleve@work.example\r",
		"Excel, CSV (MS-DOS)":                "Pr\x82nom;Nom;Courriel\r\n\x90lodie;M\x81ller;eleve@work.example\r\n",
		"Excel, Unicode Text":                wide(binary.LittleEndian, unicodeText),
		"Excel for Mac, UTF-16 Unicode Text": wide(binary.BigEndian, strings.ReplaceAll(unicodeText, "\r\n", "\r")),
		"UTF-16 without a mark":              wide(binary.LittleEndian, strings.TrimPrefix(unicodeText, "\ufeff")),
		"Excel's own line": "sep=,\r\nPr\xe9nom,Nom,Courriel\r\n" +
			"\xc9lodie,M\xfcller,eleve@work.example\r\n",
		"Text (tab delimited)": "Pr\xe9nom\tNom\tCourriel\r\n" +
			"\xc9lodie\tM\xfcller\televe@work.example\r\n",
		"LibreOffice, UTF-8, all cells quoted": "\"Pr\xc3\xa9nom\",\"Nom\",\"Courriel\"\n" +
			"\"\xc3\x89lodie\",\"M\xc3\xbcller\",\"eleve@work.example\"\n,,\n",
		"LibreOffice, ISO-8859-15": "Pr\xe9nom;Nom;Courriel\n\xc9lodie;M\xfcller;eleve@work.example\n",
		"Google Sheets, CSV": "Pr\xc3\xa9nom,Nom,Courriel\r\n" +
			"\xc3\x89lodie,M\xc3\xbcller,eleve@work.example\r\n,,",
		"Google Sheets, TSV": "Pr\xc3\xa9nom\tNom\tCourriel\r\n\xc3\x89lodie\tM\xc3\xbcller\televe@work.example",
		"Numbers, UTF-8": "Tableau 1\nPr\xc3\xa9nom;Nom;Courriel\n" +
			"\xc3\x89lodie;M\xc3\xbcller;eleve@work.example\n",
		"a line within a cell": "Pr\xc3\xa9nom,Nom,\"Courriel\nprofessionnel\"\n" +
			"\xc3\x89lodie,M\xc3\xbcller,eleve@work.example\n",
	} {
		p := uploaded(b, "/admin/people/import", "file", []byte(file))
		if p.Status != http.StatusOK || !strings.Contains(p.Text, "<b>Élodie Müller</b>") ||
			!strings.Contains(p.Text, "eleve@work.example</span>") || !strings.Contains(p.Text, "Create one person") {
			t.Errorf("%s: %d %.2000s", name, p.Status, cutOut(p.Text, `<div class="alert`, "<script"))
		}
	}
	if p := uploaded(b, "/admin/people/import", "file", []byte("jm\xe9no,mail\nDvo\xf8\xe1k,d@work.example\n"),
		"encoding", "Windows-1250"); !strings.Contains(p.Text, "jméno") {
		t.Error("the encoding that was chosen is not taken")
	}
	for name, tc := range map[string]struct{ file, says string }{
		"list.xlsx": {"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml....xl/workbook.xml",
			"CSV UTF-8 (Comma delimited)"},
		"list.xls": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", "This is an Excel workbook"},
		"list.ods": {"PK\x03\x04\x14\x00\x00\x08mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
			"Text CSV (.csv)"},
		"list.numbers": {"PK\x03\x04\x14\x00Index/Document.iwa", "Export To"},
		"photo.png":    {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "This file is not text"},
		"list.pdf":     {"%PDF-1.7\n", "This file is not a table"},
		"wrong.csv": {"Nom;Courriel\nAnn;ann@work.example\nBob;bob@\"work;\"bob\n",
			"Line 3, column C: a quotation mark"},
		"utf-8.csv": {"\xef\xbb\xbfNom;Courriel\n\xc9lodie;e@work.example\n",
			"Line 2 has letters that are not in UTF-8"},
	} {
		if p := uploaded(b, "/admin/people/import",
			"file", []byte(tc.file)); p.Status != http.StatusUnprocessableEntity ||
			!strings.Contains(strings.ReplaceAll(p.Text, "&#34;", `"`), tc.says) {
			t.Errorf("%s: %d %s", name, p.Status, cutOut(p.Text, `role="alert"`, "</div>"))
		}
	}
	// An error in a line names the column as the file does, and the value in it.
	p := uploaded(b, "/admin/people/import", "file", []byte("Nom;Courriel;Rôle\nAnn;ann@work.example;roi\nBob;bob;\n"))
	for _, says := range []string{
		"<b>Rôle “roi”</b>: There is no such role: owner, admin, supervisor or member",
		"<b>Courriel “bob”</b>: This is not an e-mail address",
	} {
		if !strings.Contains(p.Text, says) {
			t.Errorf("not said: %s", says)
		}
	}
}

func cutOut(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// An exported file opens with every letter intact, has no formulas, and can be imported unchanged.
func TestExportComesBack(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	odd := [][4]string{
		{"Élodie Müller", "elodie@work.example", "=HYPERLINK(1)", "a;=1+1"},
		{"'t Hooft", "hooft@work.example", `the "chief", one`, "-"},
		{"@home", "home@work.example", "+33 1 23", "x|y"},
	}
	list := "full_name\temail\ttitle\tdepartment\n"
	for _, o := range odd {
		list += strings.Join(o[:], "\t") + "\n"
	}
	if p := b.Post("/admin/people/import",
		"text", list, "do", "import"); !strings.Contains(p.Text, "3 people created") {
		t.Fatalf("import: %d %s", p.Status, cutOut(p.Text, `role="alert"`, "</div>"))
	}
	for lang, comma := range map[string]string{"en": ",", "fr": ";", "de": ","} {
		p := b.Do("GET", "/admin/people.csv", nil, func(r *http.Request) { r.Header.Set("Accept-Language", lang) })
		if !strings.HasPrefix(p.Text, "\xef\xbb\xbfname"+comma+"full_name"+comma) ||
			!strings.Contains(p.Text, "Élodie Müller") || strings.Contains(p.Text, comma+"=") ||
			strings.Contains(p.Text, ";=") {
			t.Errorf("in %s: %s", lang, p.Text)
		}
	}
	for _, comma := range []string{"comma", "semicolon", "tab"} {
		file := b.Get("/admin/people.csv?q=work.example&separator=" + comma).Text
		r2 := testrig.Start(t, web)
		r2.Account("!romeo")
		b2 := r2.Browser(t)
		b2.SignIn("romeo")
		if p := uploaded(b2, "/admin/people/import", "file",
			[]byte(file), "do", "import"); !strings.Contains(p.Text, "3 people created") {
			t.Fatalf("%s: %d %s", comma, p.Status, cutOut(p.Text, `role="alert"`, "</div>"))
		}
		for _, o := range odd {
			name, _, _ := strings.Cut(o[1], "@")
			u, err := r2.Node.Store.Person(t.Context(), testrig.Host, name)
			if got := fmt.Sprint(u.FullName, u.Email, u.Title, u.Department); err != nil ||
				got != fmt.Sprint(o[0], o[1], o[2], o[3]) {
				t.Errorf("%s came back as %s, %v", o, got, err)
			}
		}
	}
}
