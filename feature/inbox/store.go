package inbox

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	ChatSince(ctx context.Context, host string, user string, with string, after store.ID, limit int) ([]store.ChatEntry, error)
	Chats(ctx context.Context, host string, user string, limit int) ([]store.Chat, error)
	Displayed(ctx context.Context, host string, user string) ([]store.Displayed, error)
	ExpireMentions(ctx context.Context, host string, before store.ID, limit int) (int, error)
	FindArchived(ctx context.Context, host string, owner string, with string, originID string, incoming bool) (store.Archived, error)
	SetDisplayed(ctx context.Context, host string, user string, max int, ds ...store.Displayed) error
}
