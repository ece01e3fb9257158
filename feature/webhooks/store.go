package webhooks

import (
	"context"

	"parley/acts"
	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	acts.Store
	store.Webhooks

	// ReadRoom gives a page of a room's archive, as ReadArchive does.
	ReadRoom(ctx context.Context, host string, room string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
}
