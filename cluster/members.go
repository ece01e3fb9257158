package cluster

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"parley/store"
)

// MemberRows is what Members does with the table of nodes.
type MemberRows interface {
	// ClusterNodes returns the recorded nodes.
	ClusterNodes(ctx context.Context) ([]store.ClusterNode, error)
	// ShootNode deletes a dead node, and so raises what it writes under; ErrConflict if the node is another
	// incarnation by now, or has renewed its lease, or if the node that says so is none any more.
	ShootNode(ctx context.Context, victim, own store.ClusterNode) error
	// SuspectNode records that a node, which renews its lease, cannot be heard by another one. It returns the ids of
	// all that say so of it, and of all that hold a lease.
	SuspectNode(ctx context.Context, suspect, own store.ClusterNode,
		within time.Duration) (say, all []string, err error)
}

// Times of deaths.
const (
	readEvery = time.Second
	deadAfter = 5 * time.Second // of silence
)

// Members keeps the bus at the nodes that there are, and says which are dead: one whose address refuses, one that is
// silent and does not renew its lease, and one that most others cannot hear although it does.
type Members struct {
	rows MemberRows
	bus  *Bus
	log  *slog.Logger
	look chan struct{}

	mu    sync.Mutex
	leash map[Peer]lease
	known []store.ClusterNode
}

// lease is when a node's lease was seen to be another one.
type lease struct {
	until int64
	since time.Time
}

// NewMembers makes the members of a bus.
func NewMembers(rows MemberRows, bus *Bus, log *slog.Logger) *Members {
	m := &Members{rows: rows, bus: bus, log: log, look: make(chan struct{}, 1), leash: make(map[Peer]lease)}
	bus.met = m.Look
	return m
}

// Look has the nodes read at once.
func (m *Members) Look() {
	select {
	case m.look <- struct{}{}:
	default:
	}
}

// Known returns the nodes that were read last, this one too.
func (m *Members) Known() []store.ClusterNode {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known
}

// Run reads the nodes each second until ctx ends.
func (m *Members) Run(ctx context.Context) error {
	t := time.NewTicker(readEvery)
	defer t.Stop()
	told := false
	for {
		if err := m.Read(ctx); err != nil && ctx.Err() == nil {
			if !told {
				m.log.Warn("cannot read which servers there are", "err", err)
			}
			told = true
		} else {
			told = false
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-m.look:
		}
	}
}

// Read reads the nodes, has the bus make links to them, and removes those that are dead.
func (m *Members) Read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deadAfter)
	defer cancel()
	ns, err := m.rows.ClusterNodes(ctx)
	if err != nil {
		return err
	}
	living := ns[:0:0]
	for _, n := range ns {
		if n.ID == m.bus.cfg.Self.ID {
			continue
		}
		dead, why := m.judge(ctx, n)
		if dead && m.shoot(ctx, n, why) {
			continue
		}
		living = append(living, n)
	}
	m.mu.Lock()
	m.known = ns
	m.mu.Unlock()
	m.bus.SetNodes(living)
	return nil
}

func (m *Members) shoot(ctx context.Context, n store.ClusterNode, why string) bool {
	err := m.rows.ShootNode(ctx, n, m.bus.cfg.Self)
	if errors.Is(err, store.ErrConflict) {
		return false
	}
	if err != nil {
		m.log.Warn("cannot remove a server that is dead", "server", about(n), "err", err)
		return false
	}
	m.bus.metrics.deaths.Inc()
	m.log.Warn("another server is dead", "server", about(n), "why", why)
	return true
}

// judge says whether a node is dead, and why.
func (m *Members) judge(ctx context.Context, n store.ClusterNode) (bool, string) {
	p := Peer{n.ID, n.Incarnation}
	now := time.Now() // how long something lasts goes by no clock that can be set
	m.mu.Lock()
	was, seen := m.leash[p]
	if !seen || was.until != n.Until {
		was = lease{n.Until, now}
		m.leash[p] = was
	}
	m.mu.Unlock()
	l := m.bus.link(n.ID)
	if l == nil || l.peer() != p {
		return n.Lease == 0, "its lease has run out"
	}
	silent := l.silent()
	switch {
	case l.refused.Load():
		return true, "nothing listens at its address any more"
	case silent < deadAfter:
		return false, ""
	case now.Sub(was.since) >= 2*deadAfter || n.Lease == 0:
		return true, "it is silent and does not renew its lease"
	}
	return m.voted(ctx, n), "most servers cannot hear it"
}

// voted says whether most of the nodes that hold a lease, with the suspect, cannot hear a node. Of a tie the side with
// the lowest id stays.
func (m *Members) voted(ctx context.Context, n store.ClusterNode) bool {
	say, all, err := m.rows.SuspectNode(ctx, n, m.bus.cfg.Self, 2*deadAfter)
	if err != nil {
		m.log.Warn("cannot say that another server is silent", "server", about(n), "err", err)
		return false
	}
	if 2*len(say) != len(all) {
		return 2*len(say) > len(all)
	}
	lowest := n.ID
	for _, id := range all {
		lowest = min(lowest, id)
	}
	for _, id := range say {
		if id == lowest {
			return true
		}
	}
	return false
}
