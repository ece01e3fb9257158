package auth

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"sync"
	"time"

	"parley/internal/clock"
	"parley/internal/netaddr"
)

// Place is a network that an account has signed in from. The network itself cannot be derived from it.
type Place struct {
	Account string // localpart@domain
	Network string
	Used    time.Time
}

// PlacesConfig holds the settings of Places. Zero values mean the defaults.
type PlacesConfig struct {
	Secret     []byte      // networks are stored as keyed hashes with it
	PerAccount int         // places kept per account, the last used ones; 0: 20
	Max        int         // places in all; 0: 250,000
	Keep       func(Place) // called for each new place, and once a day for a used one; must not block; nil: not called
	Clock      clock.Clock
}

// Places remembers where accounts have signed in. It is safe from any goroutine.
type Places struct {
	cfg PlacesConfig

	mu sync.Mutex
	m  map[string]map[string]time.Time // by account and network: the last use
	n  int
}

// placeAge is how often the continued use of a place is noted.
const placeAge = 24 * time.Hour

// NewPlaces returns empty Places.
func NewPlaces(c PlacesConfig) *Places {
	if c.PerAccount <= 0 {
		c.PerAccount = 20
	}
	if c.Max <= 0 {
		c.Max = 250_000
	}
	return &Places{cfg: c, m: make(map[string]map[string]time.Time)}
}

// network returns the keyed hash of an address, or of the /64 of an IPv6 address. It differs between accounts.
func (p *Places) network(a netip.Addr, account string) string {
	return hex.EncodeToString(Derive(p.cfg.Secret, "place", strings.ReplaceAll(account, "\x00", ""),
		netaddr.Key(a).String())[:12])
}

// Knows reports whether an account has signed in from the network of an address.
func (p *Places) Knows(a netip.Addr, account string) bool {
	network := p.network(a, account)
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.m[account][network]
	return ok
}

// Note remembers that an account has signed in from an address.
func (p *Places) Note(a netip.Addr, account string) {
	x := Place{account, p.network(a, account), p.cfg.Clock.Now()}
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

// Load adds places that were stored.
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
	for account, other := range p.m { // any other account: there is room for a large organization
		if p.n <= p.cfg.Max {
			return
		}
		if account != x.Account {
			delete(p.m, account)
			p.n -= len(other)
		}
	}
}

// Forget removes all places of an account.
func (p *Places) Forget(account string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n -= len(p.m[account])
	delete(p.m, account)
}
