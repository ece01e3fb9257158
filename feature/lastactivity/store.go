package lastactivity

import (
	"context"
	"time"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	// SetLastSeen notes when an account was last online, and its last status text (XEP-0012).
	SetLastSeen(ctx context.Context, host string, name string, at time.Time, status string) error
	// User gives an account.
	User(ctx context.Context, host string, name string) (store.User, error)
}
