package federation

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"parley/wire"
)

// stranger is a server that misbehaves as it likes: a connection on which the test itself writes.
type stranger struct {
	t  *testing.T
	nc net.Conn
	rd *wire.Reader
	id string
}

func (s *site) stranger() *stranger {
	s.t.Helper()
	nc, err := net.Dial("tcp", s.addr.String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	return &stranger{t: s.t, nc: nc, rd: wire.NewReader(nc, wire.Limits{})}
}

func (x *stranger) send(format string, args ...any) {
	x.t.Helper()
	if _, err := fmt.Fprintf(x.nc, format, args...); err != nil {
		x.t.Fatal(err)
	}
}

func (x *stranger) hello(from, to string) {
	x.t.Helper()
	x.send("%s", hello(from, to, ""))
	h, err := x.rd.Header()
	if err != nil {
		x.t.Fatal(err)
	}
	x.id = h.ID
}

func (x *stranger) next() *wire.Stanza {
	x.t.Helper()
	st, err := x.rd.Next()
	if err != nil {
		x.t.Fatal(err)
	}
	return st
}

// secure goes up to the features inside TLS.
func (x *stranger) secure(from, to string, cert *tls.Certificate) *wire.Stanza {
	x.t.Helper()
	x.hello(from, to)
	if f := x.next(); !f.Has(wire.NSTLS, "starttls") || f.Has(wire.NSSASL, "") || f.Has(nsDialbackFeatures, "") {
		x.t.Errorf("before TLS: %s", f.Payload)
	}
	x.send("<starttls xmlns='%s'/>", wire.NSTLS)
	if p := x.next(); p.Name.Local != "proceed" {
		x.t.Fatalf("got %v", p.Name)
	}
	cfg := &tls.Config{InsecureSkipVerify: true, ServerName: to}
	if cert != nil {
		cfg.Certificates = []tls.Certificate{*cert}
	}
	over := tls.Client(x.nc, cfg)
	if err := over.Handshake(); err != nil {
		x.t.Fatal(err)
	}
	x.nc, x.rd = over, wire.NewReader(over, wire.Limits{})
	x.hello(from, to)
	return x.next()
}

// fails expects a stream error and the end.
func (x *stranger) fails(want string) {
	x.t.Helper()
	st := x.next()
	if !isStreamError(st) {
		x.t.Fatalf("got %v %s, want %s", st.Name, st.Payload, want)
	}
	if err := readStreamError(st).(*remoteError); err.condition != want {
		x.t.Errorf("got %s, want %s", err.condition, want)
	}
	if st, err := x.rd.Next(); err != wire.ErrStreamEnd {
		x.t.Errorf("after the error: %v %v", st, err)
	}
}

// signedIn returns a stranger with a certificate for a.example.
func signedIn(t *testing.T, ca *authority, b *site) *stranger {
	t.Helper()
	x := b.stranger()
	if f := x.secure("a.example", "b.example",
		ca.issue(nil, "a.example")); !strings.Contains(string(f.Payload), "EXTERNAL") ||
		!f.Has(nsDialbackFeatures, "dialback") {
		t.Fatalf("features: %s", f.Payload)
	}
	x.send("<auth xmlns='%s' mechanism='EXTERNAL'>%s</auth>",
		wire.NSSASL, base64.StdEncoding.EncodeToString([]byte("a.example")))
	if r := x.next(); r.Name.Local != "success" {
		t.Fatalf("got %v", r.Name)
	}
	x.rd.Restart()
	x.hello("a.example", "b.example")
	x.next()
	return x
}

const body = "<body>hi</body></message>"

// TestRules: what a stream that has proven a.example must not do.
func TestRules(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	b := newSite(t, d, ca, siteConfig{
		domains: []string{"b.example", "groups.b.example"},
		cert:    ca.issue(nil, "b.example"),
		change:  func(c *Config) { c.Limits = wire.Limits{Stanza: 20000} },
	})
	for _, c := range []struct{ what, send, want string }{
		{"no from", "<message to='x@b.example'>" + body, "improper-addressing"},
		{"no to", "<message from='x@a.example'>" + body, "improper-addressing"},
		{"a bad address", "<message from='x@a.example' to='@b.example'>" + body, "improper-addressing"},
		{"piggybacking", "<message from='x@c.example' to='x@b.example'>" + body, "invalid-from"},
		{"a subdomain", "<message from='x@groups.a.example' to='x@b.example'>" + body, "invalid-from"},
		{"as one of ours", "<message from='x@b.example' to='x@b.example'>" + body, "invalid-from"},
		{"relaying", "<message from='x@a.example' to='x@c.example'>" + body, "host-unknown"},
		{"another stanza", "<iqq from='x@a.example' to='x@b.example'/>", "unsupported-stanza-type"},
		{"an unasked answer", "<db:result from='c.example' to='b.example' type='valid'/>", "policy-violation"},
		{"an unasked verification",
			"<db:verify from='c.example' to='b.example' id='1' type='valid'/>", "policy-violation"},
		{"a key for one of ours", "<db:result from='groups.b.example' to='b.example'>k</db:result>", "invalid-from"},
		{"too much", "<message from='x@a.example' to='x@b.example'><body>" + strings.Repeat("x", 21000) +
			"</body></message>", "policy-violation"},
		{"broken XML", "<message from='x@a.example' to='x@b.example'><body></message>", "not-well-formed"},
		{"STARTTLS again", "<starttls xmlns='" + wire.NSTLS + "'/>", "unsupported-stanza-type"},
		{"SASL again", "<auth xmlns='" + wire.NSSASL + "' mechanism='EXTERNAL'>=</auth>", "policy-violation"},
	} {
		t.Run(c.what, func(t *testing.T) {
			x := signedIn(t, ca, b)
			x.t = t
			x.send("<message from='x@a.example' to='groups.b.example' id='fine'>%s", body)
			if st := b.users["groups.b.example"].next(t); st.ID != "fine" {
				t.Errorf("got %+v", st)
			}
			x.send("%s", c.send)
			x.fails(c.want)
			select {
			case st := <-b.users["b.example"]:
				t.Errorf("came in: %+v", st)
			default:
			}
		})
	}
}

// TestOpening: failures before anything is proven.
func TestOpening(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example"),
		change: func(c *Config) { c.Policy.Block = []string{"blocked.example"} }})
	open := func(header string) *stranger {
		x := b.stranger()
		x.send("%s", header)
		if _, err := x.rd.Header(); err != nil {
			t.Fatal(err)
		}
		return x
	}
	text := func(from, to string) string { return string(hello(from, to, "")) }
	open(text("a.example", "c.example")).fails("host-unknown")
	open(text("a.example", "")).fails("host-unknown")
	open(text("a.example", "x@b.example")).fails("improper-addressing")
	open(text("b.example", "b.example")).fails("invalid-from")
	open(text("blocked.example", "b.example")).fails("policy-violation")
	open(strings.Replace(text("a.example", "b.example"), "version='1.0' xml", "xml", 1)).fails("unsupported-version")
	open(strings.Replace(text("a.example", "b.example"), "jabber:server'",
		"jabber:client'", 1)).fails("invalid-namespace")

	x := b.stranger() // no TLS
	x.hello("a.example", "b.example")
	x.next()
	x.send("<db:result from='a.example' to='b.example'>key</db:result>")
	if r := x.next(); r.Name.Local != "result" || r.Attr("type") != "error" ||
		errorCondition(r) != "policy-violation" || r.Attr("from") != "b.example" {
		t.Errorf("got %+v %s", r, r.Payload)
	}
	x.fails("policy-violation")
	x.nc.Close()

	x = b.stranger() // a certificate that is not its own
	if f := x.secure("a.example", "b.example",
		ca.issue(nil, "c.example")); strings.Contains(string(f.Payload), "EXTERNAL") {
		t.Errorf("offered: %s", f.Payload)
	}
	for i := range maxFailures {
		x.send("<auth xmlns='%s' mechanism='EXTERNAL'>=</auth>", wire.NSSASL)
		if r := x.next(); r.Name.Local != "failure" || !r.Has(wire.NSSASL, "not-authorized") {
			t.Errorf("%d: got %v %s", i, r.Name, r.Payload)
		}
	}
	x.fails("policy-violation")
	x.nc.Close()

	x = b.stranger() // nothing is proven yet
	x.secure("a.example", "b.example", nil)
	x.send("<message from='x@a.example' to='x@b.example'>%s", body)
	x.fails("not-authorized")

	x = b.stranger() // has a valid certificate, but claims to be another domain
	x.secure("a.example", "b.example", ca.issue(nil, "a.example"))
	x.send("<auth xmlns='%s' mechanism='EXTERNAL'>%s</auth>",
		wire.NSSASL, base64.StdEncoding.EncodeToString([]byte("c.example")))
	if r := x.next(); !r.Has(wire.NSSASL, "invalid-authzid") {
		t.Errorf("got %v %s", r.Name, r.Payload)
	}
}

// TestKeys: dialback with a stranger that lies about its domain, and the answers of the authoritative side.
func TestKeys(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	other := newAuthority(t)
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: other.issue(nil, "a.example")})
	b := newSite(t, d, ca, siteConfig{
		domains: []string{"b.example", "groups.b.example"},
		cert:    ca.issue(nil, "b.example"),
	})
	x := b.stranger()
	x.secure("a.example", "b.example", nil)
	x.send("<db:result from='a.example' to='b.example'>%s</db:result>",
		newKeys([]byte("guess")).key("b.example", "a.example", x.id))
	if r := x.next(); r.Attr("type") != "invalid" || r.Attr("to") != "a.example" {
		t.Errorf("got %+v", r)
	}
	if st, err := x.rd.Next(); err != wire.ErrStreamEnd {
		t.Errorf("the stream goes on: %v %v", st, err)
	}

	x = b.stranger() // knows a's secret: several pairs on one stream
	x.secure("a.example", "b.example", nil)
	key := newKeys([]byte("a.example")).key
	x.send("<db:result from='a.example' to='b.example'>%s</db:result>", key("b.example", "a.example", x.id))
	if r := x.next(); r.Attr("type") != "valid" || r.Attr("from") != "b.example" {
		t.Fatalf("got %+v", r)
	}
	x.send("<message from='x@a.example' to='x@b.example' id='1'>%s", body)
	if st := b.users["b.example"].next(t); st.ID != "1" {
		t.Errorf("got %+v", st)
	}
	x.send("<db:result from='a.example' to='groups.b.example'>%s</db:result>",
		key("groups.b.example", "a.example", x.id))
	if r := x.next(); r.Attr("type") != "valid" || r.Attr("from") != "groups.b.example" {
		t.Fatalf("got %+v", r)
	}
	for to, want := range map[string]string{"c.example": "item-not-found"} {
		x.send("<db:result from='a.example' to='%s'>k</db:result>", to)
		if r := x.next(); r.Attr("type") != "error" || errorCondition(r) != want || r.Attr("from") != to {
			t.Errorf("%s: got %+v %s", to, r, r.Payload)
		}
	}
	x.send("<db:result from='nowhere.example' to='b.example'>k</db:result>")
	if r := x.next(); r.Attr("type") != "error" || errorCondition(r) != "remote-server-not-found" ||
		r.Attr("to") != "nowhere.example" {
		t.Errorf("got %+v %s", r, r.Payload)
	}
	x.send("<message from='x@a.example' to='groups.b.example' id='2'>%s", body) // the errors have cost nothing
	if st := b.users["groups.b.example"].next(t); st.ID != "2" {
		t.Errorf("got %+v", st)
	}
	x.send("<message from='x@nowhere.example' to='x@b.example'>%s", body)
	x.fails("invalid-from")

	x = a.stranger() // the authoritative side
	x.secure("b.example", "a.example", nil)
	for _, c := range []struct{ to, key, want string }{
		{"a.example", key("b.example", "a.example", "ID"), "valid"},
		{"a.example", key("b.example", "a.example", "other"), "invalid"},
		{"a.example", "", "invalid"},
		{"c.example", key("b.example", "c.example", "ID"), "error"},
	} {
		x.send("<db:verify from='b.example' to='%s' id='ID'>%s</db:verify>", c.to, c.key)
		if r := x.next(); r.Attr("type") != c.want || r.Attr("id") != "ID" || r.Attr("from") != c.to ||
			r.Attr("to") != "b.example" {
			t.Errorf("%+v: got %+v", c, r)
		}
	}
}

// TestUnproven: a stream that proves nothing is closed, and only a few may exist at once.
func TestUnproven(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example"),
		change: func(c *Config) { c.MaxUnprovenFrom = 3 }})
	for range 3 {
		x := b.stranger()
		x.hello("a.example", "b.example")
		x.next()
	}
	x := b.stranger()
	if _, err := x.rd.Header(); err == nil {
		t.Error("a fourth came in")
	}
	c := newSite(t, d, ca, siteConfig{domains: []string{"c.example"}, cert: ca.issue(nil, "c.example"),
		change: func(c *Config) { c.AuthTimeout = 300 * time.Millisecond }})
	x = c.stranger()
	x.hello("a.example", "c.example")
	st := x.next()
	if !isStreamError(st) { // its time may be up before it has the features
		st = x.next()
	}
	if !isStreamError(st) || readStreamError(st).(*remoteError).condition != "connection-timeout" {
		t.Errorf("got %v %s", st.Name, st.Payload)
	}
}
