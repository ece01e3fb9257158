package server

import (
	"context"
	"time"
)

// arrival is the time from a session's first presence until it has all that waited for its account.
type arrival struct{ over chan struct{} }

// arrivalTime is how long a message waits for that, so that nothing overtakes what was sent before it (RFC 6120, section
// 10.1). A database that stands still delays it no longer.
const arrivalTime = 5 * time.Second

// arriving marks the context of what a session does while it arrives: that does not wait for itself.
type arriving struct{ s *Session }

// arrives is called before a session becomes one that takes messages. over is called when all that waited is in its queue.
func (s *Session) arrives(ctx context.Context) (within context.Context, over func()) {
	a := &arrival{make(chan struct{})}
	s.arrival.Store(a)
	return context.WithValue(ctx, arriving{s}, true), func() {
		s.arrival.CompareAndSwap(a, nil)
		close(a.over)
	}
}

// awaitArrival waits until the session has what waited for its account before. A session that is not arriving costs nothing.
func (s *Session) awaitArrival(ctx context.Context) {
	a := s.arrival.Load()
	if a == nil || ctx.Value(arriving{s}) != nil {
		return
	}
	t := time.NewTimer(arrivalTime)
	defer t.Stop()
	select {
	case <-a.over:
	case <-t.C:
	case <-ctx.Done():
	}
}
