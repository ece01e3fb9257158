package federation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"
)

// DANE (RFC 6698, 7673, 7712): where DNSSEC proves what DNS says, the certificates that it names are as good as those of
// an authority.

// TLSA says which certificate a service shows.
type TLSA struct {
	Usage, Selector, Matching uint8
	Data                      []byte
}

// Secure is a resolver that checks DNSSEC. Its bool says whether the answer was proven.
type Secure interface {
	SRV(ctx context.Context, service, name string) ([]*net.SRV, bool, error)
	TLSA(ctx context.Context, port uint16, host string) ([]TLSA, bool, error)
}

// proves says why certificates do not prove that a server is a domain's; nil if they do.
func (s *Server) proves(ctx context.Context, certs []*x509.Certificate, domain string) error {
	err := checkCertificate(certs, domain, s.cfg.Roots, time.Now())
	if err == nil || s.cfg.Secure == nil || len(certs) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*s.cfg.DNSTimeout)
	defer cancel()
	if s.dane(ctx, certs, domain) {
		return nil
	}
	return err
}

// dane looks whether a certificate is one that a proven record names for one of the domain's servers.
func (s *Server) dane(ctx context.Context, certs []*x509.Certificate, domain string) bool {
	name, err := ascii(domain)
	if err != nil {
		return false
	}
	tried := 0
	for _, service := range []string{"xmpps-server", "xmpp-server"} {
		srvs, proven, err := s.cfg.Secure.SRV(ctx, service, name+".")
		if err != nil || !proven {
			continue // RFC 7673, section 3.1: from here on there is nothing to rely on
		}
		for _, r := range srvs {
			if tried++; tried > maxTargets || r.Target == "." || r.Target == "" {
				continue
			}
			rs, proven, err := s.cfg.Secure.TLSA(ctx, r.Port, r.Target)
			if err != nil || !proven {
				continue
			}
			for i := range rs {
				if rs[i].matches(certs, domain, strings.TrimSuffix(r.Target, ".")) {
					return true
				}
			}
		}
	}
	return false
}

// Usages that do without the authorities of this machine; PKIX-TA and PKIX-EE add to what has failed already.
const (
	daneTA = 2
	daneEE = 3
)

func (r *TLSA) matches(certs []*x509.Certificate, domain, host string) bool {
	switch r.Usage {
	case daneEE: // RFC 7671, section 5.1: neither names nor dates count
		return r.is(certs[0])
	case daneTA:
		for i, anchor := range certs {
			if !r.is(anchor) {
				continue
			}
			roots := x509.NewCertPool()
			roots.AddCert(anchor)
			if i == 0 {
				return false // a leaf is nobody's authority
			}
			if checkCertificate(certs, domain, roots, time.Now()) == nil || checkCertificate(certs, host, roots, time.Now()) == nil {
				return true
			}
		}
	}
	return false
}

func (r *TLSA) is(c *x509.Certificate) bool {
	data := c.Raw
	switch r.Selector {
	case 0:
	case 1:
		data = c.RawSubjectPublicKeyInfo
	default:
		return false
	}
	switch r.Matching {
	case 0:
		return bytes.Equal(r.Data, data)
	case 1:
		sum := sha256.Sum256(data)
		return bytes.Equal(r.Data, sum[:])
	case 2:
		sum := sha512.Sum512(data)
		return bytes.Equal(r.Data, sum[:])
	}
	return false
}

var errDNS = errors.New("DNS")

func tlsaName(port uint16, host string) string {
	return "_" + strconv.Itoa(int(port)) + "._tcp." + strings.TrimSuffix(host, ".") + "."
}
