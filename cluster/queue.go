package cluster

import (
	"slices"
	"sync"
)

// The bounds of what waits to be handled of one peer.
const (
	maxQueued    = 2000   // frames of one queue
	maxAllQueued = 50_000 // frames of all queues
)

// queues hands frames to handlers. The frames of one queue come one after the other, those of different queues at the
// same time. add never waits.
type queues struct {
	// handle takes a frame, and has done called when it is handled, which may be later.
	handle func(f frame, done func())

	mu      sync.Mutex
	waits   map[uint32][]frame // the frames behind the one that is being handled
	all     int
	begun   uint64              // frames that were added
	under   map[uint64]struct{} // those of them that are not handled yet, by their number
	flushes []flush
	done    sync.WaitGroup
}

// flush is called when all frames up to a number were handled.
type flush struct {
	upTo uint64
	do   func()
}

func newQueues(handle func(f frame, done func())) *queues {
	return &queues{handle: handle, waits: make(map[uint32][]frame), under: make(map[uint64]struct{})}
}

// add has a frame handled after those of its queue. It returns false if too many wait.
func (q *queues) add(f frame) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	waits, busy := q.waits[f.queue]
	if len(waits) >= maxQueued || q.all >= maxAllQueued {
		return false
	}
	q.all++
	q.begun++
	f.order = q.begun
	q.under[f.order] = struct{}{}
	if busy {
		q.waits[f.queue] = append(waits, f)
		return true
	}
	q.waits[f.queue] = nil
	q.done.Go(func() { q.work(f) })
	return true
}

// work handles a frame and those that come into its queue meanwhile.
func (q *queues) work(f frame) {
	for more := true; more; {
		order := f.order
		q.handle(f, func() { q.handled(order) })
		f, more = q.next(f)
	}
}

// handled notes that a frame was handled.
func (q *queues) handled(order uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all--
	delete(q.under, order)
	q.flush()
}

// next gives the frame behind one that a handler has taken.
func (q *queues) next(was frame) (f frame, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waits := q.waits[was.queue]
	if len(waits) == 0 {
		delete(q.waits, was.queue)
		return f, false
	}
	f = waits[0]
	waits[0] = frame{}
	q.waits[was.queue] = waits[1:]
	return f, true
}

// after has do called once all frames that were added before were handled.
func (q *queues) after(do func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flushes = append(q.flushes, flush{q.begun, do})
	q.flush()
}

func (q *queues) flush() {
	q.flushes = slices.DeleteFunc(q.flushes, func(f flush) bool {
		for n := range q.under {
			if n <= f.upTo {
				return false
			}
		}
		f.do()
		return true
	})
}

// wait returns when everything was handled. Nothing may be added any more.
func (q *queues) wait() { q.done.Wait() }
