package load

import (
	"encoding/base64"
	"testing"
)

// The exchanges of RFC 5802, section 5, and RFC 7677, section 3.
func TestScramVectors(t *testing.T) {
	for mech, v := range map[string]struct{ nonce, challenge, final, success string }{
		"SCRAM-SHA-1": {
			"fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
		"SCRAM-SHA-256": {
			"rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
	} {
		x := newScram(mech, "user", "pencil", new(keyCache))
		x.bare = "n=user,r=" + v.nonce
		final, err := x.final(base64.StdEncoding.EncodeToString([]byte(v.challenge)))
		if err != nil {
			t.Fatalf("%s: %v", mech, err)
		}
		if got, _ := base64.StdEncoding.DecodeString(final); string(got) != v.final {
			t.Errorf("%s: final\n got %s\nwant %s", mech, got, v.final)
		}
		if err := x.verify(base64.StdEncoding.EncodeToString([]byte(v.success))); err != nil {
			t.Errorf("%s: %v", mech, err)
		}
		if x.verify(base64.StdEncoding.EncodeToString([]byte("v=AAAA"))) == nil {
			t.Errorf("%s: a wrong server signature passes", mech)
		}
	}
}

func TestScramRefusesForeignNonce(t *testing.T) {
	x := newScram("SCRAM-SHA-1", "user", "pencil", new(keyCache))
	if _, err := x.final(base64.StdEncoding.EncodeToString([]byte("r=other,s=QSXCR+Q6sek8bf92,i=1"))); err == nil {
		t.Fatal("a nonce that is not ours passes")
	}
}
