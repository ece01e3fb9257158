package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Dialer says how to log in to one server. It must not be copied after first
// use; its methods are safe from any goroutine.
type Dialer struct {
	Addr     string // Where to connect to, "127.0.0.1:5222".
	Domain   string
	Password string
	TLS      *tls.Config
	// Relay is set for the floor, which speaks TLS from the first byte and knows
	// no authentication and no features.
	Relay bool
	// SpreadFrom makes connections come from 127.0.0.1 … 127.0.0.250 in turn, for
	// servers that count connections by address.
	SpreadFrom bool

	keys keyCache
}

// Options says what a session does on login, the way a usual client does.
type Options struct {
	User     string
	Resource string
	SM       bool // Stream management, with resumption allowed.
	Carbons  bool
	Roster   bool
	Presence bool // Initial presence.
	// Early sees stanzas that arrive during login and are no answer to it.
	Early Handler
	Index int
	// Resume is a session with SM that was cut: it is asked for before a new one is bound.
	Resume *Session
}

// dialTimeout bounds all of a login.
const dialTimeout = 60 * time.Second

const (
	nsSM      = "urn:xmpp:sm:3"
	nsCarbons = "urn:xmpp:carbons:2"
)

// Open connects, secures and authenticates a session, and does what o asks for.
// The session reads nothing more until Start is called.
func (d *Dialer) Open(ctx context.Context, o Options) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var nd net.Dialer
	if d.SpreadFrom {
		nd.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+o.Index%250))}
	}
	conn, err := nd.DialContext(ctx, "tcp", d.Addr)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	s := &Session{
		conn: conn, Index: o.Index, Bare: o.User + "@" + d.Domain,
		ackGot: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.JID = s.Bare + "/" + o.Resource
	if err := d.login(ctx, s, o); err != nil {
		conn.Close()
		return nil, fmt.Errorf("login of %s: %w", s.Bare, err)
	}
	if !stop() {
		conn.Close()
		return nil, ctx.Err()
	}
	return s, nil
}

func (d *Dialer) login(ctx context.Context, s *Session, o Options) error {
	if d.Relay {
		if err := d.secure(ctx, s); err != nil {
			return err
		}
		if err := s.write("<stream:stream from='" + s.JID + "' to='" + d.Domain + "'>"); err != nil {
			return err
		}
		_, err := s.expect("stream:stream", nil)
		if err == nil && o.Presence {
			err = s.write("<presence/>")
		}
		return err
	}
	if err := d.startTLS(ctx, s); err != nil {
		return err
	}
	if err := d.authenticate(s, o); err != nil {
		return err
	}
	return s.setUp(o)
}

func (d *Dialer) header() string {
	return "<?xml version='1.0'?><stream:stream to='" + d.Domain + "' version='1.0' xmlns='jabber:client' " +
		"xmlns:stream='http://etherx.jabber.org/streams'>"
}

// startTLS does RFC 6120, section 5.4.
func (d *Dialer) startTLS(ctx context.Context, s *Session) error {
	sc := NewScanner(s.conn, 1024)
	plain := &Session{conn: s.conn, sc: sc}
	if _, err := s.conn.Write([]byte(d.header())); err != nil {
		return err
	}
	features, err := plain.expect("stream:features", nil)
	if err != nil {
		return err
	}
	if !strings.Contains(features, "urn:ietf:params:xml:ns:xmpp-tls") {
		return fmt.Errorf("no STARTTLS in %s", features)
	}
	if _, err := s.conn.Write([]byte("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")); err != nil {
		return err
	}
	if _, err := plain.expect("proceed", nil); err != nil {
		return err
	}
	if err := d.secure(ctx, s); err != nil {
		return err
	}
	return s.write(d.header())
}

func (d *Dialer) secure(ctx context.Context, s *Session) error {
	s.tls = tls.Client(s.conn, d.TLS)
	if err := s.tls.HandshakeContext(ctx); err != nil {
		return err
	}
	s.sc = NewScanner(s.tls, 4096)
	return nil
}

// authenticate does SASL with the best SCRAM that the server offers without
// channel binding (RFC 6120, section 6; RFC 5802).
func (d *Dialer) authenticate(s *Session, o Options) error {
	features, err := s.expect("stream:features", nil)
	if err != nil {
		return err
	}
	mech := ""
	for _, m := range []string{"SCRAM-SHA-256", "SCRAM-SHA-1"} {
		if strings.Contains(features, ">"+m+"<") {
			mech = m
			break
		}
	}
	if mech == "" {
		return fmt.Errorf("no SCRAM mechanism in %s", features)
	}
	const ns = "urn:ietf:params:xml:ns:xmpp-sasl"
	x := newScram(mech, o.User, d.Password, &d.keys)
	if err := s.write("<auth xmlns='" + ns + "' mechanism='" + mech + "'>" + x.first() + "</auth>"); err != nil {
		return err
	}
	challenge, err := s.expect("challenge", nil)
	if err != nil {
		return err
	}
	final, err := x.final(string(Text([]byte(challenge), "challenge")))
	if err != nil {
		return err
	}
	if err := s.write("<response xmlns='" + ns + "'>" + final + "</response>"); err != nil {
		return err
	}
	success, err := s.expect("success", nil)
	if err != nil {
		return err
	}
	if err := x.verify(string(Text([]byte(success), "success"))); err != nil {
		return err
	}
	s.sc.Restart()
	return s.write(d.header())
}

// setUp binds the resource and does the usual first steps of a client.
func (s *Session) setUp(o Options) error {
	if _, err := s.expect("stream:features", o.Early); err != nil {
		return err
	}
	if o.Resume != nil && o.Resume.id != "" {
		if ok, err := s.resume(o.Resume); ok || err != nil {
			return err
		}
	}
	reply, err := s.request("set",
		"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>"+o.Resource+"</resource></bind>", o.Early)
	if err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	s.JID = string(Text([]byte(reply), "jid"))
	if o.SM {
		if err := s.write("<enable xmlns='" + nsSM + "' resume='true'/>"); err != nil {
			return err
		}
		enabled, err := s.expect("enabled", o.Early)
		if err != nil {
			return fmt.Errorf("stream management: %w", err)
		}
		s.sm, s.id = true, string(Attr([]byte(enabled), "id"))
		s.handled.Store(0)
	}
	if o.Roster {
		if _, err := s.request("get", "<query xmlns='jabber:iq:roster'/>", o.Early); err != nil {
			return fmt.Errorf("roster: %w", err)
		}
	}
	if o.Carbons {
		if _, err := s.request("set", "<enable xmlns='"+nsCarbons+"'/>", o.Early); err != nil {
			return fmt.Errorf("carbons: %w", err)
		}
	}
	if o.Presence {
		return s.Send(1, []byte("<presence/>"))
	}
	return nil
}

// resume asks for a session that was cut (XEP-0198, section 5), and says whether it is had.
func (s *Session) resume(was *Session) (bool, error) {
	if err := s.write("<resume xmlns='" + nsSM + "' previd='" + was.id + "' h='" +
		strconv.FormatUint(uint64(was.handled.Load()), 10) + "'/>"); err != nil {
		return false, err
	}
	st, err := s.sc.Next()
	if err != nil {
		return false, fmt.Errorf("waiting for resumed: %w", err)
	}
	if !Is(st, "resumed") {
		if Is(st, "failed") {
			return false, nil
		}
		return false, fmt.Errorf("waiting for resumed: %s", st)
	}
	h, err := strconv.ParseUint(string(Attr(st, "h")), 10, 32)
	if err != nil {
		return false, fmt.Errorf("bad count in %s", st)
	}
	s.sm, s.id, s.JID, s.resumed = true, was.id, was.JID, true
	s.handled.Store(was.handled.Load())
	s.sent.Store(uint32(h))
	s.acked.Store(uint32(h))
	return true, nil
}

func (s *Session) write(text string) error {
	_, err := s.tls.Write([]byte(text))
	return err
}

// request sends an iq to the server and waits for its result. Only for use
// before Start.
func (s *Session) request(typ, payload string, early Handler) (string, error) {
	const id = "login"
	if err := s.Send(1, []byte("<iq type='"+typ+"' id='"+id+"'>"+payload+"</iq>")); err != nil {
		return "", err
	}
	for {
		st, err := s.expect("iq", early)
		if err != nil {
			return "", err
		}
		if string(Attr([]byte(st), "id")) != id {
			continue
		}
		if typ := string(Attr([]byte(st), "type")); typ != "result" {
			return "", fmt.Errorf("refused: %s", st)
		}
		return st, nil
	}
}

// expect reads until an element called name comes. Other stanzas go to early;
// anything that ends a negotiation is an error.
func (s *Session) expect(name string, early Handler) (string, error) {
	for {
		st, err := s.sc.Next()
		if err != nil {
			return "", fmt.Errorf("waiting for %s: %w", name, err)
		}
		mine, err := s.own(st)
		if err != nil {
			return "", err
		}
		if err := s.ackIfDue(); err != nil {
			return "", err
		}
		switch {
		case mine:
		case Is(st, name):
			return string(st), nil
		case Is(st, "failure"), Is(st, "failed"):
			return "", fmt.Errorf("waiting for %s: refused: %s", name, st)
		case (Is(st, "message") || Is(st, "presence")) && early != nil:
			early(s, st)
		}
	}
}
