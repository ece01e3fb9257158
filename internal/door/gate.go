package door

import (
	"net/netip"
	"sync"

	"parley/internal/netaddr"
)

// Limits holds limits for open connections. 0 means no limit. An IPv6 /64 counts as one address.
type Limits struct {
	All               int
	PerAddress        int
	Pending           int // before sign-in
	PendingPerAddress int
}

// The reasons to refuse a connection. They are labels of metrics.
const (
	TooMany        = "connections"
	TooManyFrom    = "connections of an address"
	TooManyPending = "not signed in"
)

// Gate counts connections of one or more listeners. It is safe from any goroutine.
type Gate struct {
	limits Limits

	mu          sync.Mutex // guards the fields below
	all         int
	pending     int
	from        map[netip.Addr]int
	pendingFrom map[netip.Addr]int
}

// NewGate returns a gate with these limits.
func NewGate(l Limits) *Gate {
	return &Gate{limits: l, from: make(map[netip.Addr]int), pendingFrom: make(map[netip.Addr]int)}
}

// Enter counts a connection from a. why names the limit that refuses it, or is "". shared says that the address stands
// for many clients, like that of a proxy that does not name them: then the limits by address do not apply.
func (g *Gate) Enter(a netip.Addr, shared bool) (p *Pass, why string) {
	key, l := netaddr.Key(a), g.limits
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case l.All > 0 && g.all >= l.All:
		return nil, TooMany
	case l.PerAddress > 0 && !shared && g.from[key] >= l.PerAddress:
		return nil, TooManyFrom
	case l.Pending > 0 && g.pending >= l.Pending,
		l.PendingPerAddress > 0 && !shared && g.pendingFrom[key] >= l.PendingPerAddress:
		return nil, TooManyPending
	}
	g.all++
	g.pending++
	g.from[key]++
	g.pendingFrom[key]++
	return &Pass{gate: g, key: key, pending: true}, ""
}

// Open returns how many connections are counted.
func (g *Gate) Open() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all
}

// Pass is one connection's place in a Gate. Its methods may be called more than once, and on nil.
type Pass struct {
	gate *Gate
	key  netip.Addr

	// gate.mu guards these fields.
	pending bool
	left    bool
}

// SignedIn removes the connection from those before sign-in.
func (p *Pass) SignedIn() {
	if p == nil {
		return
	}
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.signedInLocked()
}

func (p *Pass) signedInLocked() {
	if p.pending {
		p.pending = false
		p.gate.pending--
		less(p.gate.pendingFrom, p.key)
	}
}

// signedOut reverts SignedIn.
func (p *Pass) signedOut() {
	if p == nil {
		return
	}
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if !p.pending && !p.left {
		p.pending = true
		p.gate.pending++
		p.gate.pendingFrom[p.key]++
	}
}

// Leave frees the place.
func (p *Pass) Leave() {
	if p == nil {
		return
	}
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if p.left {
		return
	}
	p.signedInLocked()
	p.left = true
	p.gate.all--
	less(p.gate.from, p.key)
}

func less(m map[netip.Addr]int, key netip.Addr) {
	if m[key]--; m[key] <= 0 {
		delete(m, key)
	}
}
