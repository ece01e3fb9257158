package federation

import (
	"strconv"
	"sync"
	"time"

	"parley/wire"
)

// Stream management between servers (XEP-0198): both sides say what they have taken over, so that what has not arrived is
// known when a stream breaks. Streams are not resumed: what is not acknowledged goes back to its sender.

const nsSM = "urn:xmpp:sm:3"

// acks counts the stanzas of one stream in both directions. Safe from any goroutine.
type acks struct {
	mu      sync.Mutex
	on      bool
	window  wire.Window    // of what the other server sends
	out     uint32         // stanzas acknowledged by the other server
	waiting []*wire.Stanza // sent, not acknowledged
	bytes   int
	more    chan struct{} // of size 1: something has been acknowledged; nil on a stream of the other's making
}

// hear has a stanza of the other server routed. It is acknowledged when whoever has it has dealt with it, and nothing more
// is read while too much is under way.
func (a *acks) hear(c *wire.Conn, x *wire.Stanza, route func(*wire.Stanza) error) error {
	if !a.window.Begin(x) {
		return nil
	}
	err := route(x)
	if full := a.window.End(); err != nil || !full || a.window.Wait(c.Done()) {
		return err
	}
	return c.Err()
}

// sent keeps what was written until it is acknowledged. It says whether an acknowledgement should be asked for.
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

// last is what the other server is told when we end a stream of its making: what we have it need not give back. It waits a
// moment for what is under way.
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

// full says that no more is to be sent before something is acknowledged.
func (a *acks) full(stanzas, bytes int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.waiting) >= stanzas || a.bytes >= bytes
}

// lost gives what was sent and not acknowledged.
func (a *acks) lost() []*wire.Stanza {
	a.mu.Lock()
	defer a.mu.Unlock()
	sts := a.waiting
	a.waiting, a.bytes = nil, 0
	return sts
}

// start: what is sent from now on is counted by the other server.
func (a *acks) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.on, a.more = true, make(chan struct{}, 1)
}

// nonza answers what the other server says of it. proven: the stream may be managed.
func (a *acks) nonza(c *wire.Conn, x *wire.Stanza, proven bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch x.Name.Local {
	case "enable":
		if !proven || a.on {
			return c.WriteRaw(wire.E(nsSM, "failed", wire.E(wire.NSStanzas, "unexpected-request")).AppendXML(nil, wire.NSServer))
		}
		a.on = true
		a.window.Restart()
		return c.WriteRaw(wire.E(nsSM, "enabled").AppendXML(nil, wire.NSServer))
	case "enabled":
		a.window.Restart()
	case "resume":
		return c.WriteRaw(wire.E(nsSM, "failed", wire.E(wire.NSStanzas, "item-not-found")).AppendXML(nil, wire.NSServer))
	case "failed": // it was offered, and is not to be had: nothing will be acknowledged
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
			return &wire.StreamError{Condition: "bad-format", Text: "h is no number"}
		}
		return a.takenLocked(uint32(h))
	}
	return nil
}

// takenLocked is an acknowledgement; numbers go on at 0 after 2^32-1.
func (a *acks) takenLocked(h uint32) error {
	n := h - a.out
	if uint64(n) > uint64(len(a.waiting)) {
		return &wire.StreamError{Condition: "undefined-condition", Text: "more was acknowledged than was sent"} // XEP-0198, section 4
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
