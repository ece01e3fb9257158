package component_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"parley/server"
	"parley/server/component"
	"parley/wire"
	"parley/wire/jid"
)

// inbox is an entity on the router that keeps the stanzas it gets.
type inbox chan *wire.Stanza

func (b inbox) Receive(_ context.Context, st *wire.Stanza) error { b <- st; return nil }

type rig struct {
	t      *testing.T
	router *server.Router
	door   *component.Server
	addr   string
	users  inbox
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, router: server.NewRouter(), users: make(inbox, 10)}
	if err := r.router.Add("example.org", r.users); err != nil {
		t.Fatal(err)
	}
	r.door = component.New(component.Config{Router: r.router, Log: slog.New(slog.DiscardHandler)})
	if err := r.door.Add("irc.example.org", "shakespeare"); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- r.door.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		r.door.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return r
}

// program is an external component, on encoding/xml alone.
type program struct {
	t  *testing.T
	nc net.Conn
	d  *xml.Decoder
	id string
}

func (r *rig) dial(to, ns string) *program {
	r.t.Helper()
	nc, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	p := &program{t: r.t, nc: nc, d: xml.NewDecoder(nc)}
	p.send("<stream:stream xmlns='%s' xmlns:stream='http://etherx.jabber.org/streams' to='%s'>", ns, to)
	for {
		tok, err := p.d.Token()
		if err != nil {
			r.t.Fatal(err)
		}
		if s, ok := tok.(xml.StartElement); ok {
			for _, a := range s.Attr {
				if a.Name.Local == "id" {
					p.id = a.Value
				}
			}
			return p
		}
	}
}

func (p *program) send(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.nc, format, args...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) shake(secret string) {
	sum := sha1.Sum([]byte(p.id + secret))
	p.send("<handshake>%s</handshake>", hex.EncodeToString(sum[:]))
}

type element struct {
	XMLName xml.Name
	From    string `xml:"from,attr"`
	Type    string `xml:"type,attr"`
	Body    string `xml:"body"`
	Inner   string `xml:",innerxml"`
}

func (p *program) next() element {
	p.t.Helper()
	for {
		tok, err := p.d.Token()
		if err != nil {
			p.t.Fatal(err)
		}
		if s, ok := tok.(xml.StartElement); ok {
			var e element
			if err := p.d.DecodeElement(&e, &s); err != nil {
				p.t.Fatal(err)
			}
			return e
		}
	}
}

// ends expects a stream error and the end of the stream.
func (p *program) ends(condition string) {
	p.t.Helper()
	e := p.next()
	if e.XMLName.Local != "error" || !strings.Contains(e.Inner, "<"+condition) {
		p.t.Fatalf("want %s, got %+v", condition, e)
	}
	for {
		if _, err := p.d.Token(); err != nil {
			if err != io.EOF {
				p.t.Errorf("after the error: %v", err)
			}
			return
		}
	}
}

func (r *rig) connect() *program {
	r.t.Helper()
	p := r.dial("irc.example.org", "jabber:component:accept")
	p.shake("shakespeare")
	if e := p.next(); e.XMLName.Local != "handshake" {
		r.t.Fatalf("got %+v", e)
	}
	return p
}

func message(from, to, body string) *wire.Stanza {
	f, t := jid.MustParse(from), jid.MustParse(to)
	st := &wire.Stanza{
		Kind: wire.Message,
		Name: wire.Name{Space: wire.NSClient, Local: "message"},
		Type: "chat",
		From: f,
		To:   t,
	}
	return st.Add(wire.T(wire.NSClient, "body", body))
}

func TestComponentTalks(t *testing.T) {
	r := newRig(t)
	if err := r.router.Route(t.Context(), message("a@example.org/x", "irc.example.org", "early")); err == nil {
		t.Error("nobody is connected, and nobody is told")
	}
	p := r.connect()
	if !r.door.Connected("irc.example.org") {
		t.Error("is not connected")
	}
	if err := r.router.Route(t.Context(), message("a@example.org/x", "#rose@irc.example.org", "hark")); err != nil {
		t.Fatal(err)
	}
	if e := p.next(); e.Body != "hark" || e.From != "a@example.org/x" || e.XMLName.Space != "jabber:component:accept" {
		t.Errorf("got %+v", e)
	}
	p.send("<message from='#rose@irc.example.org' to='a@example.org' type='chat'><body>back</body></message>")
	st := <-r.users
	if st.BodyText() != "back" || st.From.String() != "#rose@irc.example.org" || st.Name.Space != wire.NSClient {
		t.Errorf("got %+v", st)
	}
	// Stanzas that cannot be delivered come back.
	p.send("<iq from='irc.example.org' to='nowhere.example.net' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>")
	if e := p.next(); e.Type != "error" || !strings.Contains(e.Inner, "remote-server-not-found") {
		t.Errorf("got %+v", e)
	}
	p.send("<message from='irc.example.org' to='@@'/>")
	if e := p.next(); e.Type != "error" || !strings.Contains(e.Inner, "jid-malformed") {
		t.Errorf("got %+v", e)
	}
}

func TestComponentRefused(t *testing.T) {
	r := newRig(t)
	p := r.dial("irc.example.org", "jabber:component:accept")
	p.shake("bacon")
	p.ends("not-authorized")
	r.dial("icq.example.org", "jabber:component:accept").ends("host-unknown")
	r.dial("irc.example.org", "jabber:client").ends("invalid-namespace")
	p = r.dial("irc.example.org", "jabber:component:accept")
	p.send("<message from='irc.example.org' to='a@example.org'/>")
	p.ends("not-authorized")

	p = r.connect()
	p.send("<message from='b@example.org' to='a@example.org'/>")
	p.ends("invalid-from")
	p = r.connect()
	p.send("<message from='irc.example.org'/>")
	p.ends("improper-addressing")
	select {
	case st := <-r.users:
		t.Errorf("%+v came through", st)
	default:
	}
}

// The newer of two connections replaces the older, however soon it comes, and is reached as soon as it has been told.
func TestComponentReplaced(t *testing.T) {
	r := newRig(t)
	last := r.connect()
	for i := range 100 {
		next := r.connect()
		body := fmt.Sprint("to program ", i)
		if err := r.router.Route(t.Context(), message("a@example.org/x", "irc.example.org", body)); err != nil {
			t.Fatal(err)
		}
		last.ends("conflict")
		if e := next.next(); e.Body != body {
			t.Fatalf("got %+v, want %s", e, body)
		}
		last = next
	}
}
