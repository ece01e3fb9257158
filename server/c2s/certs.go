package c2s

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"parley/internal/clock"
)

// CertFile names the PEM files of one certificate chain and its key. Hosts are the domains that the certificate serves;
// Services are those services of theirs that other servers connect to. The first CertFile also serves connections that
// name no domain or an unknown one. At is the start of the configuration keys certificate and key, such as "tls.".
type CertFile struct {
	Hosts, Services []string
	Cert, Key       string
	At              string
}

// Certs holds the server's certificates and reads them again when their files change. It is safe from any goroutine.
type Certs struct {
	files  []CertFile
	issued func(name string) *tls.Certificate // nil: only the certificates in files
	now    atomic.Pointer[certTable]
	clock  clock.Clock
	log    *slog.Logger
}

type certTable struct {
	byHost   map[string]*tls.Certificate
	first    *tls.Certificate
	stamps   []string
	problems []CertProblem
}

// NewCerts reads all certificates. An error names the file and what is wrong with it. issued returns the certificates
// of names without a file; it may be nil, and is called for every connection.
func NewCerts(files []CertFile, issued func(name string) *tls.Certificate, clk clock.Clock,
	log *slog.Logger) (*Certs, error) {
	c := &Certs{files: files, issued: issued, clock: clk, log: log}
	t, err := c.read()
	if err != nil {
		return nil, err
	}
	c.use(t)
	return c, nil
}

func (c *Certs) read() (*certTable, error) {
	if len(c.files) == 0 && c.issued == nil {
		return nil, errors.New("no certificate is configured")
	}
	t := &certTable{byHost: make(map[string]*tls.Certificate)}
	for _, f := range c.files {
		cert, err := LoadCert(f)
		if err != nil {
			return nil, err
		}
		t.problems = append(t.problems, f.judge(cert.Leaf, c.clock.Now())...)
		if t.first == nil {
			t.first = cert
		}
		for _, h := range f.Hosts {
			t.byHost[h], t.byHost[inDNS(h)] = cert, cert
		}
		t.stamps = append(t.stamps, stamp(f))
	}
	return t, nil
}

// use installs the certificates of t. It logs those that others refuse but serves them all the same: a restart must not
// be worse than a server that runs on with an expired certificate.
func (c *Certs) use(t *certTable) {
	c.now.Store(t)
	for _, p := range t.problems {
		if p.How == Lacking {
			c.log.Warn("the certificate does not cover a service, so other servers cannot verify it",
				"key", p.Key, "err", p.Text)
		} else {
			c.log.Error("clients and other servers will refuse the certificate", "key", p.Key, "err", p.Text)
		}
	}
}

// stamp returns a value that changes when one of the files does.
func stamp(f CertFile) string {
	var s string
	for _, name := range []string{f.Cert, f.Key} {
		if i, err := os.Stat(name); err == nil {
			s += fmt.Sprint(i.ModTime().UnixNano(), " ", i.Size(), ";")
		}
	}
	return s
}

// Reload reads the files again if one has changed, and reports whether it did. If the new ones cannot be used it
// returns an error and keeps the old certificates.
func (c *Certs) Reload() (bool, error) {
	now := c.now.Load()
	changed := false
	for i, f := range c.files {
		changed = changed || stamp(f) != now.stamps[i]
	}
	if !changed {
		return false, nil
	}
	t, err := c.read()
	if err != nil {
		return false, err
	}
	c.use(t)
	return true, nil
}

// Watch calls Reload at this interval until done is closed, and logs the outcome.
func (c *Certs) Watch(done <-chan struct{}, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-t.C:
		}
		if ok, err := c.Reload(); err != nil {
			c.log.Error("changed certificates cannot be used; the server keeps the old ones", "err", err)
		} else if ok {
			c.log.Info("certificates reloaded")
		}
	}
}

// For returns the certificate for a domain or for a service below it, or nil. It never falls back to the default
// certificate.
func (c *Certs) For(name string) *tls.Certificate {
	t := c.now.Load()
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if cert := t.byHost[name]; cert != nil {
		return cert
	}
	if c.issued != nil {
		if cert := c.issued(name); cert != nil {
			return cert
		}
	}
	if _, parent, ok := strings.Cut(name, "."); ok {
		if cert := t.byHost[parent]; cert != nil && cert.Leaf.VerifyHostname(name) == nil {
			return cert
		}
	}
	return t.first
}

// TLS returns the TLS configuration for serving clients. It offers alpn if that is not empty.
func (c *Certs) TLS(alpn ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, // RFC 7590, RFC 9325
		NextProtos: alpn,
		// Small first records help browsers load pages; here they would split a write into many.
		DynamicRecordSizingDisabled: true,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert := c.For(hello.ServerName)
			if raw, ok := hello.Conn.(*rawConn); ok {
				raw.cert = cert
			}
			return cert, nil
		},
	}
}
