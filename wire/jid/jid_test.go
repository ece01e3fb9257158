package jid

import (
	"strings"
	"testing"

	mjid "mellium.im/xmpp/jid"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("a", MaxPart)
	for _, c := range []struct{ in, want string }{ // want is empty for an invalid address
		{"example.org", "example.org"},
		{"a@example.org", "a@example.org"},
		{"a@example.org/B c@d/e", "a@example.org/B c@d/e"},
		{"example.org/a@b", "example.org/a@b"},
		{"JULIET@EXAMPLE.ORG/Balcony", "juliet@example.org/Balcony"},
		{"ÅSE@BÜCHER.example/Ö", "åse@bücher.example/Ö"},
		{"a@example.org.", "a@example.org"},
		{"a@192.0.2.1", "a@192.0.2.1"},
		{"a@[2001:db8::1]/r", "a@[2001:db8::1]/r"},
		{long + "@example.org/" + long, long + "@example.org/" + long},
		{"...", ""},
		{".a", ""},
		{"a..b", ""},
		{"a@é..", ""},
		{"", ""},
		{"@example.org", ""},
		{"a@", ""},
		{"/r", ""},
		{"a@/r", ""},
		{"a@example.org/", ""},
		{"a b@example.org", ""},
		{"a@b@example.org", ""},
		{"a'b@example.org", ""},
		{"<a>@example.org", ""},
		{"a@exa mple.org", ""},
		{"a@example.org/\x00", ""},
		{long + "a@example.org", ""},
		{"a@example.org/" + long + "a", ""},
		{"a\xff@example.org", ""},
	} {
		j, err := Parse(c.in)
		if (err == nil) != (c.want != "") || j.String() != c.want {
			t.Errorf("%.40q: %.60q, %v; want %.60q", c.in, j, err, c.want)
		}
	}
}

func TestParts(t *testing.T) {
	j := MustParse("a@example.org/r")
	if j.Local() != "a" || j.Domain() != "example.org" || j.Resource() != "r" || j.IsBare() {
		t.Fatalf("%q %q %q", j.Local(), j.Domain(), j.Resource())
	}
	if b := j.Bare(); b != MustParse("A@Example.org") || !b.IsBare() || b.Resource() != "" {
		t.Fatal(b)
	}
	if h := j.Host(); h != MustParse("example.org") || h.Local() != "" {
		t.Fatal(h)
	}
	if w, err := j.Bare().WithResource("r"); err != nil || w != j {
		t.Fatal(w, err)
	}
	var u JID
	if err := u.UnmarshalText(nil); err != nil || !u.IsZero() {
		t.Fatal(u, err)
	}
	if err := u.UnmarshalText([]byte("A@example.org/r")); err != nil || u != j {
		t.Fatal(u, err)
	}
}

// FuzzParse: an accepted address is in canonical form, the same as mellium's, whichever way it is made.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"a@b/c", "ÅSE@BÜCHER.example./Ö", "a@[::1]/x", "a@xn--bcher-kva.example", "x@a--b", "1.2.3.4",
		"a@b//", "ſ@ﬁ.example/①",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		j, err := Parse(s)
		if err != nil {
			if !j.IsZero() {
				t.Fatal("an address and an error")
			}
			return
		}
		again, err := Parse(j.String())
		if err != nil || again != j {
			t.Fatalf("%q becomes %q becomes %q (%v)", s, j, again, err)
		}
		made, err := New(j.Local(), j.Domain(), j.Resource())
		if err != nil || made != j {
			t.Fatalf("%q of its parts is %q (%v)", j, made, err)
		}
		m, err := mjid.Parse(s)
		if err != nil {
			t.Fatalf("mellium refuses %q: %v", s, err)
		}
		if want := strings.TrimSuffix(m.Domainpart(), "."); m.Localpart() != j.Local() || want != j.Domain() ||
			m.Resourcepart() != j.Resource() {
			t.Fatalf("%q, mellium %q", j, m)
		}
		if j.Bare().String()+sep(j) != j.String() || j.Bare().Host() != j.Host() {
			t.Fatalf("%q has parts %q %q", j, j.Bare(), j.Host())
		}
	})
}

func sep(j JID) string {
	if j.IsBare() {
		return ""
	}
	return "/" + j.Resource()
}

func BenchmarkParse(b *testing.B) {
	for _, s := range []string{"juliet@capulet.example/balcony", "åse@bücher.example/Ö"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
