package federation

import (
	"encoding/base64"
	"fmt"
	"net"
	"testing"
	"time"

	"parley/wire"
)

// incomingOf returns how many streams others have opened.
func (s *site) incomingOf() (n int) {
	for _, st := range s.door.Streams() {
		if st.Incoming {
			n++
		}
	}
	return n
}

// TestBothWays: the answer uses the stream of the question, whichever way that was proven.
func TestBothWays(t *testing.T) {
	for _, how := range []string{"external", "dialback"} {
		t.Run(how, func(t *testing.T) {
			ca, d := newAuthority(t), newDNS()
			signer := ca
			if how == "dialback" {
				signer = newAuthority(t)
			}
			a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: signer.issue(nil, "a.example")})
			b := newSite(t, d, ca, siteConfig{
				domains: []string{"b.example", "groups.b.example"},
				cert:    signer.issue(nil, "b.example", "groups.b.example"),
			})
			exchange(t, a, b, "a.example", "b.example")
			if got := b.how("b.example", "a.example"); got != "bidi" {
				t.Errorf("the answer went out on %q", got)
			}
			if n := a.incomingOf(); n != 0 {
				t.Errorf("%d streams were opened for the answer", n)
			}
			for i := range 50 { // in order
				b.mustSend("juliet@b.example/y", "romeo@a.example/x", fmt.Sprint(i))
			}
			for i := range 50 {
				if st := a.users["a.example"].next(t); st.BodyText() != fmt.Sprint(i) {
					t.Fatalf("%d: got %s", i, st.BodyText())
				}
			}
			// Another domain of ours is not proven to the other side by that stream.
			b.mustSend("hall@groups.b.example/y", "romeo@a.example/x", "from the hall")
			if st := a.users["a.example"].next(t); st.BodyText() != "from the hall" {
				t.Errorf("got %+v", st)
			}
			if got := b.how("groups.b.example", "a.example"); got != how {
				t.Errorf("the other domain went out on %q", got)
			}
		})
	}
}

// TestNoBidi: without it each direction has a stream of its own.
func TestNoBidi(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	b := newSite(t, d, ca, siteConfig{
		domains: []string{"b.example"},
		cert:    ca.issue(nil, "b.example"),
		change:  func(c *Config) { c.NoBidi = true },
	})
	exchange(t, a, b, "a.example", "b.example")
	if got := b.how("b.example", "a.example"); got != "external" || a.incomingOf() != 1 {
		t.Errorf("the answer went out on %q, %d streams came in", got, a.incomingOf())
	}
}

// TestBackAfterTheirEnd: after the other server closes its stream, stanzas to it use a stream of ours.
func TestBackAfterTheirEnd(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	x := b.stranger()
	x.secure("a.example", "b.example", ca.issue(nil, "a.example"))
	x.send("<bidi xmlns='%s'/>", nsBidi)
	x.authenticate("a.example")
	b.mustSend("juliet@b.example/y", "romeo@a.example/x", "one")
	if st := x.next(); st.BodyText() != "one" {
		t.Fatalf("got %+v", st)
	}
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	x.send("</stream:stream>")
	if _, err := x.rd.Next(); err != wire.ErrStreamEnd {
		t.Fatal(err)
	}
	for b.incomingOf() > 0 { // it is gone from the table
		time.Sleep(time.Millisecond)
	}
	b.mustSend("juliet@b.example/y", "romeo@a.example/x", "two")
	if st := a.users["a.example"].next(t); st.BodyText() != "two" {
		t.Errorf("got %+v", st)
	}
}

// TestBidiLate: an authenticated stream does not become bidirectional, and a bidirectional stream speaks for its own
// domain alone.
func TestBidiLate(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	x := signedIn(t, ca, b)
	x.send("<bidi xmlns='%s'/>", nsBidi)
	x.fails("policy-violation")
}

// authenticate is SASL EXTERNAL, to the features behind it.
func (x *stranger) authenticate(domain string) *wire.Stanza {
	x.t.Helper()
	x.send("<auth xmlns='%s' mechanism='EXTERNAL'>%s</auth>",
		wire.NSSASL, base64.StdEncoding.EncodeToString([]byte(domain)))
	if r := x.next(); r.Name.Local != "success" {
		x.t.Fatalf("got %v %s", r.Name, r.Payload)
	}
	x.rd.Restart()
	x.hello(domain, "b.example")
	return x.next()
}

// called is a stranger that the server dials: accept takes one stream of a's for b.example with a certificate.
func called(t *testing.T, ca *authority, d *fakeDNS, domain string) (accept func(offers string) *stranger) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	d.point("xmpps-server", domain, l.Addr())
	cert := ca.issue(nil, domain)
	return func(offers string) *stranger {
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		_ = nc.SetDeadline(time.Now().Add(time.Minute))
		x := &stranger{t: t, nc: tlsServer(nc, cert)}
		x.rd = wire.NewReader(x.nc, wire.Limits{})
		for _, fs := range []string{"<mechanisms xmlns='" + wire.NSSASL +
			"'><mechanism>EXTERNAL</mechanism></mechanisms><bidi xmlns='" + nsBidiFeature + "'/>", offers} {
			if _, err := x.rd.Header(); err != nil {
				t.Fatal(err)
			}
			x.send("%s<stream:features>%s</stream:features>", hello(domain, "a.example", "s1"), fs)
			if fs == offers {
				break
			}
			if st := x.next(); st.Name.Space != nsBidi {
				t.Fatalf("got %v", st.Name)
			}
			if st := x.next(); st.Name.Local != "auth" {
				t.Fatalf("got %v", st.Name)
			}
			x.send("<success xmlns='%s'/>", wire.NSSASL)
			x.rd.Restart()
		}
		return x
	}
}

// TestBidiFromCalled: the called server may speak for itself on the stream, and for nobody else.
func TestBidiFromCalled(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	accept := called(t, ca, d, "b.example")
	a.mustSend("romeo@a.example/x", "juliet@b.example", "hello")
	x := accept("")
	if st := x.next(); st.BodyText() != "hello" {
		t.Fatalf("got %+v", st)
	}
	x.send("<message from='juliet@b.example/y' to='romeo@a.example'><body>hi</body></message>")
	if st := a.users["a.example"].next(t); st.BodyText() != "hi" {
		t.Errorf("got %+v", st)
	}
	x.send("<db:result from='groups.b.example' to='a.example'>key</db:result>")
	if st := x.next(); st.Name.Local != "result" || st.Attr("type") != "error" || st.Attr("to") != "groups.b.example" {
		t.Errorf("got %v %s", st.Name, st.Payload)
	}
	x.send("<message from='juliet@c.example/y' to='romeo@a.example'><body>lie</body></message>")
	x.fails("invalid-from")
}

// TestAcknowledged: an acknowledged stanza is done; any other comes back when the stream breaks.
func TestAcknowledged(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	accept := called(t, ca, d, "b.example")
	a.mustSend("romeo@a.example/x", "juliet@b.example", "one")
	x := accept("<sm xmlns='" + nsSM + "'/>")
	if st := x.next(); st.Name != (wire.Name{Space: nsSM, Local: "enable"}) {
		t.Fatalf("got %v", st.Name)
	}
	x.send("<enabled xmlns='%s'/>", nsSM)
	if st := x.next(); st.BodyText() != "one" {
		t.Fatalf("got %+v", st)
	}
	if st := x.next(); st.Name != (wire.Name{Space: nsSM, Local: "r"}) {
		t.Fatalf("got %v", st.Name)
	}
	x.send("<a xmlns='%s' h='1'/>", nsSM)
	a.mustSend("romeo@a.example/x", "juliet@b.example", "two")
	if st := x.next(); st.BodyText() != "two" {
		t.Fatalf("got %+v", st)
	}
	x.nc.Close()
	if st := a.users["a.example"].next(t); st.ID != "id-two" || condition(st) != "remote-server-timeout" {
		t.Errorf("got %+v", st)
	}
}

// TestTooMuchAcknowledged (XEP-0198, section 4).
func TestTooMuchAcknowledged(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	accept := called(t, ca, d, "b.example")
	a.mustSend("romeo@a.example/x", "juliet@b.example", "one")
	x := accept("<sm xmlns='" + nsSM + "'/>")
	x.next()
	x.send("<enabled xmlns='%s'/>", nsSM)
	x.next()
	x.next()
	x.send("<a xmlns='%s' h='3'/>", nsSM)
	x.fails("undefined-condition")
	if st := a.users["a.example"].next(t); st.ID != "id-one" || st.Type != "error" {
		t.Errorf("got %+v", st)
	}
}

// TestAcknowledges: the server acknowledges what it has received since stream management began.
func TestAcknowledges(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	x := signedIn(t, ca, b)
	x.send("<message from='romeo@a.example/x' to='juliet@b.example'><body>0</body></message>")
	x.send("<resume xmlns='%s' previd='x' h='0'/><enable xmlns='%s'/>", nsSM, nsSM)
	if st := x.next(); st.Name.Local != "failed" || !st.Has(wire.NSStanzas, "item-not-found") {
		t.Fatalf("got %v %s", st.Name, st.Payload)
	}
	if st := x.next(); st.Name.Local != "enabled" {
		t.Fatalf("got %v %s", st.Name, st.Payload)
	}
	for i := range 3 {
		x.send("<message from='romeo@a.example/x' to='juliet@b.example'><body>%d</body></message>", i)
	}
	x.send("<r xmlns='%s'/>", nsSM)
	if st := x.next(); st.Name.Local != "a" || st.Attr("h") != "3" {
		t.Errorf("got %v %s", st.Name, st.Attr("h"))
	}
	x.send("<enable xmlns='%s'/>", nsSM)
	if st := x.next(); st.Name.Local != "failed" || !st.Has(wire.NSStanzas, "unexpected-request") {
		t.Errorf("got %v %s", st.Name, st.Payload)
	}
	go b.door.Shutdown(t.Context())
	if st := x.next(); st.Name.Local != "a" || st.Attr("h") != "3" {
		t.Errorf("at the end: got %v %s", st.Name, st.Attr("h"))
	}
	x.fails("system-shutdown")
}
