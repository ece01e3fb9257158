package c2s

import (
	"context"

	"parley/store"
)

// Store is what the door for clients asks of the store.
type Store interface {
	store.Tokens

	UpgradeKeys(ctx context.Context, host string, name string, old []byte, now []byte) error
	User(ctx context.Context, host string, name string) (store.User, error)
}
