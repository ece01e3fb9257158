package federation

import (
	"context"

	"parley/store"
)

// Store is the part of the store that Admin needs.
type Store interface {
	store.DomainRules

	// Get returns a value that the server keeps for a host, or store.ErrNotFound.
	Get(ctx context.Context, host string, key string) ([]byte, error)
	// Put keeps a value for a host.
	Put(ctx context.Context, host string, key string, value []byte) error
}
