package turn

import (
	"net"
	"net/netip"
)

// closed are networks that nobody is relayed to unless the configuration names them: a relay that reaches them is a way
// past the firewall into the network it stands in. Beside what netip knows: carriers' NAT, benchmarks, and IPv6 that means
// an IPv4 address.
var closed = func() (ps []netip.Prefix) {
	for _, s := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "fec0::/10"} {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}()

// may says whether a peer's address may be relayed to.
func (s *Server) may(peer net.IP) bool {
	a, ok := netip.AddrFromSlice(peer)
	if !ok {
		return false
	}
	a = a.Unmap()
	if a == s.cfg.Public || a == s.cfg.Local && a.IsGlobalUnicast() && !a.IsPrivate() { // the other side's relay may be here, too
		return true
	}
	for _, p := range s.cfg.Allow {
		if p.Contains(a) {
			return true
		}
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range closed {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
