package strangers

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	// ReadArchive gives a page of an account's archive in order of time, whether nothing follows in that direction, and
	// with Count how many entries the filters choose without After and Before.
	ReadArchive(ctx context.Context, host string, owner string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
}
