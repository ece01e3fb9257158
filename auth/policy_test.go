package auth

import "testing"

func TestCheckPassword(t *testing.T) {
	for _, p := range []string{"Tr0ub4dor&3", "correct horse battery", "xkqjzwvbnmpl", "aZ9!kkzq", "Été2026!x", "hXr7mQp2LkVz"} {
		if err := CheckPassword(p, "romeo"); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
	for _, p := range []string{"", "short1!", "password", "Password1!", "P@ssw0rd123", "aaaaaaaaaaaaaaaa", "abcdefghijklmnop", "123456789012", "alllowercase", "Romeo-2026!x", "qwertyuiop12", "tab\x00inside12345"} {
		if CheckPassword(p, "romeo") == nil {
			t.Errorf("%q is taken", p)
		}
	}
}
