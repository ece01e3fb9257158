package offline

import "parley/store"

// Store is what this feature asks of the store.
type Store interface {
	store.Committer
	store.Offline
}
