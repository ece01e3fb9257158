package store

import "context"

// Atomics run several calls of a store as one.
type Atomics interface {
	// Atomic runs f in one transaction of the highest isolation: what f asks the store for and has it keep, with the ctx that
	// f is given, is kept whole when f returns nil, and not at all otherwise. f may be run again from its beginning, so it does
	// nothing else that lasts. An Atomic within another is part of that one; if it fails, only its own part is undone. Commit
	// and what reads archives take no part.
	Atomic(ctx context.Context, f func(ctx context.Context) error) error
	// Bump counts a thing's version up, and gives the new one: 1 is the first. Until its transaction ends, others that bump
	// the same wait, or begin again: within Atomic it is a lock.
	Bump(ctx context.Context, host, kind, id string) (int64, error)
	// Version gives a thing's version; 0 before the first Bump.
	Version(ctx context.Context, host, kind, id string) (int64, error)
}
