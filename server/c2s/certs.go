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
)

// CertFile names the files of one certificate chain and its key, PEM. Hosts are the domains it is shown for, Services those
// of their services that other servers see it for; the first CertFile is shown to who names no domain or another. At begins
// the keys certificate and key of the configuration, like "tls.".
type CertFile struct {
	Hosts, Services []string
	Cert, Key       string
	At              string
}

// Certs are the server's certificates, read again when their files change. Safe from any goroutine.
type Certs struct {
	files  []CertFile
	issued func(name string) *tls.Certificate // nil: none are but those in files
	now    atomic.Pointer[certTable]
	log    *slog.Logger
}

type certTable struct {
	byHost   map[string]*tls.Certificate
	first    *tls.Certificate
	stamps   []string
	problems []CertProblem
}

// NewCerts reads all certificates; an error names the file and what is wrong with it. issued, which may be nil, gives those
// of names that no file is for; it is asked for every connection.
func NewCerts(files []CertFile, issued func(name string) *tls.Certificate, log *slog.Logger) (*Certs, error) {
	c := &Certs{files: files, issued: issued, log: log}
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
		t.problems = append(t.problems, f.judge(cert.Leaf, time.Now())...)
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

// use shows these certificates from now on. What others refuse is said and shown all the same: a server that ran with a
// certificate when it expired goes on, and one that starts must not be worse.
func (c *Certs) use(t *certTable) {
	c.now.Store(t)
	for _, p := range t.problems {
		if p.How == Lacking {
			c.log.Warn("other servers cannot trust a service by its certificate", "key", p.Key, "err", p.Text)
		} else {
			c.log.Error("clients and other servers will refuse the certificate", "key", p.Key, "err", p.Text)
		}
	}
}

// stamp changes when one of the files does.
func stamp(f CertFile) string {
	var s string
	for _, name := range []string{f.Cert, f.Key} {
		if i, err := os.Stat(name); err == nil {
			s += fmt.Sprint(i.ModTime().UnixNano(), " ", i.Size(), ";")
		}
	}
	return s
}

// Reload reads the files again if one has changed, and says whether it did. If they cannot be used the old certificates
// stay.
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

// Watch reloads at this interval until done is closed.
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
			c.log.Error("certificates have changed but cannot be used; the old ones stay", "err", err)
		} else if ok {
			c.log.Info("certificates read again")
		}
	}
}

// For gives the certificate for a domain or a service below it; nil if there is none, and none for everybody.
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

// TLS gives the configuration for serving clients; alpn is offered if not empty.
func (c *Certs) TLS(alpn ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, // RFC 7590, RFC 9325
		NextProtos: alpn,
		// Small first records are for browsers' page loads; here they would split a write into many.
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
