package inbox

import (
	"sync"

	"parley/store"
)

// notes holds reading positions that are not written yet: of many markers for one conversation only the last is
// written.
type notes struct {
	wake chan struct{}

	writing sync.Mutex // held while positions that were taken out are written; locked before mu

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
func (n *notes) flush(write func(account string, chats map[string]store.ID) error) (failed error) {
	n.writing.Lock()
	defer n.writing.Unlock()
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
