// Package netaddr says of network addresses what several doors have to agree on.
package netaddr

import "net/netip"

// Key gives what is counted as one address: an IPv6 one's /64, which is what one customer has. Zones are left out.
func Key(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// special are networks that are nobody's on the public internet (RFC 6890), besides those that netip knows, and IPv6 ones
// that mean an IPv4 address, of which nobody knows where it is.
var special = func() (ps []netip.Prefix) {
	for _, s := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10"} {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}()

// Public says that an address is one of the public internet: what a stranger names may be reached there without being a
// way past the firewall into the network the server stands in.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	return !Within(a, special)
}

// Within says that one of the networks has the address.
func Within(a netip.Addr, ps []netip.Prefix) bool {
	a = a.Unmap()
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
