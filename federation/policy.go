package federation

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Policy says which domains the server communicates with, and on which proof, as configured. Administrators' rules take
// precedence. Domains are in canonical form; "*.example.org" means everything below example.org.
type Policy struct {
	RequireCertificate bool     // in both directions: only a valid certificate proves a domain
	RefuseDialback     bool     // no XEP-0220: only SASL EXTERNAL
	Block              []string // never these domains
	Allow              []string // only these domains, if there are any
}

// rates holds the rate limiters of remote domains, one for all streams of a domain.
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

// take returns a domain's limiter to a stream, which gives it back when it ends.
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
		// A limiter that is not full again stays for the domain's next stream: reconnecting must not help.
		if sh.users--; sh.users <= 0 && (sh.Tokens() >= float64(r.burst)-1 || len(r.of) > maxKept) {
			delete(r.of, domain)
		}
	}
}

// maxKept is how many domains without a stream each table remembers.
const maxKept = 10000

// backoffs remembers failures, so that no domain is dialled again at once.
type backoffs struct {
	mu       sync.Mutex
	min, max time.Duration
	of       map[pair]*failed // the key with from "" holds for all our domains
}

type failed struct {
	times int
	until time.Time
	err   error
}

func (b *backoffs) init(least, most time.Duration) {
	b.min, b.max, b.of = least, most, make(map[pair]*failed)
}

// refuses returns why a pair must not be tried now, or nil.
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

// forget makes room: it drops the pairs that may be tried again and, if that is not enough, any others.
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
