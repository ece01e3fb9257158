package private

import "context"

// Store is what this feature asks of the store.
type Store interface {
	// Private gives the element of a name.
	Private(ctx context.Context, host string, user string, space string, local string) ([]byte, error)
	// SetPrivate keeps an element.
	SetPrivate(ctx context.Context, host string, user string, space string, local string, data []byte, max int) error
}
