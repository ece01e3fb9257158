package search

import (
	"context"
	"time"
)

// Store is what this feature asks of the store.
type Store interface {
	// IndexArchives adds messages older than before to the index, for accounts or rooms of a host that have enough of
	// them, and gives how many it added.
	IndexArchives(ctx context.Context, host string, before time.Time) (left int, err error)
}
