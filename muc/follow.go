package muc

import (
	"context"
	"errors"

	"parley/org"
	"parley/store"
)

// Who writes in a theme follows it; what is said there wakes those who sleep in it.

// follow is called for what was said in a theme, once it is kept. It costs nothing but for the first message of an
// occupant, and the first after a long silence.
func (r *Room) follow(p *Message) {
	s, key := r.s, r.theme
	if p.o != nil && !p.o.wrote {
		p.o.wrote = true
		if who := p.o.bare; who.Domain() == s.host.Domain {
			s.background(func(ctx context.Context) {
				s.note("who has written does not follow", s.cfg.Org.TookPart(ctx, s.host.Domain, key, who.Local()))
			})
		}
	}
	if !r.dormant {
		return
	}
	r.dormant = false
	name := r.name
	s.background(func(ctx context.Context) {
		more, err := s.cfg.Org.WakeTheme(ctx, s.host.Domain, key)
		s.note("a theme does not wake", err)
		if more {
			s.postLoaded(name, func(_ context.Context, r *Room) { r.dormant = true })
		}
	})
}

// note logs what fails of things that nobody waits for; a group or theme that is gone meanwhile is nothing of that.
func (s *Service) note(what string, err error) {
	var oe *org.Error
	if err != nil && !errors.As(err, &oe) && !errors.Is(err, store.ErrNotFound) {
		s.log.Error(what, "err", err)
	}
}
