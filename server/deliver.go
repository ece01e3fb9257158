package server

import (
	"context"

	"parley/wire"
	"parley/wire/jid"
)

// refuseEarly refuses the messages that go back to their sender whatever sessions the account has (RFC 6121, section
// 8.5): a groupchat message to a bare address, and any message but chat to a resource without a session.
func (h *Host) refuseEarly(p *Pass) error {
	st := p.Stanza
	if st.To.IsBare() {
		if st.Type == "groupchat" {
			return ServiceUnavailable
		}
		return nil
	}
	if h.Account(p.Account).Session(st.To.Resource()) != nil {
		return nil
	}
	switch st.Type {
	case "chat":
		return nil // treated like a message to the bare address
	case "headline", "error":
		return ErrHandled
	}
	return ServiceUnavailable
}

// deliver gives the message to the account's clients.
func (h *Host) deliver(ctx context.Context, p *Pass) error {
	a := h.Account(p.Account)
	return h.settled(ctx, a, p, func() error { return h.choose(ctx, a, p) })
}

// waits reports whether a message of this type is kept for later when no client takes it.
func waits(st *wire.Stanza) bool {
	return st.Type != "headline" && st.Type != "groupchat" && st.Type != "error"
}

// Waits reports whether a message is kept for later when no client takes it (XEP-0160): of type chat or normal, with
// content, and not marked as not to be stored.
func Waits(st *wire.Stanza) bool {
	switch st.Type {
	case "chat", "normal", "":
	default:
		return false
	}
	says := false
	for i := range st.Children {
		n := &st.Children[i].Name
		switch n.Space {
		case wire.NSHints:
			switch n.Local {
			case "no-store":
				return false
			case "store":
				says = true
			}
		case "http://jabber.org/protocol/chatstates", wire.NSSID, wire.NSDelay:
		default:
			says = true
		}
	}
	return says
}

// settled stamps a committed message and runs give, which delivers it, when it is its turn. When several clients get
// copies, a lost copy can only be judged at the end, when it is known whether another client has the message; settled
// judges it there.
func (h *Host) settled(ctx context.Context, a *Account, p *Pass, give func() error) error {
	defer p.endTurn()
	p.awaitTurn(ctx)
	if err := h.run(ctx, ReceivedStamp, p); err != nil {
		return err
	}
	if !waits(p.Stanza) || len(a.Sessions()) < 2 {
		return give() // no copy is kept for later, or only one client gets the message
	}
	d := &wire.Delivery{Of: p.Stanza}
	p.Stanza = p.Stanza.Copy()
	p.Stanza.Delivery = d
	d.Held()
	err := give()
	if lost := d.Lost(); err != nil || !lost || len(p.Delivered) == 0 {
		return err
	}
	return h.run(ctx, Undelivered, &Pass{Host: h, Account: p.Account, Stanza: d.Of.Copy()})
}

// choose delivers a message to the sessions that RFC 6121, section 8.5, names.
func (h *Host) choose(ctx context.Context, a *Account, p *Pass) error {
	st := p.Stanza
	if !st.To.IsBare() {
		if s := a.Session(st.To.Resource()); s != nil && h.give(ctx, p, s) {
			return h.run(ctx, ReceivedCopy, p)
		}
		if st.Type != "chat" {
			return h.refuseEarly(p) // the session ended just now
		}
	}
	switch st.Type {
	case "headline": // to all sessions of non-negative priority
		for _, s := range a.Sessions() {
			if pr, prio := s.Presence(); pr != nil && prio >= 0 {
				h.give(ctx, p, s)
			}
		}
		return nil
	case "error":
		return nil
	}
	// RFC 6121, section 8.5.2.1.1: to a bare address, the sessions of the highest non-negative priority.
	for _, s := range mostAvailable(a.Sessions()) {
		h.give(ctx, p, s)
	}
	if len(p.Delivered) > 0 {
		return h.run(ctx, ReceivedCopy, p)
	}
	// Sessions of negative priority take no messages to the bare address, but may have asked for carbons.
	if err := h.run(ctx, ReceivedCopy, p); err != nil {
		return err
	}
	return h.run(ctx, Undelivered, p)
}

func (h *Host) give(ctx context.Context, p *Pass, s *Session) bool {
	if p.Stanza.Kind == wire.Message && waits(p.Stanza) {
		s.awaitArrival(ctx)
	}
	if s.SendTo(p.Stanza, p.Stanza.To) != nil {
		return false
	}
	h.Metrics.delivered(p.Stanza.Kind)
	p.Delivered = append(p.Delivered, s)
	return true
}

// mostAvailable returns the available sessions of the highest priority, if that is not negative.
func mostAvailable(ss []*Session) []*Session {
	best := int8(-1)
	n := 0
	for _, s := range ss {
		pr, prio := s.Presence()
		if pr == nil || prio < best || prio < 0 {
			continue
		}
		if prio > best {
			best, n = prio, 0
		}
		n++
	}
	if n == len(ss) {
		return ss
	}
	var out []*Session
	for _, s := range ss {
		if pr, prio := s.Presence(); pr != nil && prio == best && best >= 0 {
			out = append(out, s)
		}
	}
	return out
}

// unacked takes the stanzas that a session's client never acknowledged, when the session ends for good (XEP-0198). A
// message that another client of the account has, or has in its queue, needs no more work. Any other message goes where
// messages without a client go. The archive has it already and does not take it again.
func (h *Host) unacked(ctx context.Context, s *Session, sts []*wire.Stanza) {
	for _, st := range sts {
		h.Returned(ctx, s.JID, st)
	}
}

// Returned takes back what a session's client did not get: see unacked.
func (h *Host) Returned(ctx context.Context, from jid.JID, st *wire.Stanza) {
	if !st.Delivery.Lost() {
		return
	}
	if st.Delivery != nil {
		st = st.Delivery.Of
	}
	if st.Kind != wire.Message || st.Type == "error" || st.Type == "headline" {
		return
	}
	if st.Type == "groupchat" || st.To.Bare() != from.Bare() {
		return // the room's archive has it, or it is of no use later
	}
	if st.Has(wire.NSCarbons, "") { // a carbon copy of a message that the account sent
		return
	}
	p := &Pass{Host: h, Account: from.Local(), Stanza: st.Copy()}
	if err := h.run(ctx, Undelivered, p); err != nil {
		h.logFault(ctx, st, err)
		h.Router.Reply(ctx, st, err)
	}
}
