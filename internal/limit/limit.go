// Package limit bounds how often something happens: once for everything, and by key for what each of many does.
package limit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Pace bounds how often one does something. It is judged by when a thing was received, not by when it is its turn: a
// stall of the database makes nobody a flooder who was none. It is for one goroutine.
type Pace struct {
	limiter *rate.Limiter
	last    time.Time
}

// NewPace makes one that allows burst things at once, and so many in a second after that.
func NewPace(perSecond rate.Limit, burst int) *Pace {
	return &Pace{limiter: rate.NewLimiter(perSecond, burst)}
}

// Allow says whether a thing that was received at a time may be done; the zero time is now. Time does not go back: who
// writes by two streams of which one waits gains nothing by it.
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

// rests says whether all that the pace allows at once may be done now.
func (p *Pace) rests() bool { return p.limiter.Tokens() >= float64(p.limiter.Burst()) }

// Keyed is a Pace for each of many keys: people, domains. A nil one has no limit. It is safe from any goroutine.
type Keyed[K comparable] struct {
	perSecond rate.Limit
	burst     int
	most      int

	mu sync.Mutex
	of map[K]*Pace
}

// Most is how many keys are remembered where nothing else is said.
const Most = 10_000

// New makes one that allows each key burst things at once, and so many in a second after that. It remembers so many
// keys at most: see Allow.
func New[K comparable](perSecond rate.Limit, burst, most int) *Keyed[K] {
	return &Keyed[K]{perSecond: perSecond, burst: burst, most: most}
}

// PerMinute makes one that allows each key so many things in a minute, all of them at once too; nil, which has no
// limit, for 0 and less.
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

// Allow says whether a key may do a thing that was received at a time, which counts then; the zero time is now. When
// there are too many keys, those that are at rest are forgotten; if none is, a new one may do nothing.
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
