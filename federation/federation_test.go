package federation

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"mellium.im/xmpp/stanza"
)

// exchange sends a message each way.
func exchange(t *testing.T, a, b *site, as, bs string) {
	t.Helper()
	a.mustSend("romeo@"+as+"/x", "juliet@"+bs, "hello")
	st := b.users[bs].next(t)
	if st.BodyText() != "hello" || st.From.String() != "romeo@"+as+"/x" ||
		st.To.String() != "juliet@"+bs || st.Type != "chat" {
		t.Fatalf("got %+v", st)
	}
	b.mustSend("juliet@"+bs+"/y", "romeo@"+as+"/x", "good day")
	if st := a.users[as].next(t); st.BodyText() != "good day" {
		t.Fatalf("got %+v", st)
	}
}

func TestExternal(t *testing.T) {
	for _, service := range []string{"xmpp-server", "xmpps-server"} {
		t.Run(service, func(t *testing.T) {
			ca, d := newAuthority(t), newDNS()
			strict := func(c *Config) { c.Policy = Policy{RequireCertificate: true, RefuseDialback: true} }
			a := newSite(t, d, ca, siteConfig{
				domains: []string{"a.example"},
				cert:    ca.issue(nil, "a.example"),
				service: service,
				change:  strict,
			})
			b := newSite(t, d, ca, siteConfig{
				domains: []string{"b.example"},
				cert:    ca.issue(nil, "b.example"),
				service: service,
				change:  strict,
			})
			exchange(t, a, b, "a.example", "b.example")
			if how := a.how("a.example", "b.example"); how != "external" {
				t.Errorf("proven by %q", how)
			}
		})
	}
}

// TestDialback: certificates of an authority that the other side does not know prove nothing; DNS does.
func TestDialback(t *testing.T) {
	ca, other, d := newAuthority(t), newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: other.issue(nil, "a.example")})
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: other.issue(nil, "b.example")})
	exchange(t, a, b, "a.example", "b.example")
	if how := a.how("a.example", "b.example"); how != "dialback" {
		t.Errorf("proven by %q", how)
	}
}

func TestDialbackPlain(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	plain := func(c *Config) { c.AllowPlain = true }
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, change: plain})
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, change: plain, cert: ca.issue(nil, "b.example")})
	exchange(t, a, b, "a.example", "b.example")
}

// TestServices: each service has a stream of its own, proven on its own.
func TestServices(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{
		domains: []string{"a.example", "groups.a.example"},
		cert:    ca.issue(nil, "a.example"),
	})
	b := newSite(t, d, ca, siteConfig{
		domains: []string{"b.example", "groups.b.example"},
		cert:    ca.issue(nil, "b.example", "groups.b.example"),
	})
	for _, as := range []string{"a.example", "groups.a.example"} {
		for _, bs := range []string{"b.example", "groups.b.example"} {
			exchange(t, a, b, as, bs)
		}
	}
	if how := a.how("a.example", "groups.b.example"); how != "external" {
		t.Errorf("a.example: %q", how)
	}
	if how := a.how("groups.a.example", "groups.b.example"); how != "dialback" { // its certificate does not name it
		t.Errorf("groups.a.example: %q", how)
	}
}

// TestCertificates: a server that requires valid certificates accepts no others, in either direction.
func TestCertificates(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	strict := func(c *Config) { c.Policy.RequireCertificate = true }
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example"), change: strict})
	for name, cert := range map[string]*tls.Certificate{
		"expired":   ca.issue(expired, "expired.example"),
		"wronghost": ca.issue(nil, "other.example"),
		"stranger":  newAuthority(t).issue(nil, "stranger.example"),
	} {
		t.Run(name, func(t *testing.T) {
			domain := name + ".example"
			a := newSite(t, d, ca, siteConfig{domains: []string{domain}, cert: cert})
			a.mustSend("romeo@"+domain+"/x", "juliet@b.example", "in")
			if st := a.users[domain].next(t); condition(st) != "remote-server-timeout" || st.ID != "id-in" {
				t.Errorf("in: got %+v %s", st, st.Payload)
			}
			b.mustSend("juliet@b.example/x", "romeo@"+domain, "out")
			if st := b.users["b.example"].next(t); condition(st) != "remote-server-timeout" || st.ID != "id-out" {
				t.Errorf("out: got %+v %s", st, st.Payload)
			}
		})
	}
}

func TestBounces(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example"),
		change: func(c *Config) {
			c.Policy.Block = []string{"blocked.example", "*.blocked.example"}
			c.BackoffMin = time.Minute
		}})
	impatient := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example"),
		change: func(c *Config) { c.BackoffMin, c.DNSTimeout = time.Minute, 300*time.Millisecond }})
	d.point("xmpp-server", "refuses.example", refusing(t))
	d.srv["_xmpp-server._tcp.none.example"] = []*net.SRV{{Target: ".", Port: 0}}
	d.hosts["none.example"] = d.hosts["host.refuses.example"]
	d.hang["hangs.example"] = true
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	d.point("xmpp-server", "unknown.example", b.addr) // b does not serve it
	for domain, want := range map[string]string{
		"nowhere.example": "remote-server-not-found", // no records at all
		"none.example":    "remote-server-not-found", // declares that it has no server
		"refuses.example": "remote-server-timeout",
		"hangs.example":   "remote-server-timeout",
		"unknown.example": "remote-server-not-found",
	} {
		a := a
		if d.hang[domain] {
			a = impatient
		}
		for i := range 3 {
			body := fmt.Sprint(domain, i)
			if err := a.send("romeo@a.example/x", "juliet@"+domain, body); err != nil { // the back-off has begun
				var se stanza.Error
				if !errors.As(err, &se) || string(se.Condition) != want {
					t.Errorf("%s: got %v", body, err)
				}
				continue
			}
			st := a.users["a.example"].next(t)
			if condition(st) != want || st.From.String() != "juliet@"+domain || st.To.String() != "romeo@a.example/x" {
				t.Errorf("%s: got %+v %s", body, st, st.Payload)
			}
		}
		var se stanza.Error
		if err := a.send("romeo@a.example/x", "juliet@"+domain, "again"); !errors.As(err, &se) ||
			string(se.Condition) != want {
			t.Errorf("%s: no back-off: %v", domain, err)
		}
	}
	for _, domain := range []string{"blocked.example", "x.blocked.example"} {
		var se stanza.Error
		if err := a.send("romeo@a.example/x", "juliet@"+domain, "x"); !errors.As(err, &se) ||
			se.Condition != stanza.NotAllowed {
			t.Errorf("%s: %v", domain, err)
		}
	}
	// Nothing is relayed: neither between strangers nor to one of our domains on behalf of another.
	if err := a.send("x@elsewhere.example/y", "juliet@b.example", "x"); err == nil {
		t.Error("relayed")
	}
}
