package webhooks

import (
	"sync"

	"parley/store"
)

// maxSaid is how many events can wait to be queued. Rooms do not wait: of further messages only the first missing id is
// kept, and they are read from the archive.
const maxSaid = 10_000

// backlog holds events that are not queued yet.
type backlog struct {
	wake chan struct{}

	mu    sync.Mutex
	items []said
	gaps  map[string]store.ID // by group, the first missing message
}

// add keeps an event if there is room; otherwise it notes that a message is missing.
func (b *backlog) add(s said) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := len(b.items) < maxSaid
	switch {
	case kept:
		b.items = append(b.items, s)
	case s.entry.Room != "":
		b.missLocked(s.group, s.entry.ID)
	}
	b.ring()
	return kept
}

// miss notes that a group's messages are missing from an id on.
func (b *backlog) miss(group string, from store.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missLocked(group, from)
}

func (b *backlog) missLocked(group string, from store.ID) {
	if b.gaps == nil {
		b.gaps = make(map[string]store.ID)
	}
	if was, ok := b.gaps[group]; !ok || from < was {
		b.gaps[group] = from
	}
}

func (b *backlog) ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take removes and gives everything.
func (b *backlog) take() (items []said, gaps map[string]store.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	items, gaps = b.items, b.gaps
	b.items, b.gaps = nil, nil
	return items, gaps
}
