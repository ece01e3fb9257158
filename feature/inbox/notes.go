package inbox

import (
	"context"
	"sync"

	"parley/internal/slot"
	"parley/store"
)

// notes holds reading positions that are not written yet: of many markers for one conversation only the last is
// written. Another node does not know of them before, and so for a moment not how far somebody has read; what a node
// that dies has not written is lost, and comes with the next marker.
type notes struct {
	wake chan struct{}

	writing slot.Slot // taken while positions that were taken out are written

	mu      sync.Mutex
	waiting map[string]map[string]store.ID // account, conversation
}

func (n *notes) add(account, chat string, id store.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.waiting[account]
	if m == nil {
		m = make(map[string]store.ID, 1)
		n.waiting[account] = m
	}
	m[chat] = max(m[chat], id)
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// flush calls write with each account's positions. Those that could not be written wait for the next time.
func (n *notes) flush(ctx context.Context,
	write func(account string, chats map[string]store.ID) error) (failed error) {
	if err := n.writing.Take(ctx); err != nil {
		return err
	}
	defer n.writing.Free()
	n.mu.Lock()
	all := n.waiting
	n.waiting = make(map[string]map[string]store.ID)
	n.mu.Unlock()
	for account, chats := range all {
		if err := write(account, chats); err != nil {
			failed = err
			n.mu.Lock()
			m := n.waiting[account]
			if m == nil {
				n.waiting[account] = chats
			} else {
				for chat, id := range chats {
					m[chat] = max(m[chat], id)
				}
			}
			n.mu.Unlock()
		}
	}
	return failed
}
