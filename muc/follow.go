package muc

import (
	"context"
	"errors"

	"parley/org"
	"parley/store"
)

// Who writes in a theme follows it; what is said there wakes those who sleep in it.

// note logs what fails of things that nobody waits for; a group or theme that is gone meanwhile is nothing of that.
func (s *Service) note(what string, err error) {
	var oe *org.Error
	if err != nil && !errors.As(err, &oe) && !errors.Is(err, store.ErrNotFound) {
		s.log.Error(what, "err", err)
	}
}

// followRule has people follow a theme in which they write. It costs nothing but for the first message of an occupant, and
// the first after a long silence.
func followRule(r *Room) Hooks {
	k, ok := r.keeper.(*grouped)
	if !ok || k.theme == "" {
		return Hooks{}
	}
	wrote := make(map[*Occupant]bool) // since they came in
	s, key, name := r.s, k.theme, r.name
	return Hooks{
		Left: func(o *Occupant) { delete(wrote, o) },
		Shown: func(m *Message) {
			if m.entry == nil {
				return
			}
			if m.o != nil && !wrote[m.o] {
				wrote[m.o] = true
				if who := m.o.bare; who.Domain() == k.host {
					s.background(func(ctx context.Context) {
						s.note("who has written does not follow", k.org.TookPart(ctx, k.host, key, who.Local()))
					})
				}
			}
			if !k.dormant {
				return
			}
			k.dormant = false
			s.background(func(ctx context.Context) {
				more, err := k.org.WakeTheme(ctx, k.host, key)
				s.note("a theme does not wake", err)
				if more {
					s.postLoaded(name, func(_ context.Context, r *Room) { r.keeper.(*grouped).dormant = true })
				}
			})
		},
	}
}
