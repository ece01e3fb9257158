package sqlstore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/store"
)

// writer is the group commit. The first request commits the queue. Requests that come meanwhile wait, and the first of
// them then commits them all together. So a batch is as large as the load makes it, nobody waits for it to fill, and a
// single request needs no other goroutine.
//
// A batch that PostgreSQL or CockroachDB does not answer within lateAfter is late: it goes on, and meanwhile other
// requests may commit entries of other accounts and rooms. So a database node that hangs stops only what it alone could
// commit, and the entries of one owner are still committed in the order in which they came.
type writer struct {
	mu      sync.Mutex
	free    sync.Cond // of mu: nothing is being committed
	closed  bool
	leading bool // a batch that is not late is being committed, or its leader has been told to begin
	queue   []*request
	unused  sync.Pool // of *request; each store has its own, as requests hold channels

	led     *batch      // the leader's batch; nil while it is gathered
	watch   *time.Timer // runs overdue for led
	late    int         // batches
	busy    map[owner]int
	waiting map[owner]struct{} // owners whose requests wait behind something late while nobody leads
}

// batch is what one leader commits.
type batch struct {
	requests []*request
	begun    time.Time
	late     bool
	few      [16]*request // where requests begins
}

// lateAfter is how long others wait for a batch; maxLate is of how many batches at once they do not.
const (
	lateAfter = 250 * time.Millisecond
	maxLate   = 8
)

type request struct {
	ws    []store.Write
	named []named // see heads.go; empty if no other node writes
	err   error
	turn  chan turn
	state atomic.Int32 // requestWaits until its batch is begun or its caller gives up
}

const (
	requestWaits = iota
	requestTaken
	requestGone
)

// turn is what a waiting caller receives.
type turn bool

const (
	committed turn = false
	lead      turn = true
)

func (r *request) take() bool { return r.state.CompareAndSwap(requestWaits, requestTaken) }

func newRequest() any { return &request{turn: make(chan turn, 1)} }

var errClosed = errors.New("store: closed")

// close waits for the accepted commits. It says whether this call closed the writer.
func (w *writer) close() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.closed
	w.closed = true
	for w.leading || w.late > 0 {
		w.free.Wait()
	}
	return !was
}

// Commit is store.Committer. If ctx ends before its batch is begun, nothing of ws is kept; after that it waits for the
// batch, so that nothing of ws is read once it has returned.
func (s *Store) Commit(ctx context.Context, ws ...store.Write) error {
	if len(ws) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &s.writer
	r := w.unused.Get().(*request)
	r.ws, r.named, r.err = ws, r.named[:0], nil
	r.state.Store(requestWaits)
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return errClosed
	}
	w.queue = append(w.queue, r)
	first := !w.leading && w.may(r)
	if first {
		w.leading = true
		r.take()
	}
	w.mu.Unlock()
	if first {
		s.lead(r)
	} else if err := s.wait(ctx, r); err != nil {
		return err // r is still in the queue, and let fall when it is its turn
	}
	err := r.err
	r.ws = nil
	w.unused.Put(r)
	return err
}

// wait returns an error only if r was given up.
func (s *Store) wait(ctx context.Context, r *request) error {
	var t turn
	select {
	case t = <-r.turn:
	case <-ctx.Done():
		if r.state.CompareAndSwap(requestWaits, requestGone) {
			return ctx.Err()
		}
		t = <-r.turn
	}
	if t == lead {
		s.lead(r)
	}
	return nil
}

// lead commits a batch that holds own, and finds the next leader.
func (s *Store) lead(own *request) {
	w := &s.writer
	w.mu.Lock()
	b := new(batch)
	b.requests = b.few[:0]
	w.gather(b, own, s.opts.CommitBatch)
	if s.app == nil {
		w.begin(b)
	}
	w.mu.Unlock()

	s.name(b)
	if s.app != nil {
		s.appendBatch(b.requests)
	} else {
		s.commitBatch(b.requests)
	}
	tell(b)
	w.mu.Lock()
	w.end(b)
	w.mu.Unlock()
	for _, r := range b.requests {
		if r != own {
			r.turn <- committed
		}
	}
}

// gather moves requests from the queue to a batch, in their order. Requests of an owner with a late batch, or with an
// earlier request that stays in the queue, stay too.
func (w *writer) gather(b *batch, own *request, most int) {
	count := 0
	if w.late == 0 {
		n := 0
		for n < len(w.queue) && count < most {
			r := w.queue[n]
			n++
			if r == own || r.take() {
				b.requests = append(b.requests, r)
				count += len(r.ws)
			}
		}
		w.drop(n)
		return
	}
	clear(w.waiting)
	kept := w.queue[:0]
	for _, r := range w.queue {
		switch {
		case r == own, count < most && w.mayJoin(r) && r.take():
			b.requests = append(b.requests, r)
			count += len(r.ws)
		case r.state.Load() != requestGone:
			w.wait(r)
			kept = append(kept, r)
		}
	}
	clear(w.queue[len(kept):])
	w.queue = kept
}

// may says whether the last request in the queue can be led at once; if not, later requests of its owners wait behind
// it.
func (w *writer) may(r *request) bool {
	if w.late == 0 {
		return true
	}
	if w.late >= maxLate || !w.mayJoin(r) {
		w.wait(r)
		return false
	}
	return true
}

func (w *writer) mayJoin(r *request) bool {
	for _, x := range r.ws {
		o := ownerOf(x)
		if _, ok := w.waiting[o]; ok || w.busy[o] > 0 {
			return false
		}
	}
	return true
}

func (w *writer) wait(r *request) {
	for _, x := range r.ws {
		w.waiting[ownerOf(x)] = struct{}{}
	}
}

// begin starts the timer after which the batch is late and the next ones go on.
func (w *writer) begin(b *batch) {
	w.led, b.begun = b, time.Now()
	if w.watch == nil {
		w.watch = time.AfterFunc(lateAfter, w.overdue)
		return
	}
	w.watch.Reset(lateAfter)
}

// overdue lets others lead beside the batch that is being committed.
func (w *writer) overdue() {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.led
	if b == nil || time.Since(b.begun) < lateAfter { // the batch that the timer was for has ended
		return
	}
	if w.busy == nil {
		w.busy, w.waiting = make(map[owner]int), make(map[owner]struct{})
	}
	b.late, w.led, w.leading = true, nil, false
	w.late++
	for _, r := range b.requests {
		for _, x := range r.ws {
			w.busy[ownerOf(x)]++
		}
	}
	w.next()
}

// end removes a batch from those being committed, and finds the next leader.
func (w *writer) end(b *batch) {
	if b.late {
		w.late--
		for _, r := range b.requests {
			for _, x := range r.ws {
				if o := ownerOf(x); w.busy[o] > 1 {
					w.busy[o]--
				} else {
					delete(w.busy, o)
				}
			}
		}
	} else {
		w.leading = false
		if w.led == b {
			w.led = nil
			w.watch.Stop()
		}
	}
	if !w.leading {
		w.next()
	}
}

// next makes the first possible request lead. It is called when nobody leads.
func (w *writer) next() {
	if w.late > 0 {
		clear(w.waiting)
	}
	for i := 0; i < len(w.queue); {
		r := w.queue[i]
		switch {
		case w.late > 0 && !w.may(r):
			i++
		case r.take():
			w.leading = true
			r.turn <- lead
			return
		default: // its caller has given up
			w.queue = slices.Delete(w.queue, i, i+1)
		}
	}
	if w.late == 0 {
		w.free.Broadcast()
	}
}

func (w *writer) drop(n int) {
	rest := copy(w.queue, w.queue[n:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
}
