package federation

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"parley/wire/jid"
)

var (
	oidSAN      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidXMPPAddr = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // RFC 6120, section 13.7.1.4
	oidSRVName  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7} // RFC 4985
)

var (
	errNoCertificate = errors.New("the other server sent no certificate")
	errWrongHost     = errors.New("the certificate is not for this domain")
)

// ascii returns a domain in the form that DNS and certificates use: lower case, A-labels.
func ascii(domain string) (string, error) {
	a, err := idna.Lookup.ToASCII(strings.TrimSuffix(domain, "."))
	if err != nil {
		return "", fmt.Errorf("domain %q: %w", domain, err)
	}
	return a, nil
}

// checkCertificate returns nil if a peer's certificate proves that it serves an XMPP domain, and otherwise the reason
// why not. The chain must end at one of roots (nil: the system's), now must be within its dates, and it must name the
// domain as RFC 6120, section 13.7.2, requires.
func checkCertificate(certs []*x509.Certificate, domain string, roots *x509.CertPool, now time.Time) error {
	if len(certs) == 0 {
		return errNoCertificate
	}
	leaf := *certs[0]
	// If the subject is empty, the SAN is critical, and crypto/x509 does not handle a SAN of only otherNames. This code
	// does.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(leaf.UnhandledCriticalExtensions), oidSAN.Equal)
	between := x509.NewCertPool()
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	// Authorities no longer put clientAuth into certificates for servers, so a server's certificate counts in both
	// directions.
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return err
	}
	for _, chain := range chains {
		if names(&leaf, domain, !constrained(chain[1:])) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s", errWrongHost, domain)
}

// constrained reports whether an authority in the chain may speak for some names only. crypto/x509 enforces that for
// dNSNames, but not for otherNames.
func constrained(chain []*x509.Certificate) bool {
	for _, c := range chain {
		if len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains)+len(c.PermittedEmailAddresses)+
			len(c.ExcludedEmailAddresses)+
			len(c.PermittedIPRanges)+len(c.ExcludedIPRanges)+len(c.PermittedURIDomains)+len(c.ExcludedURIDomains) > 0 {
			return true
		}
	}
	return false
}

// names reports whether a certificate is for an XMPP domain: by dNSName, and with others also by SRVName and xmppAddr.
// The common name does not count.
func names(leaf *x509.Certificate, domain string, others bool) bool {
	want, err := ascii(domain)
	if err != nil {
		return false
	}
	for _, n := range leaf.DNSNames {
		if matchDNS(n, want) {
			return true
		}
	}
	if !others {
		return false
	}
	addrs, services := otherNames(leaf)
	for _, a := range addrs {
		if j, err := jid.Parse(a); err == nil && j.IsBare() && j.Local() == "" && j.Domain() == domain {
			return true
		}
	}
	for _, s := range services {
		service, name, _ := strings.Cut(s, ".")
		if strings.EqualFold(service, "_xmpp-server") && strings.EqualFold(strings.TrimSuffix(name, "."), want) {
			return true
		}
	}
	return false
}

// matchDNS matches a name by RFC 6125, section 6.4: a wildcard stands for exactly one whole label, the leftmost. It may
// not stand right below the root.
func matchDNS(pattern, want string) bool {
	pattern = strings.TrimSuffix(pattern, ".")
	if pattern == "" || want == "" {
		return false
	}
	if rest, ok := strings.CutPrefix(pattern, "*."); ok {
		_, parent, below := strings.Cut(want, ".")
		return below && strings.Contains(rest, ".") && !strings.Contains(rest, "*") && strings.EqualFold(rest, parent)
	}
	return !strings.Contains(pattern, "*") && strings.EqualFold(pattern, want)
}

// otherNames returns the xmppAddr and SRVName entries of the subjectAltName.
func otherNames(leaf *x509.Certificate) (addrs, services []string) {
	for _, ext := range leaf.Extensions {
		if !ext.Id.Equal(oidSAN) {
			continue
		}
		var seq asn1.RawValue
		if rest, err := asn1.Unmarshal(ext.Value, &seq); err != nil || len(rest) > 0 {
			return nil, nil
		}
		for rest := seq.Bytes; len(rest) > 0; {
			var name asn1.RawValue
			var err error
			if rest, err = asn1.Unmarshal(rest, &name); err != nil {
				return nil, nil
			}
			if name.Class != asn1.ClassContextSpecific || name.Tag != 0 {
				continue
			}
			id, value, ok := otherName(name.Bytes)
			switch {
			case !ok:
			case id.Equal(oidXMPPAddr):
				addrs = append(addrs, value)
			case id.Equal(oidSRVName):
				services = append(services, value)
			}
		}
	}
	return addrs, services
}

// otherName reads the type-id and the string in value [0] EXPLICIT (RFC 5280, section 4.2.1.6).
func otherName(b []byte) (id asn1.ObjectIdentifier, value string, ok bool) {
	rest, err := asn1.Unmarshal(b, &id)
	if err != nil {
		return nil, "", false
	}
	var outer, inner asn1.RawValue
	if _, err := asn1.Unmarshal(rest, &outer); err != nil ||
		outer.Class != asn1.ClassContextSpecific || outer.Tag != 0 {
		return nil, "", false
	}
	if _, err := asn1.Unmarshal(outer.Bytes, &inner); err != nil || inner.Class != asn1.ClassUniversal ||
		inner.Tag != asn1.TagUTF8String && inner.Tag != asn1.TagIA5String {
		return nil, "", false
	}
	return id, string(inner.Bytes), true
}

// speaksItself reports whether our own certificate names a domain and is valid now, so that it is worth presenting.
// Only the peer knows whether it trusts the issuer.
func speaksItself(c *tls.Certificate, domain string, now time.Time) bool {
	if c == nil || len(c.Certificate) == 0 {
		return false
	}
	leaf := c.Leaf
	if leaf == nil {
		var err error
		if leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return false
		}
	}
	return !now.Before(leaf.NotBefore) && !now.After(leaf.NotAfter) && names(leaf, domain, true)
}
