package devcert

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var domains = []string{"chat.example", "groups.chat.example"}

func ensure(t *testing.T, dir string, domains []string, now time.Time) Files {
	t.Helper()
	f, err := Ensure(dir, domains, now)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// verify checks a name as a client does that trusts the CA's file.
func verify(t *testing.T, f Files, name string, now time.Time) error {
	t.Helper()
	ca, err := os.ReadFile(f.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatal("the CA's file has no certificate")
	}
	c, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: pool, CurrentTime: now})
	return err
}

func TestClientsTrustIt(t *testing.T) {
	dir, now := filepath.Join(t.TempDir(), "tls"), time.Now()
	f := ensure(t, dir, domains, now)
	if !f.NewCA {
		t.Error("the CA is not said to be new")
	}
	for _, name := range []string{"chat.example", "groups.chat.example", "localhost", "127.0.0.1", "::1"} {
		if err := verify(t, f, name, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if verify(t, f, "bank.example", now) == nil {
		t.Error("valid for any name")
	}
	for _, name := range []string{"ca.key", "server.key"} {
		if i, err := os.Stat(filepath.Join(dir, name)); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, i.Mode(), err)
		}
	}
}

// TestCAIsLimited checks that a stolen CA key makes no certificates for other names that its users would trust.
func TestCAIsLimited(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	f := ensure(t, dir, domains, now)
	ca, err := readPair(f.CA, filepath.Join(dir, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	evil, err := newLeaf(ca, []string{"bank.example"}, now)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	if _, err := evil.cert.Verify(x509.VerifyOptions{DNSName: "bank.example", Roots: pool}); err == nil {
		t.Error("the CA vouches for any name")
	}
}

func TestKeptAndRenewed(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	read := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	f := ensure(t, dir, domains, now)
	ca, cert := read(f.CA), read(f.Cert)

	if f = ensure(t, dir, domains, now.Add(time.Hour)); f.NewCA || read(f.CA) != ca || read(f.Cert) != cert {
		t.Error("made anew without need")
	}
	late := now.Add(leafLife - renewLeft + time.Hour)
	if f = ensure(t, dir, domains, late); f.NewCA || read(f.CA) != ca || read(f.Cert) == cert {
		t.Error("near its end, the certificate (and it alone) is to be made anew")
	}
	if err := verify(t, f, "chat.example", late.Add(renewLeft)); err != nil {
		t.Error(err)
	}
	if f = ensure(t, dir, []string{"other.example"}, now); !f.NewCA || verify(t, f, "other.example", now) != nil {
		t.Error("not valid for the new domain")
	}
	if f = ensure(t, dir, domains, now); f.NewCA || verify(t, f, "chat.example", now) != nil {
		t.Error("going back to the first domains needs no other CA")
	}
	if f = ensure(t, dir, []string{"bücher.example"}, now); verify(t, f, "xn--bcher-kva.example", now) != nil {
		t.Error("not valid for an internationalised domain")
	}
	if f = ensure(t, dir, []string{"other.example"}, now.Add(caLife-time.Hour)); !f.NewCA {
		t.Error("the CA will end before the certificate")
	}
}

func TestBrokenFilesAreReplaced(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	f := ensure(t, dir, domains, now)
	if err := os.WriteFile(f.Key, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	f = ensure(t, dir, domains, now)
	if err := verify(t, f, "chat.example", now); err != nil {
		t.Error(err)
	}
}
