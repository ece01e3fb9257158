package pubsub

import (
	"context"

	"parley/store"
)

// Store is what nodes ask of the store.
type Store interface {
	store.Nodes

	NodesWithoutOwner(ctx context.Context, host string, besides string) ([]string, error)
	Private(ctx context.Context, host string, user string, space string, local string) ([]byte, error)
	SetPrivate(ctx context.Context, host string, user string, space string, local string, data []byte, max int) error
}
