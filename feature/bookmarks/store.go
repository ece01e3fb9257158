package bookmarks

import (
	"context"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	store.Bookmarks

	// Items gives a page of items, and how many items there are in all.
	Items(ctx context.Context, host string, owner string, node string,
		p store.ItemPage) (items []store.NodeItem, total int, err error)
	// Private gives the element of a name.
	Private(ctx context.Context, host string, user string, space string, local string) ([]byte, error)
	// SetPrivate keeps an element.
	SetPrivate(ctx context.Context, host string, user string, space string, local string, data []byte, max int) error
}
