package directory

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	// FindUsers gives a page of enabled accounts in order of name, how many there are in all, and how many come before
	// the page.
	FindUsers(ctx context.Context, host string, words []string,
		p store.UserPage) (us []store.User, total int, before int, err error)
	// Person gives a person by account name.
	Person(ctx context.Context, host string, name string) (store.Person, error)
	// User gives an account.
	User(ctx context.Context, host string, name string) (store.User, error)
}
