package web

import (
	"html"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

func TestReadRows(t *testing.T) {
	for _, text := range []string{
		"full_name,email,groups\n\"Ann, One\",ann@x.example,\"a b\"\n\n",
		"\tNom complet ; Courriel ; groupes \n\"Ann, One\";ann@x.example;a b\n",
		"email\tdisplay name\tgroups\nann@x.example\tAnn, One\ta|b\n",
	} {
		rows, err := readRows(decode([]byte("\ufeff" + text)))
		if err != nil || len(rows) != 1 || rows[0].New.FullName != "Ann, One" || rows[0].New.Email != "ann@x.example" || strings.Join(rows[0].New.Groups, " ") != "a b" || rows[0].Line != 2 {
			t.Errorf("%q: %+v, %v", text, rows, err)
		}
	}
	for _, text := range []string{"", "a,b\nc,d\n", "email\n\"x", "full_name\n", "email,full_name\n,\n"} {
		if rows, err := readRows(text); err == nil {
			t.Errorf("%q: %+v", text, rows)
		}
	}
	if s := decode([]byte("\xc9lodie")); s != "Élodie" {
		t.Errorf("Windows' Latin: %q", s)
	}
}

func FuzzReadRows(f *testing.F) {
	f.Add("full_name,email\nA,a@x.example\n")
	f.Add("Nom complet;Courriel\n\"A\";a@x\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := readRows(decode([]byte(text)))
		if err == nil && (len(rows) == 0 || len(rows) > maxImport) {
			t.Errorf("%d rows", len(rows))
		}
	})
}

// Links in what people have said are links; nothing else in it is anything but text.
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
		if strings.ReplaceAll(html.UnescapeString(plain), "\ufffd", "\x00") != strings.ReplaceAll(s, "\ufffd", "\x00") && !strings.Contains(s, "&") && !strings.Contains(s, "</a>") {
			t.Errorf("%q became %q", s, html.UnescapeString(plain))
		}
	})
}

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "+33 1 23": "+33 1 23", "+cmd": "'+cmd", "@x": "'@x", "-": "'-", "Ann": "Ann", "": ""} {
		if got := harmless(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
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
