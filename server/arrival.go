package server

import (
	"context"
	"time"
)

// arrival is the time from a session's first presence until everything that waited for its account is in its queue.
type arrival struct{ over chan struct{} }

// arrivalTime is how long a new message waits for an arrival to end, so that it does not overtake older messages (RFC
// 6120, section 10.1). The limit keeps a stalled database from blocking messages for longer.
const arrivalTime = 5 * time.Second

// arriving marks the context of the work that a session does while it arrives, so that this work does not wait for its
// own end.
type arriving struct{ s *Session }

// arrives begins an arrival; call it before the session starts to take messages. Call over when everything that waited
// is in the session's queue.
func (s *Session) arrives(ctx context.Context) (within context.Context, over func()) {
	a := &arrival{make(chan struct{})}
	s.arrival.Store(a)
	return context.WithValue(ctx, arriving{s}, true), func() {
		s.arrival.CompareAndSwap(a, nil)
		close(a.over)
	}
}

// awaitArrival waits until the session has what waited for its account. For a session that is not arriving it returns
// at once.
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
