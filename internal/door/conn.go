package door

import (
	"bufio"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Conn is a connection that has come in. Its remote address is the client's, whichever proxy has brought it.
type Conn struct {
	net.Conn
	l       *Listener
	from    netip.Addr
	remote  net.Addr      // nil: the connection's own
	shared  bool          // from is a proxy that does not say whom it connects for
	counted bool          // in the house's metrics
	rest    *bufio.Reader // what came with a proxy's line; nil when it has been read
	pass    *Pass
	late    *time.Timer // closes who does not sign in
	once    sync.Once
}

// RemoteAddr gives the client's address.
func (c *Conn) RemoteAddr() net.Addr {
	if c.remote != nil {
		return c.remote
	}
	return c.Conn.RemoteAddr()
}

// NetConn gives the connection as the machine has it: it is not to be read from.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Read reads within the listener's time.
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

// Write writes within the listener's time. Who does not read in that time is cut: half of something may have gone out.
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

// CloseWrite says that nothing more comes from us.
func (c *Conn) CloseWrite() error {
	if h, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close closes the connection, and gives its place back. It may be called more than once.
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

// SignedIn says that the connection's client has shown who it is: it is no longer one of those that have not, and is not
// closed for that. Connections of other kinds are left alone.
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

// SignedOut takes SignedIn back: the client has as long as a new one to show who it is.
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

// Shared says that the connection's address is a proxy's which does not say whom it connects for.
func Shared(nc net.Conn) bool {
	c, ok := nc.(*Conn)
	return ok && c.shared
}

// KeepAlive has the machine look now and then whether a silent peer is still there.
func KeepAlive(nc net.Conn, every time.Duration) {
	if c, ok := nc.(*Conn); ok {
		nc = c.Conn
	}
	if t, ok := nc.(*net.TCPConn); ok && every > 0 {
		_ = t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: every, Interval: every / 4, Count: 4})
	}
}
