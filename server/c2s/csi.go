package c2s

import (
	"slices"

	"parley/wire"
	"parley/wire/jid"
)

// Client state indication (XEP-0352): while a client says that nobody is looking, the server holds back what can wait,
// and sends all of it in one write before the next stanza that cannot. This lets a phone's radio sleep.

const nsCSI = "urn:xmpp:csi:0"

// The most stanzas and bytes that are held for one client. At the limit all of them are sent.
const (
	maxHeld      = 200
	maxHeldBytes = 256 << 10
)

// state handles <active/> and <inactive/>.
func (st *stream) state(local string) error {
	switch local {
	case "active":
		st.bound.out.look(true)
	case "inactive":
		st.bound.out.look(false)
	default:
		return &wire.StreamError{Condition: "unsupported-stanza-type"}
	}
	return nil
}

// look sets whether somebody looks at the client.
func (o *outbound) look(active bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inactive = !active
	if active {
		_ = o.release() // the reader notices a lost connection
	}
}

// hold keeps a stanza back if it can wait; false says that it must be sent now. Of several presences from one address
// only the newest is kept.
func (o *outbound) hold(st *wire.Stanza, to jid.JID) bool {
	if !canWait(st) {
		return false
	}
	o.heldBytes += len(st.Payload) + stanzaCost
	if i := o.outdone(st); i >= 0 {
		o.heldBytes -= len(o.held[i].st.Payload) + stanzaCost
		o.held = slices.Delete(o.held, i, i+1)
	}
	o.held = append(o.held, unacked{st, to})
	return len(o.held) < maxHeld && o.heldBytes < maxHeldBytes || o.release() == nil
}

// outdone returns the position of a held presence that st replaces, or -1.
func (o *outbound) outdone(st *wire.Stanza) int {
	if st.Kind != wire.Presence || tells(st) {
		return -1
	}
	for i := range o.held {
		if h := o.held[i].st; h.Kind == wire.Presence && h.From == st.From {
			if tells(h) {
				return -1
			}
			return i
		}
	}
	return -1
}

// tells reports whether a presence is more than a state: the status codes of a room report events (XEP-0045).
func tells(st *wire.Stanza) bool {
	return st.Has(wire.NSMUCUser, "x") && st.Element(wire.NSMUCUser, "x").Child(wire.NSMUCUser, "status") != nil
}

// release sends what was held, in order.
func (o *outbound) release() error {
	held := o.held
	o.held, o.heldBytes = nil, 0
	if len(held) == 0 {
		return nil
	}
	if o.conn != nil {
		o.conn.Cork()
		defer o.conn.Uncork()
	}
	for _, h := range held {
		if err := o.put(h.st, h.to); err != nil {
			return err
		}
	}
	return nil
}

// canWait reports whether a stanza may wait until somebody looks at the client: presence, typing notifications, events
// of nodes.
func canWait(st *wire.Stanza) bool {
	switch st.Kind {
	case wire.Presence:
		return st.Type == "" || st.Type == "unavailable"
	case wire.Message:
	default:
		return false
	}
	if st.Type == "error" {
		return false
	}
	for i := range st.Children {
		switch n := &st.Children[i].Name; n.Space {
		case "http://jabber.org/protocol/chatstates", wire.NSHints, wire.NSSID, wire.NSDelay, "urn:xmpp:occupant-id:0",
			"urn:xmpp:chat-markers:0", "urn:xmpp:receipts":
		case wire.NSCarbons:
			if c := forwarded(st, n.Local); c == nil || !canWait(c) {
				return false
			}
		case wire.NSPubSubEv:
			if st.Type != "headline" {
				return false
			}
		case wire.NSClient:
			if n.Local != "thread" {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// forwarded returns the message inside a carbon copy (XEP-0280).
func forwarded(st *wire.Stanza, direction string) *wire.Stanza {
	e := st.Element(wire.NSCarbons, direction)
	m := e.Child("urn:xmpp:forward:0", "forwarded").Child(wire.NSClient, "message")
	if m == nil {
		return nil
	}
	c, err := wire.ParseStanza(m.AppendXML(nil, ""), wire.Limits{Stanza: len(st.Payload) + 1024})
	if err != nil {
		return nil
	}
	return c
}
