package serviceadmin

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	store.KV

	Person(ctx context.Context, host string, name string) (store.Person, error)
	User(ctx context.Context, host string, name string) (store.User, error)
	Users(ctx context.Context, host string, after string, limit int) ([]store.User, error)
}
