package strangers

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	ReadArchive(ctx context.Context, host string, owner string, p store.Page) (es []store.Archived, complete bool, total int, err error)
}
