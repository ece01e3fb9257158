package store

import "context"

// Blocklist keeps the addresses that an account blocks (XEP-0191).
type Blocklist interface {
	// Blocked gives the addresses that an account blocks, in order.
	Blocked(ctx context.Context, host, user string) ([]string, error)
	// Block adds addresses; ErrLimit if the account would then block more than max.
	Block(ctx context.Context, host, user string, max int, jids ...string) error
	// Unblock removes addresses; without any it removes all.
	Unblock(ctx context.Context, host, user string, jids ...string) error
}
