// Package component serves external components (XEP-0114): programs that serve a domain of their own, such as gateways
// and bots.
package component

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mellium.im/xmpp/stanza"

	"parley/auth"
	"parley/internal/background"
	"parley/internal/door"
	"parley/internal/everywhere"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// XEPs lists what this package implements, for docs/xeps.md.
var XEPs = []server.XEP{{Number: 114, Title: "Jabber Component Protocol", Version: "1.6"}}

// Config holds the settings of a Server; zero values mean the defaults.
type Config struct {
	Router       *server.Router
	Log          *slog.Logger
	Limits       wire.Limits    // for the components' stanzas
	MaxQueue     int            // bytes queued for a component; 0: 64 MiB
	Failures     *auth.Failures // records failed handshakes; nil: nobody does
	AuthTimeout  time.Duration  // for the handshake; 0: 10 s
	WriteTimeout time.Duration  // for one write; 0: 1 min
	KeepAlive    time.Duration  // of TCP; 0: 1 min

	Everywhere everywhere.Part // has programs known at other nodes; zero: there are none
	Node       string          // the id of this node among them
}

// Server accepts the connections of components. It is safe from any goroutine.
type Server struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc

	mu        sync.Mutex
	domains   map[string]*Component
	listeners []net.Listener
	conns     map[net.Conn]bool
	closed    bool
	wg        sync.WaitGroup
	gate      *door.Gate
	passing   atomic.Int64 // stanzas that are on their way to other nodes
}

// Component is one domain that an external program serves.
type Component struct {
	srv    *Server
	domain string
	secret string

	mu     sync.Mutex
	stream *stream         // nil: not connected
	at     map[string]bool // the other node at which the program is; empty: none
}

// New returns a server without components.
func New(c Config) *Server {
	if c.MaxQueue <= 0 {
		c.MaxQueue = 64 << 20
	}
	for _, d := range []struct {
		at *time.Duration
		v  time.Duration
	}{{&c.AuthTimeout, 10 * time.Second}, {&c.WriteTimeout, time.Minute}, {&c.KeepAlive, time.Minute}} {
		if *d.at <= 0 {
			*d.at = d.v
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		cfg:     c,
		ctx:     ctx,
		cancel:  cancel,
		domains: make(map[string]*Component),
		conns:   make(map[net.Conn]bool),
		gate:    door.NewGate(door.Limits{All: maxConns, Pending: maxPending}),
	}
	s.beEverywhere()
	return s
}

// Add lets a program that knows the secret serve a domain. The domain is served from now on: stanzas go back to their
// senders while no program is connected. It fails if the domain is not canonical or taken, or if the secret is empty.
func (s *Server) Add(domain, secret string) error {
	j, err := jid.Parse(domain)
	if err != nil || j.Local() != "" || !j.IsBare() || j.Domain() != domain {
		return fmt.Errorf("component %q is not a domain in canonical form", domain)
	}
	if secret == "" {
		return fmt.Errorf("component %s has no secret", domain)
	}
	c := &Component{srv: s, domain: domain, secret: secret}
	if err := s.cfg.Router.Add(domain, c); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.domains[domain] = c
	return nil
}

// errAway is the answer to senders while no program serves the domain.
var errAway = server.WithText(stanza.Error{Type: stanza.Wait, Condition: stanza.RemoteServerTimeout},
	"the component is not connected")

// holdTime is how long a stanza that the program has not read yet counts as under way (XEP-0198). A program that does
// not read must not stop the streams of others.
const holdTime = 10 * time.Second

// Receive sends a stanza to the program. The protocol has no acknowledgements: the program answers for what was written
// to it. An error is for the sender.
func (c *Component) Receive(_ context.Context, st *wire.Stanza) error {
	if c.give(st) {
		return nil
	}
	c.mu.Lock()
	elsewhere := len(c.at) > 0
	c.mu.Unlock()
	if elsewhere {
		return c.pass(st)
	}
	return errAway
}

// give sends a stanza to the program, if that is connected to this node.
func (c *Component) give(st *wire.Stanza) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stream != nil && c.stream.conn.SendHeld(st, st.To, holdTime) == nil
}

// Connected reports whether a program serves the domain now, at whatever node.
func (s *Server) Connected(domain string) bool {
	s.mu.Lock()
	c := s.domains[domain]
	s.mu.Unlock()
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stream != nil || len(c.at) > 0
}

// Serve accepts connections until the listener is closed; then it returns nil.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return l.Close()
	}
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	return door.Serve(l, s.cfg.Log, func(nc net.Conn) {
		var from netip.Addr
		if ap, err := netip.ParseAddrPort(nc.RemoteAddr().String()); err == nil {
			from = ap.Addr()
		}
		pass, why := s.gate.Enter(from, door.Shared(nc))
		s.mu.Lock()
		if s.closed || why != "" {
			s.mu.Unlock()
			pass.Leave()
			nc.Close()
			return
		}
		defer s.mu.Unlock()
		s.conns[nc] = true
		s.wg.Go(func() {
			s.serve(nc, pass)
			pass.Leave()
			s.mu.Lock()
			delete(s.conns, nc)
			s.mu.Unlock()
		})
	})
}

// maxConns is the limit of connections, maxPending of those before the handshake. Many components run on one machine,
// so there is no limit by address.
const (
	maxConns   = 1000
	maxPending = 200
)

// Shutdown ends the streams of all components and waits for them until ctx ends.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	listeners, components := s.listeners, slices.Collect(maps.Values(s.domains))
	s.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
	for _, c := range components {
		c.leave(&wire.StreamError{Condition: "system-shutdown"})
	}
	background.Wait(ctx, s.wg.Wait)
	s.cancel()
	s.mu.Lock()
	left := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, nc := range left {
		nc.Close()
	}
}

func (c *Component) leave(why *wire.StreamError) {
	c.mu.Lock()
	st := c.stream
	c.stream = nil
	c.mu.Unlock()
	if st != nil {
		c.tell(false)
		st.conn.Close(streamError(why), footer)
	}
}

// stream is one connection of a program.
type stream struct {
	srv  *Server
	nc   net.Conn
	rd   *wire.Reader
	conn *wire.Conn
	id   string
	of   *Component
}

const namespace = wire.NSComponent

var footer = []byte(`</stream:stream>`)

func streamError(se *wire.StreamError) []byte {
	b := append([]byte(`<stream:error>`), wire.E(wire.NSStreams, se.Condition).AppendXML(nil, "")...)
	if se.Text != "" {
		b = wire.T(wire.NSStreams, "text", se.Text).AppendXML(b, "")
	}
	return append(b, `</stream:error>`...)
}

func (s *Server) serve(nc net.Conn, pass *door.Pass) {
	defer nc.Close()
	door.KeepAlive(nc, s.cfg.KeepAlive) // notices a dead peer sooner
	st := &stream{srv: s, nc: nc, rd: wire.NewReader(nc, s.cfg.Limits), id: newID(),
		conn: wire.NewConn(nc, wire.ConnConfig{MaxQueue: s.cfg.MaxQueue, WriteTimeout: s.cfg.WriteTimeout})}
	_ = nc.SetReadDeadline(time.Now().Add(s.cfg.AuthTimeout))
	err := st.open()
	if err == nil {
		pass.SignedIn()
		_ = nc.SetReadDeadline(time.Time{})
		s.cfg.Log.Info("component connected", "component", st.of.domain, "address", nc.RemoteAddr().String())
		err = st.carry()
		s.cfg.Log.Info("component disconnected", "component", st.of.domain, "err", err)
	} else {
		s.cfg.Log.Info("component refused", "address", nc.RemoteAddr().String(), "err", err)
	}
	if st.of != nil {
		st.of.mu.Lock()
		last := st.of.stream == st
		if last {
			st.of.stream = nil
		}
		st.of.mu.Unlock()
		if last {
			st.of.tell(false)
		}
	}
	var se *wire.StreamError
	if errors.As(err, &se) {
		st.conn.Close(streamError(se), footer)
		return
	}
	st.conn.Close(footer)
}

func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func addressOf(nc net.Conn) netip.Addr {
	a, _ := netip.ParseAddrPort(nc.RemoteAddr().String()) // if this fails, the address is logged as unknown
	return a.Addr()
}

// open does the handshake (XEP-0114, section 3).
func (st *stream) open() error {
	h, err := st.rd.Header()
	hello := []byte(`<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='` +
		namespace + `' id='` + st.id + `'`)
	if h.To != "" && len(h.To) < 1024 {
		hello = wire.AppendEscaped(append(hello, ` from='`...), h.To)
		hello = append(hello, '\'')
	}
	_ = st.conn.WriteRaw(append(hello, '>'))
	if err != nil {
		return err
	}
	if h.ContentNS != namespace {
		return &wire.StreamError{Condition: "invalid-namespace"}
	}
	st.srv.mu.Lock()
	c := st.srv.domains[h.To]
	st.srv.mu.Unlock()
	if c == nil {
		return &wire.StreamError{Condition: "host-unknown", Text: "no component of this domain is configured"}
	}
	x, err := st.rd.Next()
	if err != nil {
		return err
	}
	want := sha1.Sum([]byte(st.id + c.secret))
	if x.Name != (wire.Name{Space: namespace, Local: "handshake"}) ||
		subtle.ConstantTimeCompare([]byte(x.Text), []byte(hex.EncodeToString(want[:]))) != 1 {
		st.srv.cfg.Failures.Note(addressOf(st.nc), "component", "not-authorized", h.To)
		return &wire.StreamError{Condition: "not-authorized"}
	}
	return st.adopt(c)
}

// adopt makes st the stream of the component, and tells the program so. The program that knows the secret replaces an
// older connection, which may have died silently. Nobody sees a moment without a stream, and whoever reads the
// handshake is reachable: the answer is queued, and the stream is in its place, before anybody else can look.
func (st *stream) adopt(c *Component) error {
	st.srv.mu.Lock()
	if st.srv.closed {
		st.srv.mu.Unlock()
		return &wire.StreamError{Condition: "system-shutdown"}
	}
	c.mu.Lock()
	old := c.stream
	_ = st.conn.WriteRaw([]byte(`<handshake/>`))
	c.stream, st.of, c.at = st, c, nil
	c.mu.Unlock()
	c.tell(true)
	st.srv.mu.Unlock()
	if old != nil {
		old.conn.Close(streamError(&wire.StreamError{Condition: "conflict"}), footer)
	}
	return nil
}

// carry routes the stanzas of the program.
func (st *stream) carry() error {
	for {
		x, err := st.rd.Next()
		if err != nil {
			return err
		}
		if x.Kind == wire.Other {
			return &wire.StreamError{Condition: "unsupported-stanza-type"}
		}
		if x.From.IsZero() || x.From.Domain() != st.of.domain {
			return &wire.StreamError{Condition: "invalid-from", Text: "a component may only send from its own domain"}
		}
		if x.To.IsZero() || x.Malformed {
			if x.Malformed {
				_ = st.conn.Send(server.ErrorReply(x, server.MalformedJID), x.From)
				continue
			}
			return &wire.StreamError{Condition: "improper-addressing"}
		}
		if err := st.srv.cfg.Router.Route(st.srv.ctx, x); err != nil {
			st.srv.cfg.Router.Reply(st.srv.ctx, x, err)
		}
	}
}
