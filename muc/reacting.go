package muc

import (
	"context"

	"parley/server"
	"parley/wire"
)

// mayReact refuses a reaction (XEP-0444) of who is not in charge, where the owners of the group have moderators react
// only: in its room and in each theme. Taking reactions back, which is a message that names none, everybody may who
// reacted before. It asks org at each reaction, so that a change holds at once.
func (r *Room) mayReact(ctx context.Context, o *Occupant, st *wire.Stanza) error {
	if r.group == "" || rank[o.affiliation] >= rank[Admin] {
		return nil
	}
	reactions := st.Element(nsReactions, "reactions")
	if reactions == nil || reactions.Child(nsReactions, "reaction") == nil {
		return nil
	}
	g, err := r.s.cfg.Org.GroupByID(ctx, r.s.host.Domain, r.group)
	if err != nil || g.ReactBy != "moderators" {
		return err
	}
	return server.WithText(server.Forbidden, "only moderators react in this group")
}
