package webpush

import "parley/store"

// Store is what this feature asks of the store.
type Store interface {
	store.PushSubscriptions
}
