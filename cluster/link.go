package cluster

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"parley/store"
)

// The times of links.
const (
	pingEvery   = 500 * time.Millisecond
	silentAfter = 5 * time.Second // a link on which nothing was heard for so long is made anew
	dialTime    = 3 * time.Second
	firstPause  = 50 * time.Millisecond // between two attempts to make a link; it doubles
	mostPause   = time.Second
)

// maxAsked is how many answers of one node are waited for.
const maxAsked = 100_000

// link is the connection to another node that this one makes, again and again until it ends. A connection goes on
// where the last one has ended: frames that the node has not acknowledged are sent again, and so are its answers.
// When too much waits for it, that is given up, and the link begins anew.
type link struct {
	bus   *Bus
	node  store.ClusterNode
	heard atomic.Int64 // when a frame came last, in nanoseconds since the bus began
	told  atomic.Int64 // the same of what the node says over its own link
	// refused says that the node's address refuses connections: nothing listens there.
	refused atomic.Bool
	asked   counter
	ctx     context.Context
	stop    context.CancelFunc
	over    chan struct{} // closed when run returns

	mu      sync.Mutex
	flow    uint64  // names what goes on from one connection to the next
	begun   bool    // the node knows of the flow
	lost    bool    // something could not be kept: the flow is given up
	out     *outbox // of the flow
	come    uint64  // answers of the flow
	conn    net.Conn
	waiting map[uint64]*Question
}

// errLost ends a connection whose flow is given up.
var errLost = errors.New("too much waited for the server: it is told everything anew")

func newLink(b *Bus, n store.ClusterNode) *link {
	l := &link{
		bus: b, node: n, waiting: make(map[uint64]*Question), over: make(chan struct{}),
		flow: b.flowed.next(), out: newOutbox(b.metrics),
	}
	l.ctx, l.stop = context.WithCancel(b.ctx)
	l.note() // it has this long to be heard for the first time
	l.told.Store(l.heard.Load())
	return l
}

func (l *link) peer() Peer { return Peer{l.node.ID, l.node.Incarnation} }

// end ends the link for ever.
func (l *link) end() {
	l.stop()
	<-l.over
	for _, w := range l.bus.watchers {
		if w.Gone != nil {
			w.Gone(l.peer())
		}
	}
}

// run makes connections one after the other.
func (l *link) run() {
	defer close(l.over)
	defer l.renew()
	told := false
	for pause := firstPause; l.ctx.Err() == nil; {
		c, err := l.connect()
		if err == nil {
			pause, told = firstPause, false
			err = l.serve(c)
		}
		if l.isLost() {
			l.renew()
		}
		if l.ctx.Err() == nil && !told {
			told = true
			l.bus.cfg.Log.Warn("no link to another server", "server", about(l.node), "err", err)
		}
		t := time.NewTimer(pause)
		select {
		case <-l.ctx.Done():
			t.Stop()
		case <-t.C:
			pause = min(2*pause, mostPause)
		}
	}
}

// connect makes a connection: the node says which one it is, then both prove by certificate that they belong to the
// cluster, then this one says which incarnation it is, and both say how much has come before.
func (l *link) connect() (*connection, error) {
	ctx, cancel := context.WithTimeout(l.ctx, dialTime)
	defer cancel()
	if onLoopback(l.node.Address) && (l.node.Scope == "" || l.node.Scope != scope()) {
		return nil, fmt.Errorf(
			"%s is an address on another machine's loopback: set cluster.address there", l.node.Address)
	}
	raw, err := l.bus.cfg.Dial(ctx, "tcp", l.node.Address)
	l.refused.Store(errors.Is(err, syscall.ECONNREFUSED))
	if err != nil {
		return nil, err
	}
	c, err := l.greet(ctx, raw)
	if err != nil {
		_ = raw.Close()
	}
	return c, err
}

// connection is a connection to another node that is ready for frames.
type connection struct {
	net.Conn
	r *bufio.Reader
}

func (l *link) greet(ctx context.Context, raw net.Conn) (*connection, error) {
	if deadline, ok := ctx.Deadline(); ok {
		if err := raw.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	want := hello(l.node.ID, l.node.Incarnation)
	line := make([]byte, len(want))
	if _, err := io.ReadFull(raw, line); err != nil {
		return nil, err
	}
	if string(line) != want {
		l.refused.Store(strings.HasPrefix(string(line), "parley ")) // another server has its address by now
		return nil, fmt.Errorf("at %s another program answers", l.node.Address)
	}
	c := tls.Client(raw, l.bus.authority.client(l.node.ID))
	r := bufio.NewReaderSize(c, 64<<10)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	if err := l.resume(&connection{c, r}); err != nil {
		return nil, err
	}
	return &connection{c, r}, raw.SetDeadline(time.Time{})
}

// resume agrees with the node on where the link goes on.
func (l *link) resume(c *connection) error {
	l.mu.Lock()
	b := binary.BigEndian.AppendUint64(nil, uint64(l.bus.cfg.Self.Incarnation))
	b = binary.BigEndian.AppendUint64(b, l.flow)
	b = binary.BigEndian.AppendUint64(b, l.come)
	l.mu.Unlock()
	if _, err := c.Write(appendFrame(nil, frame{kind: frameTell, payload: b})); err != nil {
		return err
	}
	f, err := readFrame(c.r)
	if err != nil {
		return err
	}
	if f.kind != frameResume || len(f.payload) != 8 {
		return fmt.Errorf("%w: the first one back", errFrame)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost || !l.out.resume(binary.BigEndian.Uint64(f.payload)) {
		l.lost = true
		return errLost
	}
	return nil
}

func (l *link) isLost() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// loseLocked gives the flow up: something could not be kept for the node.
func (l *link) loseLocked() {
	l.lost = true
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// renew begins a new flow. Questions of the old one get no answer.
func (l *link) renew() {
	l.mu.Lock()
	begun, lost := l.begun, l.waiting
	l.flow, l.begun, l.lost, l.out, l.come = l.bus.flowed.next(), false, false, newOutbox(l.bus.metrics), 0
	l.waiting = make(map[uint64]*Question)
	l.mu.Unlock()
	for _, number := range slices.Sorted(maps.Keys(lost)) { // in the order in which they were asked
		q := lost[number]
		l.bus.metrics.unanswered.Inc()
		q.end(nil, ErrUnanswered)
	}
	if !begun {
		return
	}
	for _, w := range l.bus.watchers {
		if w.Down != nil {
			w.Down(l.peer())
		}
	}
}

// serve uses a connection until it ends.
func (l *link) serve(c *connection) error {
	l.mu.Lock()
	out, first := l.out, !l.begun
	l.conn, l.begun = c, true
	if l.lost {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.note()
	done := make(chan error, 3)
	stopped := make(chan struct{})
	l.bus.work.Go(func() { done <- out.write(c, stopped) })
	l.bus.work.Go(func() { done <- l.read(c, out) })
	l.bus.work.Go(func() { done <- l.ping(out, stopped) })
	for _, w := range l.bus.watchers {
		if first && w.Up != nil {
			w.Up(l.peer())
		}
	}
	var err error
	left := 3
	select {
	case err = <-done:
		left--
	case <-l.ctx.Done():
	}
	close(stopped)
	_ = c.Close()
	for range left {
		<-done
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = nil
	return err
}

// note notes that a frame has come just now.
func (l *link) note() { l.heard.Store(int64(time.Since(l.bus.began))) }

// silent gives how long nothing was heard of the node. It goes by no clock that can be set.
func (l *link) silent() time.Duration { return time.Since(l.bus.began) - time.Duration(l.heard.Load()) }

// ackEvery is after how many frames they are acknowledged, if that is not done sooner.
const ackEvery = 256

// read takes answers.
func (l *link) read(c *connection, out *outbox) error {
	for {
		f, err := readFrame(c.r)
		if err != nil {
			return err
		}
		l.note()
		l.bus.metrics.received(f)
		switch f.kind {
		case frameAnswer, frameRefusal:
			if l.answered(f)%ackEvery == 0 {
				_ = out.add(l.sign()) // without it they are kept for a while longer
			}
		case framePong:
			if len(f.payload) != 8 || !out.ack(binary.BigEndian.Uint64(f.payload)) {
				return fmt.Errorf("%w: it acknowledges what was not sent", errFrame)
			}
		default:
			return fmt.Errorf("%w: type %d on the way back", errFrame, f.kind)
		}
	}
}

// sign is a ping: it says how many answers have come.
func (l *link) sign() frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	return frame{kind: framePing, payload: binary.BigEndian.AppendUint64(nil, l.come)}
}

// answered takes an answer, and counts it.
func (l *link) answered(f frame) uint64 {
	l.mu.Lock()
	q := l.waiting[f.number]
	delete(l.waiting, f.number)
	l.come++
	n := l.come
	l.mu.Unlock()
	if q == nil {
		return n // nobody waits for it any more
	}
	if !q.asked.IsZero() {
		l.bus.metrics.answers.Observe(time.Since(q.asked).Seconds())
	}
	switch {
	case f.kind == frameAnswer:
		q.end(f.payload, nil)
	case string(f.payload) == ErrBusy.Error():
		l.bus.metrics.busyThere.Inc()
		q.end(nil, ErrBusy)
	default:
		q.end(nil, Refusal(f.payload))
	}
	return n
}

// ping asks for a sign of life now and then.
func (l *link) ping(out *outbox, stopped <-chan struct{}) error {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-stopped:
			return nil
		case <-t.C:
		}
		if silent := l.silent(); silent > silentAfter {
			return fmt.Errorf("the server was silent for %v", silent.Round(time.Second))
		}
		if err := out.add(l.sign()); err != nil && !errors.Is(err, ErrBusy) {
			return err
		}
	}
}

// send queues a frame, which comes even if the connection ends meanwhile. If it cannot be kept, the link begins anew.
func (l *link) send(f frame) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.begun || l.lost {
		return ErrNoLink
	}
	err := l.out.add(f)
	if err != nil {
		l.loseLocked()
	}
	return err
}

// ask sends a frame under a number, by which its answer finds q.
func (l *link) ask(q *Question, f frame) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.begun || l.lost {
		return ErrNoLink
	}
	if len(l.waiting) >= maxAsked {
		l.bus.metrics.busyHere.Inc()
		return ErrBusy
	}
	f.number = l.asked.next()
	if err := l.out.add(f); err != nil {
		return err
	}
	q.number = f.number
	l.waiting[f.number] = q
	return nil
}

// forget forgets a question, for whose answer nobody waits any more. It returns false if the answer has come.
func (l *link) forget(number uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, waits := l.waiting[number]
	delete(l.waiting, number)
	return waits
}
