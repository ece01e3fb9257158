package server

import "sync"

// kicks remembers which accounts were signed out lately. A sign-in that is under way is not a session yet, and would
// not be found.
type kicks struct {
	mu     sync.Mutex
	seq    uint64
	of     map[string]uint64 // account: its last
	floor  uint64            // what is forgotten is not after this
	oldest []string          // accounts in the order of their first entry
}

// maxKicks is how many accounts are remembered. When an account is forgotten, every sign-in that began before it was
// signed out is refused, and its client begins another.
const maxKicks = 1000

func (k *kicks) add(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seq++
	if k.of == nil {
		k.of = make(map[string]uint64)
	}
	if _, ok := k.of[name]; !ok {
		k.oldest = append(k.oldest, name)
	}
	k.of[name] = k.seq
	if len(k.oldest) > maxKicks {
		first := k.oldest[0]
		k.oldest = k.oldest[1:]
		k.floor = max(k.floor, k.of[first])
		delete(k.of, first)
	}
}

// SignIns marks a moment. A door that signs somebody in takes the mark before it reads the account, and asks
// SignedOutSince after Bind.
func (h *Host) SignIns() (mark uint64) {
	h.kicks.mu.Lock()
	defer h.kicks.mu.Unlock()
	return h.kicks.seq
}

// SignedOutSince says whether an account's sessions may have been ended by Kick since a moment: what was read of the
// account then does not hold any more.
func (h *Host) SignedOutSince(name string, mark uint64) bool {
	k := &h.kicks
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.of[name] > mark || mark < k.floor
}
