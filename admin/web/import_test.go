package web

import (
	"errors"
	"html"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"parley/internal/fault"
	"parley/internal/i18n"
	"parley/store"
)

// Columns are found by what lists of other programs call them.
func TestReadRows(t *testing.T) {
	for _, text := range []string{
		"full_name,email,groups\n\"Ann, One\",ann@x.example,\"a b\"\n\n",
		"\tNom complet ; Courriel ; groupes \n\"Ann, One\";ann@x.example;a b\n",
		"email\tdisplay name\tgroups\nann@x.example\tAnn, One\ta|b\n",
		"NOM,ADRESSE É-MAIL,Groupes (facultatif)\n\"Ann, One\",mailto:ann@x.example,\"a;b\"\n",
		"Vorname;Name;E-Mail-Adresse;Gruppen\nAnn,;One;ann@x.example;a b\n",
		"Prénom;Nom;Mél;Groupes\nAnn,;One;ann@x.example;a b\n",
		"Nombre;Apellidos;Correo electrónico;Grupos\nAnn,;One;ann@x.example;a b\n",
		"First Name,Last Name,E-mail 1 - Value,Groups\n\"Ann,\",One,ann@x.example,a b\n",
		"Name,Mail,Email,Group\n\"Ann, One\",,\"Ann <ann@x.example>\",a b\n",
		"full_name;email;groups\n'Ann, One;\u200bann@x.example\u00a0;a b\n",
	} {
		want := "Ann, One"
		if strings.Contains(text, "'Ann") {
			want = "'Ann, One" // an apostrophe of the name's own
		}
		rows, by, _, err := readRows(text, nil)
		if err != nil || len(rows) != 1 || rows[0].New.FullName != want || rows[0].New.Email != "ann@x.example" ||
			rows[0].New.Name != "" || strings.Join(rows[0].New.Groups, " ") != "a b" ||
			rows[0].Line != 2 || len(by.unused) != 0 {
			t.Errorf("%q: %+v, %v, %v", text, rows, by.unused, err)
		}
	}
	rows, by, _, err := readRows("name,full_name,E-mail,Tel.,Rôle,Langue,Poste,Chaussures\n"+
		"ann,Ann One,ann@x.example,'+33 1,Responsable,Français (France),'=CEO,42\n", nil)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	if n := rows[0].New; n.Name != "ann" || n.Phone != "+33 1" || n.Role != "supervisor" || n.Lang != "fr" ||
		n.Title != "=CEO" || strings.Join(by.unused, " ") != "Chaussures" {
		t.Errorf("%+v, left out %v", n, by.unused)
	}
	for text, want := range map[string]string{
		"": "Choose a file, or paste its lines",
		"a,b\nc,d\n": "Line 1 must name the columns, and one of them must be full_name, " +
			"last_name or email. It has: a · b",
		"email;Nom\nx;\"y\nz;t": "Line 2, column B (Nom): a quotation mark (\") opens this cell, and " +
			"nothing closes it. Close it, or write it twice where it belongs to the text",
		"email;Nom\nx;t\n\"y\" z;t": "Line 3, column A (email): after the quotation " +
			"mark (\") that closes this cell, ; or the line’s end has to follow. Write a quotation mark twice where " +
			"it belongs to the text",
		"full_name\n":                           "There is nobody in this file",
		"email,full_name\n,\n":                  "There is nobody in this file",
		"email\n" + strings.Repeat("a\n", 5001): "Line 5002 is one too many: import at most 5000 people at once",
	} {
		_, _, _, err := readRows(text, nil)
		var pe *fault.Error
		if !errors.As(err, &pe) {
			t.Errorf("%.60q: %v", text, err)
			continue
		}
		c, err := i18n.New()
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Lang("en").T(pe.Text, pe.Args...); got != want {
			t.Errorf("%.60q: %s", text, got)
		}
		if got := c.Lang("fr").T(pe.Text, pe.Args...); got == want {
			t.Errorf("%s: not in French", want)
		}
	}
}

// No two columns share a name.
func TestHeads(t *testing.T) {
	if len(heads) < 150 {
		t.Fatalf("%d names: the test is blind", len(heads))
	}
	for h, column := range heads {
		if plainly(h) != h {
			t.Errorf("%q is never found: it would have to be written %q", h, plainly(h))
		}
		if !slices.Contains(columns, column) {
			t.Errorf("%q is no column", column)
		}
	}
}

func FuzzReadRows(f *testing.F) {
	f.Add("full_name,email\nA,a@x.example\n")
	f.Add("Nom complet;Courriel\n\"A\";a@x\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, _, _, err := readRows(text, nil)
		if err == nil && (len(rows) == 0 || len(rows) > maxImport) {
			t.Errorf("%d rows", len(rows))
		}
	})
}

// Addresses in messages become links; everything else in them stays text.
func FuzzLinked(f *testing.F) {
	f.Add("see https://x.example/a?b=c&d='e' <script>")
	f.Fuzz(func(t *testing.T, s string) {
		out := string(linked(s))
		plain := strings.NewReplacer("</a>", "").Replace(out)
		for strings.Contains(plain, "<a href=") {
			i := strings.Index(plain, "<a href=")
			j := strings.Index(plain[i:], `nofollow">`)
			if j < 0 {
				t.Fatalf("a link without an end: %q", out)
			}
			plain = plain[:i] + plain[i+j+len(`nofollow">`):]
		}
		if strings.ContainsAny(plain, "<>\"") {
			t.Errorf("%q gives %q", s, out)
		}
		if strings.ReplaceAll(html.UnescapeString(plain),
			"\ufffd", "\x00") != strings.ReplaceAll(s, "\ufffd", "\x00") && !strings.Contains(s, "&") &&
			!strings.Contains(s, "</a>") {
			t.Errorf("%q became %q", s, html.UnescapeString(plain))
		}
	})
}

func TestMatching(t *testing.T) {
	secret, now := newSecret(), time.Unix(1_700_000_010, 0)
	step := now.Unix() / codeStep
	for offset, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		code, err := totp.GenerateCode(secret, now.Add(time.Duration(offset)*codeStep*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := matching(secret, code, now, 0); ok != want || ok && got != step+offset {
			t.Errorf("%d steps off: %v, %d", offset, ok, got)
		}
		if _, ok := matching(secret, code, now, step+offset); ok {
			t.Errorf("%d steps off: good again", offset)
		}
	}
}

// Columns of profile fields are recognised by the key and by both names, in any spelling; the list's built-in columns
// take precedence.
func TestReadProfileFields(t *testing.T) {
	fs := []store.ProfileField{
		{Key: "extension", Name: "Desk phone", NameFR: "Numéro de poste"},
		{Key: "shared-mailboxes", Name: "Shared mailboxes"},
		{Key: "cell", Name: "Mobile", NameFR: "Extension"},
	}
	for head, want := range map[string]string{
		"Extension":           "extension",
		"DESK PHONE (office)": "extension",
		"numero de poste":     "extension",
		"shared_mailboxes":    "shared-mailboxes",
		"Mobile":              "",
	} {
		rows, by, _, err := readRows("email,"+head+"\na@x.example,1\n", fs)
		if err != nil || len(rows) != 1 || len(by.unused) != 0 {
			t.Fatalf("%s: %+v, %v, %v", head, rows, by.unused, err)
		}
		switch n := rows[0].New; {
		case want == "" && (n.Phone != "1" || n.Fields != nil), want != "" && (n.Fields[want] != "1" || n.Phone != ""):
			t.Errorf("%s: %+v", head, n)
		}
	}
}
