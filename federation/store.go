package federation

import (
	"context"

	"parley/store"
)

// Store is what Admin asks of the store.
type Store interface {
	store.DomainRules

	Get(ctx context.Context, host string, key string) ([]byte, error)
	Put(ctx context.Context, host string, key string, value []byte) error
}
