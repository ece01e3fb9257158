package directory

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	FindUsers(ctx context.Context, host string, words []string, p store.UserPage) (us []store.User, total int, before int, err error)
	Person(ctx context.Context, host string, name string) (store.Person, error)
	User(ctx context.Context, host string, name string) (store.User, error)
}
