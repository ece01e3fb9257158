package c2s

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"encoding/xml"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"mellium.im/sasl"
	"mellium.im/xmpp"
	mjid "mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"

	"parley/auth"
	"parley/server"
	"parley/store"
	"parley/store/sqlstore"
)

const domain = "a.example"

// testDoor is a real Server with a host without features, on loopback.
type testDoor struct {
	*Server
	addr, direct string
	roots        *x509.CertPool
	host         *server.Host
	st           *sqlstore.Store
}

func newDoor(t testing.TB, change func(*Config), features ...*server.Feature) *testDoor {
	t.Helper()
	ctx, dir, log := context.Background(), t.TempDir(), slog.New(slog.DiscardHandler)
	st, err := sqlstore.Open(ctx, "sqlite:"+filepath.Join(dir, "db"), sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	d := &testDoor{st: st, roots: x509.NewCertPool()}
	cert, key := d.certificate(t, dir)
	certs, err := NewCerts([]CertFile{{Hosts: []string{domain}, Cert: cert, Key: key}}, nil, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	reg, router := prometheus.NewRegistry(), server.NewRouter()
	d.host, err = server.NewHost(server.HostConfig{
		Domain:   domain,
		Store:    st,
		IDs:      new(store.IDs),
		Router:   router,
		Log:      log,
		Metrics:  server.NewMetrics(reg),
		Features: func(*server.Host) []*server.Feature { return features },
	})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := auth.NewKeys("pencil", 4096)
	if err != nil {
		t.Fatal(err)
	}
	kb, _ := keys.MarshalBinary()
	for _, name := range []string{"romeo", "juliet"} {
		if err := st.CreateUser(ctx, store.User{Host: domain, Name: name, Keys: kb}); err != nil {
			t.Fatal(err)
		}
	}
	cfg := Config{
		Router:       router,
		Store:        st,
		Log:          log,
		Registry:     reg,
		StartTLS:     certs.TLS(),
		DirectTLS:    certs.TLS("xmpp-client"),
		Mechanisms:   auth.Mechanisms,
		Iterations:   4096,
		Secret:       []byte("s"),
		Throttle:     auth.NewThrottle(auth.ThrottleConfig{}),
		AuthAttempts: 3,
		SM: SMConfig{
			ResumeTimeout: time.Minute,
			MaxStanzas:    100,
			MaxBytes:      1 << 20,
			AckEvery:      10,
			Sweep:         time.Minute,
			MaxMisses:     4,
		},
		HandshakeTimeout: 30 * time.Second,
		AuthTimeout:      30 * time.Second,
		WriteTimeout:     30 * time.Second,
	}
	if change != nil {
		change(&cfg)
	}
	d.Server = New(cfg)
	d.addr, d.direct = d.listen(t, false), d.listen(t, true)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		d.Shutdown(ctx)
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *testDoor) listen(t testing.TB, direct bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if err := d.Serve(l, direct); err != nil {
			t.Error(err)
		}
	}()
	return l.Addr().String()
}

func (d *testDoor) certificate(t testing.TB, dir string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: domain},
		DNSNames:              []string{domain},
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	kd, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, b := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der},
		key:  {Type: "PRIVATE KEY", Bytes: kd},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, _ := x509.ParseCertificate(der)
	d.roots.AddCert(c)
	return cert, key
}

// mellium signs in with mellium's client over STARTTLS.
func (d *testDoor) mellium(t *testing.T, name string, mechs ...sasl.Mechanism) *xmpp.Session {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	s, err := xmpp.NewClientSession(ctx, mjid.MustParse(name+"@"+domain+"/here"), conn,
		xmpp.StartTLS(&tls.Config{ServerName: domain, RootCAs: d.roots}),
		xmpp.SASL("", "pencil", mechs...), xmpp.BindResource())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return s
}

func TestMelliumSignsInAndTalks(t *testing.T) {
	d := newDoor(t, nil)
	romeo := d.mellium(t, "romeo", sasl.ScramSha256Plus)
	juliet := d.mellium(t, "juliet", sasl.ScramSha1)
	heard := make(chan xml.StartElement, 1)
	go func() {
		r := juliet.TokenReader()
		defer r.Close()
		for {
			tok, err := r.Token()
			if err != nil {
				return
			}
			if start, ok := tok.(xml.StartElement); ok && start.Name.Local == "message" {
				heard <- start
				return
			}
		}
	}()
	if err := romeo.Send(context.Background(),
		stanza.Message{To: juliet.LocalAddr(), Type: stanza.ChatMessage, ID: "m1"}.Wrap(nil)); err != nil {
		t.Fatal(err)
	}
	select {
	case start := <-heard:
		want := map[string]string{
			"from": romeo.LocalAddr().String(),
			"to":   juliet.LocalAddr().String(),
			"id":   "m1",
			"type": "chat",
		}
		for _, a := range start.Attr {
			if w, ok := want[a.Name.Local]; ok && w == a.Value {
				delete(want, a.Name.Local)
			}
		}
		if len(want) > 0 {
			t.Errorf("%+v lacks %v", start, want)
		}
	case <-time.After(time.Minute):
		t.Fatal("juliet hears nothing")
	}
}
