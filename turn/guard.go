package turn

import (
	"net"
	"net/netip"

	"parley/internal/netaddr"
)

// may reports whether the relay may send to a peer's address. A relay into the network around it would be a way past
// the firewall, so the configuration must name every network that is not on the public internet. For addresses of this
// machine, see reaches.
func (s *Server) may(peer net.IP) bool {
	a, ok := netip.AddrFromSlice(peer)
	if !ok {
		return false
	}
	a = a.Unmap()
	return a == s.cfg.Public || s.allowed(a) || netaddr.Public(a) // Public may be the other side's relay
}

// allowed reports whether the configuration names the address's network.
func (s *Server) allowed(a netip.Addr) bool { return netaddr.Within(a, s.cfg.Allow) }
