package groups

import (
	"context"
	"errors"

	"parley/internal/fault"
	"parley/muc"
	"parley/store"
)

// People who write in a theme follow it. Each message there wakes the theme for the people for whom it sleeps.

// sleep notes that a theme sleeps for some people.
func sleep(_ context.Context, r *muc.Room) {
	if k := keeperOf(r); k != nil {
		k.dormant = true
	}
}

// note logs a failure of something that nobody waits for. That a group or theme is gone meanwhile is no failure.
func (s *Service) note(what string, err error, args ...any) {
	if err != nil && fault.Of(err) == nil && !errors.Is(err, store.ErrNotFound) {
		s.log.Error(what, append(args, "err", err)...)
	}
}

// followRule makes people follow a theme in which they write. It costs something only for an occupant's first message,
// and for the first after a long silence.
func followRule(k *keeper) muc.Hooks {
	if k.theme == "" {
		return muc.Hooks{}
	}
	wrote := make(map[*muc.Occupant]bool) // people who have written since they entered
	s, key := k.s, k.theme
	return muc.Hooks{
		Left: func(o *muc.Occupant) { delete(wrote, o) },
		Shown: func(m *muc.Message) {
			if m.Entry == nil {
				return
			}
			if m.By != nil && !wrote[m.By] {
				wrote[m.By] = true
				if who := m.By.Person(); who.Domain() == k.host {
					s.Background(func(ctx context.Context) {
						err := k.org.TookPart(ctx, k.host, key, who.Local())
						s.note("a person who has written does not follow the theme", err)
					})
				}
			}
			if !k.dormant {
				return
			}
			k.dormant = false
			s.Background(func(ctx context.Context) {
				more, err := k.org.WakeTheme(ctx, k.host, key)
				s.note("a theme does not wake", err)
				if more {
					s.PostLoaded(k.r.Name(), sleep)
				}
			})
		},
	}
}
