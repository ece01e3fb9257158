package federation

import (
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"parley/testrig"
)

// party is someone with a client, and where rooms of their server are.
type party struct {
	t     *testing.T
	c     *testrig.Client
	bare  string
	rooms string
}

// join signs a person in, who is available from then on.
func join(t *testing.T, r *testrig.Rig, address, password, rooms string) *party {
	t.Helper()
	name, host, _ := strings.Cut(address, "@")
	c, err := r.Connect("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.SignIn(name, password); err != nil {
		t.Fatal(address, err)
	}
	if err := c.Bind("x"); err != nil {
		t.Fatal(address, err)
	}
	p := &party{t, c, address, rooms}
	p.sends("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>")
	p.gets("its own presence", func(e *testrig.Element) bool {
		return e.Name.Local == "presence" && e.Attr("from") == c.Address
	})
	return p
}

func (p *party) sends(format string, args ...any) {
	p.t.Helper()
	if err := p.c.Write(fmt.Sprintf(format, args...)); err != nil {
		p.t.Fatal(p.bare, err)
	}
}

// gets waits for a stanza and skips those before it.
func (p *party) gets(what string, is func(*testrig.Element) bool) *testrig.Element {
	p.t.Helper()
	var had []string
	for {
		e, err := p.c.Next()
		if err != nil {
			p.t.Fatalf("%s waits for %s: %v, had %s", p.bare, what, err, strings.Join(had, "\n"))
		}
		if is(e) {
			return e
		}
		had = append(had, e.String())
	}
}

func (p *party) getsMessage(kind, from, body string) *testrig.Element {
	p.t.Helper()
	return p.gets("a message "+body, func(e *testrig.Element) bool {
		b := e.Find("body")
		return e.Name.Local == "message" && e.Attr("type") == kind && e.Attr("from") == from &&
			b != nil && b.Text == body
	})
}

func (p *party) getsPresence(kind, from string) *testrig.Element {
	p.t.Helper()
	return p.gets("presence "+kind+" from "+from, func(e *testrig.Element) bool {
		return e.Name.Local == "presence" && e.Attr("type") == kind && e.Attr("from") == from
	})
}

// opens enters a room, and lets others in if it is new.
func (p *party) opens(room, nick string) {
	p.t.Helper()
	p.sends("<presence to='%s/%s'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room, nick)
	if e := p.getsPresence("", room+"/"+nick); strings.Contains(e.String(), "code='201'") {
		p.sends("<iq type='set' id='cfg' to='%s'><query xmlns='http://jabber.org/protocol/muc#owner'>"+
			"<x xmlns='jabber:x:data' type='submit'/></query></iq>", room)
		p.gets("the room's settings taken", func(e *testrig.Element) bool {
			return e.Attr("id") == "cfg" && e.Attr("type") == "result"
		})
	}
}

// keepsSending sends again and again until stop is called: the first may vanish in a connection that nobody knows to be
// dead yet.
func (p *party) keepsSending(stanza string) (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for p.c.Write(stanza) == nil {
			select {
			case <-over:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() { close(over); <-done }
}

// across has two people of two servers do together what works within one.
func across(t *testing.T, a, b *party) {
	t.Helper()
	// Messages.
	a.sends("<message type='chat' to='%s' id='m1'><body>hello &amp; welcome</body><x xmlns='urn:example:any'>"+
		"<y xmlns='jabber:client'/></x></message>", b.bare)
	if e := b.getsMessage("chat", a.c.Address, "hello & welcome"); e.Attr("id") != "m1" || e.Find("x") == nil ||
		e.Find("x").Name.Space != "urn:example:any" {
		t.Errorf("got %s", e)
	}
	b.sends("<message type='chat' to='%s'><body>good day</body></message>", a.c.Address)
	a.getsMessage("chat", b.c.Address, "good day")
	a.sends("<iq type='get' id='p1' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>", strings.SplitN(b.bare, "@", 2)[1])
	a.gets("a pong", func(e *testrig.Element) bool {
		return e.Name.Local == "iq" && e.Attr("id") == "p1" && e.Attr("type") == "result"
	})
	a.sends("<message type='chat' to='nobody@%s' id='m2'><body>?</body></message>", strings.SplitN(b.bare, "@", 2)[1])
	a.gets("service-unavailable", func(e *testrig.Element) bool {
		return e.Attr("id") == "m2" && e.Attr("type") == "error" && e.Find("service-unavailable") != nil
	})

	// Subscriptions, both ways.
	for _, p := range []struct{ asks, grants *party }{{a, b}, {b, a}} {
		p.asks.sends("<presence type='subscribe' to='%s'/>", p.grants.bare)
		p.grants.getsPresence("subscribe", p.asks.bare)
		p.grants.sends("<presence type='subscribed' to='%s'/>", p.asks.bare)
		p.asks.getsPresence("subscribed", p.grants.bare)
		p.asks.getsPresence("", p.grants.c.Address)
		p.grants.sends("<presence><status>here</status></presence>")
		p.asks.gets("a new presence", func(e *testrig.Element) bool {
			s := e.Find("status")
			return e.Name.Local == "presence" && e.Attr("from") == p.grants.c.Address && s != nil && s.Text == "here"
		})
	}

	// Each in a room of the other.
	for _, p := range []struct{ host, guest *party }{{a, b}, {b, a}} {
		room := "hall@" + p.host.rooms
		enter := "<presence to='" + room + "/%s'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
		p.host.opens(room, "host")
		p.guest.sends(enter, "guest")
		p.host.getsPresence("", room+"/guest")
		p.guest.getsPresence("", room+"/host")
		p.guest.getsPresence("", room+"/guest")
		p.guest.sends("<message type='groupchat' to='%s'><body>may I</body></message>", room)
		p.host.getsMessage("groupchat", room+"/guest", "may I")
		p.guest.getsMessage("groupchat", room+"/guest", "may I")
		p.host.sends("<message type='groupchat' to='%s'><body>come in</body></message>", room)
		p.guest.getsMessage("groupchat", room+"/host", "come in")
	}

	// Whoever leaves has left everywhere.
	b.sends("<presence type='unavailable'/>")
	a.gets("their absence", func(e *testrig.Element) bool {
		return e.Name.Local == "presence" && e.Attr("type") == "unavailable" && e.Attr("from") == b.c.Address
	})
}

func roots(t *testing.T, files ...string) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		p.AppendCertsFromPEM(b)
	}
	return p
}
