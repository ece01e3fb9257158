package c2s

import (
	"slices"

	"parley/wire"
	"parley/wire/jid"
)

// Client state indication (XEP-0352): while a client says that nobody is looking, what can wait is held back, and goes
// out in one write before the next thing that cannot. So a phone's radio sleeps on.

const nsCSI = "urn:xmpp:csi:0"

// What is held for one client at most: stanzas, and their bytes. Then all of it goes out.
const (
	maxHeld      = 200
	maxHeldBytes = 256 << 10
)

// state takes <active/> and <inactive/>.
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

// look says whether somebody looks at the client.
func (o *outbound) look(active bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inactive = !active
	if active {
		_ = o.release() // its reader notices that it is gone
	}
}

// hold keeps a stanza back if it can wait; false if it is to be sent now. Of one address only the newest presence counts.
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

// outdone finds the held presence that this one makes pointless; -1 if there is none.
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

// tells says that a presence is more than a state: a room's status codes say what has happened (XEP-0045).
func tells(st *wire.Stanza) bool {
	return st.Has(wire.NSMUCUser, "x") && st.Element(wire.NSMUCUser, "x").Child(wire.NSMUCUser, "status") != nil
}

// release sends what was held, in its order.
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

// canWait says that nobody who does not look misses a stanza: presence, typing notices, events of nodes.
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
		case "http://jabber.org/protocol/chatstates", wire.NSHints, wire.NSSID, wire.NSDelay, "urn:xmpp:occupant-id:0", "urn:xmpp:chat-markers:0",
			"urn:xmpp:receipts":
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

// forwarded gives the message that a carbon (XEP-0280) is a copy of.
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
