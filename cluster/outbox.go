package cluster

import (
	"errors"
	"io"
	"runtime"
	"sync"
)

// ErrBusy says that too much waits for a peer, or at it.
var ErrBusy = errors.New("cluster: the other node is busy")

// maxOut is how many bytes may wait for a link. Answers have a bound of their own, so that two nodes with full outboxes
// towards each other go on.
const maxOut = 32 << 20

// outbox holds what is to be written on a connection. One goroutine writes: everything that came while it wrote goes
// out with the next write, so a link that is used much costs few of them.
type outbox struct {
	metrics *metrics

	mu      sync.Mutex
	data    []byte
	answers []byte
	closed  bool
	more    chan struct{} // has a value if there may be something to write
}

func newOutbox(m *metrics) *outbox { return &outbox{metrics: m, more: make(chan struct{}, 1)} }

// add queues a frame. It returns ErrBusy if too much waits, and io.ErrClosedPipe if the connection has ended.
func (o *outbox) add(f frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return io.ErrClosedPipe
	}
	b := &o.data
	if f.kind >= frameAnswer && f.kind <= framePong {
		b = &o.answers
	}
	if len(*b)+len(f.payload) > maxOut {
		o.metrics.busyHere.Inc()
		return ErrBusy
	}
	o.metrics.sent(f)
	*b = appendFrame(*b, f)
	select {
	case o.more <- struct{}{}:
	default:
	}
	return nil
}

// take gives all that waits, in the place of a buffer that is not used any more.
func (o *outbox) take(spare []byte) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := o.data
	if len(o.answers) > 0 {
		out = append(o.answers, o.data...)
		o.answers = nil
	}
	o.data = spare[:0]
	return out
}

func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	select {
	case o.more <- struct{}{}:
	default:
	}
}

// write writes what is added to w until it is closed or w fails.
func (o *outbox) write(w io.Writer) error {
	var b []byte
	for range o.more {
		runtime.Gosched() // who is about to add something does so: one write costs more than all else of a frame
		if b = o.take(b); len(b) > 0 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			if cap(b) > 1<<20 {
				b = nil
			}
		}
		o.mu.Lock()
		over := o.closed && len(o.data)+len(o.answers) == 0
		o.mu.Unlock()
		if over {
			return nil
		}
	}
	return nil
}
