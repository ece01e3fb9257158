package inbox

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	// ChatSince gives the newest entries of a conversation after an id, the newest first, with their direction.
	ChatSince(ctx context.Context, host string, user string, with string, after store.ID,
		limit int) ([]store.ChatEntry, error)
	// Chats lists the conversations in an account's archive, the newest first.
	Chats(ctx context.Context, host string, user string, limit int) ([]store.Chat, error)
	// Displayed gives how far an account has read each conversation, in order of Chat.
	Displayed(ctx context.Context, host string, user string) ([]store.Displayed, error)
	// ExpireMentions forgets mentions older than before, at most limit, and gives how many.
	ExpireMentions(ctx context.Context, host string, before store.ID, limit int) (int, error)
	// FindArchived gives the newest entry with this id attribute, other side (bare) and direction.
	FindArchived(ctx context.Context, host string, owner string, with string, originID string,
		incoming bool) (store.Archived, error)
	// Newest gives the newest entries of each of several conversations, at most limit of each, the newest first.
	Newest(ctx context.Context, host string, user string, withs []string,
		limit int) (map[string][]store.ChatEntry, error)
	// ReadBy gives those of some accounts who have read a conversation up to a message or beyond, in order of name.
	ReadBy(ctx context.Context, host, chat string, id store.ID, among []string) ([]string, error)
	// SetDisplayed keeps how far an account has read.
	SetDisplayed(ctx context.Context, host string, user string, max int, ds ...store.Displayed) error
}
