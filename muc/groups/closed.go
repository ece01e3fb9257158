package groups

import (
	"context"

	"parley/muc"
	"parley/server"
	"parley/wire"
)

// closedRule has nobody write in a closed theme, not even moderators: it is there to be read.
func closedRule(k *keeper) muc.Hooks {
	return muc.Hooks{
		Role: func(_, role string) string {
			if k.closed && role == "participant" {
				return "visitor"
			}
			return role
		},
		Receive: func(_ context.Context, _ *muc.Occupant, st *wire.Stanza) (*wire.Stanza, error) {
			if k.closed {
				return nil, server.WithText(server.Forbidden, "this theme is closed")
			}
			return st, nil
		},
		Voice: func(*muc.Occupant) error {
			if k.closed {
				return muc.ErrVoice
			}
			return nil
		},
	}
}
