package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// Networks reads a list of networks and addresses, as several keys have one; what is neither is left out.
func Networks(list []string) (ps []netip.Prefix) {
	for _, s := range list {
		if p, err := network(s); err == nil {
			ps = append(ps, p)
		}
	}
	return ps
}

// network reads a network, or one address.
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
			v.add(fmt.Sprintf("%s[%d]", key, i), "%q is no network: write it like 192.168.0.0/16", s)
		}
	}
}

// checkProxies checks who may say whom it connects for.
func (c *Config) checkProxies(v *checker) {
	l := c.Listeners
	for key, list := range map[string][]string{
		"listeners.c2s": l.C2S.TrustedProxies, "listeners.c2s_tls": l.C2STLS.TrustedProxies, "listeners.websocket": l.WebSocket.TrustedProxies,
		"listeners.component": l.Component.TrustedProxies, "listeners.metrics": l.Metrics.TrustedProxies, "listeners.proxy65": l.Proxy65.TrustedProxies,
		"federation": c.Federation.TrustedProxies, "turn": c.TURN.TrustedProxies,
	} {
		checkNetworks(v, key+".trusted_proxies", list)
		for i, s := range list {
			if p, err := network(s); err == nil && p.Bits() == 0 {
				v.add(fmt.Sprintf("%s.trusted_proxies[%d]", key, i), "%q is everybody: then everybody may say to be anybody", s)
			}
		}
	}
}
