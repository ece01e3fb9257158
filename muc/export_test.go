package muc

import "golang.org/x/time/rate"

// Unpaced lets people come and go as often as they like in the rooms that are in memory.
func Unpaced(s *Service) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.rooms {
		r.comers.mu.Lock()
		r.comers.every, r.comers.burst = rate.Inf, 1
		clear(r.comers.paces)
		r.comers.mu.Unlock()
	}
}
