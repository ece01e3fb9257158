package auth

import (
	"context"
	"errors"
	"testing"

	"mellium.im/sasl"
)

// An account with app passwords: each mechanism finds the one that was used. A refused password gives another error
// than a wrong one, but only to somebody who knows it.
func TestAppPasswords(t *testing.T) {
	own, err := NewKeys("pencil", 5000)
	if err != nil {
		t.Fatal(err)
	}
	secrets := func(refuse string) (ss []Secret) {
		for _, word := range []string{"phone", "desk"} {
			k, err := KeysLike(word+"-word", 4096, own)
			if err != nil {
				t.Fatal(err)
			}
			ss = append(ss, Secret{ID: word, Keys: k})
		}
		return append(ss, Secret{Keys: own, Refuse: refuse})
	}
	for _, refuse := range []string{"", "make an app password"} {
		for _, m := range []sasl.Mechanism{sasl.Plain, sasl.ScramSha1, sasl.ScramSha256} {
			o := options(t, Binding{})
			ss := secrets(refuse)
			o.Lookup = func(context.Context, string) ([]Secret, error) { return ss, nil }
			for _, word := range []string{"phone", "desk"} {
				ex, err := run(t, o, m, "user", word+"-word", "")
				if err != nil || ex.Secret() != word {
					t.Errorf("%s with that of %s: %v", m.Name, word, err)
				}
			}
			ex, err := run(t, o, m, "user", "pencil", "")
			var e *Error
			switch {
			case refuse == "" && (err != nil || ex.Secret() != ""):
				t.Errorf("%s with the own password: %v", m.Name, err)
			case refuse != "" && (!errors.As(err, &e) || e.Condition != "not-authorized" ||
				e.Text != refuse || !e.Known):
				t.Errorf("%s with the password that is refused: %v", m.Name, err)
			}
			if _, err := run(t, o, m, "user", "pen", ""); !errors.As(err, &e) || e.Text != "" || e.Known {
				t.Errorf("%s with a wrong password: %v", m.Name, err)
			}
		}
	}
}

// A password with other parameters is not found, and does no harm.
func TestApart(t *testing.T) {
	own, _ := NewKeys("pencil", 4096)
	app, err := NewKeys("phone-word", 4096)
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, Binding{})
	o.Lookup = func(context.Context, string) ([]Secret, error) {
		return []Secret{{ID: "phone", Keys: app}, {Keys: own}}, nil
	}
	for _, m := range []sasl.Mechanism{sasl.Plain, sasl.ScramSha1, sasl.ScramSha256} {
		if _, err := run(t, o, m, "user", "phone-word", ""); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if _, err := run(t, o, m, "user", "pencil", ""); condition(err) != "not-authorized" {
			t.Errorf("%s with the other: %v", m.Name, err)
		}
	}
	// A missing key is made with the parameters of the other password's key.
	k, err := KeysLike("x-word", 4096, Keys{SHA1: own.SHA1})
	if err != nil || !k.SHA1.like(own.SHA1) || k.SHA256.like(own.SHA256) {
		t.Errorf("%v", err)
	}
	full, err := Keys{SHA256: own.SHA256}.complete("pencil", []Secret{{Keys: app}})
	if err != nil || !full.SHA1.like(app.SHA1) || !full.SHA256.like(own.SHA256) {
		t.Errorf("%v", err)
	}
}
