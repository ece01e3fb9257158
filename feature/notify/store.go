package notify

import (
	"context"

	"parley/messages"
	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	messages.Store

	// GroupBySlug gives a group, existing or deleted, by its slug.
	GroupBySlug(ctx context.Context, host string, slug string) (store.Group, error)
	// SearchMessages gives the newest messages first, and whether there are no older ones.
	SearchMessages(ctx context.Context, f store.Find) (fs []store.Found, complete bool, err error)
}
