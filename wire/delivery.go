package wire

import "sync/atomic"

// Delivery is shared by the copies of one message that several clients of a person get. A copy that a client never
// acknowledges is kept for later only if no other client has the message. It is safe from any goroutine. A nil Delivery
// belongs to a message with only one copy.
type Delivery struct {
	Of *Stanza // the message before it was copied

	held  atomic.Int32
	taken atomic.Bool
}

// Held notes that a client's queue holds the message until the client acknowledges it.
func (d *Delivery) Held() {
	if d != nil {
		d.held.Add(1)
	}
}

// Acknowledged notes that a client has the message which its queue held.
func (d *Delivery) Acknowledged() {
	if d != nil {
		d.taken.Store(true)
		d.held.Add(-1)
	}
}

// Taken notes that the message was sent to a client that does not acknowledge.
func (d *Delivery) Taken() {
	if d != nil {
		d.taken.Store(true)
	}
}

// Lost notes that a queue which held the message is gone. It returns true if now no client and no queue has the
// message.
func (d *Delivery) Lost() bool {
	return d == nil || d.held.Add(-1) == 0 && !d.taken.Load()
}
