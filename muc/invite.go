package muc

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// inviting has the last invitations of a room.
type inviting struct {
	r    *Room
	last [64]invited
	n    int
}

// invitations passes invitations on, and what people say who decline them (sections 7.8.2 and 7.8.3).
func invitations(r *Room) Hooks {
	iv := &inviting{r: r}
	return Hooks{ToRoom: iv.take, Moving: Moving{
		Name: "invitations",
		Give: func() any { return iv.last },
		Take: func(b []byte) error {
			err := json.Unmarshal(b, &iv.last)
			iv.n = len(iv.last) - 1
			for i, x := range iv.last { // the next one takes the first free place
				if x.Who.IsZero() {
					iv.n = i
					break
				}
			}
			return err
		},
	}}
}

func (iv *inviting) take(ctx context.Context, o *Occupant, st *wire.Stanza) (done bool, err error) {
	x := st.Element(wire.NSMUCUser, "x")
	if d := x.Child(wire.NSMUCUser, "decline"); d != nil {
		return true, iv.decline(ctx, st, d)
	}
	if o == nil {
		return false, nil
	}
	if !o.pace.Allow(st.At) {
		return true, ErrTooFast
	}
	n := 0
	for _, inv := range x.Elements() {
		if inv.Name != (wire.Name{Space: wire.NSMUCUser, Local: "invite"}) {
			continue
		}
		if n++; n > 50 {
			return true, server.PolicyViolation
		}
		if err := iv.invite(ctx, o, st, inv); err != nil {
			return true, err
		}
	}
	return n > 0, nil
}

// invite passes an invitation on; in a members-only room it makes its target a member, if its sender may.
func (iv *inviting) invite(ctx context.Context, o *Occupant, st *wire.Stanza, inv *wire.Element) error {
	r := iv.r
	to, err := jid.Parse(inv.Attr("to"))
	if err != nil {
		return server.MalformedJID
	}
	mod := rank[o.affiliation] >= rank[Admin]
	if !mod && !r.cfg.Invites || o.role == "visitor" {
		return server.Forbidden
	}
	if err := r.mayReceive(ctx, st.From, to); err != nil {
		return err
	}
	a, err := r.affiliation(ctx, to)
	switch {
	case err != nil:
		return err
	case a == Outcast:
		return server.WithText(server.Forbidden, "they are banned from this room")
	// section 9.5: an invitation from somebody who may make members makes the invited person a member
	case r.cfg.MembersOnly && a == None:
		if err := r.affiliate(ctx, r.s.by(st.From), o, Change{Who: to.Bare(), Affiliation: Member}); err != nil {
			return err
		}
	}
	from := o.jid
	if r.cfg.NonAnonymous {
		from = st.From.Bare()
	}
	iv.last[iv.n%len(iv.last)] = invited{to.Bare(), o.bare}
	iv.n++
	return r.s.host.Router.Route(ctx, r.invitation(st.ID, from, to, inv))
}

// invited maps invited people to their inviters: nobody else has something to decline. Otherwise strangers could find
// out who is in the room.
type invited struct{ Who, By jid.JID }

// invitation makes the stanza for an invited person; inv has the reason and other words of the inviter, or is nil.
func (r *Room) invitation(id string, from, to jid.JID, inv *wire.Element) *wire.Stanza {
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
	m := &wire.Stanza{Kind: wire.Message, Name: messageName, From: r.jid, To: to, ID: id}
	return m.Add(x, wire.E("jabber:x:conference", "x").Set("jid", r.jid.String()).
		Set("reason", inv.ChildText(wire.NSMUCUser, "reason")))
}

// mayReceive refuses an invitation to an account that does not exist (section 7.8.2). Only people of this host are told
// whether it does.
func (r *Room) mayReceive(ctx context.Context, from, to jid.JID) error {
	if to.Local() == "" {
		return server.ItemNotFound
	}
	if host := r.s.host.Domain; to.Domain() != host || from.Domain() != host {
		return nil
	}
	_, err := r.s.st.User(ctx, to.Domain(), to.Local())
	if errors.Is(err, store.ErrNotFound) {
		return server.WithText(server.ItemNotFound, "there is no such account")
	}
	return err
}

// decline tells the inviter once, if they are still here.
func (iv *inviting) decline(ctx context.Context, st *wire.Stanza, d *wire.Element) error {
	r := iv.r
	to, err := jid.Parse(d.Attr("to"))
	if err != nil {
		return server.MalformedJID
	}
	var tos []*Occupant
	for _, o := range r.order {
		i := slices.Index(iv.last[:], invited{st.From.Bare(), o.bare})
		if i >= 0 && (o.bare == to.Bare() || o.jid == to) {
			tos = append(tos, o)
			iv.last[i] = invited{}
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
	r.tell(ctx, m.Add(userX(nil).Add(out)), tos)
	return nil
}
