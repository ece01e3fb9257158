package muc

import (
	"context"
	"errors"
	"slices"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Retraction of messages: by their author (XEP-0424), or by a moderator (XEP-0425, in its present and its older form).

const (
	nsModerate0 = "urn:xmpp:message-moderate:0"
	nsRetract0  = "urn:xmpp:message-retract:0"
	nsFasten    = "urn:xmpp:fasten:0"
)

// errModerator has the type that the XEP's example has.
var errModerator = server.WithText(stanza.Error{Type: stanza.Modify, Condition: stanza.Forbidden},
	"only moderators may moderate others' messages")

// moderateQuery reads a request in either form: which message, why. ok is false if it asks for nothing that is known.
func moderateQuery(q *wire.Element) (id, reason string, ok bool) {
	if q.Name.Space == nsFasten {
		m := q.Child(nsModerate0, "moderate")
		return q.Attr("id"), m.ChildText(nsModerate0, "reason"), m.Child(nsRetract0, "retract") != nil
	}
	return q.Attr("id"), q.ChildText(wire.NSModerate, "reason"), q.Child(wire.NSRetract, "retract") != nil
}

// moderate takes a message back for everyone.
func (r *Room) moderate(ctx context.Context, st *wire.Stanza, q *wire.Element) error {
	o := r.sessions[st.From]
	if o == nil {
		return errNotOccupant
	}
	sid, reason, ok := moderateQuery(q)
	if !ok {
		sid = ""
	}
	return r.takeBack(ctx, o, sid, reason)
}

// takeBack has a moderator take a message back, by its stanza-id.
func (r *Room) takeBack(ctx context.Context, o *Occupant, sid, reason string) error {
	if o.role != "moderator" {
		return errModerator
	}
	if sid == "" || len(reason) > maxReason {
		return server.BadRequest
	}
	r.Flush(ctx)
	e, err := r.kept(ctx, sid)
	if err != nil {
		return err
	}
	by := func(space string) *wire.Element {
		return wire.E(space, "moderated", wire.E(nsOccupantID, "occupant-id").Set("id", o.id)).Set("by", o.jid.String())
	}
	why := []*wire.Element{by(wire.NSModerate)}
	if reason != "" {
		why = append(why, wire.T(wire.NSRetract, "reason", reason))
	}
	out := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "groupchat", From: r.jid, ID: r.s.host.NewID()}
	if err := r.bury(ctx, e, out.ID, why...); err != nil {
		return err
	}
	out.Add(wire.E(wire.NSRetract, "retract", why...).Set("id", sid))
	old := by(nsModerate0).Add(wire.E(nsRetract0, "retract"))
	if reason != "" {
		old.Add(wire.T(nsModerate0, "reason", reason))
	}
	out.Add(wire.E(nsFasten, "apply-to", old).Set("id", sid))
	r.queue(nil, out.Add(wire.E(wire.NSHints, "store")), false)
	r.Flush(ctx)
	return nil
}

const maxReason = 1000

// kept finds a message of the room by its stanza-id.
func (r *Room) kept(ctx context.Context, sid string) (store.Archived, error) {
	id, err := store.ParseID(sid)
	if err != nil {
		return store.Archived{}, server.ItemNotFound
	}
	es, _, _, err := r.s.st.ReadRoom(ctx, r.s.cfg.Domain, r.name, store.Page{IDs: []store.ID{id}, Max: 1})
	if errors.Is(err, store.ErrNotFound) || err == nil && len(es) == 0 {
		return store.Archived{}, server.ItemNotFound
	}
	if err != nil {
		return store.Archived{}, err
	}
	return es[0], nil
}

// bury leaves a tombstone of a message and of its corrections, in the archive and for newcomers.
func (r *Room) bury(ctx context.Context, e store.Archived, retraction string, why ...*wire.Element) error {
	if st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)}); err == nil && e.Sender != "" {
		es, _, _, err := r.s.st.ReadRoom(ctx, r.s.cfg.Domain, r.name,
			store.Page{With: e.Sender, After: e.ID, Max: server.CorrectionsRead})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for _, c := range es {
			if _, ok := server.Corrects(c.Stanza, st.ID); !ok {
				continue
			}
			if err := r.entomb(ctx, c, retraction, why...); err != nil {
				return err
			}
		}
	}
	return r.entomb(ctx, e, retraction, why...)
}

func (r *Room) entomb(ctx context.Context, e store.Archived, retraction string, why ...*wire.Element) error {
	left, err := server.Tombstone(e.Stanza, retraction, r.s.host.Clock.Now(), why...)
	if err != nil {
		return err
	}
	if err := r.s.st.ReplaceInRoom(ctx, r.s.cfg.Domain, r.name, e.ID, left); err != nil {
		return err
	}
	if author, err := jid.Parse(e.Sender); err == nil {
		r.s.host.Router.Retracted(ctx, author, e.Stanza)
	}
	for i := range r.recent {
		sid := r.recent[i].st.Element(wire.NSSID, "stanza-id")
		if sid.Attr("id") != e.ID.String() {
			continue
		}
		st, err := wire.ParseStanza(left, wire.Limits{Stanza: len(left)})
		if err != nil {
			return err
		}
		r.recent[i].st = st
	}
	return nil
}

// ownRetraction lets people retract their own messages and refuses a retraction of somebody else's.
func (r *Room) ownRetraction(ctx context.Context, o *Occupant, st *wire.Stanza) error {
	sid, _ := server.Retracts(st)
	if sid == "" {
		return nil
	}
	r.Flush(ctx)
	e, err := r.kept(ctx, sid)
	if errors.Is(err, server.ItemNotFound) {
		e, err = r.ownByID(ctx, o, sid)
	}
	if errors.Is(err, server.ItemNotFound) {
		return nil // not archived: clients settle it among themselves
	}
	if err != nil {
		return err
	}
	if e.Sender != o.bare.String() || !saidAs(e.Stanza, o.id) {
		return server.Forbidden
	}
	return r.bury(ctx, e, st.ID)
}

// ownByID finds an occupant's own message by the id or origin-id that it was sent with: clients that know no stanza-ids
// use these.
func (r *Room) ownByID(ctx context.Context, o *Occupant, id string) (store.Archived, error) {
	es, _, _, err := r.s.st.ReadRoom(ctx, r.s.cfg.Domain, r.name,
		store.Page{With: o.bare.String(), Backwards: true, Max: server.CorrectionsRead})
	if err != nil {
		return store.Archived{}, err
	}
	for _, e := range slices.Backward(es) {
		if _, _, ok := server.IsMessage(e.Stanza, id); ok && saidAs(e.Stanza, o.id) {
			return e, nil
		}
	}
	return store.Archived{}, server.ItemNotFound
}

// saidAs says whether a kept message is of this occupant-id: its address may have been somebody else's then.
func saidAs(kept []byte, id string) bool {
	st, err := wire.ParseStanza(kept, wire.Limits{Stanza: len(kept)})
	if err != nil {
		return false
	}
	e := st.Element(nsOccupantID, "occupant-id")
	return e == nil || e.Attr("id") == id
}
