package auth

import (
	"errors"
	"testing"
)

// TestTwoForms: a password that SASLprep and OpaqueString encode differently cannot be set; one that was set earlier
// still signs in.
func TestTwoForms(t *testing.T) {
	for _, p := range []string{"Azerty²2026!", "ｐａｓｓ１２３４Word!", "Saﬁr½-2026", "№5-Chanel-2026"} {
		if _, err := NewKeys(p, 4096); !errors.Is(err, ErrTwoForms) {
			t.Errorf("%q: %v", p, err)
		}
		if _, err := KeysLike(p, 4096, Keys{}); !errors.Is(err, ErrTwoForms) {
			t.Errorf("%q, like others: %v", p, err)
		}
		if prepared, err := prepare(p); err != nil {
			t.Errorf("%q: %v", p, err)
		} else if k, err := newKeys(prepared, NewSalt(), 4096, Keys{}); err != nil || !k.Verify(p) {
			t.Errorf("%q was set before, and does not sign in: %v", p, err)
		}
	}
	for _, p := range []string{
		"Pässwörd-12", "mot de passe très long", "a\u0308-2026-Xy!", "пароль-Длинный-1", "密码-Long-enough-1",
		"Key🔑-and-lock-1", "non\u00a0breaking-1X",
	} {
		if _, err := NewKeys(p, 4096); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	for _, p := range []string{
		"Tr0ub4dor&3", "correct horse battery", "xkqjzwvbnmpl", "aZ9!kkzq", "Été2026!x", "hXr7mQp2LkVz",
	} {
		if err := CheckPassword(p, "romeo"); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
	for _, p := range []string{
		"", "short1!", "password", "Password1!", "P@ssw0rd123", "aaaaaaaaaaaaaaaa", "abcdefghijklmnop", "123456789012",
		"alllowercase", "Romeo-2026!x", "qwertyuiop12", "tab\x00inside12345",
	} {
		if CheckPassword(p, "romeo") == nil {
			t.Errorf("%q is taken", p)
		}
	}
}
