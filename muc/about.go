package muc

import (
	"context"
	"errors"
	"maps"
	"slices"

	"parley/store"
	"parley/wire/jid"
)

// About is what a room that somebody uses says of itself.
type About struct {
	Name    string
	Several bool // it is a conversation of several people
	People  []jid.JID
}

// About returns what a room says of itself if it is in memory, at whatever node; ok is false if it is not. It is safe
// on any goroutine but a room's.
func (s *Service) About(ctx context.Context, name string) (a About, ok bool, err error) {
	if r := s.Loaded(name); r != nil {
		a, err = r.about(ctx, Nothing{})
		return a, err == nil, err
	}
	if s.elsewhere(ctx, name) == nil {
		return a, false, nil
	}
	a, err = s.asks.about.Ask(ctx, name, Patience, Nothing{})
	if errors.Is(err, store.ErrNotFound) {
		return a, false, nil
	}
	return a, err == nil, err
}

// about is safe on any goroutine.
func (r *Room) about(ctx context.Context, _ Nothing) (a About, err error) {
	c := r.Config()
	a.Name, a.Several = c.Name, c.Several
	if !c.Several {
		return a, nil
	}
	all, err := r.keeper.Affiliations(ctx)
	a.People = slices.Collect(maps.Keys(all))
	return a, err
}
