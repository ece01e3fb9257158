package federation

import (
	"errors"
	"slices"
	"testing"

	"parley/wire"
	"parley/wire/jid"
)

func TestAuthz(t *testing.T) {
	ours := []string{"here.example", "groups.here.example"}
	local := func(d string) bool { return slices.Contains(ours, d) }
	st := func(from, to string) *wire.Stanza {
		s := &wire.Stanza{Kind: wire.Message}
		if from != "" {
			s.From = jid.MustParse(from)
		}
		if to != "" {
			s.To = jid.MustParse(to)
		}
		return s
	}
	expect := func(v *authz, s *wire.Stanza, want string) {
		t.Helper()
		err := v.allows(s)
		var se *wire.StreamError
		switch {
		case want == "" && err != nil:
			t.Errorf("%s to %s: %v", s.From, s.To, err)
		case want != "" && (!errors.As(err, &se) || se.Condition != want):
			t.Errorf("%s to %s: got %v, want %s", s.From, s.To, err, want)
		}
	}

	v := &authz{local: local}
	expect(v, st("a@there.example", "b@here.example"), "not-authorized")
	if v.any() {
		t.Error("proven without proof")
	}
	if err := v.provePair(pair{"there.example", "here.example"}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time by memory
		expect(v, st("a@there.example/x", "b@here.example"), "")
		expect(v, st("a@there.example", "groups.here.example"), "invalid-from")
		expect(v, st("a@there.example", "b@elsewhere.example"), "host-unknown")
		expect(v, st("a@sub.there.example", "b@here.example"), "invalid-from")
		expect(v, st("a@here.example", "b@here.example"), "invalid-from")
		expect(v, st("", "b@here.example"), "improper-addressing")
		expect(v, st("a@there.example", ""), "improper-addressing")
	}
	bad := st("a@there.example", "b@here.example")
	bad.Malformed = true
	expect(v, bad, "improper-addressing")
	v.revoke(pair{"there.example", "here.example"})
	expect(v, st("a@there.example", "b@here.example"), "not-authorized")

	v = &authz{local: local}
	for _, d := range []string{"", "here.example", "groups.here.example"} {
		if v.proveSASL(d) || v.provePair(pair{d, "here.example"}) == nil {
			t.Errorf("a stranger speaks for %q", d)
		}
	}
	if v.provePair(pair{"there.example", "elsewhere.example"}) == nil {
		t.Error("a pair between strangers")
	}
	if !v.proveSASL("there.example") {
		t.Fatal("not proven")
	}
	expect(v, st("there.example", "b@here.example"), "")
	expect(v, st("a@there.example", "room@groups.here.example"), "")
	expect(v, st("a@there.example", "b@elsewhere.example"), "host-unknown")
	expect(v, st("a@other.example", "b@here.example"), "invalid-from")
	if err := v.provePair(pair{"other.example", "here.example"}); err != nil { // piggybacking, proven
		t.Fatal(err)
	}
	expect(v, st("a@other.example", "b@here.example"), "")
	expect(v, st("a@other.example", "groups.here.example"), "invalid-from")

	ours = ours[:1] // a service that goes away while the stream lives
	expect(v, st("a@there.example", "room@groups.here.example"), "host-unknown")
	v = &authz{local: local}
	for i := range maxPairs {
		if err := v.provePair(pair{string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".example",
			"here.example"}); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := v.provePair(pair{"more.example", "here.example"}); !errors.Is(err, errTooManyPairs) {
		t.Errorf("got %v", err)
	}
}

// TestKey is the example of XEP-0185.
func TestKey(t *testing.T) {
	k := newKeys([]byte("s3cr3tf0rd14lb4ck"))
	const want = "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"
	if got := k.key("xmpp.example.com", "example.org", "D60000229F"); got != want {
		t.Errorf("got %s", got)
	}
	if !k.valid(want, "xmpp.example.com", "example.org", "D60000229F") {
		t.Error("not valid")
	}
	if k.valid(want, "example.com", "example.org", "D60000229F") ||
		k.valid("", "xmpp.example.com", "example.org", "D60000229F") || k.valid(k.key("a", "b", ""), "a", "b", "") {
		t.Error("valid for another pair, or without a key or an id")
	}
}
