package wire

import (
	"errors"
	"net"
	"sync"
	"time"

	"parley/wire/jid"
)

var (
	// ErrFull says that the peer does not read what it gets; its connection is closed.
	ErrFull = errors.New("wire: the peer does not read; its queue is full")
	// ErrClosed says that the connection is closed.
	ErrClosed = errors.New("wire: connection is closed")
)

var buffers = sync.Pool{New: func() any { b := make([]byte, 4096); return &b }}

// ConnConfig bounds the write side of a connection.
type ConnConfig struct {
	MaxQueue     int           // bytes queued and not yet written; 0: 4 MiB
	WriteTimeout time.Duration // for one write; 0: a minute
	// WriteFrame writes one element as a message of its own (WebSocket); nil for a byte stream.
	WriteFrame func([]byte) error
}

// Conn is the write side of a connection. Send never waits: it queues, and a goroutine that lives while there is
// something to write writes all that has gathered at once. Safe from any goroutine.
type Conn struct {
	cfg ConnConfig

	mu       sync.Mutex
	idle     sync.Cond // signalled when writing ends
	nc       net.Conn
	buf      []byte // queued; nil when empty
	ends     []int  // with WriteFrame: where each element ends in buf
	inFlight int    // bytes being written
	writing  bool
	corked   int
	err      error // why nothing more is taken
	deadline time.Time
}

// NewConn writes to nc.
func NewConn(nc net.Conn, cfg ConnConfig) *Conn {
	if cfg.MaxQueue <= 0 {
		cfg.MaxQueue = 4 << 20
	}
	if cfg.WriteTimeout <= 0 {
		cfg.WriteTimeout = time.Minute
	}
	c := &Conn{nc: nc, cfg: cfg}
	c.idle.L = &c.mu
	return c
}

// Send queues a stanza addressed to `to`. ErrFull: the peer reads too slowly and is being cut. ErrClosed: it is gone.
func (c *Conn) Send(st *Stanza, to jid.JID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.room(); err != nil {
		return err
	}
	root := Inherit
	if c.cfg.WriteFrame != nil {
		root = Client
	}
	c.buf = st.AppendXML(c.buf, to, root)
	return c.queued()
}

// WriteRaw queues one element, or a stream's header, as it is. b may be used again when it returns.
func (c *Conn) WriteRaw(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.room(); err != nil {
		return err
	}
	c.buf = append(c.buf, b...)
	return c.queued()
}

// room makes ready for more in buf.
func (c *Conn) room() error {
	if c.err != nil {
		return c.err
	}
	if c.buf == nil {
		c.buf = (*buffers.Get().(*[]byte))[:0]
	}
	return nil
}

func (c *Conn) queued() error {
	if len(c.buf)+c.inFlight > c.cfg.MaxQueue {
		c.failLocked(ErrFull)
		return ErrFull
	}
	if c.cfg.WriteFrame != nil {
		c.ends = append(c.ends, len(c.buf))
	}
	c.startLocked()
	return nil
}

func (c *Conn) startLocked() {
	if !c.writing && c.corked == 0 && len(c.buf) > 0 {
		c.writing = true
		go c.write()
	}
}

// failLocked cuts the connection; what is queued is lost.
func (c *Conn) failLocked(err error) {
	if c.err == nil {
		c.err = err
	}
	c.buf, c.ends = nil, nil
	nc := c.nc
	go nc.Close() // a TLS close may wait for a writer that waits for the peer
}

// Abort cuts the connection at once.
func (c *Conn) Abort(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failLocked(err)
}

// Err says why nothing more is taken; nil while all is well.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Cork holds writing back until as many Uncorks: what is sent in between goes in one write.
func (c *Conn) Cork() {
	c.mu.Lock()
	c.corked++
	c.mu.Unlock()
}

// Uncork ends a Cork.
func (c *Conn) Uncork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked--
	c.startLocked()
}

// UncorkWrite ends a Cork and writes what has gathered from the caller's own goroutine, which may take as long as a
// write may. For the connection's reader: a peer that does not read is not read from.
func (c *Conn) UncorkWrite() {
	c.mu.Lock()
	c.corked--
	if c.writing || c.corked > 0 || len(c.buf) == 0 {
		c.mu.Unlock()
		return
	}
	c.writing = true
	c.mu.Unlock()
	c.write()
}

// write writes until the queue is empty. It is the only writer while c.writing.
func (c *Conn) write() {
	c.mu.Lock()
	for c.buf != nil && len(c.buf) > 0 {
		b, ends, nc := c.buf, c.ends, c.nc
		c.buf, c.ends, c.inFlight = nil, nil, len(b)
		if now := time.Now(); c.deadline.Sub(now) < c.cfg.WriteTimeout*3/4 {
			c.deadline = now.Add(c.cfg.WriteTimeout)
			_ = nc.SetWriteDeadline(c.deadline)
		}
		c.mu.Unlock()
		err := c.writeOut(nc, b, ends)
		if cap(b) == 4096 {
			b = b[:4096]
			buffers.Put(&b)
		}
		c.mu.Lock()
		c.inFlight = 0
		if err != nil {
			c.failLocked(err)
		}
	}
	c.writing = false
	c.idle.Broadcast()
	c.mu.Unlock()
}

func (c *Conn) writeOut(nc net.Conn, b []byte, ends []int) error {
	if c.cfg.WriteFrame == nil {
		_, err := nc.Write(b)
		return err
	}
	from := 0
	for _, end := range ends {
		if err := c.cfg.WriteFrame(b[from:end]); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// Flush waits until all that was queued is written.
func (c *Conn) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.writing {
		c.idle.Wait()
	}
	return c.err
}

// Swap goes on with another connection over the same peer (after STARTTLS); nothing may be queued.
func (c *Conn) Swap(nc net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.writing {
		c.idle.Wait()
	}
	c.nc, c.deadline = nc, time.Time{}
}

// Close writes what is queued and the final elements, then closes the connection. It returns when that is done, after WriteTimeout
// at the latest. Closing again does nothing.
func (c *Conn) Close(final ...[]byte) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	for _, b := range final {
		_ = c.room()
		c.buf = append(c.buf, b...)
		if c.cfg.WriteFrame != nil {
			c.ends = append(c.ends, len(c.buf))
		}
	}
	c.corked = 0
	c.startLocked()
	c.err = ErrClosed
	for c.writing {
		c.idle.Wait()
	}
	nc := c.nc
	c.mu.Unlock()
	_ = nc.Close()
}
