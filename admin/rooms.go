package admin

import (
	"context"

	"parley/wire/jid"
)

// Rooms acts in rooms for people, by the rooms' rules.
type Rooms interface {
	// Say sends a message from an account to a room, which it does not enter.
	Say(ctx context.Context, account, room jid.JID, text string) error
	// Retract removes a message of the account, Moderate as a moderator a message of somebody else, by its stanza-id.
	Retract(ctx context.Context, account, room jid.JID, id string) error
	Moderate(ctx context.Context, account, room jid.JID, id, reason string) error
	// Kick removes all sessions of a person from the room; the error is a *fault.Error if nobody is there.
	Kick(ctx context.Context, account, room, who jid.JID, reason string) error
}
