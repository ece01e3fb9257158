package muc

import (
	"context"
	"time"

	"parley/wire/jid"
)

// readingOf is the result of ReadingOf.
type readingOf struct {
	From      time.Time
	Addressed bool
}

// affiliationOf is the result of AffiliationOf.
type affiliationOf struct {
	Affiliation string
	Closed      bool
}

// ReadingOf returns the time from which on a person may read the messages of a room, and whether the person sees real
// addresses there. The room is loaded if need be. It returns store.ErrNotFound if the room does not exist, and a
// refusal if the person may read nothing. It is safe on any goroutine but a room's.
func (s *Service) ReadingOf(ctx context.Context, name string, who jid.JID) (from time.Time, addressed bool, err error) {
	x, err := s.asks.reading.Ask(ctx, name, Patience, who.Bare())
	return x.From, x.Addressed, err
}

func (r *Room) readingCall(ctx context.Context, who jid.JID) (x readingOf, err error) {
	a, from, err := r.reading(ctx, who)
	if err != nil {
		return x, err
	}
	return readingOf{from, r.Config().NonAnonymous || rank[a] >= rank[Admin]}, nil
}

// AffiliationOf returns the affiliation of a person in a room, which is loaded if need be, and whether the room is for
// members only. It is safe on any goroutine but a room's.
func (s *Service) AffiliationOf(ctx context.Context, name string, who jid.JID) (a string, closed bool, err error) {
	x, err := s.asks.affiliation.Ask(ctx, name, Patience, who.Bare())
	return x.Affiliation, x.Closed, err
}

func (r *Room) affiliationCall(ctx context.Context, who jid.JID) (x affiliationOf, err error) {
	x.Closed = r.cfg.MembersOnly
	x.Affiliation, err = r.affiliation(ctx, who)
	return x, err
}

// OccupantIDOf returns the occupant-id of a person in a room (XEP-0421), which is loaded if need be. It is safe on any
// goroutine but a room's.
func (s *Service) OccupantIDOf(ctx context.Context, name string, who jid.JID) (id string, err error) {
	return s.asks.occupantID.Ask(ctx, name, Patience, who.Bare())
}

func (r *Room) occupantIDCall(_ context.Context, who jid.JID) (string, error) {
	return r.OccupantID(who), nil
}
