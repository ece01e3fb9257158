// Package slot lets one go at a time where that one may wait for something outside: the database, the network, a disk,
// other goroutines. A sync.Mutex is for what takes no time. A goroutine that waits for a mutex cannot give up when its
// context ends, and under testing/synctest simulated time stands still until the mutex is free.
package slot

import (
	"context"
	"sync"
)

// Slot has a place for one goroutine. The goroutine that has taken it may call the store, and may wait for a connection
// or for other goroutines. It must free the slot in the end. Waiting goroutines get it in the order in which they came.
// Make it with New: a nil Slot is never free. Safe from any goroutine. A goroutine that takes it twice waits for
// itself.
type Slot chan struct{}

// New makes a free Slot. Make it with the object that it belongs to, and not in a package variable: testing/synctest
// forbids that a channel made in one of its bubbles is used in another.
func New() Slot { return make(Slot, 1) }

// Take takes the slot, or gives up with the error of ctx when ctx ends first. The caller calls Free if there is no
// error. If ctx has ended already, Take does not take the slot.
func (s Slot) Take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s <- struct{}{}: // most often: without ctx.Done, which makes a channel
		return nil
	default:
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Lock takes the slot however long that takes, for what must be done although nobody waits for it any more. The caller
// calls Free.
func (s Slot) Lock() { s <- struct{}{} }

// Free gives the slot to the first goroutine that waits. It panics if nobody has taken the slot.
func (s Slot) Free() {
	select {
	case <-s:
	default:
		panic("slot: freed without being taken")
	}
}

// Keyed has a Slot for each key, while somebody uses it. The zero value is ready. Safe from any goroutine.
type Keyed[K comparable] struct {
	mu  sync.Mutex
	all map[K]*used
}

// used is the slot of a key.
type used struct {
	slot  Slot
	users int // who have it or wait for it
}

// Take is Slot.Take for a key.
func (s *Keyed[K]) Take(ctx context.Context, k K) error {
	s.mu.Lock()
	u := s.all[k]
	if u == nil {
		if s.all == nil {
			s.all = make(map[K]*used)
		}
		u = &used{slot: New()}
		s.all[k] = u
	}
	u.users++
	s.mu.Unlock()
	err := u.slot.Take(ctx)
	if err != nil {
		s.mu.Lock()
		s.leaveLocked(k, u)
		s.mu.Unlock()
	}
	return err
}

// Free is Slot.Free for a key.
func (s *Keyed[K]) Free(k K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.all[k]
	if u == nil {
		panic("slot: freed without being taken")
	}
	u.slot.Free()
	s.leaveLocked(k, u)
}

func (s *Keyed[K]) leaveLocked(k K, u *used) {
	if u.users--; u.users == 0 {
		delete(s.all, k)
	}
}
