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

// DANE (RFC 6698, 7673, 7712): if DNSSEC proves a DNS answer, the certificates that it names are as good as those of an
// authority.

// TLSA is a DNS record that names the certificate of a service.
type TLSA struct {
	Usage, Selector, Matching uint8
	Data                      []byte
}

// Secure is a resolver that checks DNSSEC. The bool of its methods says whether DNSSEC proved the answer.
type Secure interface {
	// SRV returns the SRV records of a name.
	SRV(ctx context.Context, service, name string) ([]*net.SRV, bool, error)
	// TLSA returns the TLSA records of a name.
	TLSA(ctx context.Context, port uint16, host string) ([]TLSA, bool, error)
}

// proves returns nil if the certificates prove that a server is a domain's, and otherwise the reason why they do not.
func (s *Server) proves(ctx context.Context, certs []*x509.Certificate, domain string) error {
	err := checkCertificate(certs, domain, s.cfg.Roots, s.cfg.Clock.Now())
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

// dane reports whether a certificate is named by a proven record of one of the domain's servers.
func (s *Server) dane(ctx context.Context, certs []*x509.Certificate, domain string) bool {
	name, err := ascii(domain)
	if err != nil {
		return false
	}
	tried := 0
	for _, service := range []string{"xmpps-server", "xmpp-server"} {
		srvs, proven, err := s.cfg.Secure.SRV(ctx, service, name+".")
		if err != nil || !proven {
			continue // RFC 7673, section 3.1: an unproven answer cannot be trusted
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
				if rs[i].matches(certs, domain, strings.TrimSuffix(r.Target, "."), s.cfg.Clock.Now()) {
					return true
				}
			}
		}
	}
	return false
}

// The usages that do not need this machine's authorities. PKIX-TA and PKIX-EE only add conditions to a check that has
// failed already.
const (
	daneTA = 2
	daneEE = 3
)

func (r *TLSA) matches(certs []*x509.Certificate, domain, host string, now time.Time) bool {
	switch r.Usage {
	case daneEE: // RFC 7671, section 5.1: names and dates do not count
		return r.is(certs[0])
	case daneTA:
		for i, anchor := range certs {
			if !r.is(anchor) {
				continue
			}
			roots := x509.NewCertPool()
			roots.AddCert(anchor)
			if i == 0 {
				return false // a leaf certificate cannot be an authority
			}
			if checkCertificate(certs, domain, roots, now) == nil ||
				checkCertificate(certs, host, roots, now) == nil {
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
