package serviceadmin

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	store.KV

	// Person gives a person by account name.
	Person(ctx context.Context, host string, name string) (store.Person, error)
	// User gives an account.
	User(ctx context.Context, host string, name string) (store.User, error)
	// Users gives accounts in order of Name, at most limit, beginning behind after.
	Users(ctx context.Context, host string, after string, limit int) ([]store.User, error)
}
