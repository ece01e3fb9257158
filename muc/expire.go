package muc

import (
	"context"
	"time"
)

const expireEvery = time.Hour

// expire removes messages that are older than the service keeps them, until ctx ends.
func (s *Service) expire(ctx context.Context) {
	t := time.NewTicker(expireEvery)
	defer t.Stop()
	for {
		if before := s.kept(); !before.IsZero() { // the configuration may change meanwhile
			if _, err := s.st.ExpireRooms(ctx, s.cfg.Domain, before); err != nil && ctx.Err() == nil {
				s.log.Error("cannot remove old messages of rooms", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// kept is from when on messages are kept; zero: from the first.
func (s *Service) kept() time.Time {
	if s.cfg.Retention == nil {
		return time.Time{}
	}
	if keep := s.cfg.Retention(); keep > 0 {
		return s.host.Clock.Now().Add(-keep)
	}
	return time.Time{}
}
