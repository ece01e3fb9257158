package netaddr

import (
	"net/netip"
	"testing"
)

func TestPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"9.9.9.9":            true,
		"2606:4700::1111":    true,
		"::ffff:9.9.9.9":     true,
		"10.2.0.1":           false,
		"192.168.1.1":        false,
		"172.16.0.1":         false,
		"127.0.0.1":          false,
		"169.254.169.254":    false,
		"100.64.0.1":         false,
		"0.0.0.0":            false,
		"224.0.0.1":          false,
		"255.255.255.255":    false,
		"::1":                false,
		"::":                 false,
		"fe80::1":            false,
		"fd00::1":            false,
		"ff02::1":            false,
		"::ffff:192.168.1.1": false,
		"64:ff9b::a00:1":     false,
		"2002:a00:1::":       false,
		"::a00:1":            false,
		"2001:10::1":         false,
	} {
		if got := Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func TestKey(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"::ffff:192.0.2.1":     "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
		"fe80::1%eth0":         "fe80::",
	} {
		if got := Key(netip.MustParseAddr(addr)).String(); got != want {
			t.Errorf("%s: %s, not %s", addr, got, want)
		}
	}
}
