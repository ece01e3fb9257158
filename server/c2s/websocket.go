package c2s

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"parley/wire"
)

// ws is the transport of RFC 7395: each element is a message of its own.
type ws struct {
	c   *websocket.Conn
	ctx context.Context
	lim wire.Limits
	st  *stream
}

var (
	wsClose = []byte(`<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>`)
	nsOpen  = wire.Name{Space: wire.NSFraming, Local: "open"}
	nsClose = wire.Name{Space: wire.NSFraming, Local: "close"}
)

// WebSocket returns the HTTP handler for the subprotocol "xmpp". origins are the hosts, besides the server's own, whose
// pages may connect: patterns such as "*.example.org", or "*" for any. secure says that a proxy in front of it ends
// TLS.
func (s *Server) WebSocket(origins []string, secure bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.isStopping() {
			http.Error(w, "the server is stopping", http.StatusServiceUnavailable)
			return
		}
		if !offers(r, "xmpp") {
			http.Error(w, "this is an XMPP WebSocket (RFC 7395): offer the subprotocol \"xmpp\"", http.StatusBadRequest)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			Subprotocols:    []string{"xmpp"},
			OriginPatterns:  origins,
			CompressionMode: websocket.CompressionDisabled,
		})
		if err != nil {
			s.log.Debug("websocket refused", "remote", r.RemoteAddr, "err", err)
			return // Accept has answered
		}
		s.serveWS(c, r, Known{Secure: secure})
	})
}

func offers(r *http.Request, protocol string) bool {
	for _, v := range r.Header.Values("Sec-WebSocket-Protocol") {
		for _, p := range strings.Split(v, ",") {
			if strings.EqualFold(strings.TrimSpace(p), protocol) {
				return true
			}
		}
	}
	return false
}

// serveWS serves a stream. k names the account if that is known already.
func (s *Server) serveWS(c *websocket.Conn, r *http.Request, k Known) {
	nc := &wsConn{c: c, remote: r.RemoteAddr}
	nc.ctx, nc.cancel = context.WithCancel(s.ctx)
	st := s.newStream(nc)
	if st == nil {
		c.Close(websocket.StatusTryAgainLater, "too many connections")
		return
	}
	defer st.finish()
	st.secure, st.known = r.TLS != nil || k.Secure, k
	t := &ws{c: c, ctx: nc.ctx, lim: s.cfg.Unauthenticated, st: st}
	c.SetReadLimit(int64(t.lim.Stanza) + 1)
	st.t = t
	cfg := s.connConfig()
	cfg.WriteFrame = func(b []byte) error {
		ctx, cancel := context.WithTimeout(nc.ctx, s.cfg.WriteTimeout)
		defer cancel()
		return c.Write(ctx, websocket.MessageText, b)
	}
	alive := newKeepAlive(nc.ctx, c, s.cfg.Quiet)
	defer alive.stop()
	send := cfg.WriteFrame
	cfg.WriteFrame = func(b []byte) error {
		alive.said()
		return send(b)
	}
	st.use(wire.NewConn(nc, cfg))
	_ = nc.SetReadDeadline(time.Now().Add(s.cfg.AuthTimeout))
	st.serve()
}

func (t *ws) frame() (*wire.Stanza, error) {
	kind, b, err := t.c.Read(t.ctx)
	if err != nil {
		if t.tooBig(err) {
			return nil, &wire.StreamError{Condition: "policy-violation", Text: "frame is too large"}
		}
		return nil, err
	}
	if kind != websocket.MessageText { // RFC 7395, section 3.2
		return nil, &wire.StreamError{Condition: "not-well-formed", Text: "binary frame"}
	}
	t.pace(len(b))
	return wire.ReceiveStanza(b, t.lim)
}

func (t *ws) tooBig(err error) bool {
	return websocket.CloseStatus(err) == websocket.StatusMessageTooBig || strings.Contains(err.Error(), "read limited")
}

func (t *ws) pace(n int) {
	if p := t.st.raw.pace; p != nil {
		waitN(p, n)
	}
}

func waitN(p *rate.Limiter, n int) {
	for n > 0 {
		k := min(n, p.Burst())
		if d := p.ReserveN(time.Now(), k).Delay(); d > 0 {
			time.Sleep(d)
		}
		n -= k
	}
}

func (t *ws) open() (wire.Header, error) {
	x, err := t.frame()
	if err != nil {
		return wire.Header{}, err
	}
	if x.Name == nsClose {
		return wire.Header{}, wire.ErrStreamEnd
	}
	if x.Name != nsOpen {
		if x.Name.Local == "open" {
			return wire.Header{}, &wire.StreamError{Condition: "invalid-namespace"}
		}
		return wire.Header{}, &wire.StreamError{Condition: "not-well-formed", Text: "expected <open/>"}
	}
	return wire.Header{
		To:        x.Attr("to"),
		From:      x.Attr("from"),
		ID:        x.Attr("id"),
		Version:   x.Attr("version"),
		Lang:      x.Lang,
		ContentNS: wire.NSClient,
	}, nil
}

func (t *ws) next() (*wire.Stanza, error) {
	x, err := t.frame()
	if err != nil {
		return nil, err
	}
	if x.Kind != wire.Other {
		return x, nil
	}
	switch x.Name {
	case nsClose:
		return nil, wire.ErrStreamEnd
	case nsOpen:
		return nil, &wire.StreamError{Condition: "policy-violation", Text: "the stream is already open"}
	}
	return x, nil
}

func (t *ws) hello(st *stream, to string) []byte {
	return append(helloAttrs([]byte(`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'`), st, to),
		'/', '>')
}

func (t *ws) footer() []byte { return wsClose }
func (t *ws) restart()       {}
func (t *ws) more() bool     { return false }
func (t *ws) name() string   { return "websocket" }

func (t *ws) setLimits(l wire.Limits) {
	t.lim = l
	t.c.SetReadLimit(int64(l.Stanza) + 1)
}

// wsConn is the net.Conn of a WebSocket. It only closes it and limits its time; bytes travel in frames.
type wsConn struct {
	c      *websocket.Conn
	remote string
	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex
	timer *time.Timer
}

// Read always fails: elements come in frames.
func (c *wsConn) Read([]byte) (int, error) { return 0, net.ErrClosed }

// Write always fails: elements go out in frames.
func (c *wsConn) Write([]byte) (int, error) { return 0, net.ErrClosed }

// Close closes the WebSocket without a closing handshake.
func (c *wsConn) Close() error {
	c.cancel()
	return c.c.CloseNow()
}

// LocalAddr returns an empty address.
func (c *wsConn) LocalAddr() net.Addr { return wsAddr("") }

// RemoteAddr returns the client's network address.
func (c *wsConn) RemoteAddr() net.Addr { return wsAddr(c.remote) }

// wsAddr is a network address in text.
type wsAddr string

// Network returns "tcp".
func (wsAddr) Network() string { return "tcp" }

// String returns the address.
func (a wsAddr) String() string { return string(a) }

// SetDeadline limits how long the next frame may take; the connection is closed after that.
func (c *wsConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline limits how long the next frame may take; the connection is closed after that.
func (c *wsConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if !t.IsZero() {
		c.timer = time.AfterFunc(time.Until(t), c.cancel)
	}
	return nil
}

// SetWriteDeadline does nothing: each frame has its own limit.
func (c *wsConn) SetWriteDeadline(time.Time) error { return nil }
