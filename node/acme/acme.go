// Package acme gets certificates from an authority that speaks ACME (RFC 8555), such as Let's Encrypt, keeps them in files
// and renews them in time.
package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// Protocol is what the authority asks for in TLS when it looks for a proof there (RFC 8737).
const Protocol = "acme-tls/1"

// Config says where certificates come from and how it is proven that they are ours.
type Config struct {
	Dir       string         // where accounts, keys and certificates are kept
	Directory string         // of the authority
	Roots     *x509.CertPool // for the authority's own certificate; nil: the system's
	Email     string         // for its warnings; may be ""
	Names     []string       // one certificate for each
	HTTPPort  int            // where HTTP-01 is answered; it is listened on while the authority looks, if nothing else does; 0: not at all
	TLSPort   int            // the same for TLS-ALPN-01
	Host      string         // address to listen on for these; "": all
	Log       *slog.Logger
}

// Certs are the certificates there are. Safe from any goroutine.
type Certs struct {
	cfg    Config
	cache  *certmagic.Cache
	magic  *certmagic.Config
	issuer *certmagic.ACMEIssuer
}

// New makes it; nothing is asked of the authority before Manage.
func New(c Config) *Certs {
	s := &Certs{cfg: c}
	// Nothing of certmagic's defaults: they are the process's, and log by themselves.
	s.cache = certmagic.NewCache(certmagic.CacheOptions{Logger: zap.NewNop(),
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return s.magic, nil }})
	s.magic = certmagic.New(s.cache, certmagic.Config{Storage: &certmagic.FileStorage{Path: c.Dir}, Logger: zap.NewNop(), OnEvent: s.event})
	s.issuer = certmagic.NewACMEIssuer(s.magic, certmagic.ACMEIssuer{CA: c.Directory, Email: c.Email, Agreed: true, TrustedRoots: c.Roots,
		ListenHost: c.Host, AltHTTPPort: c.HTTPPort, AltTLSALPNPort: c.TLSPort, DisableHTTPChallenge: c.HTTPPort == 0, DisableTLSALPNChallenge: c.TLSPort == 0,
		Logger: zap.NewNop()})
	s.magic.Issuers = []certmagic.Issuer{s.issuer}
	return s
}

// event tells the log what has happened; errors say what the authority has said.
func (s *Certs) event(_ context.Context, name string, data map[string]any) error {
	switch name {
	case "cert_obtained":
		s.cfg.Log.Info("certificate obtained", "name", data["identifier"], "renewal", data["renewal"])
	case "cert_failed":
		s.cfg.Log.Warn("no certificate was obtained; it is tried again later", "name", data["identifier"], "renewal", data["renewal"], "err", data["error"])
	}
	return nil
}

// Manage takes what is kept, gets what is missing and renews what runs out, in the background until ctx ends.
func (s *Certs) Manage(ctx context.Context) error {
	if err := s.magic.ManageAsync(ctx, s.cfg.Names); err != nil {
		return fmt.Errorf("certificates from %s: %w", s.cfg.Directory, err)
	}
	return nil
}

// Close ends the background work.
func (s *Certs) Close() { s.cache.Stop() }

// For gives the certificate of a name; nil if there is none yet.
func (s *Certs) For(name string) *tls.Certificate {
	for _, c := range s.cache.AllMatchingCertificates(name) {
		if !c.Empty() && slices.Contains(c.Names, name) {
			return &c.Certificate
		}
	}
	return nil
}

// HTTP answers the authority (HTTP-01), and gives everything else to next.
func (s *Certs) HTTP(next http.Handler) http.Handler { return s.issuer.HTTPChallengeHandler(next) }

// TLS lets a configuration answer the authority (TLS-ALPN-01).
func (s *Certs) TLS(c *tls.Config) *tls.Config {
	own := c.GetCertificate
	c.NextProtos = append(slices.Clone(c.NextProtos), Protocol)
	c.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if len(h.SupportedProtos) == 1 && h.SupportedProtos[0] == Protocol {
			return s.magic.GetCertificate(h)
		}
		return own(h)
	}
	return c
}
