package mam

import (
	"context"
	"time"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	store.KV
	store.Retentions

	ArchiveBounds(ctx context.Context, host string, owner string) (first store.ID, last store.ID, err error)
	ExpireArchive(ctx context.Context, host string, owner string, before time.Time, limit int) (int, error)
	FindArchived(ctx context.Context, host string, owner string, with string, originID string, incoming bool) (store.Archived, error)
	Former(ctx context.Context, host string, name string) (store.Former, error)
	ReadArchive(ctx context.Context, host string, owner string, p store.Page) (es []store.Archived, complete bool, total int, err error)
	ReplaceArchived(ctx context.Context, host string, owner string, id store.ID, stanza []byte) error
}
