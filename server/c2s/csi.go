package c2s

import (
	"parley/wire"
	"parley/wire/jid"
)

// Client state indication (XEP-0352): while a client says that nobody is looking, what can wait is held back, and goes
// out in one write before the next thing that cannot. So a phone's radio sleeps on.

const nsCSI = "urn:xmpp:csi:0"

// maxHeld is how many stanzas are held for one client.
const maxHeld = 200

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
	if st.Kind == wire.Presence {
		for i := range o.held {
			if h := o.held[i].st; h.Kind == wire.Presence && h.From == st.From && !h.Has(wire.NSMUCUser, "x") && !st.Has(wire.NSMUCUser, "x") {
				o.held[i] = unacked{st, to}
				return true
			}
		}
	}
	o.held = append(o.held, unacked{st, to})
	return len(o.held) < maxHeld || o.release() == nil
}

// release sends what was held, in its order.
func (o *outbound) release() error {
	held := o.held
	o.held = nil
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
