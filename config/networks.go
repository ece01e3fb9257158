package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// Networks parses a list of networks and addresses, the format of several keys. It leaves out invalid entries, which
// Load has refused.
func Networks(list []string) (ps []netip.Prefix) {
	for _, s := range list {
		if p, err := network(s); err == nil {
			ps = append(ps, p)
		}
	}
	return ps
}

// network parses a network, or one address.
func network(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

func checkNetworks(v *checker, key string, list []string) {
	for i, s := range list {
		if _, err := network(s); err != nil {
			v.add(fmt.Sprintf("%s[%d]", key, i), "%q is not a network: write it like 192.168.0.0/16", s)
		}
	}
}

// checkProxies checks the lists of trusted proxies.
func (c *Config) checkProxies(v *checker) {
	l := c.Listeners
	for key, list := range map[string][]string{
		"listeners.c2s":       l.C2S.TrustedProxies,
		"listeners.c2s_tls":   l.C2STLS.TrustedProxies,
		"listeners.websocket": l.WebSocket.TrustedProxies,
		"listeners.component": l.Component.TrustedProxies,
		"listeners.metrics":   l.Metrics.TrustedProxies,
		"listeners.proxy65":   l.Proxy65.TrustedProxies,
		"federation":          c.Federation.TrustedProxies,
		"turn":                c.TURN.TrustedProxies,
	} {
		checkNetworks(v, key+".trusted_proxies", list)
		for i, s := range list {
			if p, err := network(s); err == nil && p.Bits() == 0 {
				v.add(fmt.Sprintf("%s.trusted_proxies[%d]", key, i),
					"%q is every address: anybody could then forge their address", s)
			}
		}
	}
}
