package store

import "context"

// Atomics runs several calls of a store as one.
type Atomics interface {
	// Atomic runs f in one transaction of the highest isolation. What f writes with the ctx that it gets is kept whole
	// if f returns nil, and not at all otherwise. f may be run again from its beginning, so it must do nothing else
	// that lasts. An Atomic within another one is part of the outer transaction; if the inner one fails, only its own
	// part is undone. Commit and the methods that read archives take no part in it. With ErrInDoubt the whole may be
	// kept or not.
	Atomic(ctx context.Context, f func(ctx context.Context) error) error
	// Bump raises the version of a thing by one and gives the new version; the first is 1. Until the transaction ends,
	// other transactions that bump the same thing wait, or start again: within Atomic it is a lock.
	Bump(ctx context.Context, host, kind, id string) (int64, error)
	// Version gives the version of a thing; 0 before the first Bump.
	Version(ctx context.Context, host, kind, id string) (int64, error)
}
