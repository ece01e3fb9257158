package muc

import (
	"context"

	"parley/store"
	"parley/wire/jid"
)

// maxVisits bounds the rooms that are asked for one search.
const maxVisits = 100

// visitsHere is Visits for the rooms that are in memory here.
func (s *Service) visitsHere(ctx context.Context, who jid.JID) (out []store.Visit) {
	s.mu.RLock()
	all := make([]*Room, 0, len(s.rooms))
	for _, r := range s.rooms {
		all = append(all, r)
	}
	s.mu.RUnlock()
	asked := 0
	for _, r := range all {
		c := r.Config()
		if !c.SinceJoin || !r.keeper.Visits(ctx, who) {
			continue
		}
		if asked++; asked > maxVisits {
			break
		}
		if _, from, err := r.reading(ctx, who); err == nil && !from.IsZero() {
			out = append(out, store.Visit{Room: r.name, Since: from})
		}
	}
	return out
}
