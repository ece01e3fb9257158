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

// link is the connection to another node that this one makes, again and again until it ends.
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
	out     *outbox // nil: there is no connection
	waiting map[uint64]*Question
}

func newLink(b *Bus, n store.ClusterNode) *link {
	l := &link{bus: b, node: n, waiting: make(map[uint64]*Question), over: make(chan struct{})}
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
	told := false
	for pause := firstPause; l.ctx.Err() == nil; {
		c, err := l.connect()
		if err == nil {
			pause, told = firstPause, false
			err = l.serve(c)
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
// cluster, then this one says which incarnation it is.
func (l *link) connect() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(l.ctx, dialTime)
	defer cancel()
	if onLoopback(l.node.Address) && (l.node.Scope == "" || l.node.Scope != scope()) {
		return nil, fmt.Errorf("%s is an address on another machine's loopback: set cluster.address there", l.node.Address)
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

func (l *link) greet(ctx context.Context, raw net.Conn) (net.Conn, error) {
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
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	first := frame{kind: frameTell, payload: binary.BigEndian.AppendUint64(nil, uint64(l.bus.cfg.Self.Incarnation))}
	if _, err := c.Write(appendFrame(nil, first)); err != nil {
		return nil, err
	}
	return c, raw.SetDeadline(time.Time{})
}

// serve uses a connection until it ends.
func (l *link) serve(c net.Conn) error {
	out := newOutbox(l.bus.metrics)
	l.mu.Lock()
	l.out = out
	l.mu.Unlock()
	l.note()
	done := make(chan error, 3)
	l.bus.work.Go(func() { done <- out.write(c) })
	l.bus.work.Go(func() { done <- l.read(c) })
	stopped := make(chan struct{})
	l.bus.work.Go(func() { done <- l.ping(out, stopped) })
	for _, w := range l.bus.watchers {
		if w.Up != nil {
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
	out.close()
	_ = c.Close()
	for range left {
		<-done
	}
	l.mu.Lock()
	l.out = nil
	lost := l.waiting
	l.waiting = make(map[uint64]*Question)
	l.mu.Unlock()
	for _, number := range slices.Sorted(maps.Keys(lost)) { // in the order in which they were asked
		q := lost[number]
		q.err = ErrUnanswered
		l.bus.metrics.unanswered.Inc()
		close(q.answer)
	}
	for _, w := range l.bus.watchers {
		if w.Down != nil {
			w.Down(l.peer())
		}
	}
	return err
}

// note notes that a frame has come just now.
func (l *link) note() { l.heard.Store(int64(time.Since(l.bus.began))) }

// silent gives how long nothing was heard of the node. It goes by no clock that can be set.
func (l *link) silent() time.Duration { return time.Since(l.bus.began) - time.Duration(l.heard.Load()) }

// read takes answers.
func (l *link) read(c net.Conn) error {
	r := bufio.NewReaderSize(c, 64<<10)
	for {
		f, err := readFrame(r)
		if err != nil {
			return err
		}
		l.note()
		l.bus.metrics.received(f)
		switch f.kind {
		case frameAnswer, frameRefusal:
			l.answered(f)
		case framePong:
		default:
			return fmt.Errorf("%w: type %d on the way back", errFrame, f.kind)
		}
	}
}

func (l *link) answered(f frame) {
	q := l.forget(f.number)
	if q == nil {
		return // nobody waits for it any more
	}
	if !q.asked.IsZero() {
		l.bus.metrics.answers.Observe(time.Since(q.asked).Seconds())
	}
	switch {
	case f.kind == frameAnswer:
		q.payload = f.payload
	case string(f.payload) == ErrBusy.Error():
		l.bus.metrics.busyThere.Inc()
		q.err = ErrBusy
	default:
		q.err = Refusal(f.payload)
	}
	close(q.answer)
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
		if err := out.add(frame{kind: framePing}); err != nil && !errors.Is(err, ErrBusy) {
			return err
		}
	}
}

func (l *link) send(f frame) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
		return ErrNoLink
	}
	return l.out.add(f)
}

// ask sends a frame under a number, by which its answer finds q.
func (l *link) ask(q *Question, f frame) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
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

// forget gives a question, for whose answer nobody waits any more.
func (l *link) forget(number uint64) *Question {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.waiting[number]
	delete(l.waiting, number)
	return q
}
