package pubsub

import (
	"context"

	"parley/store"
)

// Store is the part of the store that nodes need.
type Store interface {
	store.Nodes

	// NodesWithoutOwner returns the nodes of a host that nobody but this address owns.
	NodesWithoutOwner(ctx context.Context, host string, besides string) ([]string, error)
	// Private returns an element of an account's private storage, or store.ErrNotFound.
	Private(ctx context.Context, host string, user string, space string, local string) ([]byte, error)
	// SetPrivate stores an element of an account's private storage.
	SetPrivate(ctx context.Context, host string, user string, space string, local string, data []byte, max int) error
}
