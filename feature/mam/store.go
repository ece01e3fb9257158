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

	// ArchiveBounds gives the ids of an archive's first and last entry.
	ArchiveBounds(ctx context.Context, host string, owner string) (first store.ID, last store.ID, err error)
	// ExpireArchive removes entries of an account older than before, at most limit, and gives how many.
	ExpireArchive(ctx context.Context, host string, owner string, before time.Time, limit int) (int, error)
	// FindArchived gives the newest entry with this id attribute, other side (bare) and direction.
	FindArchived(ctx context.Context, host string, owner string, with string, originID string,
		incoming bool) (store.Archived, error)
	// Former gives the tombstone of a name.
	Former(ctx context.Context, host string, name string) (store.Former, error)
	// ReadArchive gives a page of an account's archive in order of time, whether nothing follows in that direction, and
	// with Count how many entries the filters choose without After and Before.
	ReadArchive(ctx context.Context, host string, owner string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
	// ReplaceArchived replaces the stanza of an entry.
	ReplaceArchived(ctx context.Context, host string, owner string, id store.ID, stanza []byte) error
}
