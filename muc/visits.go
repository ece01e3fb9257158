package muc

import (
	"context"

	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// maxVisits bounds the rooms that are asked for one search.
const maxVisits = 100

// Visits are the rooms that somebody is in now as a visitor, where who just visits reads what was said since they came in:
// only the room knows when that was. A search is told of them.
func (s *Service) Visits(ctx context.Context, who jid.JID) (out []store.Visit) {
	s.mu.RLock()
	all := make([]*room, 0, len(s.rooms))
	for _, r := range s.rooms {
		all = append(all, r)
	}
	s.mu.RUnlock()
	asked := 0
	for _, r := range all {
		c := r.config()
		if !c.SinceJoin || !r.visits(ctx, who) {
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

// visits says whether somebody has no place of their own in a room, by which a search knows of it.
func (r *room) visits(ctx context.Context, who jid.JID) bool {
	if r.group != "" {
		role, err := r.s.cfg.Org.RoleOf(ctx, r.s.host.Domain, r.group, who)
		if err != nil || role != "" {
			return false
		}
		a, err := r.access(ctx, who)
		return err == nil && a.Read && rank[a.Affiliation] < rank[org.Admin]
	}
	a, err := r.affiliation(ctx, who)
	return err == nil && a == org.None
}
