// Package devcert makes the certificates of `parley dev`: a certificate authority to be trusted by hand, and under it
// one certificate for all names of the server.
package devcert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/net/idna"
)

const (
	caLife    = 10 * 365 * 24 * time.Hour
	leafLife  = 397 * 24 * time.Hour // the longest that Apple's clients accept
	renewLeft = 30 * 24 * time.Hour  // renewed when less than this is left
)

// Files are the PEM files that Ensure has made or found.
type Files struct {
	CA, Cert, Key string
	NewCA         bool // the CA is new: clients have to be told to trust it
}

// Ensure gives a certificate that is valid for the domains, localhost and the loopback addresses. It makes one in dir
// if there is none or it expires soon. Only the owner can read the keys. The CA is limited to these names, so that
// trusting it puts nothing else at risk; another domain needs a new CA.
func Ensure(dir string, domains []string, now time.Time) (Files, error) {
	f := Files{
		CA:   filepath.Join(dir, "ca.crt"),
		Cert: filepath.Join(dir, "server.crt"),
		Key:  filepath.Join(dir, "server.key"),
	}
	names, err := asciiNames(domains)
	if err != nil {
		return f, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return f, fmt.Errorf("directory for certificates: %w", err)
	}
	ca, err := readPair(f.CA, filepath.Join(dir, "ca.key"))
	if err != nil {
		return f, err
	}
	if !ca.serves(names, now.Add(leafLife), nil) {
		if ca.cert != nil { // the CA of an earlier domain is kept, so that going back needs no third one
			names = union(names, ca.cert.PermittedDNSDomains)
		}
		if ca, err = newCA(names, now); err != nil {
			return f, err
		}
		if err = ca.write(f.CA, filepath.Join(dir, "ca.key")); err != nil {
			return f, err
		}
		f.NewCA = true
	}
	leaf, err := readPair(f.Cert, f.Key)
	if err != nil {
		return f, err
	}
	if leaf.serves(names, now.Add(renewLeft), ca.cert) {
		return f, nil
	}
	if leaf, err = newLeaf(ca, names, now); err != nil {
		return f, err
	}
	return f, leaf.write(f.Cert, f.Key)
}

// asciiNames gives the domains in ASCII, as certificates have them, and localhost.
func asciiNames(domains []string) (names []string, err error) {
	for _, d := range append(slices.Clone(domains), "localhost") {
		a, err := idna.Lookup.ToASCII(d)
		if err != nil {
			return nil, fmt.Errorf("certificate for %s: %w", d, err)
		}
		names = union(names, []string{a})
	}
	return names, nil
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// pair is a certificate and its key; zero: none.
type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// readPair reads a certificate and its key; the zero pair if there is no valid one, so that it is made anew.
func readPair(certFile, keyFile string) (p pair, err error) {
	certPEM, err := readPEM(certFile)
	if err != nil || certPEM == nil {
		return pair{}, err
	}
	keyPEM, err := readPEM(keyFile)
	if err != nil || keyPEM == nil {
		return pair{}, err
	}
	cert, err := x509.ParseCertificate(certPEM.Bytes)
	if err != nil {
		return pair{}, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(keyPEM.Bytes)
	if err != nil {
		return pair{}, nil
	}
	if signer, ok := key.(*ecdsa.PrivateKey); ok && signer.PublicKey.Equal(cert.PublicKey) {
		return pair{cert, signer}, nil
	}
	return pair{}, nil
}

func readPEM(name string) (*pem.Block, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("certificate for development: %w", err)
	}
	block, _ := pem.Decode(b)
	return block, nil
}

// serves says whether p is valid until a moment for these names; with ca nil as a CA, otherwise signed by ca.
func (p pair) serves(names []string, until time.Time, ca *x509.Certificate) bool {
	if p.cert == nil || until.After(p.cert.NotAfter) {
		return false
	}
	have := p.cert.DNSNames
	if ca == nil {
		have = p.cert.PermittedDNSDomains
	} else if p.cert.CheckSignatureFrom(ca) != nil {
		return false
	}
	for _, n := range names {
		if !slices.Contains(have, n) {
			return false
		}
	}
	return true
}

func (p pair) write(certFile, keyFile string) error {
	key, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return err
	}
	if err := writePEM(keyFile, "PRIVATE KEY", key, 0o600); err != nil {
		return err
	}
	return writePEM(certFile, "CERTIFICATE", p.cert.Raw, 0o644)
}

// writePEM replaces the file atomically, so that nobody reads half of it.
func writePEM(name, kind string, der []byte, mode fs.FileMode) error {
	var b bytes.Buffer
	if err := pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}); err != nil {
		return err
	}
	tmp := name + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(tmp, b.Bytes(), mode); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

func newCA(names []string, now time.Time) (pair, error) {
	t := &x509.Certificate{
		Subject: pkix.Name{
			CommonName:   "parley development CA for " + names[0],
			Organization: []string{"parley dev"},
		},
		NotBefore:                   now.Add(-time.Hour),
		NotAfter:                    now.Add(caLife),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         names,
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
	return sign(t, pair{})
}

func newLeaf(ca pair, names []string, now time.Time) (pair, error) {
	return sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: names[0]},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(leafLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		DNSNames:              names,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, ca)
}

// sign makes a key and a certificate from the template, signed by the pair by, or self-signed if that is zero.
func sign(t *x509.Certificate, by pair) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return pair{}, err
	}
	if by.cert == nil {
		by = pair{t, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, by.cert, key.Public(), by.key)
	if err != nil {
		return pair{}, fmt.Errorf("make a certificate for %s: %w", t.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	return pair{cert, key}, err
}
