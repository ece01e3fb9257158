package muc

import (
	"sync"

	"golang.org/x/time/rate"

	"parley/wire/jid"
)

// pacer limits how often each of many people does something, whatever client they do it with. Who has not done it for a
// while is forgotten. It is safe from any goroutine.
type pacer struct {
	every rate.Limit
	burst int

	mu    sync.Mutex
	paces map[jid.JID]*rate.Limiter // by bare address
}

// maxPaces is how many people are remembered before those who are at rest are forgotten.
const maxPaces = 2000

func newPacer(every rate.Limit, burst int) *pacer {
	return &pacer{every: every, burst: burst, paces: make(map[jid.JID]*rate.Limiter)}
}

func (p *pacer) allow(who jid.JID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.paces[who.Bare()]
	if l == nil {
		if len(p.paces) >= maxPaces {
			p.forget()
		}
		l = rate.NewLimiter(p.every, p.burst)
		p.paces[who.Bare()] = l
	}
	return l.Allow()
}

// forget drops those at rest; if nearly all are busy, all of them, or it would be done again for each that comes.
func (p *pacer) forget() {
	for j, l := range p.paces {
		if l.Tokens() >= float64(p.burst) {
			delete(p.paces, j)
		}
	}
	if len(p.paces) > maxPaces*3/4 {
		clear(p.paces)
	}
}
