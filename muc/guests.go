package muc

import (
	"sync"

	"golang.org/x/time/rate"

	"parley/server"
	"parley/wire"
)

// guests bound how often people of one other server enter rooms: who floods a room with joins has many names there, and
// one domain.
type guests struct {
	perMinute int // 0: no limit

	mu sync.Mutex
	of map[string]*rate.Limiter // by domain
}

// maxGuestDomains is how many domains' rates are remembered.
const maxGuestDomains = 10_000

var errGuests = server.WithText(server.ResourceConstraint, "too many people of your server come at once")

// allow says whether a stanza may be given to its room.
func (g *guests) allow(st *wire.Stanza, local func(domain string) bool) bool {
	if g.perMinute <= 0 || st.Kind != wire.Presence || st.Type != "" || !st.Has(wire.NSMUC, "x") || local(st.From.Domain()) {
		return true
	}
	domain := st.From.Domain()
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.of[domain]
	if l == nil {
		if len(g.of) >= maxGuestDomains {
			for d, l := range g.of {
				if l.Tokens() >= float64(g.perMinute) {
					delete(g.of, d)
				}
			}
			if len(g.of) >= maxGuestDomains {
				return false
			}
		}
		if g.of == nil {
			g.of = make(map[string]*rate.Limiter)
		}
		l = rate.NewLimiter(rate.Limit(float64(g.perMinute)/60), g.perMinute)
		g.of[domain] = l
	}
	return l.Allow()
}
