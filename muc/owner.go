package muc

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// create makes the room when somebody enters an address without one (section 10.1). It stays locked until its owner has
// accepted or changed its configuration.
func (s *Service) create(ctx context.Context, st *wire.Stanza) error {
	if st.To.Resource() == "" {
		return server.MalformedJID
	}
	if !st.Has(wire.NSMUC, "x") {
		s.notIn(ctx, st)
		return nil
	}
	if NickKey(st.To.Resource()) == "" {
		return errNoNick
	}
	if err := s.make(ctx, st); err != nil {
		return err
	}
	return s.post(ctx, st.To.Local(), work{st: st})
}

// createReserved: some clients ask for or send the configuration of a room before they enter it.
func (s *Service) createReserved(ctx context.Context, st *wire.Stanza) error {
	x := st.Element(wire.NSMUCOwner, "query").Child(wire.NSForm, "x")
	if x == nil || x.Attr("type") != "submit" {
		return server.ItemNotFound
	}
	if err := s.make(ctx, st); err != nil {
		return err
	}
	return s.post(ctx, st.To.Local(), work{st: st})
}

func (s *Service) make(ctx context.Context, st *wire.Stanza) error {
	name := st.To.Local()
	if s.keepers != nil {
		if taken, err := s.keepers.Create(ctx, st); taken || err != nil {
			return err
		}
	}
	if err := s.mayCreate(ctx, st.From); err != nil {
		return err
	}
	if err := s.mayOwnMore(ctx, st.From); err != nil {
		return err
	}
	locked := s.cfg.Defaults
	locked.Locked = true
	cfg, err := json.Marshal(locked)
	if err != nil {
		return err
	}
	row := store.Room{
		Host:    s.cfg.Domain,
		Name:    name,
		Config:  cfg,
		Access:  s.cfg.Defaults.access(),
		Created: s.host.Clock.Now().UTC(),
	}
	owner := store.Affiliation{JID: st.From.Bare().String(), Affiliation: Owner, Since: row.Created}
	err = s.st.CreateRoom(ctx, row, owner)
	if errors.Is(err, store.ErrExists) {
		// A free room that was destroyed may be created again, without its past; the address of another room is never
		// used again.
		if err = s.st.ReviveRoom(ctx, row, owner); errors.Is(err, store.ErrExists) {
			if _, e := s.st.Room(ctx, s.cfg.Domain, name); e == nil {
				return nil // somebody else has just made it
			}
			return server.WithText(ErrConflict, "this address has been used and is kept from reuse")
		}
	}
	if err != nil {
		return err
	}
	return s.load(ctx, name)
}

func (s *Service) mayCreate(ctx context.Context, who jid.JID) error {
	local := who.Domain() == s.host.Domain
	switch s.cfg.Create {
	case "anyone":
		return nil
	case "local":
		if local {
			return nil
		}
	case "admins":
		if local && s.IsAdmin(ctx, who) {
			return nil
		}
	}
	return server.WithText(server.NotAllowed, "you may not create rooms here")
}

// mayOwnMore returns an error if a person owns as many rooms as allowed (section 13.6). Administrators may own more.
func (s *Service) mayOwnMore(ctx context.Context, who jid.JID) error {
	n, err := s.st.RoomsOwned(ctx, s.cfg.Domain, who.Bare().String())
	if err == nil && n >= s.cfg.MaxPerUser && !s.IsAdmin(ctx, who) {
		return server.WithText(server.NotAllowed, "you own as many rooms as allowed")
	}
	return err
}

// IsAdmin says whether who administers the host whose people the service is for.
func (s *Service) IsAdmin(ctx context.Context, who jid.JID) bool {
	if who.Domain() != s.host.Domain {
		return false
	}
	u, err := s.st.User(ctx, s.host.Domain, who.Local())
	return err == nil && u.Admin && !u.Disabled
}

// owner answers muc#owner queries (sections 10.1, 10.2, 10.9).
func (r *Room) owner(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	mine, err := r.affiliation(ctx, st.From)
	if err != nil {
		return nil, err
	}
	if mine != Owner {
		return nil, server.Forbidden
	}
	if st.Type == "get" {
		return wire.E(wire.NSMUCOwner, "query", r.keeper.ConfigForm().Element()), nil
	}
	if d := q.Child(wire.NSMUCOwner, "destroy"); d != nil {
		return nil, r.keeper.Destroy(ctx, d)
	}
	x := q.Child(wire.NSForm, "x")
	if x == nil {
		return nil, server.BadRequest
	}
	f, err := form.Parse(x)
	if err != nil {
		return nil, server.BadRequest
	}
	switch f.Type {
	case "cancel": // section 10.1.3: a room whose owner does not want it after all
		if r.locked.Load() {
			r.end(ctx)
		}
		return nil, nil
	case "submit":
		if len(f.Fields) == 0 || len(f.Fields) == 1 && f.Has(form.TypeVar) { // an instant room
			return nil, r.unlock(ctx)
		}
		if f.About() != nsConfig && f.About() != "" {
			return nil, server.BadRequest
		}
		return nil, r.keeper.Configure(ctx, st, f)
	}
	return nil, server.BadRequest
}

// unlock opens a room as it is.
func (r *Room) unlock(ctx context.Context) error {
	if !r.locked.Load() {
		return nil
	}
	now := r.cfg
	now.Locked = false
	if err := r.storeConfig(ctx, now); err != nil {
		return err
	}
	r.setConfig(now)
	r.locked.Store(false)
	return nil
}

// evict tells every occupant that the room is gone. It does so with the affiliation that the room knew last if stays
// says that this is still right: of a room that is destroyed nothing is left.
func (r *Room) evict(ctx context.Context, note *wire.Element, stays bool, codes ...string) {
	for _, o := range slices.Clone(r.order) {
		affiliation := None
		if stays {
			affiliation = o.affiliation
		}
		for _, c := range o.clients {
			it := wire.E(wire.NSMUCUser, "item").Set("affiliation", affiliation).Set("role", "none")
			x := userX(it, append([]string{"110"}, codes...)...).Add(note)
			st := &wire.Stanza{Kind: wire.Presence, Name: presenceName, Type: "unavailable", From: o.jid}
			r.send(ctx, st.Add(x), []jid.JID{c.jid})
			delete(r.sessions, c.jid)
			r.clientOut(c.jid)
		}
	}
	r.order = nil
	clear(r.nicks)
	clear(r.keys)
	r.present.Store(0)
}

// end is a temporary room's end, or that of one whose making was cancelled.
func (r *Room) end(ctx context.Context) {
	r.over = true
	if err := r.s.st.DestroyRoom(ctx, r.s.cfg.Domain, r.name, r.s.host.Clock.Now()); err != nil &&
		!errors.Is(err, store.ErrNotFound) {
		r.s.log.Error("an empty room is not removed", "room", r.jid.String(), "err", err)
	}
	r.dropCard(ctx)
	r.evict(ctx, wire.E(wire.NSMUCUser, "destroy"), false)
	r.s.forget(r)
}
