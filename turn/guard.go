package turn

import (
	"net"
	"net/netip"

	"parley/netaddr"
)

// may says whether a peer's address may be relayed to. A relay that reaches the network it stands in is a way past the
// firewall: what is not of the public internet the configuration has to name.
func (s *Server) may(peer net.IP) bool {
	a, ok := netip.AddrFromSlice(peer)
	if !ok {
		return false
	}
	a = a.Unmap()
	if a == s.cfg.Public || a == s.cfg.Local && a.IsGlobalUnicast() && !a.IsPrivate() { // the other side's relay may be here, too
		return true
	}
	return netaddr.Within(a, s.cfg.Allow) || netaddr.Public(a)
}
