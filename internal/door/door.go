// Package door accepts connections. It handles listening, temporary failures to accept, client addresses behind
// proxies, limits in total, by address and before sign-in, deadlines, an orderly end, and metrics. Every listener of
// the server uses it, also those of HTTP and TURN libraries.
package door

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pires/go-proxyproto"
	"github.com/prometheus/client_golang/prometheus"
)

// House holds what all listeners of a process share: the limit of open files, and metrics.
type House struct {
	// Open is how Listen opens a listener; nil: net.Listen. It is set before the first call of Listen.
	Open func(network, address string) (net.Listener, error)

	log  *slog.Logger
	max  int64
	open atomic.Int64

	bodies *Gate // limits requests from unknown senders

	connections *prometheus.GaugeVec
	refused     *prometheus.CounterVec
	failed      *prometheus.CounterVec
}

// NewHouse returns a House that logs to log and registers its metrics with reg, which may be nil.
func NewHouse(log *slog.Logger, reg prometheus.Registerer) *House {
	h := &House{
		log:    log,
		max:    connectionsFit(descriptors()),
		bodies: NewGate(Limits{All: bodies, PerAddress: bodiesFrom}),
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "parley_door_connections",
			Help: "Open connections.",
		}, []string{"door"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_door_refused_total",
			Help: "Connections refused by a limit.",
		}, []string{"door", "why"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_door_accept_errors_total",
			Help: "Failures to accept a connection, for example because no file descriptor was free.",
		}, []string{"door"}),
	}
	if reg != nil {
		reg.MustRegister(h.connections, h.refused, h.failed)
	}
	return h
}

// connectionsFit returns how many connections may be open in a process that may open so many files. It leaves some for
// the store, for files, and for outgoing connections. 0 means no known limit.
func connectionsFit(files int64) int64 {
	if files <= 0 {
		return 0
	}
	return max(files-min(max(files/8, 32), 2000), 1)
}

// Connections returns how many connections the limit of open files allows; 0 if unknown.
func (h *House) Connections() int { return int(h.max) }

// Config holds the settings of a listener. A zero duration means no limit, unless the field says otherwise.
type Config struct {
	Name    string // in logs and metrics
	Limits  Limits // of this listener, unless its server has a Gate of its own
	Proxies Proxies
	Header  time.Duration // within which a proxy must name its client; 0: 10 s
	SignIn  time.Duration // after which a connection without SignedIn is closed
	Idle    time.Duration // for one read
	Write   time.Duration // for one write
}

// maxHeaders is how many connections of proxies may be at their first line at once.
const maxHeaders = 1000

// Listener accepts connections. It is a net.Listener that fails only when it is closed. It is safe from any goroutine.
type Listener struct {
	house *House
	cfg   Config
	raw   net.Listener
	gate  *Gate
	ready chan *Conn
	ctx   context.Context // ends when the listener is closed
	close context.CancelFunc
	run   sync.WaitGroup

	headers atomic.Int64 // connections of proxies that are at their first line

	connections prometheus.Gauge

	mu    sync.Mutex // guards the fields below
	conns map[*Conn]struct{}
}

// Listen opens a listener on a TCP address.
func (h *House) Listen(addr string, cfg Config) (*Listener, error) {
	open := h.Open
	if open == nil {
		open = net.Listen
	}
	l, err := open("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for %s on %s: %w", cfg.Name, addr, err)
	}
	return h.On(l, cfg), nil
}

// On takes over an open listener.
func (h *House) On(raw net.Listener, cfg Config) *Listener {
	if cfg.Header <= 0 {
		cfg.Header = 10 * time.Second
	}
	l := &Listener{
		house:       h,
		cfg:         cfg,
		raw:         raw,
		gate:        NewGate(cfg.Limits),
		ready:       make(chan *Conn),
		conns:       make(map[*Conn]struct{}),
		connections: h.connections.WithLabelValues(cfg.Name),
	}
	l.ctx, l.close = context.WithCancel(context.Background())
	l.run.Go(l.accept)
	return l
}

// Addr returns the listener's address.
func (l *Listener) Addr() net.Addr { return l.raw.Addr() }

// Accept waits for a connection that the limits allow. It fails only when the listener is closed, with net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.ctx.Done():
		return nil, &net.OpError{Op: "accept", Net: l.raw.Addr().Network(), Addr: l.raw.Addr(), Err: net.ErrClosed}
	}
}

// Close stops accepting. Open connections stay open.
func (l *Listener) Close() error {
	l.close()
	err := l.raw.Close()
	l.run.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Open returns how many connections are open.
func (l *Listener) Open() int { return l.gate.Open() }

// Cut closes the listener and all its connections.
func (l *Listener) Cut() error {
	err := l.Close()
	l.mu.Lock()
	var all []*Conn
	for c := range l.conns {
		all = append(all, c)
	}
	l.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
	return err
}

// From returns the open connection from an address and port, or nil.
func (l *Listener) From(a net.Addr) net.Conn {
	want, ok := a.(*net.TCPAddr)
	if !ok {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if got, ok := c.RemoteAddr().(*net.TCPAddr); ok && got.AddrPort() == want.AddrPort() {
			return c
		}
	}
	return nil
}

// Serve passes each connection of l to handle, which must not block, until l is closed; then it returns nil. Temporary
// failures do not end it. Every server of ours accepts with this loop.
func Serve(l net.Listener, log *slog.Logger, handle func(net.Conn)) error {
	d, ok := l.(*Listener)
	if !ok {
		d = NewHouse(log, nil).On(l, Config{})
	}
	for {
		c, err := d.Accept()
		if err != nil {
			return nil
		}
		handle(c)
	}
}

// The pauses after failures to accept. Each is twice as long as the one before, up to the longest.
const (
	firstWait = 5 * time.Millisecond
	lastWait  = time.Second
	logEvery  = 10 * time.Second
)

// accept accepts connections until the listener is closed. It tries again after a failure: a connection that is gone
// already, no free descriptor, no memory.
func (l *Listener) accept() {
	defer l.close()
	wait := firstWait
	var logged time.Time
	for {
		nc, err := l.raw.Accept()
		switch {
		case err == nil:
			wait = firstWait
			l.take(nc)
			continue
		case l.ctx.Err() != nil, errors.Is(err, net.ErrClosed):
			return
		}
		l.house.failed.WithLabelValues(l.cfg.Name).Inc()
		if time.Since(logged) > logEvery {
			logged = time.Now()
			l.house.log.Warn("cannot accept a connection; trying again", "door", l.cfg.Name, "err", err)
		}
		select {
		case <-l.ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, lastWait)
	}
}

// take admits a connection, after a proxy has named the client.
func (l *Listener) take(nc net.Conn) {
	c := &Conn{Conn: nc, l: l, from: addrOf(nc.RemoteAddr())}
	if n := l.house.open.Add(1); l.house.max > 0 && n > l.house.max {
		l.refuse(c, "descriptors")
		return
	}
	l.connections.Inc()
	c.counted = true
	if !l.cfg.Proxies.Has(c.from) {
		l.admit(c)
		return
	}
	if l.headers.Add(1) > maxHeaders {
		l.headers.Add(-1)
		l.refuse(c, TooManyPending)
		return
	}
	l.run.Go(func() {
		defer l.headers.Add(-1)
		if err := l.header(c); err != nil {
			l.house.log.Debug("refused a proxy's connection", "door", l.cfg.Name, "proxy", c.from.String(), "err", err)
			_ = c.Close()
			return
		}
		l.admit(c)
	})
}

// header reads the client's address from a proxy that sends it (PROXY protocol, version 1 or 2).
func (l *Listener) header(c *Conn) error {
	stop := context.AfterFunc(l.ctx, func() { _ = c.Conn.Close() })
	defer stop()
	_ = c.Conn.SetReadDeadline(time.Now().Add(l.cfg.Header))
	rest := bufio.NewReaderSize(c.Conn, 512)
	h, err := proxyproto.Read(rest)
	switch {
	case errors.Is(err, proxyproto.ErrNoProxyProtocol):
		c.shared = true
	case err != nil:
		return err
	case h.Command.IsProxy():
		if a := addrOf(h.SourceAddr); a.IsValid() {
			c.from, c.remote = a, h.SourceAddr
		} else {
			c.shared = true
		}
	default:
		c.shared = true // LOCAL: the proxy checks whether we are alive
	}
	if rest.Buffered() > 0 {
		c.rest = rest
	}
	return c.Conn.SetReadDeadline(time.Time{})
}

func (l *Listener) admit(c *Conn) {
	pass, why := l.gate.Enter(c.from, c.shared)
	if why != "" {
		l.refuse(c, why)
		return
	}
	c.pass = pass
	l.mu.Lock()
	l.conns[c] = struct{}{}
	if l.cfg.SignIn > 0 {
		c.late = time.AfterFunc(l.cfg.SignIn, func() { _ = c.Close() })
	}
	l.mu.Unlock()
	select {
	case l.ready <- c:
	case <-l.ctx.Done():
		_ = c.Close()
	}
}

func (l *Listener) refuse(c *Conn, why string) {
	l.house.refused.WithLabelValues(l.cfg.Name, why).Inc()
	l.house.log.Debug("connection refused", "door", l.cfg.Name, "remote", c.from.String(), "why", why)
	_ = c.Close()
}

func addrOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case nil:
		return netip.Addr{}
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}
