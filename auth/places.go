package auth

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"sync"
	"time"

	"parley/internal/netaddr"
)

// Place is a network that an account has signed in from. Which network that is cannot be read from it.
type Place struct {
	Account string // localpart@domain
	Network string
	Used    time.Time
}

// PlacesConfig bounds what is remembered. Zero values mean the defaults.
type PlacesConfig struct {
	Secret     []byte      // networks are kept as sums that are made with it
	PerAccount int         // default 20; those used last are kept
	Max        int         // in all; default 250,000
	Keep       func(Place) // is told what is new, and once a day what is used; it does not wait. nil: nobody is
	Now        func() time.Time
}

// Places remembers where accounts have signed in. Safe from any goroutine.
type Places struct {
	cfg PlacesConfig

	mu sync.Mutex
	m  map[string]map[string]time.Time // by account and network: when it was used
	n  int
}

// placeAge is how often it is noted that a place is still used.
const placeAge = 24 * time.Hour

// NewPlaces makes it.
func NewPlaces(c PlacesConfig) *Places {
	if c.PerAccount <= 0 {
		c.PerAccount = 20
	}
	if c.Max <= 0 {
		c.Max = 250_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Places{cfg: c, m: make(map[string]map[string]time.Time)}
}

// network is an address's /64 or itself, as a sum: not the same for two accounts.
func (p *Places) network(a netip.Addr, account string) string {
	return hex.EncodeToString(Derive(p.cfg.Secret, "place", strings.ReplaceAll(account, "\x00", ""), netaddr.Key(a).String())[:12])
}

// Knows says whether an account has signed in from there.
func (p *Places) Knows(a netip.Addr, account string) bool {
	network := p.network(a, account)
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.m[account][network]
	return ok
}

// Note remembers that an account has signed in from an address.
func (p *Places) Note(a netip.Addr, account string) {
	x := Place{account, p.network(a, account), p.cfg.Now()}
	p.mu.Lock()
	used, known := p.m[account][x.Network]
	fresh := known && x.Used.Sub(used) < placeAge
	if !fresh {
		p.putLocked(x)
	}
	p.mu.Unlock()
	if !fresh && p.cfg.Keep != nil {
		p.cfg.Keep(x)
	}
}

// Load takes in what was kept.
func (p *Places) Load(xs []Place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range xs {
		p.putLocked(x)
	}
}

func (p *Places) putLocked(x Place) {
	of := p.m[x.Account]
	if of == nil {
		of = make(map[string]time.Time, 1)
		p.m[x.Account] = of
	}
	if _, known := of[x.Network]; !known {
		p.n++
	}
	of[x.Network] = x.Used
	if len(of) > p.cfg.PerAccount {
		oldest := x.Network
		for k, at := range of {
			if at.Before(of[oldest]) {
				oldest = k
			}
		}
		delete(of, oldest)
		p.n--
	}
	for account, other := range p.m { // any: there is room for a large organization
		if p.n <= p.cfg.Max {
			return
		}
		if account != x.Account {
			delete(p.m, account)
			p.n -= len(other)
		}
	}
}

// Forget forgets where an account has signed in.
func (p *Places) Forget(account string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n -= len(p.m[account])
	delete(p.m, account)
}
