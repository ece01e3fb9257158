package lastactivity

import (
	"context"
	"time"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	SetLastSeen(ctx context.Context, host string, name string, at time.Time, status string) error
	User(ctx context.Context, host string, name string) (store.User, error)
}
