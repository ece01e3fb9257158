package cluster

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// authority is the certificate authority of a cluster. Its key is made of a secret in the database: whoever may read
// the database may be a node of it, and nobody else.
type authority struct {
	key  ed25519.PrivateKey
	cert *x509.Certificate
	own  tls.Certificate // of this node
}

// authorityName is the name of the authority, and of the protocol (ALPN).
const authorityName = "parley-cluster/1"

// certificateLife is how long certificates are valid, to both sides of now. Each start of a node makes new ones, so
// only clocks that are wrong by years matter.
const certificateLife = 10 * 365 * 24 * time.Hour

// newAuthority makes the authority of a secret of at least 32 bytes, and a certificate for this node.
func newAuthority(secret []byte, node string, now time.Time) (*authority, error) {
	if len(secret) < ed25519.SeedSize {
		return nil, errors.New("cluster: the secret of the database is too short")
	}
	a := &authority{key: ed25519.NewKeyFromSeed(secret[:ed25519.SeedSize])}
	t := template(authorityName, now)
	t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, a.key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	t = template(node, now)
	t.DNSNames = []string{node}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	if der, err = x509.CreateCertificate(rand.Reader, t, a.cert, public, a.key); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	a.own = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
	return a, nil
}

func template(name string, now time.Time) *x509.Certificate {
	number := make([]byte, 16)
	rand.Read(number)
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(number),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-certificateLife),
		NotAfter:     now.Add(certificateLife),
	}
}

// client gives the settings for a connection to a node.
func (a *authority) client(node string) *tls.Config {
	c := a.server()
	c.ServerName, c.RootCAs = node, c.ClientCAs
	return c
}

// server gives the settings for a connection from a node.
func (a *authority) server() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		NextProtos:   []string{authorityName},
		Certificates: []tls.Certificate{a.own},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
		// A link lasts for as long as both nodes do.
		SessionTicketsDisabled: true,
		// Small records are for readers that show what has come of a page. Each would cost a write.
		DynamicRecordSizingDisabled: true,
	}
}
