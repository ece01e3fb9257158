package muc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/internal/everywhere"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// A deleted account leaves nothing in free rooms that the next account of its name would get. The store has removed its
// affiliations; the code here does the same for rooms in memory and in the rooms' configurations. The keepers of other
// rooms take care of those. A room that nobody owns any more gets an owner.

// patience is how long one room may take to learn that an account is gone.
const patience = 20 * time.Second

// Left is the reason why somebody no longer owns rooms.
type Left string

// What happened to an account.
const (
	Deleted  Left = "was deleted"
	Archived Left = "was archived"
)

// Inherited is a room, or another thing, that somebody owns now because nobody else did.
type Inherited struct{ What, Heir jid.JID }

// Departed is called after an account of any host was deleted. When it returns, no room knows the address any more.
// Calling it again does no harm.
func (s *Service) Departed(ctx context.Context, who jid.JID) ([]Inherited, error) {
	names, err := s.knowing(ctx, who)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		_, err := s.asks.departed.Ask(ctx, name, patience, who)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("room %s: %w", name, err)
		}
	}
	if err := s.endDeserted(ctx); err != nil {
		return nil, err
	}
	return s.Inherit(ctx, who, Deleted)
}

func (r *Room) departedCall(ctx context.Context, who jid.JID) (none Nothing, err error) {
	if k := freeOf(r); k != nil {
		err = k.departed(ctx, who)
	}
	return none, err
}

// knowing gives the rooms that have, or may have, an address in memory or in their configuration.
func (s *Service) knowing(ctx context.Context, who jid.JID) ([]string, error) {
	names := make(map[string]bool)
	some := everywhere.Asked[[]string](s.host.Everywhere, s.freeName(), struct{}{})
	for _, name := range slices.Concat(append(some, s.freeHere())...) {
		names[name] = true
	}
	address, after := []byte(who.String()), ""
	const page = 500
	for {
		rows, err := s.st.RoomConfigs(ctx, s.cfg.Domain, after, page)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			after = row.Name
			if bytes.Contains(row.Config, address) {
				names[row.Name] = true
			}
		}
		if len(rows) < page {
			return slices.Sorted(maps.Keys(names)), nil
		}
	}
}

// departed takes an address out of a free room, for those who are in it to see.
func (k *free) departed(ctx context.Context, who jid.JID) error {
	r := k.r
	k.requests = slices.DeleteFunc(k.requests, func(q store.RoomRequest) bool { return q.JID == who.String() })
	for _, o := range slices.Clone(r.order) { // its clients are being put out, and may not have left yet
		if o.bare == who {
			r.expel(ctx, o, leaving{codes: []string{"321"}})
		}
	}
	if len(r.cfg.Worn[who.String()]) > 0 {
		err := r.changeHats(ctx, func(c *RoomConfig) error {
			delete(c.Worn, who.String())
			return nil
		})
		if err != nil {
			return err
		}
	}
	if _, known := k.people[who]; !known {
		return nil
	}
	none := []Change{{Who: who, Affiliation: None, SetNick: true}}
	change := k.setPeople
	if s, ok := r.keeper.(*several); ok {
		change = func(ctx context.Context, cs []Change) error { return s.change(ctx, jid.JID{}, cs) }
	}
	if err := change(ctx, none); err != nil { // once more: it may have been written since
		return err
	}
	r.showChanges(ctx, nil, none)
	return nil
}

// Inherit gives an owner to each room that nobody but this address owns; why says what happened to its account.
func (s *Service) Inherit(ctx context.Context, who jid.JID, why Left) (all []Inherited, err error) {
	names, err := s.st.RoomsWithoutOwner(ctx, s.cfg.Domain, who.String())
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		heir, err := s.asks.inherit.Ask(ctx, name, patience, leftBy{who, why})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return all, fmt.Errorf("room %s: %w", name, err)
		}
		if heir.IsZero() {
			continue
		}
		room, err := jid.New(name, s.cfg.Domain, "")
		if err != nil {
			return all, err
		}
		all = append(all, Inherited{room, heir})
	}
	return all, nil
}

// leftBy is who left a room, and why.
type leftBy struct {
	Who jid.JID
	Why Left
}

func (r *Room) inheritCall(ctx context.Context, l leftBy) (heir jid.JID, err error) {
	k, ok := r.keeper.(*free)
	if !ok {
		return heir, nil
	}
	return k.inherit(ctx, l.Who, l.Why)
}

// inherit gives the room a new owner if nobody but who owns it: the administrator who was added first, or else whoever
// the organization names. A room that nobody has configured yet ends.
func (k *free) inherit(ctx context.Context, who jid.JID, why Left) (heir jid.JID, err error) {
	r := k.r
	for j, a := range k.people {
		if a.Affiliation == Owner && j != who {
			return heir, nil
		}
	}
	if r.s.cfg.Heir == nil {
		return heir, nil
	}
	if r.locked.Load() {
		r.end(ctx)
		return heir, nil
	}
	if heir, err = k.heir(ctx); err != nil || heir.IsZero() {
		if err == nil {
			r.s.log.Warn("nobody owns a room any more, and there is no administrator to give it to",
				"room", r.jid.String())
		}
		return heir, err
	}
	owner := []Change{{Who: heir, Affiliation: Owner}}
	if err := k.setPeople(ctx, owner); err != nil {
		return jid.JID{}, err
	}
	r.showChanges(ctx, nil, owner)
	name := r.cfg.Name
	if name == "" {
		name = r.jid.Name()
	}
	note := &wire.Stanza{
		Kind: wire.Message,
		Name: messageName,
		Type: "normal",
		From: r.jid,
		To:   heir,
		ID:   r.s.host.NewID(),
	}
	r.s.host.Router.Send(ctx, note.Add(wire.T(wire.NSClient, "body",
		"You now own the room "+name+" ("+r.jid.String()+"): its last owner, "+who.String()+", "+string(why)+".")))
	return heir, nil
}

// heir returns the address that is to own the room; zero if there is nobody.
func (k *free) heir(ctx context.Context) (jid.JID, error) {
	r := k.r
	var admins []store.Affiliation
	for _, a := range k.people {
		if a.Affiliation == Admin {
			admins = append(admins, a)
		}
	}
	slices.SortFunc(admins, func(a, b store.Affiliation) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.JID, b.JID)
	})
	for _, a := range admins {
		j, err := jid.Parse(a.JID)
		if err != nil || r.s.cfg.Serves == nil {
			continue
		}
		if ok, err := r.s.cfg.Serves(ctx, j); err != nil {
			return jid.JID{}, err
		} else if ok {
			return j, nil
		}
	}
	return r.s.cfg.Heir(ctx)
}
