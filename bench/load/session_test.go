package load

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// pair returns a session with stream management on, as after login, and the
// server's end of its connection.
func pair(t *testing.T) (*Session, *tls.Conn) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"a.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	c, s := net.Pipe()
	server := tls.Server(s, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	client := tls.Client(c, &tls.Config{RootCAs: roots, ServerName: "a.example"})
	// Read whatever comes first, so that the handshake ends on both sides.
	shaken := make(chan error, 1)
	go func() {
		_, err := server.Write([]byte("<s>"))
		shaken <- err
	}()
	sc := NewScanner(client, 64)
	if _, err := sc.Next(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	sess := &Session{JID: "u@a.example/r", conn: c, tls: client, sc: sc, sm: true,
		ackGot: make(chan struct{}, 1), done: make(chan struct{})}
	t.Cleanup(func() {
		s.Close()
		c.Close()
		<-sess.done
	})
	return sess, server
}

// Three requests that arrive together get one answer that counts all before it;
// a ping is answered and counts too.
func TestSessionAnswersServer(t *testing.T) {
	s, server := pair(t)
	got := make(chan string, 10)
	s.Start(func(_ *Session, st []byte) { got <- string(st) })
	sc := NewScanner(server, 64)
	sc.depth = 1
	go server.Write([]byte(`<message/><r xmlns='urn:xmpp:sm:3'/><presence/><r xmlns='urn:xmpp:sm:3'/><message/><r xmlns='urn:xmpp:sm:3'/>`))
	if st, err := sc.Next(); err != nil || string(st) != `<a xmlns='urn:xmpp:sm:3' h='3'/>` {
		t.Fatalf("got %s, %v", st, err)
	}
	for _, want := range []string{"<message/>", "<presence/>", "<message/>"} {
		if st := <-got; st != want {
			t.Fatalf("handler got %s, want %s", st, want)
		}
	}
	go server.Write([]byte(`<iq type='get' id='p&amp;1' from='a.example'><ping xmlns='urn:xmpp:ping'/></iq><r xmlns='urn:xmpp:sm:3'/>`))
	if st, err := sc.Next(); err != nil || string(st) != `<iq type='result' id='p&amp;1' to='a.example'/>` {
		t.Fatalf("got %s, %v", st, err)
	}
	if st, err := sc.Next(); err != nil || string(st) != `<a xmlns='urn:xmpp:sm:3' h='4'/>` {
		t.Fatalf("got %s, %v", st, err)
	}
}

// A server that has taken over fewer stanzas than were sent is asked again, and
// reported if that stays so.
func TestConfirm(t *testing.T) {
	s, server := pair(t)
	s.Start(func(*Session, []byte) {})
	sc := NewScanner(server, 64)
	sc.depth = 1
	served := make(chan struct{})
	go func() {
		defer close(served)
		sc.Next() // The message.
		for _, h := range []string{"0", "1"} {
			sc.Next() // A request.
			server.Write([]byte("<a xmlns='urn:xmpp:sm:3' h='" + h + "'/>"))
		}
	}()
	if err := s.Send(1, []byte("<message/>")); err != nil {
		t.Fatal(err)
	}
	if err := s.Confirm(context.Background()); err != nil {
		t.Fatal(err)
	}
	<-served
	s.sent.Add(1) // A stanza that the server never gets.
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		sc.Next()
		cancel()
	}()
	if err := s.Confirm(ctx); err == nil || !strings.Contains(err.Error(), "1 of 2") {
		t.Fatalf("got %v", err)
	}
}

func TestStreamErrorEndsSession(t *testing.T) {
	s, server := pair(t)
	s.Start(func(*Session, []byte) {})
	go server.Write([]byte(`<stream:error><conflict/></stream:error>`))
	<-s.Done()
	if s.Err() == nil || !strings.Contains(s.Err().Error(), "conflict") {
		t.Fatalf("got %v", s.Err())
	}
}
