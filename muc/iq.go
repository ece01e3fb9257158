package muc

import (
	"context"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// onIQ is a request to the room that changes or reads what its goroutine owns, or one to an occupant.
func (r *Room) onIQ(ctx context.Context, st *wire.Stanza) error {
	if !st.To.IsBare() {
		return r.occupantIQ(ctx, st)
	}
	if st.Type != "get" && st.Type != "set" {
		for i := range r.hooks {
			if f := r.hooks[i].Answered; f != nil {
				f(ctx, st)
			}
		}
		return nil
	}
	if err := r.unlocked(ctx, st.From); err != nil {
		return err
	}
	q := st.Children[0].Name
	payload := st.Element(q.Space, q.Local)
	var reply *wire.Element
	var err error
	switch q.Space {
	case wire.NSMUCAdmin, wire.NSMUCOwner, wire.NSModerate, nsFasten:
		if err := r.keeper.Knows(ctx, st.From, true); err != nil {
			return err
		}
	}
	switch q.Space {
	case wire.NSMUCAdmin:
		if st.Type == "get" {
			reply, err = r.adminGet(ctx, st, payload)
		} else {
			err = r.adminSet(ctx, st, payload)
		}
	case wire.NSMUCOwner:
		reply, err = r.owner(ctx, st, payload)
	case nsRegister:
		reply, err = r.keeper.Register(ctx, st, payload)
	case wire.NSModerate, nsFasten:
		if st.Type != "set" {
			return server.BadRequest
		}
		err = r.moderate(ctx, st, payload)
	case "urn:xmpp:ping":
		if r.sessions[st.From] == nil {
			return errNotOccupant
		}
	default:
		answer := r.iqOf(q.Space)
		if answer == nil {
			return server.ServiceUnavailable
		}
		reply, err = answer(ctx, st, payload)
	}
	if err != nil {
		return err
	}
	r.s.Reply(ctx, st, reply)
	return nil
}

// occupantIQ forwards a request or its answer between two occupants; the room itself answers a client's ping of its own
// address (XEP-0410, section 3.3).
func (r *Room) occupantIQ(ctx context.Context, st *wire.Stanza) error {
	o := r.sessions[st.From]
	if o == nil {
		if st.Has(wire.NSDiscoInfo, "") || st.Has(wire.NSDiscoItems, "") {
			return server.BadRequest // section 6.5 requires it
		}
		return errNotOccupant
	}
	to := r.nicks[st.To.Resource()]
	if to == nil {
		return errNoOccupant
	}
	if to == o && st.Type == "get" && st.Has("urn:xmpp:ping", "ping") {
		r.s.Reply(ctx, st, nil)
		return nil
	}
	if r.cfg.PM == "none" && (st.Type == "get" || st.Type == "set") && o.role != "moderator" {
		return server.Forbidden
	}
	if err := r.mayReach(o, to, st); err != nil {
		return err
	}
	c := st.Copy()
	if st.Type == "get" || st.Type == "set" {
		// The answer has to find its way back to the client that has asked, of several under one nick.
		c.From = o.jid
		c.ID = r.tag(o, st.From) + st.ID
		c.To = to.clients[len(to.clients)-1].jid
		if st.Has("vcard-temp", "vCard") { // about the person, not the client
			c.To = to.bare
			c.From = o.jid
		}
	} else {
		target, id, ok := untag(to, st.ID)
		if !ok {
			return server.ErrHandled
		}
		c.From, c.ID, c.To = o.jid, id, target
	}
	if err := r.s.host.Router.Route(ctx, c); err != nil {
		return err
	}
	return nil
}

// tag says in an id which of an occupant's clients has asked: one character for its place.
func (r *Room) tag(o *Occupant, who jid.JID) string {
	for i, c := range o.clients {
		if c.jid == who && i < 26 {
			return string(rune('a'+i)) + "."
		}
	}
	return "a."
}

func untag(to *Occupant, id string) (jid.JID, string, bool) {
	if len(id) < 2 || id[1] != '.' || int(id[0]-'a') >= len(to.clients) {
		return jid.JID{}, "", false
	}
	return to.clients[id[0]-'a'].jid, id[2:], true
}
