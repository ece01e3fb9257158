package server

import (
	"sync"

	"golang.org/x/time/rate"
)

// Rates bound how often something happens that somebody elsewhere decides about, by key: a domain, an address. The zero
// value has no limit. Safe from any goroutine.
type Rates struct {
	PerMinute int // of one key, on average and at once; 0: no limit
	Keys      int // how many are remembered at most; default 10,000

	mu sync.Mutex
	of map[string]*rate.Limiter
}

// Allow says whether it may happen once more now. Keys that have not been used lately are forgotten where there are too
// many; if all have been, a new one is refused.
func (r *Rates) Allow(key string) bool {
	if r.PerMinute <= 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.of[key]
	if l == nil {
		if !r.roomLocked() {
			return false
		}
		if r.of == nil {
			r.of = make(map[string]*rate.Limiter)
		}
		l = rate.NewLimiter(rate.Limit(float64(r.PerMinute)/60), r.PerMinute)
		r.of[key] = l
	}
	return l.Allow()
}

func (r *Rates) roomLocked() bool {
	most := r.Keys
	if most <= 0 {
		most = 10_000
	}
	if len(r.of) < most {
		return true
	}
	for k, l := range r.of {
		if l.Tokens() >= float64(r.PerMinute) {
			delete(r.of, k)
		}
	}
	return len(r.of) < most
}
