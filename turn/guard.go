package turn

import (
	"net"
	"net/netip"

	"parley/internal/netaddr"
)

// may says whether a peer's address may be relayed to. A relay that reaches the network it stands in is a way past the
// firewall: what is not of the public internet the configuration has to name. Of this machine, see reaches.
func (s *Server) may(peer net.IP) bool {
	a, ok := netip.AddrFromSlice(peer)
	if !ok {
		return false
	}
	a = a.Unmap()
	return a == s.cfg.Public || s.allowed(a) || netaddr.Public(a) // at Public may be the other side's relay
}

// allowed says that the configuration names the address's network.
func (s *Server) allowed(a netip.Addr) bool { return netaddr.Within(a, s.cfg.Allow) }
