package auth

import (
	"net/netip"
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	now := time.Unix(0, 0)
	th := NewThrottle(ThrottleConfig{PerAccount: 3, PerAddress: 5, Window: time.Minute, Max: 1000, Now: func() time.Time { return now }})
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	ok := func(a netip.Addr, account string) bool { ok, _ := th.Allow(a, account); return ok }

	for range 3 {
		if !ok(a, "romeo") {
			t.Fatal("refused too early")
		}
		th.Failed(a, "romeo")
	}
	if ok(a, "romeo") {
		t.Error("a fourth attempt at one account")
	}
	if !ok(a, "juliet") || !ok(b, "romeo") {
		t.Error("others have to wait")
	}
	th.Failed(a, "juliet")
	th.Failed(a, "juliet")
	if ok(a, "") {
		t.Error("a sixth attempt from one address")
	}
	if _, wait := th.Allow(a, ""); wait <= 0 || wait > time.Minute {
		t.Errorf("wait %v", wait)
	}
	now = now.Add(2 * time.Minute)
	if !ok(a, "romeo") {
		t.Error("still refused when the window has passed")
	}
}

func TestThrottleLocksNobodyOut(t *testing.T) {
	now := time.Unix(0, 0)
	th := NewThrottle(ThrottleConfig{PerAccount: 3, PerAddress: 5, Window: time.Minute, Now: func() time.Time { return now }})
	home := netip.MustParseAddr("2001:db8::1")
	th.Succeeded(home, "romeo")
	addr := netip.MustParseAddr("198.51.100.0")
	for range 40 {
		th.Failed(addr, "romeo")
		addr = addr.Next()
	}
	if ok, _ := th.Allow(netip.MustParseAddr("203.0.113.9"), "romeo"); ok {
		t.Error("an account guessed at from forty addresses is open to another")
	}
	if ok, _ := th.Allow(netip.MustParseAddr("2001:db8::2"), "romeo"); !ok { // same /64
		t.Error("romeo is locked out at home")
	}
}

func TestThrottleStaysSmall(t *testing.T) {
	th := NewThrottle(ThrottleConfig{Max: 100})
	addr := netip.MustParseAddr("10.0.0.0")
	for range 5000 {
		th.Failed(addr, addr.String())
		th.Succeeded(addr, addr.String())
		addr = addr.Next()
	}
	if len(th.m) > 103 || len(th.known) > 103 {
		t.Errorf("%d and %d entries", len(th.m), len(th.known))
	}
}
