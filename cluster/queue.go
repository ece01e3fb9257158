package cluster

import "sync"

// The bounds of what waits to be handled of one peer.
const (
	maxQueued    = 2000   // frames of one queue
	maxAllQueued = 50_000 // frames of all queues
)

// queues hands frames to handlers. The frames of one queue come one after the other, those of different queues at the
// same time. add never waits.
type queues struct {
	handle func(frame)

	mu    sync.Mutex
	waits map[uint32][]frame // the frames behind the one that is being handled
	all   int
	done  sync.WaitGroup
}

func newQueues(handle func(frame)) *queues {
	return &queues{handle: handle, waits: make(map[uint32][]frame)}
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
		q.handle(f)
		f, more = q.next(f.queue)
	}
}

func (q *queues) next(queue uint32) (f frame, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all--
	waits := q.waits[queue]
	if len(waits) == 0 {
		delete(q.waits, queue)
		return f, false
	}
	f = waits[0]
	waits[0] = frame{}
	q.waits[queue] = waits[1:]
	return f, true
}

// wait returns when everything was handled. Nothing may be added any more.
func (q *queues) wait() { q.done.Wait() }
