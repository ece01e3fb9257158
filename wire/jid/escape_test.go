package jid

import (
	"strings"
	"testing"
)

// The examples of XEP-0106, and texts that are not escapes.
func TestEscape(t *testing.T) {
	for name, local := range map[string]string{
		"space cadet":       `space\20cadet`,
		`call me "ishmael"`: `call\20me\20\22ishmael\22`,
		"at&t guy":          `at\26t\20guy`,
		"d'artagnan":        `d\27artagnan`,
		"/.fanboy":          `\2f.fanboy`,
		"::foo::":           `\3a\3afoo\3a\3a`,
		"<foo>":             `\3cfoo\3e`,
		"user@host":         `user\40host`,
		`c:\net`:            `c\3a\net`,
		`c:\\net`:           `c\3a\\net`,
		`c:\cool stuff`:     `c\3a\cool\20stuff`,
		`c:\5commas`:        `c\3a\5c5commas`,
		"café x":            `café\20x`,
		"plain":             "plain",
		"":                  "",
	} {
		if got := Escape(name); got != local {
			t.Errorf("%q: %q, want %q", name, got, local)
		}
		if got := Unescape(local); got != name {
			t.Errorf("%q is shown as %q", local, got)
		}
		if got := Typed(name); got != local && Unescape(name) == name {
			t.Errorf("typed %q: %q", name, got)
		}
		if got := Typed(local); got != local {
			t.Errorf("typed %q: %q", local, got)
		}
	}
	for _, local := range []string{`\20x`, `x\20`, `a\2`, `a\2Fb`, `a\b`} {
		if got := Unescape(local); got != local {
			t.Errorf("%q is shown as %q", local, got)
		}
	}
	if got := MustParse(`space\20cadet@groups.example.org`); got.Name() != "space cadet" ||
		got.Local() != `space\20cadet` {
		t.Errorf("%q: %q", got, got.Name())
	}
}

// Every text survives escaping and unescaping.
func FuzzEscape(f *testing.F) {
	f.Add(`c:\5commas`)
	f.Add(`\5c20 @`)
	f.Fuzz(func(t *testing.T, name string) {
		name = strings.TrimSpace(name)
		if got := Unescape(Escape(name)); got != name {
			t.Errorf("%q: %q: %q", name, Escape(name), got)
		}
		if strings.ContainsAny(Escape(name), ` "&'/:<>@`) {
			t.Errorf("%q: %q", name, Escape(name))
		}
	})
}
