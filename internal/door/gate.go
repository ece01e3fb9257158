package door

import (
	"net/netip"
	"sync"

	"parley/internal/netaddr"
)

// Limits bound how many connections there are at once. 0: no limit. An IPv6 /64 counts as one address.
type Limits struct {
	All               int
	PerAddress        int
	Pending           int // of those that have not signed in
	PendingPerAddress int
}

// Why a connection is refused: the labels of metrics.
const (
	TooMany        = "connections"
	TooManyFrom    = "connections of an address"
	TooManyPending = "not signed in"
)

// Gate counts connections, whichever listener they have come by. Safe from any goroutine.
type Gate struct {
	limits Limits

	mu          sync.Mutex // guards what follows
	all         int
	pending     int
	from        map[netip.Addr]int
	pendingFrom map[netip.Addr]int
}

// NewGate makes a gate with these limits.
func NewGate(l Limits) *Gate {
	return &Gate{limits: l, from: make(map[netip.Addr]int), pendingFrom: make(map[netip.Addr]int)}
}

// Enter counts a connection from a; why says which limit refuses it, "" for none. shared: the address stands for many
// clients, as a proxy's does that does not say whom it connects for: limits by address are not for it.
func (g *Gate) Enter(a netip.Addr, shared bool) (p *Pass, why string) {
	key, l := netaddr.Key(a), g.limits
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case l.All > 0 && g.all >= l.All:
		return nil, TooMany
	case l.PerAddress > 0 && !shared && g.from[key] >= l.PerAddress:
		return nil, TooManyFrom
	case l.Pending > 0 && g.pending >= l.Pending, l.PendingPerAddress > 0 && !shared && g.pendingFrom[key] >= l.PendingPerAddress:
		return nil, TooManyPending
	}
	g.all++
	g.pending++
	g.from[key]++
	g.pendingFrom[key]++
	return &Pass{gate: g, key: key, pending: true}, ""
}

// Open says how many connections there are.
func (g *Gate) Open() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all
}

// Pass is one connection's place in a Gate. Its methods may be called more than once, and of nil.
type Pass struct {
	gate *Gate
	key  netip.Addr

	// What follows is guarded by gate.mu.
	pending bool
	left    bool
}

// SignedIn takes the connection out of those that have not signed in.
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

// signedOut takes SignedIn back.
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

// Leave gives the place back.
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
