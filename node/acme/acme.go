// Package acme gets certificates from an ACME authority (RFC 8555) such as Let's Encrypt, keeps them in files and
// renews them in time.
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

// Protocol is the ALPN protocol that the authority uses when it checks a proof over TLS (RFC 8737).
const Protocol = "acme-tls/1"

// Config says where certificates come from, and how the server proves that it owns the names.
type Config struct {
	Dir       string         // directory of accounts, keys and certificates
	Directory string         // URL of the authority
	Roots     *x509.CertPool // for the authority's own certificate; nil: the system's
	Email     string         // for the authority's warnings; may be ""
	Names     []string       // one certificate each
	// port for HTTP-01, which is opened only while the authority checks if nothing else listens on it; 0: never
	HTTPPort int
	TLSPort  int    // the same for TLS-ALPN-01
	Host     string // address to listen on for these; "": all
	Log      *slog.Logger
}

// Certs keeps the certificates. Safe from any goroutine.
type Certs struct {
	cfg    Config
	cache  *certmagic.Cache
	magic  *certmagic.Config
	issuer *certmagic.ACMEIssuer
}

// New makes Certs. It does not contact the authority before Manage.
func New(c Config) *Certs {
	s := &Certs{cfg: c}
	// No defaults of certmagic: they are global, and log by themselves.
	s.cache = certmagic.NewCache(certmagic.CacheOptions{Logger: zap.NewNop(),
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return s.magic, nil }})
	s.magic = certmagic.New(s.cache,
		certmagic.Config{Storage: &certmagic.FileStorage{Path: c.Dir}, Logger: zap.NewNop(), OnEvent: s.event})
	s.issuer = certmagic.NewACMEIssuer(s.magic, certmagic.ACMEIssuer{
		CA:                      c.Directory,
		Email:                   c.Email,
		Agreed:                  true,
		TrustedRoots:            c.Roots,
		ListenHost:              c.Host,
		AltHTTPPort:             c.HTTPPort,
		AltTLSALPNPort:          c.TLSPort,
		DisableHTTPChallenge:    c.HTTPPort == 0,
		DisableTLSALPNChallenge: c.TLSPort == 0,
		Logger:                  zap.NewNop(),
	})
	s.magic.Issuers = []certmagic.Issuer{s.issuer}
	return s
}

// event logs what happened; errors include the authority's answer.
func (s *Certs) event(_ context.Context, name string, data map[string]any) error {
	switch name {
	case "cert_obtained":
		s.cfg.Log.Info("certificate obtained", "name", data["identifier"], "renewal", data["renewal"])
	case "cert_failed":
		s.cfg.Log.Warn("cannot obtain a certificate: trying again later", "name", data["identifier"],
			"renewal", data["renewal"], "err", data["error"])
	}
	return nil
}

// Manage loads the certificates that are kept, gets missing ones and renews expiring ones, in the background until ctx
// ends.
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

// HTTP answers the authority's checks (HTTP-01), and passes everything else to next.
func (s *Certs) HTTP(next http.Handler) http.Handler { return s.issuer.HTTPChallengeHandler(next) }

// TLS makes a TLS configuration answer the authority's checks (TLS-ALPN-01).
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
