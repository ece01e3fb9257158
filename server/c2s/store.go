package c2s

import (
	"context"

	"parley/store"
)

// Store is the part of the store that serving clients needs.
type Store interface {
	store.Tokens

	// UpgradeKeys replaces the keys of an account's password. It returns store.ErrConflict if they are not old any
	// more.
	UpgradeKeys(ctx context.Context, host string, name string, old []byte, now []byte) error
	// User returns an account, or store.ErrNotFound.
	User(ctx context.Context, host string, name string) (store.User, error)
}
