package blocking

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	store.Blocklist

	// AddReport keeps a report.
	AddReport(ctx context.Context, r store.Report, max int) error
}
