package config

import (
	"fmt"
	"strings"
	"time"
)

// checkFederation checks the section federation, and brings the listed domains into canonical form.
func (c *Config) checkFederation(v *checker) {
	f := &c.Federation
	checkNetworks(v, "federation.allow_networks", f.AllowNetworks)
	for _, l := range []struct {
		key  string
		list []string
	}{{"federation.block", f.Block}, {"federation.allow", f.Allow}} {
		for i, e := range l.list {
			name, below := strings.CutPrefix(e, "*.")
			domain, err := domainName(name, "_") // other servers may have any name
			if err != nil {
				v.add(fmt.Sprintf("%s[%d]", l.key, i), "%v, or *.example.org for everything below it", err)
				continue
			}
			if l.list[i] = domain; below {
				l.list[i] = "*." + domain
			}
		}
	}
	if !f.AllowDialback && !f.RequireTLS {
		v.add("federation.require_tls",
			"without TLS there are no certificates, and without allow_dialback no other proof")
	}
	if f.RequireCertificate && !f.RequireTLS {
		v.add("federation.require_tls", "federation.require_certificate needs TLS")
	}
	span := func(key string, d, low, high time.Duration) {
		if d < low || d > high {
			v.add(key, "%s is not between %s and %s", FormatDuration(d), FormatDuration(low), FormatDuration(high))
		}
	}
	num := func(key string, n, low, high int) {
		if n < low || n > high {
			v.add(key, "%d is not between %d and %d", n, low, high)
		}
	}
	size := func(key string, s, low, high Size) {
		if s < low || s > high {
			v.add(key, "%v is not between %v and %v", s, low, high)
		}
	}
	const many = 1 << 30
	size("federation.stanza_size", f.StanzaSize, 10000, 4*MiB) // RFC 6120, section 13.12: at least 10000
	size("federation.send_queue", f.SendQueue, 64*KiB, GiB)
	num("federation.stanzas_per_second", f.StanzasPerSecond, 1, many)
	num("federation.stanzas_burst", f.StanzasBurst, 1, many)
	if f.Strangers != "accept" && f.Strangers != "refuse" {
		v.add("federation.strangers", "%q is not one of accept, refuse", f.Strangers)
	}
	num("federation.strangers_per_minute", f.StrangersPerMinute, 0, many)
	num("federation.joins_per_minute", f.JoinsPerMinute, 0, many)
	num("federation.connections", f.Connections, 1, many)
	num("federation.unproven", f.Unproven, 1, many)
	span("federation.handshake_timeout", f.HandshakeTimeout, time.Second, 10*time.Minute)
	span("federation.auth_timeout", f.AuthTimeout, time.Second, 10*time.Minute)
	span("federation.idle_timeout", f.IdleTimeout, time.Minute, day)
}
