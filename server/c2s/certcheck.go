package c2s

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

// CertProblem is a fault of a certificate file. Text says in English what is wrong.
type CertProblem struct {
	Key  string // the key in the configuration
	Text string
	How  Severity
}

// Severity says how bad a CertProblem is.
type Severity int

const (
	Unusable Severity = iota // No server can start with the certificate.
	Refused                  // Clients and other servers refuse the certificate.
	Lacking                  // The certificate does not cover a service of a host.
)

// CheckCerts checks the files of certificates at the time now. It returns everything that keeps a server from starting
// and everything that keeps others from trusting it.
func CheckCerts(files []CertFile, now time.Time) (ps []CertProblem) {
	for _, f := range files {
		cert, problem := load(f)
		if problem != nil {
			ps = append(ps, *problem)
			continue
		}
		ps = append(ps, f.judge(cert.Leaf, now)...)
	}
	return ps
}

// judge returns the problems of a certificate that can be loaded.
func (f CertFile) judge(leaf *x509.Certificate, now time.Time) (ps []CertProblem) {
	add := func(how Severity, text string) {
		if text != "" {
			ps = append(ps, CertProblem{Key: f.At + "certificate", Text: f.Cert + ": " + text, How: how})
		}
	}
	add(Refused, OutOfTime(leaf, now))
	for _, h := range f.Hosts {
		add(Refused, Foreign(leaf, h))
	}
	for _, s := range f.Services {
		add(Lacking, Foreign(leaf, s))
	}
	return ps
}

// OutOfTime says in English that a certificate has expired or is not valid yet; "" if it is valid now.
func OutOfTime(leaf *x509.Certificate, now time.Time) string {
	const day = "2006-01-02 15:04 UTC"
	switch {
	case now.After(leaf.NotAfter):
		return "it expired on " + leaf.NotAfter.UTC().Format(day)
	case now.Before(leaf.NotBefore):
		return "it is not valid before " + leaf.NotBefore.UTC().Format(day) + ": check the clock of this machine"
	}
	return ""
}

// Foreign says in English that a certificate is not valid for a domain, and for which it is; "" if it is valid for
// domain.
func Foreign(leaf *x509.Certificate, domain string) string {
	if leaf.VerifyHostname(inDNS(domain)) == nil {
		return ""
	}
	names := append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "it is not valid for " + domain + ", nor for any other name (it has no subjectAltName)"
	}
	return fmt.Sprintf("it is not valid for %s, only for %s", domain, strings.Join(names, ", "))
}

// inDNS returns a domain in the form that DNS and certificates use.
func inDNS(domain string) string {
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		return a
	}
	return domain
}

// LoadCert reads a certificate and its key. The error names the file and says in plain words what is wrong.
func LoadCert(f CertFile) (*tls.Certificate, error) {
	cert, problem := load(f)
	if problem != nil {
		return nil, fmt.Errorf("%s: %s", problem.Key, problem.Text)
	}
	return cert, nil
}

func load(f CertFile) (*tls.Certificate, *CertProblem) {
	wrong := func(key, format string, args ...any) (*tls.Certificate, *CertProblem) {
		return nil, &CertProblem{Key: f.At + key, Text: fmt.Sprintf(format, args...), How: Unusable}
	}
	certText, err := os.ReadFile(f.Cert)
	if err != nil {
		return wrong("certificate", "%v", err)
	}
	chain, why := readChain(certText)
	if why != "" {
		return wrong("certificate", "%s %s", f.Cert, why)
	}
	keyText, err := os.ReadFile(f.Key)
	if err != nil {
		return wrong("key", "%v", err)
	}
	key, why := readKey(keyText)
	if why != "" {
		return wrong("key", "%s %s", f.Key, why)
	}
	for i, c := range chain {
		if p, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !p.Equal(key.Public()) {
			continue
		}
		if i == 0 {
			break
		}
		return wrong("certificate",
			"%s: the certificate of this key (%s) must be the first in the file, before those of authorities",
			f.Cert, strings.Join(c.DNSNames, ", "))
	}
	cert, err := tls.X509KeyPair(certText, keyText)
	if err != nil {
		if p, ok := chain[0].PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && !p.Equal(key.Public()) {
			return wrong("key", "%s is not the key of %s (%s)", f.Key, f.Cert, strings.Join(chain[0].DNSNames, ", "))
		}
		return wrong("certificate", "%s with the key %s: %v", f.Cert, f.Key, err)
	}
	cert.Leaf = chain[0]
	return &cert, nil
}

// readChain reads a chain of at least one certificate in PEM. why says in English what is wrong with the file; "" if
// nothing is.
func readChain(text []byte) (chain []*x509.Certificate, why string) {
	hasKey := false
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			hasKey = hasKey || strings.HasSuffix(b.Type, "PRIVATE KEY")
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, "holds a certificate that cannot be read: " + err.Error()
		}
		chain = append(chain, c)
	}
	switch {
	case len(chain) > 0:
		return chain, ""
	case hasKey:
		return nil, "holds a key and no certificate: are the two files exchanged?"
	}
	return nil, "holds no certificate in PEM (text that begins with -----BEGIN CERTIFICATE-----)"
}

// readKey reads the first private key in PEM. why says in English what is wrong with the file; "" if nothing is.
func readKey(text []byte) (key crypto.Signer, why string) {
	hasCert := false
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			break
		}
		switch {
		case b.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, "has a passphrase, but the server cannot ask for one: write the key without it (openssl pkey " +
				"-in WITH -out WITHOUT), readable by the server's user alone"
		case strings.HasSuffix(b.Type, "PRIVATE KEY"):
			if key = parseKey(b.Bytes); key == nil {
				return nil, "holds a key that cannot be read: use RSA, ECDSA or Ed25519"
			}
			return key, ""
		}
		hasCert = hasCert || b.Type == "CERTIFICATE"
	}
	if hasCert {
		return nil, "holds a certificate and no key: are the two files exchanged?"
	}
	return nil, "holds no key in PEM (text that begins with -----BEGIN PRIVATE KEY-----)"
}

func parseKey(der []byte) crypto.Signer {
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		s, _ := k.(crypto.Signer)
		return s
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k
	}
	return nil
}
