package later

import (
	"context"
	"time"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	// AddScheduled keeps a message; ErrLimit if its owner would have more than max.
	AddScheduled(ctx context.Context, x store.Scheduled, max int) error
	// ChangeScheduled changes a message in a transaction, and gives it; ErrNotFound if its owner has none of this id.
	ChangeScheduled(ctx context.Context, host, owner string, id store.ID,
		change func(*store.Scheduled) error) (store.Scheduled, error)
	// ClaimScheduled moves the next try of a message; only one of several calls gets true.
	ClaimScheduled(ctx context.Context, host string, id store.ID, next, then time.Time) (bool, error)
	// DeleteScheduled removes a message; ErrNotFound if its owner has none of this id.
	DeleteScheduled(ctx context.Context, host, owner string, id store.ID) error
	// DueScheduled gives messages that are to be tried, the first first, at most limit.
	DueScheduled(ctx context.Context, host string, limit int) ([]store.Scheduled, error)
	// Person gives a person.
	Person(ctx context.Context, host, name string) (store.Person, error)
	// Scheduled gives all messages of an account, the first first.
	Scheduled(ctx context.Context, host, owner string) ([]store.Scheduled, error)
}
