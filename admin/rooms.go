package admin

import (
	"context"

	"parley/wire/jid"
)

// Rooms does in rooms what people do, by their rules.
type Rooms interface {
	// Say sends a message of an account's to a room, as a client that comes, says it and leaves.
	Say(ctx context.Context, account, room jid.JID, text string) error
	// Retract takes back what the account has said, Moderate as a moderator what another has: by its stanza-id.
	Retract(ctx context.Context, account, room jid.JID, id string) error
	Moderate(ctx context.Context, account, room jid.JID, id, reason string) error
	// Kick shows everybody out of the room who is in it as somebody; a *fault.Error where nobody is.
	Kick(ctx context.Context, account, room, who jid.JID, reason string) error
}
