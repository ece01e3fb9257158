package search

import (
	"context"
	"time"
)

// Store is what this feature asks of the store.
type Store interface {
	IndexArchives(ctx context.Context, host string, before time.Time) (left int, err error)
}
