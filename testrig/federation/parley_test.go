// Package federation holds the tests of whole servers that talk to each other: parley with parley, and with Prosody.
package federation

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/config"
	"parley/node/devcert"
	"parley/testrig"
)

// house is a parley with one host and an authority of its own.
type house struct {
	*testrig.Rig
	domain  string
	ca      string // file
	clients *testrig.Rig
}

// certificates makes an authority and a certificate for a domain and its services.
func certificates(t *testing.T, domain string, labels ...string) devcert.Files {
	t.Helper()
	names := []string{domain}
	for _, l := range labels {
		names = append(names, l+"."+domain)
	}
	files, err := devcert.Ensure(filepath.Join(t.TempDir(), domain), names, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func newHouse(t *testing.T, domain, resolver string, files devcert.Files, change func(*config.Config)) *house {
	t.Helper()
	h := &house{domain: domain, ca: files.CA}
	h.Rig = testrig.Start(t, func(c *config.Config) {
		c.Hosts = []config.Host{{Domain: domain}}
		c.TLS.Certificate, c.TLS.Key = files.Cert, files.Key
		c.DNS.Resolver = resolver
		c.Federation.Enabled = true
		c.Federation.AllowNetworks = []string{"127.0.0.0/8", "10.99.0.0/16"}
		c.Federation.Addresses, c.Federation.TLSAddresses = []string{"127.0.0.1:0"}, nil
		change(c)
	})
	h.clients = testrig.Attach(t, map[string]string{"c2s": h.Node.Addr("c2s").String()}, roots(t, h.ca))
	return h
}

func (h *house) party(t *testing.T, name string) *party {
	t.Helper()
	h.Account(name + "@" + h.domain)
	return join(t, h.clients, name+"@"+h.domain, testrig.Password, "groups."+h.domain)
}

func TestParleyToParley(t *testing.T) {
	for _, how := range []string{"external", "dialback"} {
		t.Run(how, func(t *testing.T) {
			dns := startDNS(t)
			fa, fb := certificates(t, "a.example", "groups"), certificates(t, "b.example", "groups")
			policy := func(c *config.Config) {
				if how == "external" { // each knows the other's authority, and nothing else will do
					c.TLS.CAFiles = []string{fa.CA, fb.CA}
					c.Federation.RequireCertificate, c.Federation.AllowDialback = true, false
				}
			}
			a := newHouse(t, "a.example", dns.addr, fa, policy)
			b := newHouse(t, "b.example", dns.addr, fb, policy)
			for _, h := range []*house{a, b} {
				dns.point(h.Node.Addr("s2s"), h.domain, "groups."+h.domain)
			}
			across(t, a.party(t, "romeo"), b.party(t, "juliet"))
		})
	}
}

// TestNobodyThere: stanzas that cannot be delivered come back, and occupants that cannot be reached do not stay in
// rooms.
func TestNobodyThere(t *testing.T) {
	dns := startDNS(t)
	fa, fb := certificates(t, "a.example", "groups"), certificates(t, "b.example", "groups")
	none := func(*config.Config) {}
	a := newHouse(t, "a.example", dns.addr, fa, none)
	b := newHouse(t, "b.example", dns.addr, fb, none)
	var wires []*cable
	for _, h := range []*house{a, b} {
		w := newCable(t, h.Node.Addr("s2s").String())
		wires = append(wires, w)
		dns.point(w.l.Addr(), h.domain, "groups."+h.domain)
	}
	romeo, juliet := a.party(t, "romeo"), b.party(t, "juliet")
	romeo.sends("<message type='chat' to='x@nowhere.example' id='lost'><body>?</body></message>")
	e := romeo.gets("an error", func(e *testrig.Element) bool { return e.Attr("id") == "lost" })
	if e.Attr("type") != "error" || e.Attr("from") != "x@nowhere.example" || e.Find("remote-server-not-found") == nil {
		t.Errorf("got %s", e)
	}
	const room = "hall@groups.a.example"
	romeo.opens(room, "romeo")
	juliet.sends("<presence to='%s/juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room)
	romeo.getsPresence("", room+"/juliet")
	juliet.getsPresence("", room+"/juliet")
	for _, w := range wires {
		w.cut()
	}
	defer romeo.keepsSending("<message type='groupchat' to='" + room + "'><body>still there?</body></message>")()
	romeo.getsPresence("unavailable", room+"/juliet")
}

// TestGhosts: a room pings silent occupants of another server, and removes them if they cannot be reached, even while
// nobody says anything.
func TestGhosts(t *testing.T) {
	dns := startDNS(t)
	fa, fb := certificates(t, "a.example", "groups"), certificates(t, "b.example", "groups")
	a := newHouse(t, "a.example", dns.addr, fa, func(c *config.Config) { c.Rooms.GuestPing = 200 * time.Millisecond })
	b := newHouse(t, "b.example", dns.addr, fb, func(*config.Config) {})
	var wires []*cable
	for _, h := range []*house{a, b} {
		w := newCable(t, h.Node.Addr("s2s").String())
		wires = append(wires, w)
		dns.point(w.l.Addr(), h.domain, "groups."+h.domain)
	}
	romeo, juliet, nurse := a.party(t, "romeo"), b.party(t, "juliet"), b.party(t, "nurse")
	const room = "hall@groups.a.example"
	romeo.opens(room, "romeo")
	for nick, p := range map[string]*party{"juliet": juliet, "nurse": nurse} {
		p.sends("<presence to='%s/%s'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room, nick)
		p.getsPresence("", room+"/"+nick)
		romeo.getsPresence("", room+"/"+nick)
	}
	asked := func(p *party) string {
		return p.gets("a ping", func(e *testrig.Element) bool {
			return e.Attr("type") == "get" && e.Attr("from") == room && e.Find("ping") != nil
		}).Attr("id")
	}
	answer := func(p *party, id, condition string) {
		p.sends("<iq type='error' id='%s' to='%s'><error type='cancel'>"+
			"<%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>", id, room, condition)
	}
	// Occupants who do not answer, or whose clients know no pings, stay and are asked again.
	asked(juliet)
	answer(juliet, asked(juliet), "service-unavailable")
	answer(juliet, asked(juliet), "feature-not-implemented")
	juliet.sends("<iq type='result' id='%s' to='%s'/>", asked(juliet), room)
	answer(juliet, "another", "item-not-found") // an answer to another question
	asked(juliet)
	// An occupant whose server answers that nobody is there is removed; the other stays.
	answer(nurse, asked(nurse), "recipient-unavailable")
	if e := romeo.getsPresence("unavailable", room+"/nurse"); !strings.Contains(e.String(), "code='333'") {
		t.Errorf("got %s", e)
	}
	asked(juliet)
	// Her server is gone, and nobody says anything.
	for _, w := range wires {
		w.cut()
	}
	romeo.getsPresence("unavailable", room+"/juliet")
}

// cable carries connections to an address until it is cut.
type cable struct {
	l  net.Listener
	mu sync.Mutex
	cs []net.Conn
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{l: l}
	t.Cleanup(c.cut)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			c.mu.Lock()
			c.cs = append(c.cs, in, out)
			c.mu.Unlock()
			for _, p := range [][2]net.Conn{{in, out}, {out, in}} {
				go func() {
					_, _ = io.Copy(p[1], p[0])
					p[0].Close()
					p[1].Close()
				}()
			}
		}
	}()
	return c
}

func (c *cable) cut() {
	c.l.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, nc := range c.cs {
		nc.Close()
	}
}
