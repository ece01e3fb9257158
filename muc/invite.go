package muc

import (
	"context"

	"parley/org"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// toRoom is a message to the room that is not for all: an invitation, or its refusal (sections 7.8.2, 7.8.3).
func (r *room) toRoom(ctx context.Context, o *occupant, st *wire.Stanza) error {
	if st.Has(wire.NSForm, "x") && !st.Has(wire.NSMUCUser, "x") {
		if o != nil && !o.pace.Allow() {
			return errTooFast
		}
		return r.onForm(ctx, o, st)
	}
	x := st.Element(wire.NSMUCUser, "x")
	if d := x.Child(wire.NSMUCUser, "decline"); d != nil {
		return r.decline(ctx, st, d)
	}
	if o == nil {
		return errNotOccupant
	}
	if !o.pace.Allow() {
		return errTooFast
	}
	n := 0
	for _, inv := range x.Elements() {
		if inv.Name != (wire.Name{Space: wire.NSMUCUser, Local: "invite"}) {
			continue
		}
		if n++; n > 50 {
			return server.PolicyViolation
		}
		if err := r.invite(ctx, o, st, inv); err != nil {
			return err
		}
	}
	if n == 0 {
		return server.BadRequest
	}
	return nil
}

// invite passes an invitation on; in a members-only room it makes its target a member, if its sender may.
func (r *room) invite(ctx context.Context, o *occupant, st *wire.Stanza, inv *wire.Element) error {
	to, err := jid.Parse(inv.Attr("to"))
	if err != nil {
		return server.MalformedJID
	}
	mod := rank[o.affiliation] >= rank[org.Admin]
	if !mod && !r.cfg.Invites || o.role == "visitor" {
		return server.Forbidden
	}
	if r.cfg.MembersOnly {
		a, err := r.affiliation(ctx, to)
		if err != nil {
			return err
		}
		if a == org.Outcast || a == org.None && !mod {
			return server.Forbidden
		}
		if a == org.None {
			if err := r.apply(ctx, o, []change{{who: to.Bare(), affiliation: org.Member}}); err != nil {
				return err
			}
		}
	}
	from := o.jid
	if r.cfg.NonAnonymous {
		from = st.From.Bare()
	}
	out := wire.E(wire.NSMUCUser, "invite").Set("from", from.String())
	for _, name := range []string{"reason", "continue"} {
		if e := inv.Child(wire.NSMUCUser, name); e != nil {
			out.Add(e)
		}
	}
	x := userX(nil).Add(out)
	if r.cfg.Password != "" {
		x.Add(wire.T(wire.NSMUCUser, "password", r.cfg.Password))
	}
	m := &wire.Stanza{Kind: wire.Message, Name: messageName, From: r.jid, To: to, ID: st.ID}
	return r.s.host.Router.Route(ctx, m.Add(x, wire.E("jabber:x:conference", "x").Set("jid", r.jid.String()).Set("reason", inv.ChildText(wire.NSMUCUser, "reason"))))
}

// decline tells who has invited; only occupants and members can have.
func (r *room) decline(ctx context.Context, st *wire.Stanza, d *wire.Element) error {
	to, err := jid.Parse(d.Attr("to"))
	if err != nil {
		return server.MalformedJID
	}
	var tos []jid.JID
	for _, o := range r.order {
		if o.bare == to.Bare() || o.jid == to {
			tos = clientsOf(o)
		}
	}
	if len(tos) == 0 {
		return errNoOccupant
	}
	out := wire.E(wire.NSMUCUser, "decline").Set("from", st.From.Bare().String())
	if e := d.Child(wire.NSMUCUser, "reason"); e != nil {
		out.Add(e)
	}
	m := &wire.Stanza{Kind: wire.Message, Name: messageName, From: r.jid, ID: st.ID}
	r.send(ctx, m.Add(userX(nil).Add(out)), tos)
	return nil
}
