package roster

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	// RosterSince gives what changed after a version.
	RosterSince(ctx context.Context, host string, user string,
		version int64) (changed []store.Contact, removed []store.Removed, now int64, ok bool, err error)
	// UpdateContact changes one contact in a transaction.
	UpdateContact(ctx context.Context, host string, user string, jid string, max int,
		f func(c *store.Contact) (remove bool, err error)) (store.Contact, error)
}
