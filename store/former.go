package store

import (
	"context"
	"time"
)

// Former is the tombstone of deleted accounts of one name: how many there were, and when the last one was deleted.
type Former struct {
	Host, Name string
	Times      int
	Deleted    time.Time
}

// Formers keeps the tombstones of deleted accounts, and finds what else a deletion has to clean up besides DeleteUser.
type Formers interface {
	// Former gives the tombstone of a name; ErrNotFound if no account of it was ever deleted.
	Former(ctx context.Context, host, name string) (Former, error)
	// Formers gives all tombstones of a host, in order of name.
	Formers(ctx context.Context, host string) ([]Former, error)
	// Untold gives the deletions that rooms, nodes and contact lists have not all processed yet. Until MarkTold is
	// called for a name, no account of that name can be made.
	Untold(ctx context.Context) ([]Former, error)
	// MarkTold notes that rooms, nodes and contact lists have processed the deletion of an account.
	MarkTold(ctx context.Context, host, name string) error
	// FreeName makes a name available at once, as if its last account had been deleted long ago.
	FreeName(ctx context.Context, host, name string) error

	// Holders gives the accounts of a host that have an address in their contact list, or a subscription request from
	// it.
	Holders(ctx context.Context, host, jid string) ([]string, error)
	// RoomsWithoutOwner gives the existing free rooms that nobody owns except, perhaps, the address besides.
	// Conversations of several people, which nobody owns, are not among them.
	RoomsWithoutOwner(ctx context.Context, host, besides string) ([]string, error)
	// NodesWithoutOwner gives the nodes of a service that nobody owns except, perhaps, the address besides.
	NodesWithoutOwner(ctx context.Context, host, besides string) ([]string, error)
	// RoomConfigs gives the names and configurations of existing free rooms, in order of name.
	RoomConfigs(ctx context.Context, host, after string, limit int) ([]Room, error)
}
