package proxy65

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"parley/internal/door"
)

// Errors of Activate.
var (
	ErrNobody = errors.New("proxy65: nobody is connected")
	ErrOne    = errors.New("proxy65: only one is connected")
	errClosed = errors.New("proxy65: closed")
)

// Config bounds the relay; zero values mean the defaults.
type Config struct {
	PerAddress int           // connections from one address or IPv6 /64; 20
	Total      int           // connections in all; 1000
	Pending    int           // those of them without a stream; 200
	Rate       int           // bytes per second of each direction of a stream; 0: no limit
	Handshake  time.Duration // for the SOCKS5 handshake; 10s
	Wait       time.Duration // from then until the stream is started; 1m
	Idle       time.Duration // without a byte; 5m
	Log        *slog.Logger
}

// Relay accepts SOCKS5 connections (RFC 1928), and joins two with the same name when Activate is called. It never opens
// a connection itself. Safe from any goroutine.
type Relay struct {
	cfg    Config
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	gate   *door.Gate

	mu        sync.Mutex // guards the fields below
	closed    bool
	listeners []net.Listener
	conns     map[*conn]bool
	waiting   map[string][]*conn // by name, two at most
}

// conn is one connection; its goroutine runs serve.
type conn struct {
	net.Conn
	addr     netip.Addr
	pass     *door.Pass
	name     string
	answered chan struct{} // closed when its SOCKS5 reply is on the way
	started  chan *conn    // receives the other side's connection
	done     chan struct{} // closed when this connection sends nothing more
	streams  bool          // the connection is in a stream; guarded by Relay.mu
}

// NewRelay makes a relay that listens nowhere yet.
func NewRelay(cfg Config) *Relay {
	for _, d := range []struct {
		n *int
		v int
	}{{&cfg.PerAddress, 20}, {&cfg.Total, 1000}, {&cfg.Pending, 200}} {
		if *d.n <= 0 {
			*d.n = d.v
		}
	}
	for _, d := range []struct {
		n *time.Duration
		v time.Duration
	}{{&cfg.Handshake, 10 * time.Second}, {&cfg.Wait, time.Minute}, {&cfg.Idle, 5 * time.Minute}} {
		if *d.n <= 0 {
			*d.n = d.v
		}
	}
	r := &Relay{cfg: cfg, conns: make(map[*conn]bool), waiting: make(map[string][]*conn),
		gate: door.NewGate(door.Limits{All: cfg.Total, PerAddress: cfg.PerAddress, Pending: cfg.Pending})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Serve accepts connections of l until Close, and closes l then.
func (r *Relay) Serve(l net.Listener) error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return l.Close()
	}
	r.listeners = append(r.listeners, l)
	r.mu.Unlock()
	return door.Serve(l, r.cfg.Log, func(nc net.Conn) {
		c := &conn{Conn: nc, answered: make(chan struct{}), started: make(chan *conn, 1), done: make(chan struct{})}
		if ap, err := netip.ParseAddrPort(nc.RemoteAddr().String()); err == nil {
			c.addr = ap.Addr()
		}
		if !r.admit(c) {
			_ = nc.Close()
			return
		}
	})
}

// Close ends all streams and waits for them.
func (r *Relay) Close() {
	r.cancel() // before the listeners, so that Serve knows why they fail
	r.mu.Lock()
	r.closed = true
	listeners, conns := r.listeners, slices.Collect(maps.Keys(r.conns))
	r.mu.Unlock()
	for _, l := range listeners {
		_ = l.Close()
	}
	for _, c := range conns {
		_ = c.Close()
	}
	r.wg.Wait()
}

func (r *Relay) admit(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	var why string
	if c.pass, why = r.gate.Enter(c.addr, door.Shared(c.Conn)); why != "" {
		return false
	}
	r.conns[c] = true
	r.wg.Go(func() { r.serve(c) })
	return true
}

func (r *Relay) leave(c *conn) {
	_ = c.Close()
	r.drop(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
	c.pass.Leave()
}

// Activate joins the two connections that have this name.
func (r *Relay) Activate(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	cs := r.waiting[name]
	switch {
	case r.closed:
		return errClosed
	case len(cs) == 0:
		return ErrNobody
	case len(cs) == 1:
		return ErrOne
	}
	delete(r.waiting, name)
	for i, c := range cs {
		c.streams = true
		c.pass.SignedIn()
		c.started <- cs[1-i]
	}
	return nil
}

// wait makes c wait for its stream; a third connection of the name is refused.
func (r *Relay) wait(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting[c.name]) >= 2 {
		return false
	}
	r.waiting[c.name] = append(r.waiting[c.name], c)
	return true
}

func (r *Relay) serve(c *conn) {
	defer r.leave(c)
	_ = c.SetDeadline(time.Now().Add(r.cfg.Handshake))
	if err := r.handshake(c); err != nil {
		r.cfg.Log.Debug("proxy65: refused", "address", c.addr, "err", err)
		return
	}
	t := time.NewTimer(r.cfg.Wait)
	defer t.Stop()
	select {
	case o := <-c.started:
		r.join(c, o)
	case <-t.C:
		if r.drop(c) { // it was started at this moment
			r.join(c, <-c.started)
		}
	case <-r.ctx.Done():
		close(c.done)
	}
}

// drop removes c from the waiting connections; false if its stream has started already.
func (r *Relay) drop(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.streams {
		return true
	}
	r.waiting[c.name] = slices.DeleteFunc(r.waiting[c.name], func(o *conn) bool { return o == c })
	if len(r.waiting[c.name]) == 0 {
		delete(r.waiting, c.name)
	}
	return false
}

// Replies of SOCKS5 (RFC 1928, section 6).
const (
	succeeded   = 0
	notAllowed  = 2
	noCommand   = 7
	noAddress   = 8
	noMethod    = 0xff
	domain      = 3
	connect     = 1
	socks5      = 5
	lengthOfSum = 40 // SHA-1 in hexadecimal
)

var errSOCKS = errors.New("not valid SOCKS5")

// handshake does RFC 1928, sections 3 to 6, without authentication: the name of the stream is the secret.
func (r *Relay) handshake(c *conn) error {
	var b [262]byte
	if _, err := io.ReadFull(c, b[:2]); err != nil {
		return err
	}
	if b[0] != socks5 {
		return errSOCKS
	}
	methods := b[2 : 2+int(b[1])]
	if _, err := io.ReadFull(c, methods); err != nil {
		return err
	}
	if !strings.Contains(string(methods), "\x00") {
		return refuse(c, socks5, noMethod)
	}
	if _, err := c.Write([]byte{socks5, 0}); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, b[:5]); err != nil {
		return err
	}
	switch {
	case b[0] != socks5:
		return errSOCKS
	case b[1] != connect:
		return refuse(c, reply(noCommand)...)
	case b[3] != domain:
		return refuse(c, reply(noAddress)...)
	}
	n := int(b[4])
	if _, err := io.ReadFull(c, b[5:5+n+2]); err != nil {
		return err
	}
	name, port := b[5:5+n], b[5+n:5+n+2]
	if n != lengthOfSum || strings.Trim(string(name), "0123456789abcdefABCDEF") != "" || port[0]|port[1] != 0 {
		return refuse(c, reply(notAllowed)...)
	}
	c.name = strings.ToLower(string(name))
	if !r.wait(c) {
		c.name = ""
		return refuse(c, reply(notAllowed)...)
	}
	b[1] = succeeded // XEP-0065, section 6.3.2: the address and port are sent back
	if _, err := c.Write(b[:5+n+2]); err != nil {
		if r.drop(c) { // the other side waits for the end
			close(c.done)
			close(c.answered)
		}
		return err
	}
	close(c.answered)
	return nil
}

func reply(code byte) []byte { return []byte{socks5, code, 0, 1, 0, 0, 0, 0, 0, 0} }

func refuse(c net.Conn, b ...byte) error {
	_, err := c.Write(b)
	return errors.Join(errSOCKS, err)
}

// join copies from c to o, as o's goroutine does the other way, and returns when both are done.
func (r *Relay) join(c, o *conn) {
	select {
	case <-o.answered:
	case <-r.ctx.Done():
	}
	_ = c.SetDeadline(time.Time{})
	if err := r.copy(c, o); err != nil {
		_ = c.Close()
		_ = o.Close()
	} else if h, ok := o.Conn.(interface{ CloseWrite() error }); ok {
		_ = h.CloseWrite()
	}
	close(c.done)
	<-o.done
}

const chunk = 32 << 10

func (r *Relay) copy(from, to *conn) error {
	limit := rate.NewLimiter(rate.Inf, chunk)
	if r.cfg.Rate > 0 {
		limit = rate.NewLimiter(rate.Limit(r.cfg.Rate), max(chunk, r.cfg.Rate))
	}
	b := make([]byte, chunk)
	for {
		// A file goes one way: the other direction is not idle because of that.
		end := time.Now().Add(r.cfg.Idle)
		_ = from.SetReadDeadline(end)
		_ = to.SetReadDeadline(end)
		n, err := from.Read(b)
		if n > 0 {
			if err := limit.WaitN(r.ctx, n); err != nil {
				return err
			}
			_ = to.SetWriteDeadline(time.Now().Add(r.cfg.Idle))
			if _, err := to.Write(b[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
