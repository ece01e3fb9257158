package wire

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"parley/wire/jid"
)

var (
	// ErrFull says that the peer does not read what it gets; its connection is cut.
	ErrFull = errors.New("wire: the peer does not read; its queue is full")
	// ErrClosed says that the connection is closed.
	ErrClosed = errors.New("wire: connection is closed")
)

// ConnConfig holds the limits of a Conn.
type ConnConfig struct {
	MaxQueue     int           // bytes queued and not yet written; 0: 4 MiB
	WriteTimeout time.Duration // for one write; 0: a minute
	// WriteFrame writes one element as a message of its own (WebSocket). It is nil for a byte stream.
	WriteFrame func([]byte) error
}

// Conn is the write side of a connection. Send never waits: it queues, and a goroutine writes everything in the queue
// at once and then ends. An idle Conn has neither a goroutine nor a buffer. It is safe from any goroutine.
type Conn struct {
	cfg ConnConfig

	mu       sync.Mutex
	idle     sync.Cond // signalled when writing ends
	nc       net.Conn
	buf      []byte    // queued; nil when empty
	ends     []int     // with WriteFrame: the end of each element in buf
	held     []Receipt // of stanzas in buf; see SendHeld
	inFlight int       // bytes being written
	writing  bool
	corked   int
	err      error         // why the connection takes nothing more
	closed   bool          // nc is closed, or is being closed
	cutting  bool          // a goroutine closes nc; Close waits for it
	cut      time.Time     // after it no further frame is begun; set by Close
	done     chan struct{} // made by the first who asks; closed with err
}

// NewConn returns a Conn that writes to nc.
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

// Send queues a stanza, addressed to `to`. It returns ErrFull if the peer reads too slowly and is being cut, and
// ErrClosed or another reason (see Err) if the connection has ended.
func (c *Conn) Send(st *Stanza, to jid.JID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sendLocked(st, to)
}

// SendHeld is like Send, and keeps the stanza from counting as handled on the stream that it came from (see
// Stanza.Hold) until it is written here or cannot be written, and for d at most.
func (c *Conn) SendHeld(st *Stanza, to jid.JID, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.sendLocked(st, to); err != nil {
		return err
	}
	st.HoldFor(d)
	c.held = append(c.held, st.Receipt)
	return nil
}

func (c *Conn) sendLocked(st *Stanza, to jid.JID) error {
	root := Inherit
	if c.cfg.WriteFrame != nil {
		root = Client
	}
	if c.err != nil {
		return c.err
	}
	c.reserve(len(st.Payload) + len(st.Text) + len(to.String()) + 256)
	c.buf = st.AppendXML(c.buf, to, root)
	return c.queued()
}

// WriteRaw queues one element, or a stream header, as it is. The caller may reuse b when WriteRaw has returned. Errors
// are those of Send.
func (c *Conn) WriteRaw(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	c.reserve(len(b))
	c.buf = append(c.buf, b...)
	return c.queued()
}

// reserve makes room for about n more bytes in buf, from the pools as long as they have such sizes.
func (c *Conn) reserve(n int) {
	switch need := len(c.buf) + n; {
	case need <= cap(c.buf):
	case c.buf == nil && need <= smallBuffer:
		c.buf = small.Get().(*[smallBuffer]byte)[:0]
	case cap(c.buf) < largeBuffer && need <= largeBuffer:
		b := append(large.Get().(*[largeBuffer]byte)[:0], c.buf...)
		giveBuffer(c.buf)
		c.buf = b
	}
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

// startLocked starts the writer. A cork does not hold back what fills a TLS record, since that would gain nothing.
func (c *Conn) startLocked() {
	if !c.writing && len(c.buf) > 0 && (c.corked == 0 || len(c.buf) >= 16<<10) {
		c.writing = true
		go c.write()
	}
}

// endLocked sets the reason why the connection takes nothing more.
func (c *Conn) endLocked(err error) {
	if c.err == nil {
		c.err = err
		if c.done != nil {
			close(c.done)
		}
	}
}

// failLocked cuts the connection and drops the queue.
func (c *Conn) failLocked(err error) {
	c.endLocked(err)
	giveBuffer(c.buf)
	settle(c.held)
	c.buf, c.ends, c.held = nil, nil, nil
	if !c.closed {
		c.closed, c.cutting = true, true
		go c.cutOff(c.nc) // a TLS close may wait for a writer that waits for the peer
	}
}

// cutOff closes the connection on a goroutine of its own.
func (c *Conn) cutOff(nc net.Conn) {
	_ = nc.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutting = false
	c.idle.Broadcast()
}

// Abort cuts the connection at once. Err says err from then on, unless the connection had ended before.
func (c *Conn) Abort(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failLocked(err)
}

// Err returns why the connection takes nothing more: ErrFull, ErrClosed, the error given to Abort, or the error of a
// write (a timeout means that the peer does not read). It returns nil while the connection works.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Done returns a channel that is closed when the connection takes nothing more; Err then returns the reason.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Cork holds back writing until Uncork has been called as often. Everything sent in between goes out in one write, or
// in several that each fill a TLS record. This delays what other goroutines send, too: do nothing between the two that
// may wait.
func (c *Conn) Cork() {
	c.mu.Lock()
	c.corked++
	c.mu.Unlock()
}

// Uncork ends one Cork. Without a Cork it does nothing.
func (c *Conn) Uncork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked = max(c.corked-1, 0)
	c.startLocked()
}

// UncorkWrite ends one Cork and writes the queue in the caller's goroutine, which may take up to WriteTimeout. It is
// for the goroutine that reads the connection: while a peer does not read, it is not read from.
func (c *Conn) UncorkWrite() {
	c.mu.Lock()
	c.corked = max(c.corked-1, 0)
	if c.writing || c.corked > 0 || len(c.buf) == 0 {
		c.mu.Unlock()
		return
	}
	c.writing = true
	c.mu.Unlock()
	c.write()
}

// write writes until the queue is empty. c.writing makes it the only writer.
func (c *Conn) write() {
	c.mu.Lock()
	for len(c.buf) > 0 {
		b, ends, held, nc, cut := c.buf, c.ends, c.held, c.nc, c.cut
		c.buf, c.ends, c.held, c.inFlight = nil, nil, nil, len(b)
		c.mu.Unlock()
		err := c.writeOut(nc, b, ends, cut)
		giveBuffer(b)
		settle(held)
		c.mu.Lock()
		c.inFlight = 0
		if err != nil {
			c.failLocked(err)
		}
	}
	if c.err == nil && c.cfg.WriteFrame == nil {
		// An old deadline would break writes of TLS itself, such as a key update, and its timer would wake us.
		_ = c.nc.SetWriteDeadline(time.Time{})
	}
	c.writing = false
	c.idle.Broadcast()
	c.mu.Unlock()
}

func (c *Conn) writeOut(nc net.Conn, b []byte, ends []int, cut time.Time) error {
	if c.cfg.WriteFrame == nil {
		// The deadline is set each time, since the owner of nc sets deadlines, too, and a write without one could wait
		// for ever.
		if err := nc.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout)); err != nil {
			return err
		}
		_, err := nc.Write(b)
		return err
	}
	from := 0
	for _, end := range ends {
		if !cut.IsZero() && time.Now().After(cut) {
			return os.ErrDeadlineExceeded
		}
		if err := c.cfg.WriteFrame(b[from:end]); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// Flush waits until everything queued so far is written, corked or not. It returns the reason if the connection was cut
// meanwhile.
func (c *Conn) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drainLocked()
	if c.err == ErrClosed {
		return nil
	}
	return c.err
}

// drainLocked waits until the queue is empty.
func (c *Conn) drainLocked() {
	for c.writing || len(c.buf) > 0 {
		if !c.writing {
			c.writing = true
			go c.write()
		}
		c.idle.Wait()
	}
}

// Swap continues on another connection to the same peer, after STARTTLS. What is queued is written to the old one
// first.
func (c *Conn) Swap(nc net.Conn) {
	c.mu.Lock()
	c.drainLocked()
	closed := c.closed
	if !closed {
		c.nc = nc
	}
	c.mu.Unlock()
	if closed { // cut meanwhile; nobody else would close it
		_ = nc.Close()
	}
}

// Close writes the queue and the final elements, then closes the connection. It returns when that is done, after about
// twice WriteTimeout at most. A second call only waits for the first.
func (c *Conn) Close(final ...[]byte) {
	c.mu.Lock()
	if c.err == nil {
		for _, b := range final {
			c.reserve(len(b))
			c.buf = append(c.buf, b...)
			if len(b) > 0 && c.cfg.WriteFrame != nil {
				c.ends = append(c.ends, len(c.buf))
			}
		}
		c.cut = time.Now().Add(c.cfg.WriteTimeout)
		c.endLocked(ErrClosed)
	}
	c.drainLocked()
	for c.cutting {
		c.idle.Wait()
	}
	closed := c.closed
	c.closed = true
	nc := c.nc
	c.mu.Unlock()
	if !closed {
		_ = nc.Close()
	}
}
