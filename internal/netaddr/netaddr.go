// Package netaddr answers questions about network addresses that several packages must answer alike.
package netaddr

import "net/netip"

// Key returns what counts as one address: the /64 of an IPv6 address, since one customer has a whole /64. It leaves out
// zones.
func Key(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// special lists networks that are not on the public internet (RFC 6890) and that netip does not know, and IPv6 networks
// that embed an IPv4 address, which could be anywhere.
var special = func() (ps []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
		"2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}()

// Public reports whether an address is on the public internet. A connection to such an address, which a stranger may
// choose, is not a way past the firewall into the server's own network.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	return !Within(a, special)
}

// Within reports whether one of the networks contains the address.
func Within(a netip.Addr, ps []netip.Prefix) bool {
	a = a.Unmap()
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
