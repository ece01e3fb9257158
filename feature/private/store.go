package private

import "context"

// Store is what this feature asks of the store.
type Store interface {
	Private(ctx context.Context, host string, user string, space string, local string) ([]byte, error)
	SetPrivate(ctx context.Context, host string, user string, space string, local string, data []byte, max int) error
}
