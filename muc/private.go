package muc

import (
	"context"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Private messages (XEP-0045, section 7.5), and errors that come back for messages that the room has passed on.

// private is a message from one occupant to another.
type private struct {
	id   string // see privateID
	bare jid.JID
	to   jid.JID // occupant
}

// privates are the last private messages of a room.
type privates struct {
	last [32]private
	n    int
}

func (ps *privates) note(p private) {
	ps.last[ps.n%len(ps.last)] = p
	ps.n++
}

// sent finds one of the last private messages by its sender's nick and its id; nil if it is not among them.
func (ps *privates) sent(nick, id string) *private {
	for i := range ps.last {
		if ps.last[i].id == privateID(nick, id) {
			return &ps.last[i]
		}
	}
	return nil
}

// privateID marks a private message by its sender's nick and its id.
func privateID(nick, id string) string { return nick + "\x00" + id }

// privateMessage is section 7.5.
func (r *Room) privateMessage(ctx context.Context, o *Occupant, st *wire.Stanza) error {
	if o == nil {
		return errNotOccupant
	}
	if st.Type == "groupchat" {
		return server.BadRequest
	}
	to := r.nicks[st.To.Resource()]
	if to == nil {
		return errNoOccupant
	}
	if len(st.Payload) > r.s.cfg.MessageSize {
		return server.PolicyViolation
	}
	if !o.pace.Allow(st.At) {
		return ErrTooFast
	}
	switch {
	case r.cfg.PM == "none",
		r.cfg.PM == "moderators" && o.role != "moderator",
		r.cfg.PM == "participants" && o.role == "visitor":
		return server.Forbidden
	}
	out := r.outgoing(o, st)
	r.sign(out, o, 0)
	p, err := r.toOne(ctx, out.Add(wire.E(wire.NSMUCUser, "x")), to)
	if err != nil {
		return err
	}
	p.from, p.By = st, o
	r.pending = append(r.pending, p)
	if st.ID != "" {
		r.private.note(private{privateID(o.nick, st.ID), to.bare, to.jid})
	}
	return nil
}

// bounced: a client that cannot be reached is not here any more. Other errors are an occupant's answer to an occupant.
func (r *Room) bounced(ctx context.Context, st *wire.Stanza) error {
	e := st.Element(wire.NSClient, "error")
	to := r.nicks[st.To.Resource()]
	o := r.sessions[st.From]
	if o == nil {
		r.returned(ctx, st, to)
		return nil
	}
	if to != nil && e.Child(wire.NSStanzas, "service-unavailable") != nil && r.private.sent(to.nick, st.ID) != nil {
		// An occupant who has blocked the sender answers private messages in this way (XEP-0191, section 3.3), and is
		// here all the same.
		r.send(ctx, r.outgoing(o, st), clientsOf(to))
		return nil
	}
	for _, c := range append(unreachable[:], "service-unavailable") {
		if e.Child(wire.NSStanzas, c) != nil {
			r.leave(ctx, o, st.From, nil, leaving{codes: []string{"333"}})
			return nil
		}
	}
	if to != nil && !st.To.IsBare() && r.mayReach(o, to, st) == nil {
		out := r.outgoing(o, st)
		r.send(ctx, out, clientsOf(to))
	}
	return nil
}

// returned is a private message that comes back from somebody's account when its clients never took it: they are not
// here any more, and their account does not keep it.
func (r *Room) returned(ctx context.Context, st *wire.Stanza, to *Occupant) {
	if to == nil {
		return
	}
	if p := r.private.sent(to.nick, st.ID); p != nil && p.bare == st.From.Bare() {
		r.send(ctx, r.outgoing(&Occupant{jid: p.to}, st), clientsOf(to))
	}
}
