package groups

import (
	"context"

	"parley/muc"
	"parley/server"
	"parley/wire"
)

// reactingRule refuses a reaction (XEP-0444) from people who are not moderators, where the owners of the group let only
// moderators react: in its room and in each theme. Everyone may take their own reactions back, with a message that
// names none. It asks org at each reaction, so that a change holds at once.
func reactingRule(k *keeper) muc.Hooks {
	return muc.Hooks{Receive: func(ctx context.Context, o *muc.Occupant, st *wire.Stanza) (*wire.Stanza, error) {
		if muc.AtLeast(o.Affiliation(), muc.Admin) {
			return st, nil
		}
		reactions := st.Element(nsReactions, "reactions")
		if reactions == nil || reactions.Child(nsReactions, "reaction") == nil {
			return st, nil
		}
		g, err := k.org.GroupByID(ctx, k.host, k.group)
		if err != nil || g.ReactBy != "moderators" {
			return st, err
		}
		return nil, server.WithText(server.Forbidden, "only moderators react in this group")
	}}
}
