package muc

import "context"

// Unpaced lets people come and go as often as they like in the rooms that are in memory.
func Unpaced(s *Service) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.rooms {
		_ = r.give(work{do: func(_ context.Context, r *Room) {
			for i := range r.hooks {
				r.hooks[i].Come = nil
			}
		}})
	}
}

// Texts gives the text commands that there are in groups' rooms and in themes: what comes before the arguments, and from
// which affiliation on.
func Texts(s *Service) (inGroups, inThemes map[string]string) {
	inGroups, inThemes = make(map[string]string), make(map[string]string)
	for _, c := range s.texts {
		if c.where&inGroup != 0 {
			inGroups["!"+c.word] = c.least
		}
		if c.where&inTheme != 0 {
			inThemes["!"+c.word] = c.least
		}
	}
	return inGroups, inThemes
}
