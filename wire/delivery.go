package wire

import "sync/atomic"

// Delivery is shared by all copies of one message that several clients of a person get. What one of them never
// acknowledges is kept for later only if none of the others has it. Safe from any goroutine; nil is a message that one
// client alone gets.
type Delivery struct {
	Of *Stanza // as it was before it was copied

	held  atomic.Int32
	taken atomic.Bool
}

// Held: a client's queue has it, until it is acknowledged.
func (d *Delivery) Held() {
	if d != nil {
		d.held.Add(1)
	}
}

// Acknowledged: a client whose queue had it has it.
func (d *Delivery) Acknowledged() {
	if d != nil {
		d.taken.Store(true)
		d.held.Add(-1)
	}
}

// Taken: a client that acknowledges nothing has been sent it.
func (d *Delivery) Taken() {
	if d != nil {
		d.taken.Store(true)
	}
}

// Lost: a queue that had it is no more. true if no client has it now, nor a queue.
func (d *Delivery) Lost() bool {
	return d == nil || d.held.Add(-1) == 0 && !d.taken.Load()
}
