package door

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"parley/internal/netaddr"
)

// Proxies says which peers are proxies that are believed when they say whom they connect for.
type Proxies struct {
	nets []netip.Prefix
	near bool
}

// Trust believes the addresses of these networks.
func Trust(nets []netip.Prefix) Proxies { return Proxies{nets: nets} }

// TrustNear believes whoever connects from this machine or a private network, and nobody whom those believe: of a list of
// addresses it takes the last one. It is for a listener that only a proxy can reach.
func TrustNear() Proxies { return Proxies{near: true} }

// Any says that somebody is believed.
func (p Proxies) Any() bool { return p.near || len(p.nets) > 0 }

// Has says that the address is a proxy's.
func (p Proxies) Has(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsValid() && (netaddr.Within(a, p.nets) || p.near && (a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()))
}

// Client gives the address of the client that a request from peer is made for: of the addresses that proxies have written
// into X-Forwarded-For, the last one that is no proxy's. Where there is none, Forwarded (RFC 7239) is read the same way, then
// X-Real-IP. What stands to the left of an address that is not believed may be anything, and is not looked at.
func (p Proxies) Client(peer netip.Addr, h http.Header) netip.Addr {
	peer = peer.Unmap()
	if !p.Has(peer) {
		return peer
	}
	var hops []string
	switch {
	case len(h.Values("X-Forwarded-For")) > 0:
		hops = strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	case len(h.Values("Forwarded")) > 0:
		hops = forwardedFor(strings.Join(h.Values("Forwarded"), ","))
	default:
		hops = h.Values("X-Real-Ip")
	}
	at := peer
	for i := len(hops) - 1; i >= 0 && p.Has(at); i-- {
		a, ok := parseHop(hops[i])
		if !ok {
			break
		}
		at = a
		if p.near {
			break
		}
	}
	return at
}

// forwardedFor gives the "for" of each element of a Forwarded header, "" where it has none.
func forwardedFor(s string) (hops []string) {
	for _, element := range splitQuoted(s, ',') {
		hop := ""
		for _, pair := range splitQuoted(element, ';') {
			name, value, _ := strings.Cut(pair, "=")
			if strings.EqualFold(strings.TrimSpace(name), "for") {
				hop = strings.Trim(strings.TrimSpace(value), `"`)
			}
		}
		hops = append(hops, hop)
	}
	return hops
}

// splitQuoted splits at sep where that is not in a quoted string.
func splitQuoted(s string, sep byte) (parts []string) {
	quoted, from := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

// parseHop reads an address with or without a port, IPv6 ones in brackets or not.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

// Handler has h see the client's address as the request's RemoteAddr, whichever proxies have brought it: what limits, logs
// and shows addresses needs to know nothing of proxies.
func (p Proxies) Handler(h http.Handler, log *slog.Logger) http.Handler {
	var warn sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		switch {
		case err != nil: // no address at all, as of a Unix socket
		case p.Has(peer.Addr()):
			if a := p.Client(peer.Addr(), r.Header); a != peer.Addr().Unmap() {
				r.RemoteAddr = net.JoinHostPort(a.String(), "0")
			}
		case p.near && r.Header.Get("X-Forwarded-For") != "":
			warn.Do(func() {
				log.Warn("a proxy says whom it connects for and is not believed: everybody behind it counts as one address",
					"proxy", peer.Addr().String(), "key", "listeners.websocket.trusted_proxies")
			})
		}
		h.ServeHTTP(w, r)
	})
}
