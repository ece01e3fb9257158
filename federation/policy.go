package federation

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Policy says with whom, and on which proof, as configured; rules go before it. Domains are in canonical form; "*.example.org" means all below example.org.
type Policy struct {
	RequireCertificate bool     // both ways: nothing but a valid certificate proves a domain
	RefuseDialback     bool     // no XEP-0220: only SASL EXTERNAL
	Block              []string // never these
	Allow              []string // only these, if there are any
}

// rates are the limiters of remote domains, one for all streams of a domain.
type rates struct {
	mu    sync.Mutex
	limit rate.Limit
	burst int
	of    map[string]*shared
}

type shared struct {
	*rate.Limiter
	users int
}

func (r *rates) init(perSecond, burst int) {
	r.limit, r.burst, r.of = rate.Limit(perSecond), burst, make(map[string]*shared)
}

// take gives a domain's limiter to a stream, which gives it back when it ends.
func (r *rates) take(domain string) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	sh := r.of[domain]
	if sh == nil {
		sh = &shared{Limiter: rate.NewLimiter(r.limit, r.burst)}
		r.of[domain] = sh
	}
	sh.users++
	return sh.Limiter
}

func (r *rates) give(domain string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sh := r.of[domain]; sh != nil {
		// A limiter that has not filled up again stays with its next user: reconnecting buys nothing.
		if sh.users--; sh.users <= 0 && (sh.Tokens() >= float64(r.burst)-1 || len(r.of) > maxKept) {
			delete(r.of, domain)
		}
	}
}

// maxKept is how many domains are remembered, in each table, that there is no stream with.
const maxKept = 10000

// backoffs remember with whom it has failed: nobody is dialled again at once.
type backoffs struct {
	mu       sync.Mutex
	min, max time.Duration
	of       map[pair]*failed // from "" holds for all our domains
}

type failed struct {
	times int
	until time.Time
	err   error
}

func (b *backoffs) init(least, most time.Duration) {
	b.min, b.max, b.of = least, most, make(map[pair]*failed)
}

// refuses gives why a pair is not to be tried now; nil if it may be.
func (b *backoffs) refuses(p pair, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range [...]pair{{"", p.to}, p} {
		if f := b.of[k]; f != nil && now.Before(f.until) {
			return f.err
		}
	}
	return nil
}

func (b *backoffs) failed(p pair, err error, now time.Time) (until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.of[p]
	if f == nil {
		if len(b.of) >= maxKept {
			b.forget(now)
		}
		f = &failed{}
		b.of[p] = f
	} else if now.Sub(f.until) > b.max { // long ago
		f.times = 0
	}
	wait := b.min << min(f.times, 20)
	if wait > b.max || wait <= 0 {
		wait = b.max
	}
	f.times++
	f.until, f.err = now.Add(wait), err
	return f.until
}

// forget makes room: those that may be tried again, and if that is not enough any.
func (b *backoffs) forget(now time.Time) {
	for k, f := range b.of {
		if now.After(f.until) {
			delete(b.of, k)
		}
	}
	for k := range b.of {
		if len(b.of) < maxKept {
			return
		}
		delete(b.of, k)
	}
}

func (b *backoffs) worked(p pair) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.of, p)
	delete(b.of, pair{"", p.to})
}
