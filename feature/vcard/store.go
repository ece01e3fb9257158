package vcard

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	Person(ctx context.Context, host string, name string) (store.Person, error)
	Private(ctx context.Context, host string, user string, space string, local string) ([]byte, error)
	SetPrivate(ctx context.Context, host string, user string, space string, local string, data []byte, max int) error
}
