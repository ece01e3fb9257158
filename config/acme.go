package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// letsEncrypt is the ACME directory of Let's Encrypt.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// ACMENames returns the names that certificates are requested for: those of the configuration, or each host without a
// certificate file, with its rooms.
func (c *Config) ACMENames() (names []string) {
	if !c.TLS.ACME.Enabled || len(c.TLS.ACME.Names) > 0 {
		return c.TLS.ACME.Names
	}
	for _, h := range c.Hosts {
		if h.Certificate == "" && c.TLS.Certificate == "" {
			names = append(names, h.Domain, c.Rooms.Label+"."+h.Domain)
		}
	}
	return names
}

func (c *Config) checkACME(v *checker) {
	a := &c.TLS.ACME
	if u, err := url.Parse(a.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		v.add("tls.acme.directory", "%q is not an https address", a.Directory)
	}
	for _, p := range []struct {
		key string
		n   int
	}{{"http_port", a.HTTPPort}, {"tls_port", a.TLSPort}} {
		if p.n < 0 || p.n > 65535 {
			v.add("tls.acme."+p.key, "%d is not a valid port", p.n)
		}
	}
	if a.Host != "" {
		if _, err := netip.ParseAddr(a.Host); err != nil {
			v.add("tls.acme.host", "%q is not an IP address of this machine", a.Host)
		}
	}
	if a.Email != "" && !strings.Contains(a.Email, "@") {
		v.add("tls.acme.email", "%q is not an e-mail address", a.Email)
	}
	for i, name := range a.Names {
		domain, err := domainName(name, "")
		if err != nil {
			v.add(fmt.Sprintf("tls.acme.names[%d]", i), "%v", err)
			continue
		}
		a.Names[i] = domain
	}
	if !a.Enabled {
		return
	}
	if !a.Terms {
		v.add("tls.acme.accept_terms", "read the authority's terms of service, then set this to true")
	}
	if a.HTTPPort == 0 && a.TLSPort == 0 {
		v.add("tls.acme.http_port", "the authority must reach this server: set http_port, tls_port or both")
	}
}
