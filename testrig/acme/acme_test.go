// Package acme holds the test of certificates from an authority: Pebble, with which Let's Encrypt tests.
package acme

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"golang.org/x/net/dns/dnsmessage"

	"parley/config"
	"parley/testrig"
)

const domain = "chat.example.net"

// TestCertificates: a node without certificate files gets them from the authority, which finds its proof on the doors
// for browsers, and keeps them over a restart.
func TestCertificates(t *testing.T) {
	for _, way := range []string{"http", "tls"} {
		t.Run(way, func(t *testing.T) {
			t.Setenv("PEBBLE_VA_NOSLEEP", "1")
			t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
			p := startPebble(t)
			r := testrig.Start(t, func(c *config.Config) {
				c.Hosts = []config.Host{{Domain: domain}}
				c.TLS.Certificate, c.TLS.Key = "", ""
				c.TLS.ACME = config.ACME{
					Enabled:   true,
					Terms:     true,
					Directory: p.web.URL + wfe.DirectoryPath,
					CAFile:    p.file,
					Host:      "127.0.0.1",
				}
				if way == "http" {
					c.TLS.ACME.HTTPPort = freePort(t)
				} else {
					c.TLS.ACME.TLSPort = freePort(t)
				}
			})
			p.open(t, port(r.Node.Addr("websocket_plain")), port(r.Node.Addr("websocket")))
			roots := x509.NewCertPool()
			roots.AddCert(p.root(t))
			for _, name := range []string{domain, "groups." + domain} {
				first := p.certificate(t, r.Node.Addr("c2s_tls").String(), roots, name)
				if err := first.VerifyHostname(name); err != nil {
					t.Error(err)
				}
			}
			p.web.Close() // certificates on the disk do without the authority
			r.Restart()
			p.certificate(t, r.Node.Addr("c2s_tls").String(), roots, domain)
		})
	}
}

// pebble is the authority; it answers nothing before it is open, for it has to know where to look for proofs.
type pebble struct {
	web   *httptest.Server
	file  string // certificate of its own address
	ready chan struct{}
	ca    *ca.CAImpl
	h     http.Handler
	dns   string
}

func startPebble(t *testing.T) *pebble {
	t.Helper()
	p := &pebble{ready: make(chan struct{}), dns: everywhereHere(t)}
	p.web = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-p.ready:
			p.h.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(p.web.Close)
	p.file = filepath.Join(t.TempDir(), "authority.pem")
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.web.Certificate().Raw})
	if err := os.WriteFile(p.file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pebble) open(t *testing.T, httpPort, tlsPort int) {
	said, kept := log.New(t.Output(), "", 0), db.NewMemoryStore()
	p.ca = ca.New(said, kept, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "the only one"}})
	front := wfe.New(said, kept, va.New(said, httpPort, tlsPort, false, p.dns, kept), p.ca,
		[]string{"pebble.example"}, false, false, 0, 0)
	p.h = front.Handler()
	close(p.ready)
}

func (p *pebble) root(t *testing.T) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(p.ca.GetRootCert(0).DER)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// certificate waits until an address shows a certificate that is good for a name.
func (p *pebble) certificate(t *testing.T, addr string, roots *x509.CertPool, name string) *x509.Certificate {
	t.Helper()
	// polling: it is got in the background
	for until := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		nc, err := tls.Dial("tcp", addr,
			&tls.Config{ServerName: name, RootCAs: roots, NextProtos: []string{"xmpp-client"}})
		if err == nil {
			defer nc.Close()
			return nc.ConnectionState().PeerCertificates[0]
		}
		if time.Now().After(until) {
			t.Fatal(err)
		}
	}
}

func port(a net.Addr) int { return int(netip.MustParseAddrPort(a.String()).Port()) }

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return port(l.Addr())
}

// everywhereHere is a DNS, by TCP as Pebble asks, in which every name is at 127.0.0.1.
func everywhereHere(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				for answer(nc) == nil {
				}
			}()
		}
	}()
	return l.Addr().String()
}

func answer(nc net.Conn) error {
	var n uint16
	if err := binary.Read(nc, binary.BigEndian, &n); err != nil {
		return err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(nc, b); err != nil {
		return err
	}
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil {
		return err
	}
	m.Header = dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true, RecursionAvailable: true}
	m.Additionals = nil
	for _, q := range m.Questions {
		if q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			})
		}
	}
	out, err := m.Pack()
	if err != nil {
		return err
	}
	_, err = nc.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...))
	return err
}
