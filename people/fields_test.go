package people

import (
	"fmt"
	"strings"
	"testing"
)

func TestPropose(t *testing.T) {
	for _, c := range [][3]string{
		{"Élodie.Marchand@x.example", "", "elodie.marchand"},
		{"", "Jean-Luc  Été", "jean-luc.ete"},
		{"a+b@x", "", "a.b"},
		{"", "李", ""},
		{"", "..x..", "x"},
	} {
		if got := Propose(c[0], c[1]); got != c[2] {
			t.Errorf("%q, %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

// TestEmailOutsideASCII checks that the domain of an e-mail address is sent in ASCII, and kept as people read it
// however it was typed.
func TestEmailOutsideASCII(t *testing.T) {
	for in, want := range map[string]string{
		"anne@bücher.example":        "anne@bücher.example",
		"anne@xn--bcher-kva.example": "anne@bücher.example",
		"Anne@BÜCHER.example":        "Anne@bücher.example",
		"anne@Work.example":          "anne@Work.example",
		"élodie@bücher.example":      "élodie@bücher.example",
		"e\u0301lodie@x.example":     "élodie@x.example",
	} {
		got, err := CheckEmail(in)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{
		"anne@bücher.example":   "anne@xn--bcher-kva.example true",
		"élodie@bücher.example": "élodie@xn--bcher-kva.example false",
		"a@x.example":           "a@x.example true",
	} {
		if ascii, bare := ASCIIAddress(in); fmt.Sprint(ascii, " ", bare) != want {
			t.Errorf("%q: %s %v", in, ascii, bare)
		}
	}
	for _, bad := range []string{
		"a@-x.example", "a@x_y.example", "a@ex ample.org", "a@" + strings.Repeat("x", 64) + ".example",
	} {
		if got, err := CheckEmail(bad); err == nil {
			t.Errorf("%q is taken as %q", bad, got)
		}
	}
}

func TestCheckEmail(t *testing.T) {
	for _, good := range []string{"", "a@b.example", " a.b+c@d.example "} {
		if _, err := CheckEmail(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"a", "a@b", "A <a@b.example>", "a@b.example, c@d.example", "a b@c.example",
		"a@b.example\r\nBcc: x@y.example", "\"a\"@b.example",
	} {
		if _, err := CheckEmail(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
