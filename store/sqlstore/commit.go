package sqlstore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"parley/store"
)

// writer is the group commit. Who comes first commits what is there; who comes meanwhile waits, and is committed together
// by the first of those. So a batch is as large as the load makes it, nobody waits for it to fill, and one that is alone
// needs no other goroutine.
type writer struct {
	mu      sync.Mutex
	free    sync.Cond // of mu: nobody leads
	closed  bool
	leading bool
	queue   []*request
}

type request struct {
	ws    []store.Write
	err   error
	turn  chan turn
	state atomic.Int32 // requestWaits until its batch is begun or its caller gives up
}

const (
	requestWaits = iota
	requestTaken
	requestGone
)

// turn is what a waiting caller is told.
type turn bool

const (
	committed turn = false
	lead      turn = true
)

func (r *request) take() bool { return r.state.CompareAndSwap(requestWaits, requestTaken) }

var requests = sync.Pool{New: func() any { return &request{turn: make(chan turn, 1)} }}

var errClosed = errors.New("store: closed")

// close waits for the commits that have been accepted. It says whether it was this call that ended it.
func (w *writer) close() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.closed
	w.closed = true
	for w.leading {
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
	r := requests.Get().(*request)
	r.ws, r.err = ws, nil
	r.state.Store(requestWaits)
	w := &s.writer
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return errClosed
	}
	w.queue = append(w.queue, r)
	first := !w.leading
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
	requests.Put(r)
	return err
}

// wait returns an error only if r has been given up.
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

// lead commits a batch that own is in, and finds who leads after it.
func (s *Store) lead(own *request) {
	w := &s.writer
	w.mu.Lock()
	batch, n, count := make([]*request, 0, 16), 0, 0
	for n < len(w.queue) && count < s.opts.CommitBatch {
		r := w.queue[n]
		n++
		if r == own || r.take() {
			batch = append(batch, r)
			count += len(r.ws)
		}
	}
	w.drop(n)
	w.mu.Unlock()

	if s.app != nil {
		s.appendBatch(batch)
	} else {
		s.commitBatch(batch)
	}
	for _, r := range batch {
		if r != own {
			r.turn <- committed
		}
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 {
		if r := w.queue[0]; r.take() {
			r.turn <- lead
			return
		}
		w.drop(1)
	}
	w.leading = false
	w.free.Broadcast()
}

func (w *writer) drop(n int) {
	rest := copy(w.queue, w.queue[n:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
}

// commitTime is the longest a transaction may take: a database that does not answer is an error, not a silence.
const commitTime = time.Minute

// commitBatch is the commit on PostgreSQL and CockroachDB. It sets every request's err. One that cannot be kept does not take others with it.
func (s *Store) commitBatch(batch []*request) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	err := s.commitAll(ctx, batch)
	if err == nil {
		return
	}
	if len(batch) == 1 {
		batch[0].err = err
		return
	}
	for _, r := range batch {
		if err := s.commitAll(ctx, []*request{r}); err != nil {
			r.err = err
		}
	}
}
