package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"mellium.im/sasl"
)

const host = "a.example"

func options(t testing.TB, b Binding) Options {
	t.Helper()
	k, err := NewKeys("pencil", 4096)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Host:       host,
		Mechanisms: Offer(Mechanisms, true, b),
		Binding:    b,
		Secure:     true,
		Faker:      NewFaker([]byte("secret"), 4096),
		Lookup: func(_ context.Context, user string) ([]Secret, error) {
			if user != "user" {
				return nil, nil
			}
			return []Secret{{Keys: k}}, nil
		},
	}
}

// run lets mellium's client authenticate against an exchange of ours.
func run(t *testing.T, o Options, m sasl.Mechanism, user, password, authzid string,
	opts ...sasl.Option) (Exchange, error) {
	t.Helper()
	opts = append(opts, sasl.Credentials(func() ([]byte, []byte, []byte) {
		return []byte(user), []byte(password), []byte(authzid)
	}),
		sasl.RemoteMechanisms(o.Mechanisms...))
	c := sasl.NewClient(m, opts...)
	ex, err := Start(m.Name, o)
	if err != nil {
		return nil, err
	}
	more, msg, err := c.Step(nil)
	for {
		if err != nil {
			t.Fatal("client: ", err)
		}
		challenge, done, serr := ex.Next(context.Background(), msg)
		if serr != nil {
			return ex, serr
		}
		if done {
			if more && len(challenge) > 0 {
				if _, _, err := c.Step(challenge); err != nil {
					t.Fatal("client does not believe the server: ", err)
				}
			}
			return ex, nil
		}
		more, msg, err = c.Step(challenge)
	}
}

func TestMelliumSignsIn(t *testing.T) {
	for _, m := range []sasl.Mechanism{sasl.Plain, sasl.ScramSha1, sasl.ScramSha256} {
		o := options(t, Binding{})
		ex, err := run(t, o, m, "user", "pencil", "")
		if err != nil || ex.Username() != "user" {
			t.Errorf("%s: %v", m.Name, err)
		}
		if _, err := run(t, o, m, "USER", "pencil", "user@"+host); err != nil {
			t.Errorf("%s: own authzid: %v", m.Name, err)
		}
		for what, e := range map[string]struct{ user, password, authzid, want string }{
			"wrong password": {"user", "pen", "", "not-authorized"},
			"unknown user":   {"nobody", "pencil", "", "not-authorized"},
			"for another":    {"user", "pencil", "admin@" + host, "invalid-authzid"},
		} {
			_, err := run(t, o, m, e.user, e.password, e.authzid)
			if condition(err) != e.want {
				t.Errorf("%s, %s: %v", m.Name, what, err)
			}
		}
	}
}

func condition(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Condition
	}
	return ""
}

// TestMelliumBindsChannel binds the channel of a real TLS 1.3 connection.
func TestMelliumBindsChannel(t *testing.T) {
	client, server := tlsPipe(t)
	key, err := server.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, Binding{Exporter: key})
	for _, m := range []sasl.Mechanism{sasl.ScramSha1Plus, sasl.ScramSha256Plus} {
		if _, err := run(t, o, m, "user", "pencil", "", sasl.TLSState(client)); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		wrong := o
		wrong.Binding = Binding{Exporter: make([]byte, 32)}
		if _, err := run(t, wrong, m, "user", "pencil", "", sasl.TLSState(client)); condition(err) != "not-authorized" {
			t.Errorf("%s over another channel: %v", m.Name, err)
		}
	}
}

func tlsPipe(t *testing.T) (client, server tls.ConnectionState) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{host},
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	s := tls.Server(b, &tls.Config{
		Certificates:           []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		SessionTicketsDisabled: true,
	})
	c := tls.Client(a, &tls.Config{InsecureSkipVerify: true})
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return c.ConnectionState(), s.ConnectionState()
}

// TestVectors are the examples of RFC 5802, section 5, and RFC 7677, section 3.
func TestVectors(t *testing.T) {
	for _, v := range []struct{ mech, salt, first, nonce, final, want string }{
		{"SCRAM-SHA-1", "QSXCR+Q6sek8bf92", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
		{"SCRAM-SHA-256", "W22ZaJ0SNY7soEsUEjb6gQ==", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
	} {
		o := options(t, Binding{})
		salt, _ := base64.StdEncoding.DecodeString(v.salt)
		o.Lookup = func(context.Context, string) ([]Secret, error) {
			k, err := newKeys("pencil", salt, 4096, Keys{})
			return []Secret{{Keys: k}}, err
		}
		s := newScram(v.mech, o)
		if _, _, err := s.Next(context.Background(), []byte(v.first)); err != nil {
			t.Fatal(err)
		}
		// The example's nonce in place of ours.
		s.nonce, s.serverMsg = v.nonce, "r="+v.nonce+",s="+v.salt+",i=4096"
		got, done, err := s.Next(context.Background(), []byte(v.final))
		if err != nil || !done || string(got) != v.want {
			t.Errorf("%s: %s %v", v.mech, got, err)
		}
	}
}

func TestScramRefuses(t *testing.T) {
	plus := options(t, Binding{Exporter: make([]byte, 32)})
	for _, c := range []struct{ what, mech, first, want string }{
		{"no gs2 header", "SCRAM-SHA-256", "n=user,r=abc", "malformed-request"},
		{"empty", "SCRAM-SHA-256", "", "malformed-request"},
		{"unknown flag", "SCRAM-SHA-256", "x,,n=user,r=abc", "malformed-request"},
		{"downgrade", "SCRAM-SHA-256", "y,,n=user,r=abc", "not-authorized"},
		{"binding without PLUS", "SCRAM-SHA-256", "p=tls-exporter,,n=user,r=abc", "malformed-request"},
		{"PLUS without binding", "SCRAM-SHA-256-PLUS", "n,,n=user,r=abc", "malformed-request"},
		{"unknown binding", "SCRAM-SHA-256-PLUS", "p=tls-unique,,n=user,r=abc", "not-authorized"},
		{"extension", "SCRAM-SHA-256", "n,,m=x,n=user,r=abc", "malformed-request"},
		{"bad name", "SCRAM-SHA-256", "n,,n=us=er,r=abc", "malformed-request"},
		{"no name", "SCRAM-SHA-256", "n,,n=,r=abc", "malformed-request"},
		{"no nonce", "SCRAM-SHA-256", "n,,n=user,r=", "malformed-request"},
		{"name with @", "SCRAM-SHA-256", "n,,n=user@host,r=abc", "not-authorized"},
	} {
		ex, err := Start(c.mech, plus)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ex.Next(context.Background(), []byte(c.first)); condition(err) != c.want {
			t.Errorf("%s: %v, want %s", c.what, err, c.want)
		}
	}
	for _, c := range []struct{ what, final, want string }{
		{"no proof", "c=biws,r=NONCE", "malformed-request"},
		{"bad base64", "c=biws,r=NONCE,p=!", "malformed-request"},
		{"other nonce", "c=biws,r=abc,p=AAAA", "not-authorized"},
		{"other header", "c=eSws,r=NONCE,p=AAAA", "not-authorized"},
		{"wrong proof", "c=biws,r=NONCE,p=" + strings.Repeat("A", 43) + "=", "not-authorized"},
	} {
		s := newScram("SCRAM-SHA-256", plus)
		if _, _, err := s.Next(context.Background(), []byte("n,,n=user,r=abc")); err != nil {
			t.Fatal(err)
		}
		final := strings.Replace(c.final, "NONCE", s.nonce, 1)
		if _, _, err := s.Next(context.Background(), []byte(final)); condition(err) != c.want {
			t.Errorf("%s: %v, want %s", c.what, err, c.want)
		}
	}
}

func TestFlagYAfterFailedBinding(t *testing.T) {
	o := options(t, Binding{Exporter: make([]byte, 32)})
	o.BindingFailed = true
	ex, _ := Start("SCRAM-SHA-256", o)
	if _, _, err := ex.Next(context.Background(), []byte("y,,n=user,r=abc")); err != nil {
		t.Error(err)
	}
	ex, _ = Start("SCRAM-SHA-256-PLUS", o)
	if _, _, err := ex.Next(context.Background(), []byte("y,,n=user,r=abc")); condition(err) != "not-authorized" {
		t.Error(err)
	}
}

func TestUnknownLooksKnown(t *testing.T) {
	o := options(t, Binding{})
	challenge := func(user string) string {
		ex, _ := Start("SCRAM-SHA-256", o)
		b, _, err := ex.Next(context.Background(), []byte("n,,n="+user+",r=abc"))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), ",")
		return rest
	}
	if a, b := challenge("nobody"), challenge("nobody"); a != b {
		t.Errorf("the salt of an unknown user changes: %s, %s", a, b)
	}
	if a, b := challenge("nobody"), challenge("noone"); a == b {
		t.Error("unknown users share a salt")
	}
	if a, b := challenge("nobody"), challenge("user"); len(a) != len(b) || a[len(a)-7:] != b[len(b)-7:] {
		t.Errorf("%s and %s differ in form", a, b)
	}
}

func TestOffer(t *testing.T) {
	if got := Offer(Mechanisms, false, Binding{}); !slices.Equal(got, []string{"SCRAM-SHA-256", "SCRAM-SHA-1"}) {
		t.Error(got)
	}
	if got := Offer(Mechanisms, true, Binding{EndPoint: []byte{1}}); !slices.Equal(got, Mechanisms) {
		t.Error(got)
	}
	if _, err := Start("PLAIN",
		Options{Mechanisms: Offer(Mechanisms, false, Binding{})}); condition(err) != "encryption-required" {
		t.Error(err)
	}
	if _, err := Start("X-OWN", Options{Mechanisms: Mechanisms}); condition(err) != "invalid-mechanism" {
		t.Error(err)
	}
}

func TestKeysForm(t *testing.T) {
	k, err := NewKeys("pass wörd", 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var back Keys
	if err := back.UnmarshalBinary(b); err != nil || !back.Verify("pass wörd") ||
		back.Verify("pass word") || back.Verify("") {
		t.Errorf("%+v %v", back, err)
	}
	if back.UnmarshalBinary(b[1:]) == nil || back.UnmarshalBinary(nil) == nil {
		t.Error("takes what is cut short")
	}
	if _, err := NewKeys("", 4096); err == nil {
		t.Error("takes an empty password")
	}
}

// Keys of one hash alone, as accounts from other servers have them: the other key is made when a client sends the
// password.
func TestKeysApart(t *testing.T) {
	full, err := NewKeys("pencil", 4096)
	if err != nil {
		t.Fatal(err)
	}
	var k Keys
	if err := k.SetKey("SCRAM-SHA-1", Key{Salt: []byte("other salt"), Iterations: 1}); err == nil {
		t.Error("a key without keys is taken")
	}
	if err := k.SetKey("SCRAM-SHA-512", full.SHA1); err == nil {
		t.Error("a key of an unknown hash is taken")
	}
	if _, err := k.MarshalBinary(); err == nil {
		t.Error("no keys have a form")
	}
	if err := k.SetKey("SCRAM-SHA-1", full.SHA1); err != nil || !slices.Equal(k.Missing(), []string{"SCRAM-SHA-256"}) {
		t.Fatalf("%v: %v are missing", err, k.Missing())
	}
	b, err := k.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var back Keys
	if err := back.UnmarshalBinary(b); err != nil || !back.Verify("pencil") || back.Verify("pen") ||
		len(back.Missing()) != 1 {
		t.Fatalf("%v: %+v", err, back)
	}
	for n := range b {
		if back.UnmarshalBinary(b[:n]) == nil {
			t.Errorf("takes the first %d bytes", n)
		}
	}
	var upgraded Keys
	o := options(t, Binding{})
	o.Secure = true
	o.Lookup = func(context.Context, string) ([]Secret, error) { return []Secret{{Keys: k}}, nil }
	o.Upgrade = func(_ context.Context, user string, now Keys) { upgraded = now }
	ex, err := Start("PLAIN", o)
	if err != nil {
		t.Fatal(err)
	}
	if _, done, err := ex.Next(context.Background(), []byte("\x00romeo\x00pencil")); err != nil || !done {
		t.Fatal(done, err)
	}
	if len(upgraded.Missing()) > 0 || !upgraded.Verify("pencil") ||
		!slices.Equal(upgraded.SHA1.Stored, full.SHA1.Stored) {
		t.Errorf("made %+v", upgraded)
	}
	if b, err = upgraded.MarshalBinary(); err != nil || back.UnmarshalBinary(b) != nil || !back.Verify("pencil") {
		t.Errorf("two salts are not kept: %v", err)
	}
	// Without the password, SCRAM with the other hash behaves as for an account that does not exist.
	ex, err = Start("SCRAM-SHA-256", o)
	if err != nil {
		t.Fatal(err)
	}
	if challenge, _, err := ex.Next(context.Background(), []byte("n,,n=romeo,r=abc")); err != nil ||
		!strings.Contains(string(challenge), ",s=") {
		t.Errorf("%q %v", challenge, err)
	}
}

func FuzzScram(f *testing.F) {
	f.Add("n,,n=user,r=abc", "c=biws,r=abc,p=AAAA")
	f.Add("p=tls-exporter,a=x,n=a=2Cb,r=,", ",p=")
	f.Add("y,,m=,", "c=,r=,p=")
	o := options(f, Binding{Exporter: make([]byte, 32)})
	f.Fuzz(func(t *testing.T, first, final string) {
		for _, m := range o.Mechanisms {
			ex, err := Start(m, o)
			if err != nil {
				t.Fatal(err)
			}
			if _, done, err := ex.Next(context.Background(), []byte(first)); err != nil || done {
				if done && m != "PLAIN" {
					t.Fatal("signed in after one message")
				}
				continue
			}
			if _, done, _ := ex.Next(context.Background(), []byte(final)); done {
				t.Fatal("signed in without the password")
			}
		}
	})
}
