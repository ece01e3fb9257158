package federation

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// authority is a certificate authority of a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "test authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
		NotBefore:             time.Now().Add(-365 * 24 * time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, cert, key}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// issue makes a certificate; change may alter what is to be signed.
func (a *authority) issue(change func(*x509.Certificate), names ...string) *tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "a server"},
		DNSNames:     names,
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(tmpl)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func expired(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }

// sanOf makes a subjectAltName of otherNames.
func sanOf(t *testing.T, names map[string]asn1.ObjectIdentifier, tag int) []byte {
	t.Helper()
	var seq []byte
	for value, id := range names {
		oid, err := asn1.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		str, err := asn1.Marshal(asn1.RawValue{Tag: tag, Bytes: []byte(value)})
		if err != nil {
			t.Fatal(err)
		}
		outer, err := asn1.Marshal(asn1.RawValue{
			Class:      asn1.ClassContextSpecific,
			Tag:        0,
			IsCompound: true,
			Bytes:      str,
		})
		if err != nil {
			t.Fatal(err)
		}
		name, err := asn1.Marshal(asn1.RawValue{
			Class:      asn1.ClassContextSpecific,
			Tag:        0,
			IsCompound: true,
			Bytes:      append(oid, outer...),
		})
		if err != nil {
			t.Fatal(err)
		}
		seq = append(seq, name...)
	}
	der, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: seq})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// fakeDNS is the DNS of a test.
type fakeDNS struct {
	mu    sync.Mutex
	srv   map[string][]*net.SRV // by "_service._tcp.name"
	hosts map[string][]netip.Addr
	hang  map[string]bool // names that there is no answer for
	asked []string
}

func newDNS() *fakeDNS {
	return &fakeDNS{srv: make(map[string][]*net.SRV), hosts: make(map[string][]netip.Addr), hang: make(map[string]bool)}
}

func (d *fakeDNS) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	name = strings.TrimSuffix(name, ".")
	full := "_" + service + "._" + proto + "." + name
	d.mu.Lock()
	d.asked = append(d.asked, full)
	rs, hang := d.srv[full], d.hang[name]
	d.mu.Unlock()
	if hang {
		<-ctx.Done()
		return "", nil, &net.DNSError{Err: "timeout", Name: full, IsTimeout: true}
	}
	if rs == nil {
		return "", nil, &net.DNSError{Err: "no such host", Name: full, IsNotFound: true}
	}
	return full, rs, nil
}

func (d *fakeDNS) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	host = strings.TrimSuffix(host, ".")
	d.mu.Lock()
	as, hang := d.hosts[host], d.hang[host]
	d.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, &net.DNSError{Err: "timeout", Name: host, IsTimeout: true}
	}
	if as == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return as, nil
}

// point makes a domain be served at an address of this machine.
func (d *fakeDNS) point(service, domain string, at net.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := "_" + service + "._tcp." + domain
	d.srv[key] = append(d.srv[key],
		&net.SRV{Target: "host." + domain, Port: at.(*net.TCPAddr).AddrPort().Port(), Priority: 1})
	d.hosts["host."+domain] = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
}

var discard = slog.New(slog.DiscardHandler)

// inbox is an entity that keeps what it gets.
type inbox chan *wire.Stanza

func (b inbox) Receive(_ context.Context, st *wire.Stanza) error { b <- st; return nil }

func (b inbox) next(t *testing.T) *wire.Stanza {
	t.Helper()
	select {
	case st := <-b:
		return st
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
		return nil
	}
}

// site is one server of a test: domains, each an inbox.
type site struct {
	t      *testing.T
	router *server.Router
	door   *Server
	users  map[string]inbox
	addr   net.Addr // STARTTLS
	direct net.Addr
}

type siteConfig struct {
	domains []string
	cert    *tls.Certificate
	change  func(*Config)
	service string // "xmpp-server" unless given
}

func newSite(t *testing.T, d *fakeDNS, ca *authority, c siteConfig) *site {
	t.Helper()
	s := &site{t: t, router: server.NewRouter(), users: make(map[string]inbox)}
	log := discard
	if os.Getenv("FED_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr,
			&slog.HandlerOptions{Level: slog.LevelDebug})).With("site", c.domains[0])
	}
	cfg := Config{
		Router:        s.router,
		Log:           log,
		Resolver:      d,
		DNSTimeout:    20 * time.Second,
		Secret:        []byte(c.domains[0]),
		Roots:         ca.pool(),
		Cert:          func(string) *tls.Certificate { return c.cert },
		AuthTimeout:   30 * time.Second,
		AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	}
	if c.change != nil {
		c.change(&cfg)
	}
	s.door = New(cfg)
	s.router.SetRemote(s.door)
	served := make(chan error, 2)
	listen := func(direct bool) net.Addr {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { served <- s.door.Serve(l, direct) }()
		return l.Addr()
	}
	s.addr, s.direct = listen(false), listen(true)
	for _, domain := range c.domains {
		s.users[domain] = make(inbox, 100)
		if err := s.router.Add(domain, s.users[domain]); err != nil {
			t.Fatal(err)
		}
		if c.service == "xmpps-server" {
			d.point(c.service, domain, s.direct)
		} else {
			d.point("xmpp-server", domain, s.addr)
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		s.door.Shutdown(ctx)
		for range 2 {
			if err := <-served; err != nil {
				t.Error(err)
			}
		}
	})
	return s
}

func message(from, to, body string) *wire.Stanza {
	st := &wire.Stanza{
		Kind: wire.Message,
		Name: wire.Name{Space: wire.NSClient, Local: "message"},
		Type: "chat",
		ID:   "id-" + body,
		From: jid.MustParse(from),
		To:   jid.MustParse(to),
	}
	return st.Add(wire.T(wire.NSClient, "body", body))
}

// send routes a message and returns the router's error.
func (s *site) send(from, to, body string) error {
	return s.router.Route(context.Background(), message(from, to, body))
}

func (s *site) mustSend(from, to, body string) {
	s.t.Helper()
	if err := s.send(from, to, body); err != nil {
		s.t.Fatalf("%s to %s: %v", from, to, err)
	}
}

// how returns the proof of the outgoing stream of a pair.
func (s *site) how(from, to string) string {
	for _, st := range s.door.Streams() {
		if !st.Incoming && st.From == from && st.To == to {
			return st.How
		}
	}
	return ""
}

// condition returns the condition of a stanza's error.
func condition(st *wire.Stanza) string {
	if st.Type != "error" {
		return ""
	}
	return errorCondition(st)
}

// refusing returns an address that refuses connections: a port that belongs to an open connection, so that no other
// test listens there.
func refusing(t *testing.T) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); l.Close() })
	return nc.LocalAddr()
}

func tlsServer(nc net.Conn, cert *tls.Certificate) net.Conn {
	return tls.Server(nc, &tls.Config{
		Certificates: []tls.Certificate{*cert},
		ClientAuth:   tls.RequestClientCert,
		NextProtos:   []string{"xmpp-server"},
	})
}
