package notify

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	GroupBySlug(ctx context.Context, host string, slug string) (store.Group, error)
	SearchMessages(ctx context.Context, f store.Find) (fs []store.Found, complete bool, err error)
}
