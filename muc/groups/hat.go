package groups

import (
	"context"

	"parley/muc"
	"parley/wire/jid"
)

// hatRule gives people the hats of the organization: roles and teams.
func hatRule(k *keeper) muc.Hooks {
	if k.s.cfg.Hats == nil {
		return muc.Hooks{}
	}
	return muc.Hooks{Hats: func(ctx context.Context, who jid.JID) []muc.Hat { return k.s.cfg.Hats(ctx, k.group, who) }}
}
