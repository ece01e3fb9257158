package store

import "context"

// SavedMessage is a message that somebody has saved for later.
type SavedMessage struct {
	Host, Owner string
	ID          ID     // also says when
	Chat        string // bare address of the room or of the other person
	Message     ID     // in the archive of the room, or else in the owner's
}

// SavedMessages keeps what people have saved for later. It goes with the account, and with a room that is destroyed.
type SavedMessages interface {
	// SaveMessage keeps a message; one that is kept already stays as it is. ErrLimit if its owner would have more than
	// max.
	SaveMessage(ctx context.Context, m SavedMessage, max int) error
	// UnsaveMessage removes a message; nothing happens if it is not kept.
	UnsaveMessage(ctx context.Context, host, owner, chat string, message ID) error
	// SavedMessages gives what an account has saved, the last first, at most limit; with before, only what was saved
	// before it.
	SavedMessages(ctx context.Context, host, owner string, before ID, limit int) ([]SavedMessage, error)
}
