package muc

import (
	"context"
	"maps"
	"slices"

	"parley/internal/everywhere"
	"parley/store"
	"parley/wire/jid"
)

// What only the nodes know at which rooms are in memory.

// Names under which nodes ask each other. Each service has its own.
func (s *Service) occupantsName() string { return "occupants " + s.cfg.Domain }
func (s *Service) visitsName() string    { return "visits " + s.cfg.Domain }
func (s *Service) freeName() string      { return "free rooms " + s.cfg.Domain }

// answerNodes has other nodes answered what this one knows of its rooms.
func (s *Service) answerNodes() {
	everywhere.On(s.host.Everywhere, s.occupantsName(), func(_ context.Context, names []string) (any, error) {
		return s.occupantsHere(names), nil
	})
	everywhere.On(s.host.Everywhere, s.visitsName(), func(ctx context.Context, who jid.JID) (any, error) {
		return s.visitsHere(ctx, who), nil
	})
	everywhere.On(s.host.Everywhere, s.freeName(), func(context.Context, struct{}) (any, error) {
		return s.freeHere(), nil
	})
}

// occupants gives how many people are in rooms, at whatever node they are. Rooms with nobody are left out.
func (s *Service) occupants(names []string) map[string]int {
	all := s.occupantsHere(names)
	if !s.host.Everywhere.Others() {
		return all
	}
	for _, more := range everywhere.Asked[map[string]int](s.host.Everywhere, s.occupantsName(), names) {
		maps.Copy(all, more)
	}
	return all
}

func (s *Service) occupantsHere(names []string) map[string]int {
	all := make(map[string]int)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, name := range names {
		if r := s.rooms[name]; r != nil && r.present.Load() > 0 {
			all[name] = int(r.present.Load())
		}
	}
	return all
}

// Visits returns the rooms where somebody is a visitor now, and where visitors read only messages since they came in:
// only the room knows when that was. The search gets it from here.
func (s *Service) Visits(ctx context.Context, who jid.JID) []store.Visit {
	all := s.visitsHere(ctx, who)
	for _, more := range everywhere.Asked[[]store.Visit](s.host.Everywhere, s.visitsName(), who) {
		all = append(all, more...)
	}
	return all[:min(len(all), maxVisits)]
}

// freeHere gives the free rooms that are in memory here, or are being loaded.
func (s *Service) freeHere() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var names []string
	for name, r := range s.rooms {
		if freeOf(r) != nil {
			names = append(names, name) // its requests and occupants are known to the room alone
		}
	}
	for name := range s.loading { // it may have been read before the account was gone
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
