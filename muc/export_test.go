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
