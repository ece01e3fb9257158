package vcard

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	// Person gives a person by account name.
	Person(ctx context.Context, host string, name string) (store.Person, error)
	// Private gives the element of a name.
	Private(ctx context.Context, host string, user string, space string, local string) ([]byte, error)
	// SetPrivate keeps an element.
	SetPrivate(ctx context.Context, host string, user string, space string, local string, data []byte, max int) error
}
