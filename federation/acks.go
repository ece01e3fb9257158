package federation

import (
	"strconv"
	"sync"
	"time"

	"parley/wire"
)

// Stream management between servers (XEP-0198): both sides acknowledge what they have received, so that each knows what
// was lost when a stream breaks. Streams are not resumed: an unacknowledged stanza goes back to its sender.

const nsSM = "urn:xmpp:sm:3"

// acks counts the stanzas of one stream in both directions. It is safe from any goroutine.
type acks struct {
	mu      sync.Mutex
	on      bool
	window  wire.Window    // counts the other server's stanzas
	out     uint32         // stanzas acknowledged by the other server
	waiting []*wire.Stanza // sent, not acknowledged
	bytes   int
	more    chan struct{} // of size 1: signals an acknowledgement; nil on a stream that the other server opened
}

// receive routes a stanza of the other server. The stanza is acknowledged when it is handled. While too many are under
// way, receive does not return, so nothing more is read.
func (a *acks) receive(c *wire.Conn, x *wire.Stanza, route func(*wire.Stanza) error) error {
	if !a.window.Begin(x) {
		return nil
	}
	err := route(x)
	if full := a.window.End(); err != nil || !full || a.window.Wait(c.Done()) {
		return err
	}
	return c.Err()
}

// sent keeps what was written until it is acknowledged. It reports whether to ask for an acknowledgement.
func (a *acks) sent(sts []*wire.Stanza) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.on {
		return false
	}
	a.waiting = append(a.waiting, sts...)
	for _, st := range sts {
		a.bytes += size(st)
	}
	return true
}

// last returns the final acknowledgement for a stream of the other server's that we end: the other server need not
// bounce what we have. It waits briefly for the stanzas under way.
func (a *acks) last() []byte {
	a.window.Finished(time.Now().Add(time.Second))
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.on {
		return nil
	}
	return a.answerLocked()
}

func (a *acks) answerLocked() []byte {
	return wire.E(nsSM, "a").Set("h", strconv.FormatUint(uint64(a.window.Handled()), 10)).AppendXML(nil, wire.NSServer)
}

// full reports whether nothing more may be sent before an acknowledgement.
func (a *acks) full(stanzas, bytes int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.waiting) >= stanzas || a.bytes >= bytes
}

// lost returns the stanzas that were sent and not acknowledged.
func (a *acks) lost() []*wire.Stanza {
	a.mu.Lock()
	defer a.mu.Unlock()
	sts := a.waiting
	a.waiting, a.bytes = nil, 0
	return sts
}

// start begins to count: the other server counts what is sent from now on.
func (a *acks) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.on, a.more = true, make(chan struct{}, 1)
}

// nonza handles the other server's elements of stream management. proven says that the stream is authenticated, so that
// stream management may begin.
func (a *acks) nonza(c *wire.Conn, x *wire.Stanza, proven bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch x.Name.Local {
	case "enable":
		if !proven || a.on {
			return c.WriteRaw(wire.E(nsSM, "failed",
				wire.E(wire.NSStanzas, "unexpected-request")).AppendXML(nil, wire.NSServer))
		}
		a.on = true
		a.window.Restart()
		return c.WriteRaw(wire.E(nsSM, "enabled").AppendXML(nil, wire.NSServer))
	case "enabled":
		a.window.Restart()
	case "resume":
		return c.WriteRaw(wire.E(nsSM, "failed",
			wire.E(wire.NSStanzas, "item-not-found")).AppendXML(nil, wire.NSServer))
	case "failed": // it was offered but fails, so nothing will be acknowledged
		settle(a.waiting)
		a.on, a.waiting, a.bytes = false, nil, 0
		a.pokeLocked()
	case "r":
		if a.on {
			return c.WriteRaw(a.answerLocked())
		}
	case "a":
		h, err := strconv.ParseUint(x.Attr("h"), 10, 32)
		if err != nil {
			return &wire.StreamError{Condition: "bad-format", Text: "h is not a number"}
		}
		return a.takenLocked(uint32(h))
	}
	return nil
}

// takenLocked handles an acknowledgement. After 2^32-1 the numbers continue at 0.
func (a *acks) takenLocked(h uint32) error {
	n := h - a.out
	if uint64(n) > uint64(len(a.waiting)) {
		// XEP-0198, section 4
		return &wire.StreamError{Condition: "undefined-condition", Text: "more was acknowledged than was sent"}
	}
	a.out = h
	for _, st := range a.waiting[:n] {
		a.bytes -= size(st)
	}
	settle(a.waiting[:n])
	rest := copy(a.waiting, a.waiting[n:])
	clear(a.waiting[rest:])
	a.waiting = a.waiting[:rest]
	a.pokeLocked()
	return nil
}

func (a *acks) pokeLocked() {
	select {
	case a.more <- struct{}{}:
	default:
	}
}

var ackRequest = []byte(`<r xmlns='` + nsSM + `'/>`)
