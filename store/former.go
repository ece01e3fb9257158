package store

import (
	"context"
	"time"
)

// Former is what is left of accounts that were deleted: how many had this name, and when the last of them went.
type Former struct {
	Host, Name string
	Times      int
	Deleted    time.Time
}

// Formers is what deleting an account needs besides DeleteUser: what of it is in memory elsewhere, or has to be decided.
type Formers interface {
	// Former gives the tombstone of a name; ErrNotFound if no account of it was ever deleted.
	Former(ctx context.Context, host, name string) (Former, error)
	// Formers gives all tombstones of a host, in order of name.
	Formers(ctx context.Context, host string) ([]Former, error)
	// Untold gives the deletions that rooms, nodes and contact lists have not been told of to the end; MarkTold ends that.
	// Until then no account of the name can be made.
	Untold(ctx context.Context) ([]Former, error)
	MarkTold(ctx context.Context, host, name string) error
	// FreeName has a name be as if its last account had been deleted long ago.
	FreeName(ctx context.Context, host, name string) error

	// Holders gives the accounts of a host that have an address in their contact list, or a request of it.
	Holders(ctx context.Context, host, jid string) ([]string, error)
	// RoomsWithoutOwner gives the living free rooms that nobody owns besides an address, which may own them or not.
	RoomsWithoutOwner(ctx context.Context, host, besides string) ([]string, error)
	// NodesWithoutOwner does so for the nodes of a service.
	NodesWithoutOwner(ctx context.Context, host, besides string) ([]string, error)
	// RoomConfigs gives the names and configurations of living free rooms, in order of name.
	RoomConfigs(ctx context.Context, host, after string, limit int) ([]Room, error)
}
