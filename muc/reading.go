package muc

import (
	"context"
	"time"

	"parley/wire/jid"
)

// ReadingOf returns the time from which on a person may read the messages of a room, and whether the person sees real
// addresses there. The room is loaded if need be. It returns store.ErrNotFound if the room does not exist, and a
// refusal if the person may read nothing. It is safe on any goroutine but a room's.
func (s *Service) ReadingOf(ctx context.Context, name string, who jid.JID) (from time.Time, addressed bool, err error) {
	var r *Room
	err = s.Ask(ctx, name, Patience, func(_ context.Context, room *Room) error {
		r = room
		return nil
	})
	if err != nil {
		return from, false, err
	}
	a, from, err := r.reading(ctx, who.Bare())
	if err != nil {
		return from, false, err
	}
	c := r.Config()
	return from, c.NonAnonymous || rank[a] >= rank[Admin], nil
}

// AffiliationOf returns the affiliation of a person in a room, which is loaded if need be, and whether the room is for
// members only. It is safe on any goroutine but a room's.
func (s *Service) AffiliationOf(ctx context.Context, name string, who jid.JID) (a string, closed bool, err error) {
	err = s.Ask(ctx, name, Patience, func(ctx context.Context, r *Room) (err error) {
		closed = r.Config().MembersOnly
		a, err = r.affiliation(ctx, who.Bare())
		return err
	})
	return a, closed, err
}

// OccupantIDOf returns the occupant-id of a person in a room (XEP-0421), which is loaded if need be. It is safe on any
// goroutine but a room's.
func (s *Service) OccupantIDOf(ctx context.Context, name string, who jid.JID) (id string, err error) {
	err = s.Ask(ctx, name, Patience, func(_ context.Context, r *Room) error {
		id = r.OccupantID(who)
		return nil
	})
	return id, err
}
