package muc

import (
	"context"
	"errors"
	"time"

	"parley/store"
)

// Rooms come into memory when somebody uses them, and leave it when nobody has for a while.

// load takes a room over from the store and starts its goroutine, after running setup (if any) on it. It does nothing
// if the room is in memory already. A second caller waits for the first: taking the room twice would make the first one
// stale.
func (s *Service) load(ctx context.Context, name string) error {
	_, err := s.loadWith(ctx, name, func(ctx context.Context) (*Room, error) { return s.take(ctx, name) })
	return err
}

// loadWith is load for a room that take makes.
func (s *Service) loadWith(ctx context.Context, name string,
	take func(ctx context.Context) (*Room, error)) (*Room, error) {
	done := make(chan struct{})
	for {
		s.mu.Lock()
		switch wait := s.loading[name]; {
		case s.closed:
			s.mu.Unlock()
			return nil, ErrClosing
		case s.rooms[name] != nil:
			r := s.rooms[name]
			s.mu.Unlock()
			return r, nil
		case wait != nil:
			s.mu.Unlock()
			select {
			case <-wait:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			continue
		}
		s.loading[name] = done
		s.mu.Unlock()
		break
	}
	r, err := take(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.loading, name)
	close(done)
	switch {
	case err != nil:
		return nil, err
	case s.closed:
		return nil, ErrClosing
	}
	s.rooms[name] = r
	s.wg.Go(func() { r.run(context.Background()) })
	return r, nil
}

func (s *Service) take(ctx context.Context, name string) (*Room, error) {
	var row store.Room
	var err error
	if s.others == nil {
		row, err = s.st.TakeRoom(ctx, s.cfg.Domain, name)
	} else {
		row, err = s.st.ClaimRoom(ctx, s.cfg.Domain, name, s.others.Self(), store.RoomOwner{})
	}
	if err != nil {
		return nil, err
	}
	r, err := newRoom(ctx, s, row)
	if err == nil {
		err = r.gather(ctx)
	}
	if err == nil && r.locked.Load() && row.Created.Before(s.started) {
		// Its owner was in it when the server ended, and never configured it: it goes as if its owner had left.
		if err = s.st.DestroyRoom(ctx, s.cfg.Domain, name, s.host.Clock.Now()); err == nil ||
			errors.Is(err, store.ErrNotFound) {
			r.dropCard(ctx)
			return nil, store.ErrNotFound
		}
	}
	return r, err
}

// unloadIdle takes rooms out of memory that nobody is in and nobody has used for a while.
func (s *Service) unloadIdle(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, r := range s.rooms {
		if r.present.Load() != 0 || len(r.in) != 0 || now.Sub(time.Unix(0, r.used.Load())) <= s.cfg.Idle {
			continue
		}
		if !r.Config().Persistent { // its occupants were those of an earlier process, and did not come back
			_ = r.give(work{do: func(ctx context.Context, r *Room) { r.emptied(ctx) }})
			continue
		}
		delete(s.rooms, name)
		close(r.in)
		if s.others != nil {
			s.wg.Go(func() { s.release(name, r.epochNow.Load()) })
		}
	}
}

// release says that a room is not at this node any more, so that another one can have it.
func (s *Service) release(name string, epoch int64) {
	if err := s.st.ReleaseRoom(context.Background(), s.cfg.Domain, name, epoch); err != nil {
		s.log.Info("a room is not given up", "room", name, "err", err)
	}
}
