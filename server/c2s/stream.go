package c2s

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base32"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"parley/internal/door"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// stream is one client connection from accepting to its end, over any transport. Its fields belong to its goroutine,
// except those under mu.
type stream struct {
	srv    *Server
	raw    *rawConn
	tls    *tls.Conn // nil before TLS
	secure bool
	addr   netip.Addr
	pass   *door.Pass
	log    *slog.Logger
	t      transport
	conn   *wire.Conn
	done   chan struct{} // closed when the goroutine has returned

	id         string
	host       *server.Host // after the first stream header
	lang       string
	from       string // of the client's stream header
	opened     bool   // our header was sent
	user       string
	mech       string
	credential string // see server.SessionInfo
	// returns store.ErrNotFound when that credential was revoked; nil: not checked
	holds      func(ctx context.Context) error
	began      uint64 // see server.Host.SignIns
	failures   int
	typed      string // the name that the client tried to sign in with
	invitedAs  string // the name that the invitation is for; "": any
	token      string // of a valid invitation (XEP-0445)
	unbindable int    // how often the client tried a kind of channel binding that the connection lacks
	bound      *bound // after binding or resumption
	client     server.Client
	known      Known // set where the client's web page has signed in
	newer      bool  // signed in with XEP-0388: no second header follows

	mu      sync.Mutex
	leaving *wire.StreamError // set by goodbye
}

// transport carries a stream's elements: as TCP bytes, WebSocket frames or HTTP requests.
type transport interface {
	// open waits for the client's stream header, also after TLS and SASL.
	open() (wire.Header, error)
	next() (*wire.Stanza, error)
	// hello makes our stream header.
	hello(st *stream, to string) []byte
	footer() []byte
	// restart prepares for another header.
	restart()
	setLimits(wire.Limits)
	// more reports whether the client has already sent something that waits to be read.
	more() bool
	name() string
}

var (
	errNoAck    = errors.New("c2s: the client does not answer")
	errTooHigh  = errors.New("c2s: the client acknowledged more than it was sent")
	errEnd      = errors.New("c2s: the stream is over")
	errTimedOut = &wire.StreamError{Condition: "connection-timeout", Text: "authentication took too long"}
)

// newStream admits a connection. It returns nil if it refuses the connection.
func (s *Server) newStream(nc net.Conn) *stream {
	st := &stream{srv: s, raw: &rawConn{Conn: nc}, done: make(chan struct{})}
	if ap, err := netip.ParseAddrPort(nc.RemoteAddr().String()); err == nil {
		st.addr = ap.Addr()
	}
	if why := s.admit(st); why != "" {
		s.refused.WithLabelValues(why).Inc()
		s.log.Debug("connection refused", "remote", st.addr, "why", why)
		return nil
	}
	if s.cfg.BytesPerSecond > 0 {
		st.raw.pace = rate.NewLimiter(rate.Limit(s.cfg.BytesPerSecond), max(s.cfg.Burst, 1024))
	}
	door.KeepAlive(nc, s.cfg.KeepAlive)
	st.newID()
	return st
}

// newID gives the stream a new unguessable id (RFC 6120, section 4.7.3). Every restart needs one.
func (st *stream) newID() {
	var b [15]byte
	rand.Read(b[:])
	st.id = strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	st.log = st.srv.log.With("stream", st.id)
}

func (s *Server) connConfig() wire.ConnConfig {
	return wire.ConnConfig{MaxQueue: s.cfg.MaxQueue, WriteTimeout: s.cfg.WriteTimeout}
}

// serveTCP runs a TCP connection from its start to its end.
func (st *stream) serveTCP(direct bool) {
	defer st.finish()
	_ = st.raw.SetDeadline(time.Now().Add(st.srv.cfg.HandshakeTimeout))
	var nc net.Conn = st.raw
	t := &tcp{}
	if direct {
		if !st.handshake(st.srv.directTLS()) {
			return
		}
		nc, t.named = st.tls, "tls"
	} else {
		t.named = "tcp"
	}
	_ = st.raw.SetDeadline(time.Now().Add(st.srv.cfg.AuthTimeout))
	t.rd = wire.NewReader(nc, st.srv.cfg.Unauthenticated)
	st.t = t
	st.use(wire.NewConn(nc, st.srv.connConfig()))
	st.serve()
}

func (st *stream) handshake(cfg *tls.Config) bool {
	tc := tls.Server(st.raw, cfg)
	if err := tc.HandshakeContext(st.srv.ctx); err != nil {
		st.log.Debug("tls handshake failed", "remote", st.addr, "err", err)
		return false
	}
	st.tls, st.secure = tc, true
	return true
}

// finish releases what the goroutine holds.
func (st *stream) finish() {
	if st.conn != nil {
		st.conn.Close()
	}
	st.raw.Close()
	st.srv.leave(st)
	close(st.done)
}

// serve negotiates and then carries stanzas until the stream is over.
func (st *stream) serve() {
	started := time.Now()
	err := st.live()
	st.over(err)
	level, why := slog.LevelInfo, reason(err)
	st.mu.Lock()
	if l := st.leaving; l != nil { // we closed its connection ourselves, so the read error means nothing
		if why = l.Condition; l.Text != "" {
			why += ": " + l.Text
		}
	}
	st.mu.Unlock()
	if st.srv.isStopping() { // one log line covers all streams at shutdown
		level = slog.LevelDebug
	}
	st.log.Log(context.Background(), level, "stream closed",
		"after", time.Since(started).Round(time.Millisecond), "why", why)
}

// announced tells a client how much it may send at once (XEP-0478).
func announced(l wire.Limits) *wire.Element {
	return wire.E("urn:xmpp:stream-limits:0", "limits",
		wire.T("urn:xmpp:stream-limits:0", "max-bytes", strconv.Itoa(l.Stanza)))
}

// live runs the stream until something ends it. A panic ends this stream alone.
func (st *stream) live() (err error) {
	defer func() {
		if p := recover(); p != nil {
			st.log.Error("panic in a stream", "panic", p, "stack", string(debug.Stack()))
			err = &wire.StreamError{Condition: "internal-server-error"}
		}
	}()
	if err := st.negotiate(); err != nil {
		return err
	}
	st.pass.SignedIn()
	_ = st.raw.SetDeadline(time.Time{})
	st.log.Info("session open", "jid", st.bound.session.JID.String(), "transport", st.t.name(), "mechanism", st.mech)
	return st.carry()
}

func reason(err error) string {
	if err == nil || errors.Is(err, wire.ErrStreamEnd) {
		return "closed by the client"
	}
	return err.Error()
}

// use sets the connection that stanzas are sent on.
func (st *stream) use(c *wire.Conn) {
	st.mu.Lock()
	st.conn = c
	st.mu.Unlock()
}

// goodbye ends the stream from another goroutine. The stream's own goroutine sees its connection closed and gives up
// the session.
func (st *stream) goodbye(why *wire.StreamError) {
	st.mu.Lock()
	st.leaving = why
	c := st.conn
	st.mu.Unlock()
	if c == nil {
		st.raw.Close()
		return
	}
	footer := st.t.footer()
	st.srv.ends.Go(func() { c.Close(appendStreamError(nil, why), footer) })
}

// over reacts to the end of the stream according to its cause, and gives up the session.
func (st *stream) over(err error) {
	st.mu.Lock()
	if st.leaving != nil {
		err = st.leaving
	}
	st.mu.Unlock()
	var se *wire.StreamError
	switch {
	case errors.As(err, &se):
		st.fail(se)
	case errors.Is(err, wire.ErrStreamEnd), errors.Is(err, errEnd):
		if st.bound != nil {
			st.bound.end(nil)
		}
		st.close(st.t.footer())
		return
	case isTimeout(err) && st.bound == nil:
		st.fail(errTimedOut)
	}
	if st.bound == nil {
		return
	}
	if se == nil && st.bound.out.detach(st.conn) {
		st.log.Debug("waiting to be resumed", "jid", st.bound.session.JID.String())
		return
	}
	st.bound.end(nil)
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// fail sends a stream error (RFC 6120, section 4.9), after our header if that was not sent yet.
func (st *stream) fail(se *wire.StreamError) {
	var final [][]byte
	if !st.opened {
		final = append(final, st.t.hello(st, ""))
		st.opened = true
	}
	if st.bound != nil {
		st.bound.end(nil)
	}
	st.close(append(final, appendStreamError(nil, se), st.t.footer())...)
}

// close writes what is left and closes the connection. A client that does not read delays this by no more than one
// write timeout.
func (st *stream) close(final ...[]byte) {
	_ = st.raw.SetWriteDeadline(time.Now().Add(st.srv.cfg.WriteTimeout))
	st.conn.Close(final...)
}

// header reads the client's stream header and answers it. The first header selects the host.
func (st *stream) header() error {
	h, err := st.t.open()
	if err != nil {
		return err
	}
	if h.Lang != "" && len(h.Lang) <= 35 {
		st.lang = h.Lang
	}
	if h.ContentNS != wire.NSClient {
		return &wire.StreamError{Condition: "invalid-namespace"}
	}
	to, err := jid.Parse(h.To)
	if h.To == "" {
		return &wire.StreamError{Condition: "host-unknown", Text: "the stream header has no domain"}
	}
	if err != nil || to.Local() != "" || !to.IsBare() {
		return &wire.StreamError{Condition: "improper-addressing"}
	}
	host := st.srv.cfg.Router.Host(to.Domain())
	if host == nil || st.host != nil && host != st.host {
		return &wire.StreamError{Condition: "host-unknown"}
	}
	st.host, st.from = host, h.From
	if !supported(h.Version) {
		return &wire.StreamError{Condition: "unsupported-version"}
	}
	_ = st.conn.WriteRaw(st.t.hello(st, h.From))
	st.opened = true
	return nil
}

// supported reports whether the major version is 1 (RFC 6120, section 4.7.5).
func supported(version string) bool {
	return version == "1.0" || strings.HasPrefix(version, "1.")
}

// negotiate takes the stream from its first header to a bound or resumed session: TLS, SASL, binding.
func (st *stream) negotiate() error {
	if err := st.header(); err != nil {
		return err
	}
	if !st.secure && !st.srv.cfg.PlainStreams {
		if err := st.starttls(); err != nil {
			return err
		}
	}
	if err := st.authenticate(); err != nil {
		return err
	}
	if st.newer {
		if st.bound != nil {
			return nil
		}
		return st.bind()
	}
	st.t.restart()
	st.t.setLimits(st.srv.cfg.Authenticated)
	st.newID()
	st.opened = false
	if err := st.header(); err != nil {
		return err
	}
	return st.bind()
}

// features sends <stream:features/> without the nil elements.
func (st *stream) features(es ...*wire.Element) {
	_ = st.conn.WriteRaw(appendFeatures(nil, es))
}

func appendFeatures(b []byte, es []*wire.Element) []byte {
	b = append(b, `<stream:features xmlns:stream='http://etherx.jabber.org/streams'>`...)
	for _, e := range es {
		if e != nil {
			b = e.AppendXML(b, wire.NSClient)
		}
	}
	return append(b, `</stream:features>`...)
}

// send writes an element that is not a stanza.
func (st *stream) send(e *wire.Element) {
	_ = st.conn.WriteRaw(e.AppendXML(nil, wire.NSClient))
}

// carry handles a session's stanzas one after another.
func (st *stream) carry() error {
	corked := false
	var pace *rate.Limiter
	if n := st.srv.cfg.StanzasPerSecond; n > 0 {
		pace = rate.NewLimiter(rate.Limit(n), max(st.srv.cfg.StanzasBurst, 1))
	}
	for {
		x, err := st.t.next()
		if err != nil {
			return err
		}
		if pace != nil && !pace.Allow() {
			if corked { // stanzas from others must not wait for this client's haste
				st.conn.UncorkWrite()
				corked = false
			}
			waitN(pace, 1)
		}
		if x.Kind == wire.Other {
			if err := st.nonza(x); err != nil {
				return err
			}
			if corked && !st.t.more() {
				st.conn.UncorkWrite()
				corked = false
			}
			continue
		}
		if err := st.stamp(x); err != nil {
			return err
		}
		if !corked { // answers go out with the last stanza of one read
			st.conn.Cork()
			corked = true
		}
		full, pause := st.route(x)
		if full || pause > 0 || !st.t.more() {
			st.conn.UncorkWrite()
			corked = false
		}
		if full && !st.bound.window.Wait(st.conn.Done()) {
			return st.conn.Err()
		}
		if pause > 0 && !st.rest(pause) {
			return st.conn.Err()
		}
	}
}

// route routes one stanza. full says that the window has no room, pause for how long the client must not be read from.
func (st *stream) route(x *wire.Stanza) (full bool, pause time.Duration) {
	if !st.bound.window.Begin(x) {
		return false, 0
	}
	st.host.Sent(st.srv.ctx, st.bound.session, x)
	return st.bound.window.End(), st.bound.session.Pause()
}

// rest stops reading for a while. It returns false if the connection ends meanwhile.
func (st *stream) rest(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-st.conn.Done():
		return false
	}
}

// stamp sets the sender (RFC 6120, section 8.1.2.1) and the language (section 8.1.5).
func (st *stream) stamp(x *wire.Stanza) error {
	full := st.bound.session.JID
	if x.From != full && !x.From.IsZero() && x.From != full.Bare() {
		return &wire.StreamError{Condition: "invalid-from"}
	}
	x.From = full
	if x.Lang == "" {
		x.Lang = st.lang
	}
	return nil
}

// appendStreamError appends <stream:error/> to b.
func appendStreamError(b []byte, se *wire.StreamError) []byte {
	b = append(b, `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>`...)
	b = wire.E(wire.NSStreams, se.Condition).AppendXML(b, wire.NSClient)
	if se.Text != "" {
		b = append(b, `<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>`...)
		b = wire.AppendEscaped(b, se.Text)
		b = append(b, `</text>`...)
	}
	if se.App != nil {
		b = se.App.AppendXML(b, wire.NSClient)
	}
	return append(b, `</stream:error>`...)
}

// within returns the context of one store call during negotiation.
func (st *stream) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(st.srv.ctx, st.srv.cfg.AuthTimeout)
}
