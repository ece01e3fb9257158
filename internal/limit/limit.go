// Package limit bounds how often something may happen, for one thing or for each of many keys.
package limit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Pace bounds how often something may happen. It goes by when things were received, not by when they are handled: a
// stall of the database makes nobody a flooder. For use by one goroutine.
type Pace struct {
	limiter *rate.Limiter
	last    time.Time
}

// NewPace makes a Pace that allows burst things at once, and perSecond things a second after that.
func NewPace(perSecond rate.Limit, burst int) *Pace {
	return &Pace{limiter: rate.NewLimiter(perSecond, burst)}
}

// Allow says whether a thing received at a time may happen, and counts it; the zero time is now. Time does not go back:
// a sender gains nothing by a second stream that lags behind.
func (p *Pace) Allow(at time.Time) bool {
	if at.IsZero() {
		at = time.Now()
	}
	if at.Before(p.last) {
		at = p.last
	}
	p.last = at
	return p.limiter.AllowN(at, 1)
}

// Left returns how many things would be allowed now.
func (p *Pace) Left() int { return max(0, int(p.limiter.Tokens())) }

// Use counts n things that were allowed elsewhere.
func (p *Pace) Use(n int) {
	if n > 0 {
		p.limiter.AllowN(time.Now(), min(n, p.limiter.Burst()))
	}
}

// rests says whether burst things would be allowed now.
func (p *Pace) rests() bool { return p.limiter.Tokens() >= float64(p.limiter.Burst()) }

// Keyed is a Pace for each of many keys, such as people or domains. A nil one has no limit. Safe from any goroutine.
type Keyed[K comparable] struct {
	perSecond rate.Limit
	burst     int
	most      int

	mu sync.Mutex
	of map[K]*Pace
}

// Most is the usual number of keys to remember.
const Most = 10_000

// New makes a Keyed that allows each key burst things at once, and perSecond things a second after that. It remembers
// at most most keys: see Allow.
func New[K comparable](perSecond rate.Limit, burst, most int) *Keyed[K] {
	return &Keyed[K]{perSecond: perSecond, burst: burst, most: most}
}

// PerMinute makes a Keyed that allows each key n things a minute, all of them at once too; nil, which has no limit, if
// n is 0 or less.
func PerMinute[K comparable](n int) *Keyed[K] {
	if n <= 0 {
		return nil
	}
	return New[K](rate.Limit(float64(n)/60), n, Most)
}

// Reset changes what each key is allowed, and forgets what they have done.
func (k *Keyed[K]) Reset(perSecond rate.Limit, burst int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.perSecond, k.burst = perSecond, burst
	clear(k.of)
}

// Allow says whether a key may do a thing received at a time, and counts it; the zero time is now. When there are too
// many keys, those that have used up nothing are forgotten; if all have used up something, a new key is refused.
func (k *Keyed[K]) Allow(key K, at time.Time) bool {
	if k == nil {
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.of[key]
	if p == nil {
		if !k.roomLocked() {
			return false
		}
		if k.of == nil {
			k.of = make(map[K]*Pace)
		}
		p = NewPace(k.perSecond, k.burst)
		k.of[key] = p
	}
	return p.Allow(at)
}

// roomLocked makes room for another key, if it can.
func (k *Keyed[K]) roomLocked() bool {
	if len(k.of) < k.most {
		return true
	}
	for key, p := range k.of {
		if p.rests() {
			delete(k.of, key)
		}
	}
	return len(k.of) < k.most
}
