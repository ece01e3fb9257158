package c2s

import (
	"context"
	"sync"
	"time"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// outbound is the way to a client: its connection and the stanzas that it has not acknowledged (XEP-0198). It outlives
// the connection if the stream can be resumed. It is safe from any goroutine.
type outbound struct {
	srv *Server

	mu       sync.Mutex
	conn     *wire.Conn // nil: waiting to be resumed
	sm       bool
	resume   bool
	queue    ring   // sent and not acknowledged
	bytes    int    // of the queue
	sent     uint32 // stanzas sent since <enable/>, modulo 2^32 as XEP-0198 counts
	acked    uint32
	asked    bool // an <r/> is unanswered
	misses   int  // sweeps since the last <r/>
	waiting  bool // on the server's list of streams with unacknowledged stanzas
	dead     bool
	owner    *bound            // nil until the session is bound
	closing  bool              // Close was called before that
	why      *wire.StreamError // and why
	deadline *time.Timer       // while detached
	inactive bool              // XEP-0352
	early    bool              // the client has not learned yet that it is bound
	held     []unacked         // stanzas that wait while the client is inactive or early

	heldBytes int
}

type unacked struct {
	st *wire.Stanza
	to jid.JID
}

// Send queues a stanza for the client. If the client does not read, its connection is cut; a resumable stream then
// waits for the client, within the limits on unacknowledged stanzas.
func (o *outbound) Send(st *wire.Stanza, to jid.JID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead {
		return server.ErrClosed
	}
	if o.inactive || o.early {
		return o.pass(st, to)
	}
	return o.put(st, to)
}

// pass sends a stanza that cannot wait, after those that have waited.
func (o *outbound) pass(st *wire.Stanza, to jid.JID) error {
	if o.early {
		if len(o.held) >= maxHeld {
			return server.ErrClosed
		}
		o.held = append(o.held, unacked{st, to})
		return nil
	}
	if o.inactive && o.hold(st, to) {
		return nil
	}
	if err := o.release(); err != nil {
		return err
	}
	return o.put(st, to)
}

// put sends a stanza and keeps it until it is acknowledged.
func (o *outbound) put(st *wire.Stanza, to jid.JID) error {
	if !o.sm {
		err := o.conn.Send(st, to)
		if err == nil {
			st.Delivery.Taken()
		}
		return err
	}
	if o.queue.len() >= o.srv.cfg.SM.MaxStanzas || o.bytes >= o.srv.cfg.SM.MaxBytes {
		o.dead = true
		o.srv.endLater(o.owner, &wire.StreamError{
			Condition: "policy-violation",
			Text:      "too many unacknowledged stanzas",
		})
		return server.ErrClosed
	}
	st.Delivery.Held()
	o.queue.push(unacked{st, to})
	o.bytes += len(st.Payload) + stanzaCost
	o.sent++
	if o.conn == nil {
		o.owner.session.Asleep(st)
		return nil
	}
	if o.conn.Send(st, to) != nil {
		return nil // the reader notices the lost connection; the stanza is in the queue
	}
	o.ask()
	return nil
}

// stanzaCost is the number of bytes that a queued stanza counts besides its payload.
const stanzaCost = 256

// ask sends an <r/> when enough stanzas are unacknowledged. The server's sweep asks for smaller numbers, so that not
// every stanza costs an answer.
func (o *outbound) ask() {
	if !o.waiting {
		o.waiting = true
		o.srv.sweep.add(o)
	}
	if !o.asked && o.sent-o.acked >= uint32(o.srv.cfg.SM.AckEvery) {
		o.asked, o.misses = true, 0
		_ = o.conn.WriteRaw(ackRequest)
	}
}

var ackRequest = []byte(`<r xmlns='urn:xmpp:sm:3'/>`)

// acknowledge takes the client's count. It returns false if that is more than was ever sent.
func (o *outbound) acknowledge(h uint32) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := h - o.acked // modulo 2^32
	if n > uint32(o.queue.len()) {
		return false
	}
	for range n {
		u := o.queue.pop()
		o.bytes -= len(u.st.Payload) + stanzaCost
		u.st.Delivery.Acknowledged()
	}
	o.acked = h
	o.asked = false
	return true
}

// enable turns stream management on for everything that is sent after answer.
func (o *outbound) enable(resume bool, answer []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != nil {
		_ = o.conn.WriteRaw(answer)
	}
	o.sm, o.resume = true, resume
}

// detach takes the connection from the session until the client resumes. It returns false if the session cannot be
// resumed.
func (o *outbound) detach(conn *wire.Conn) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.resume || o.dead || o.conn != conn {
		return false
	}
	o.conn, o.asked, o.inactive = nil, false, false // a client that resumes is active (XEP-0352, section 5.1)
	_ = o.release()                                 // into the queue of unacknowledged stanzas
	o.queue.each(func(u unacked) { o.owner.session.Asleep(u.st) })
	o.deadline = time.AfterFunc(o.srv.cfg.SM.ResumeTimeout, func() { o.owner.end(nil) })
	return true
}

// attach continues on another connection: it sends hello first and then everything that the client has not received.
func (o *outbound) attach(conn *wire.Conn, h uint32, hello []byte) error {
	if !o.acknowledge(h) {
		return errTooHigh
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead || o.conn != nil {
		return server.ErrClosed
	}
	if o.deadline != nil && !o.deadline.Stop() {
		return server.ErrClosed // its time ran out just now
	}
	o.deadline, o.conn, o.asked = nil, conn, false
	conn.Cork()
	defer conn.Uncork()
	_ = conn.WriteRaw(hello)
	o.queue.each(func(u unacked) { _ = conn.Send(u.st, u.to) })
	if o.queue.len() > 0 {
		o.asked, o.misses = true, 0
		_ = conn.WriteRaw(ackRequest)
		if !o.waiting {
			o.waiting = true
			o.srv.sweep.add(o)
		}
	}
	return nil
}

// Close ends the session, with a stream error if err is not nil.
func (o *outbound) Close(err *wire.StreamError) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owner != nil {
		o.srv.endLater(o.owner, err)
		return
	}
	o.closing, o.why, o.dead = true, err, true
}

// carries sets the session. A session that was closed while it was being bound ends now.
func (o *outbound) carries(b *bound) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owner = b
	if o.closing {
		o.srv.endLater(b, o.why)
	}
}

// kill makes every later Send fail. It returns the unacknowledged stanzas and the current connection, if any.
func (o *outbound) kill() (left []*wire.Stanza, conn *wire.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dead = true
	o.resume = false
	if o.deadline != nil {
		o.deadline.Stop()
	}
	o.queue.each(func(u unacked) { left = append(left, u.st) })
	o.queue = ring{}
	return left, o.conn
}

// ring is a queue that reuses its memory. It frees the memory when it stays empty (see shrink).
type ring struct {
	buf  []unacked
	head int
	n    int
}

func (r *ring) len() int { return r.n }

func (r *ring) push(u unacked) {
	if r.n == len(r.buf) {
		now := make([]unacked, max(4, 2*len(r.buf)))
		for i := range r.n {
			now[i] = r.buf[(r.head+i)%len(r.buf)]
		}
		r.buf, r.head = now, 0
	}
	r.buf[(r.head+r.n)%len(r.buf)] = u
	r.n++
}

func (r *ring) pop() unacked {
	u := r.buf[r.head]
	r.buf[r.head] = unacked{}
	r.head = (r.head + 1) % len(r.buf)
	r.n--
	if r.n == 0 && len(r.buf) > 64 {
		r.buf, r.head = nil, 0
	}
	return u
}

func (r *ring) each(f func(unacked)) {
	for i := range r.n {
		f(r.buf[(r.head+i)%len(r.buf)])
	}
}

// sweep asks every few seconds for acknowledgements on the streams whose few stanzas did not cause an <r/>. Streams
// without unacknowledged stanzas cost nothing.
type sweep struct {
	mu   sync.Mutex
	list []*outbound
}

func (w *sweep) add(o *outbound) {
	w.mu.Lock()
	w.list = append(w.list, o)
	w.mu.Unlock()
}

func (w *sweep) run(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		w.mu.Lock()
		list := w.list
		w.list = nil
		w.mu.Unlock()
		for _, o := range list {
			if o.sweep() {
				w.add(o)
			}
		}
	}
}

// sweep reports whether the stream stays on the list. A client that leaves an <r/> unanswered for several sweeps has
// lost its connection: the server cuts it, and the client may resume.
func (o *outbound) sweep() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead || o.queue.len() == 0 || o.conn == nil {
		o.waiting = false
		return false
	}
	if !o.asked {
		o.asked, o.misses = true, 0
		_ = o.conn.WriteRaw(ackRequest)
		return true
	}
	if o.misses++; o.misses >= o.srv.cfg.SM.MaxMisses {
		o.conn.Abort(errNoAck)
	}
	return true
}
