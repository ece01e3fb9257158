package store

import "context"

// Blocklist is whom an account does not want to hear of (XEP-0191).
type Blocklist interface {
	Blocked(ctx context.Context, host, user string) ([]string, error) // addresses in order
	// Block adds; ErrLimit if there would be more than max.
	Block(ctx context.Context, host, user string, max int, jids ...string) error
	// Unblock removes; with no addresses all of them.
	Unblock(ctx context.Context, host, user string, jids ...string) error
}
