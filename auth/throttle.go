package auth

import (
	"net/netip"
	"sync"
	"time"

	"parley/netaddr"
)

// ThrottleConfig bounds failed authentications. Zero values mean the defaults.
type ThrottleConfig struct {
	PerAccount int           // failures of one account from one address within Window; default 10
	PerAddress int           // failures from one address within Window; default 100
	Window     time.Duration // default 10 minutes
	Max        int           // entries kept in memory; default 100,000
	Now        func() time.Time
}

// fromAll is how many times PerAccount an account may fail from all addresses together.
const fromAll = 10

// Throttle slows down who guesses passwords. An address (IPv6: its /64) that fails too often has to wait. An account
// that is guessed at from many addresses is closed only to addresses that have not signed in to it before: nobody can
// lock a person out from where that person usually is. Safe from any goroutine.
type Throttle struct {
	cfg ThrottleConfig

	mu    sync.Mutex
	m     map[string]*bucket
	known map[string]time.Time // address|account that has signed in
}

// bucket leaks: within Window as much as it may hold.
type bucket struct {
	level float64
	at    time.Time
}

// NewThrottle makes one.
func NewThrottle(c ThrottleConfig) *Throttle {
	if c.PerAccount <= 0 {
		c.PerAccount = 10
	}
	if c.PerAddress <= 0 {
		c.PerAddress = 100
	}
	if c.Window <= 0 {
		c.Window = 10 * time.Minute
	}
	if c.Max <= 0 {
		c.Max = 100_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Throttle{cfg: c, m: make(map[string]*bucket), known: make(map[string]time.Time)}
}

// rule is one of the limits that an attempt meets.
type rule struct {
	key   string
	limit int
}

func (t *Throttle) rules(a netip.Addr, account string) []rule {
	addr := netaddr.Key(a).String()
	rs := []rule{{addr, t.cfg.PerAddress}}
	if account != "" {
		rs = append(rs, rule{addr + "|" + account, t.cfg.PerAccount}, rule{"@" + account, fromAll * t.cfg.PerAccount})
	}
	return rs
}

// level gives how full a bucket is now.
func (t *Throttle) level(r rule, now time.Time) float64 {
	b := t.m[r.key]
	if b == nil {
		return 0
	}
	l := b.level - now.Sub(b.at).Seconds()/t.cfg.Window.Seconds()*float64(r.limit)
	if l <= 0 {
		delete(t.m, r.key)
		return 0
	}
	return l
}

// Allow says whether another attempt may be made from this address for this account ("" while it is not known), and
// otherwise when.
func (t *Throttle) Allow(a netip.Addr, account string) (ok bool, wait time.Duration) {
	now := t.cfg.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.rules(a, account) {
		if r.key == "@"+account {
			if _, usual := t.known[netaddr.Key(a).String()+"|"+account]; usual {
				continue
			}
		}
		if l := t.level(r, now); l > float64(r.limit)-1 {
			return false, time.Duration((l - float64(r.limit) + 1) / float64(r.limit) * float64(t.cfg.Window))
		}
	}
	return true, 0
}

// Failed counts a failure.
func (t *Throttle) Failed(a netip.Addr, account string) {
	now := t.cfg.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.rules(a, account) {
		l := t.level(r, now)
		if len(t.m) >= t.cfg.Max {
			t.shrink(now)
		}
		t.m[r.key] = &bucket{l + 1, now}
	}
}

// Succeeded remembers the address as one of the account's. It forgives nothing: who has one account could guess at
// others in between.
func (t *Throttle) Succeeded(a netip.Addr, account string) {
	now := t.cfg.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	addr := netaddr.Key(a).String()
	if len(t.known) >= t.cfg.Max {
		for k := range t.known {
			delete(t.known, k)
			if len(t.known) < t.cfg.Max/2 {
				break
			}
		}
	}
	t.known[addr+"|"+account] = now
}

// shrink makes room: what has leaked away first, then anything.
func (t *Throttle) shrink(now time.Time) {
	for k, b := range t.m {
		if now.Sub(b.at) > t.cfg.Window {
			delete(t.m, k)
		}
	}
	for k := range t.m {
		if len(t.m) < t.cfg.Max/2 {
			return
		}
		delete(t.m, k)
	}
}
