package door

import (
	"bufio"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Conn is an accepted connection. Its remote address is the client's, also behind a proxy.
type Conn struct {
	net.Conn
	l       *Listener
	from    netip.Addr
	remote  net.Addr      // nil: the connection's own
	shared  bool          // from is a proxy that does not name its client
	counted bool          // counted in the house's metrics
	rest    *bufio.Reader // bytes behind a proxy's line; nil once they have been read
	pass    *Pass
	late    *time.Timer // closes a connection without a sign-in
	once    sync.Once
}

// RemoteAddr returns the client's address.
func (c *Conn) RemoteAddr() net.Addr {
	if c.remote != nil {
		return c.remote
	}
	return c.Conn.RemoteAddr()
}

// NetConn returns the underlying connection. Do not read from it.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Read reads within the listener's time limit.
func (c *Conn) Read(b []byte) (int, error) {
	if c.rest != nil {
		n, err := c.rest.Read(b)
		if c.rest.Buffered() == 0 {
			c.rest = nil
		}
		return n, err
	}
	if d := c.l.cfg.Idle; d > 0 {
		_ = c.Conn.SetReadDeadline(time.Now().Add(d))
	}
	return c.Conn.Read(b)
}

// Write writes within the listener's time limit. A client that does not read in time is cut, possibly in the middle of
// a message.
func (c *Conn) Write(b []byte) (int, error) {
	d := c.l.cfg.Write
	if d <= 0 {
		return c.Conn.Write(b)
	}
	_ = c.Conn.SetWriteDeadline(time.Now().Add(d))
	n, err := c.Conn.Write(b)
	if err != nil {
		_ = c.Close()
	}
	return n, err
}

// CloseWrite ends our side of the connection.
func (c *Conn) CloseWrite() error {
	if h, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close closes the connection and frees its place. It may be called more than once.
func (c *Conn) Close() error {
	c.once.Do(func() {
		c.l.mu.Lock()
		delete(c.l.conns, c)
		if c.late != nil {
			c.late.Stop()
		}
		c.l.mu.Unlock()
		c.pass.Leave()
		c.l.house.open.Add(-1)
		if c.counted {
			c.l.connections.Dec()
		}
	})
	return c.Conn.Close()
}

// SignedIn says that the connection's client has signed in: the connection no longer counts as pending, and is no
// longer closed for being so. It does nothing for other kinds of connections.
func SignedIn(nc net.Conn) {
	c, ok := nc.(*Conn)
	if !ok {
		return
	}
	c.pass.SignedIn()
	if c.late != nil {
		c.late.Stop()
	}
}

// SignedOut reverts SignedIn: the client has as much time to sign in as a new one.
func SignedOut(nc net.Conn) {
	c, ok := nc.(*Conn)
	if !ok {
		return
	}
	c.pass.signedOut()
	if c.late != nil {
		c.late.Reset(c.l.cfg.SignIn)
	}
}

// Shared reports whether the connection's address is that of a proxy which does not name its clients.
func Shared(nc net.Conn) bool {
	c, ok := nc.(*Conn)
	return ok && c.shared
}

// KeepAlive makes the operating system check at this interval whether a silent peer is still there; 0 leaves the
// system's default.
func KeepAlive(nc net.Conn, every time.Duration) {
	if c, ok := nc.(*Conn); ok {
		nc = c.Conn
	}
	if t, ok := nc.(*net.TCPConn); ok && every > 0 {
		_ = t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: every, Interval: every / 4, Count: 4})
	}
}
