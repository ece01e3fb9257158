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

// Proxies says which peers are proxies whose statements about their clients are trusted.
type Proxies struct {
	nets []netip.Prefix
	near bool
}

// Trust returns Proxies that trust the addresses of these networks.
func Trust(nets []netip.Prefix) Proxies { return Proxies{nets: nets} }

// TrustNear returns Proxies that trust every peer on this machine or in a private network, and nobody beyond: of a list
// of addresses it takes the last. It is for a listener that only a proxy can reach.
func TrustNear() Proxies { return Proxies{near: true} }

// Any reports whether any proxy is trusted.
func (p Proxies) Any() bool { return p.near || len(p.nets) > 0 }

// Has reports whether the address is that of a trusted proxy.
func (p Proxies) Has(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsValid() && (netaddr.Within(a, p.nets) ||
		p.near && (a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()))
}

// Client returns the address of the client behind a request from peer. Of the addresses in X-Forwarded-For it takes the
// last that is not a proxy's. Without that header, it reads Forwarded (RFC 7239) in the same way, then X-Real-IP. It
// ignores whatever stands to the left of an untrusted address, since that can be forged.
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

// forwardedFor returns the "for" of each element of a Forwarded header; "" for an element without one.
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

// splitQuoted splits s at each sep outside of a quoted string.
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

// parseHop parses an address with or without a port, and an IPv6 address with or without brackets.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

// Handler sets RemoteAddr of each request to the client's address before it calls h. Code that limits, logs or shows
// addresses need not know of proxies.
func (p Proxies) Handler(h http.Handler, log *slog.Logger) http.Handler {
	var warn sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		switch {
		case err != nil: // no address, as for a Unix socket
		case p.Has(peer.Addr()):
			if a := p.Client(peer.Addr(), r.Header); a != peer.Addr().Unmap() {
				r.RemoteAddr = net.JoinHostPort(a.String(), "0")
			}
		case p.near && r.Header.Get("X-Forwarded-For") != "":
			warn.Do(func() {
				log.Warn("a proxy that is not trusted names its clients: everybody behind it counts as one address",
					"proxy", peer.Addr().String(), "key", "listeners.websocket.trusted_proxies")
			})
		}
		h.ServeHTTP(w, r)
	})
}
