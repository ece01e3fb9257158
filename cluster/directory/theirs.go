package directory

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"parley/cluster"
	"parley/server"
	"parley/wire/jid"
)

// nodes holds what is known of the sessions of other nodes.
type nodes struct {
	mu sync.Mutex
	of map[cluster.Peer]*node // also of those that are dead and whose sessions are not withdrawn yet
}

// node is what is known of one other node.
type node struct {
	peer     cluster.Peer
	dead     bool
	sessions map[string]*theirs // by address
	sum      uint64
	round    uint64 // counts its snapshots
	complete bool   // it has told all its sessions since there is a link
}

// theirs is a session of another node.
type theirs struct {
	session *server.Session // nil: a later session of this node has its address
	stamp   int64
	rev     uint64
	round   uint64 // the last snapshot that had it, or that it came after
}

// get gives what is known of a node.
func (ns *nodes) get(p cluster.Peer) *node {
	n := ns.of[p]
	if n == nil {
		n = &node{peer: p, sessions: make(map[string]*theirs)}
		ns.of[p] = n
	}
	return n
}

// takeState takes a session of another node.
func (d *Directory) takeState(ctx context.Context, from cluster.Peer, b []byte) ([]byte, error) {
	var f stateFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	return nil, d.take(ctx, from, f)
}

func (d *Directory) take(ctx context.Context, from cluster.Peer, f stateFrame) error {
	h := d.cfg.Router.Host(f.Host)
	if h == nil {
		return errNoHost
	}
	d.theirs.mu.Lock()
	defer d.theirs.mu.Unlock()
	n := d.theirs.get(from)
	x := n.sessions[f.JID]
	if x != nil && (x.stamp > f.Stamp || x.stamp == f.Stamp && x.rev >= f.Rev) {
		x.round = n.round
		return nil
	}
	if x != nil && x.stamp == f.Stamp && x.session != nil {
		x.rev, x.round = f.Rev, n.round
		return x.session.Become(f.SessionState, f.Directed != nil)
	}
	s, err := h.Join(ctx, from.ID, f.SessionState, &outbound{d, from.ID, f.JID, f.Stamp})
	if err != nil {
		return err
	}
	if x != nil {
		n.drop(f.JID, x)
	}
	n.sum += hashOf(f.JID, f.Stamp)
	n.sessions[f.JID] = &theirs{session: s, stamp: f.Stamp, rev: f.Rev, round: n.round}
	return nil
}

// drop forgets a session.
func (n *node) drop(address string, x *theirs) {
	if x.session != nil {
		x.session.Host.Leave(x.session)
	}
	n.sum -= hashOf(address, x.stamp)
	delete(n.sessions, address)
}

// takeEnded takes that a session of another node is no more. One that was told of a dead node's sessions has withdrawn
// it.
func (d *Directory) takeEnded(_ context.Context, from cluster.Peer, b []byte) ([]byte, error) {
	var f namedFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	d.theirs.mu.Lock()
	defer d.theirs.mu.Unlock()
	n := d.theirs.of[from]
	if f.Node != nil {
		n = d.theirs.of[*f.Node]
	}
	if n == nil || f.Node != nil && !n.dead {
		return nil, nil
	}
	if x := n.sessions[f.JID]; x != nil && x.stamp == f.Stamp {
		n.drop(f.JID, x)
	}
	if n.dead && len(n.sessions) == 0 {
		delete(d.theirs.of, n.peer)
	}
	return nil, nil
}

// takeDirected takes directed presence of a session of another node.
func (d *Directory) takeDirected(_ context.Context, from cluster.Peer, b []byte) ([]byte, error) {
	var f namedFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	to, err := jid.Parse(f.To)
	if err != nil {
		return nil, err
	}
	d.theirs.mu.Lock()
	defer d.theirs.mu.Unlock()
	if x := d.theirs.get(from).sessions[f.JID]; x != nil && x.stamp == f.Stamp && x.session != nil {
		x.session.DirectsTo(to, f.Available)
	}
	return nil, nil
}

// snapshotFrame begins or ends a snapshot, or is a piece of it.
type snapshotFrame struct {
	Begin, End bool         `json:",omitempty"`
	Sessions   []stateFrame `json:",omitempty"`
}

// takeSnapshot takes all sessions of another node, piece by piece: what was known before and is not in it has ended.
func (d *Directory) takeSnapshot(ctx context.Context, from cluster.Peer, b []byte) ([]byte, error) {
	var f snapshotFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	if f.Begin {
		d.theirs.mu.Lock()
		n := d.theirs.get(from)
		n.round++
		again := n.round > 1
		d.theirs.mu.Unlock()
		if again && d.cfg.Missed != nil {
			d.cfg.Missed()
		}
	}
	for _, s := range f.Sessions {
		if err := d.take(ctx, from, s); err != nil {
			return nil, err
		}
	}
	if f.End {
		d.theirs.mu.Lock()
		defer d.theirs.mu.Unlock()
		n := d.theirs.get(from)
		for address, x := range n.sessions {
			if x.round != n.round {
				n.drop(address, x)
			}
		}
		n.complete = true
	}
	return nil, nil
}

// takeSum compares what is known of a node with what that has. A refusal asks it for all its sessions.
func (d *Directory) takeSum(_ context.Context, from cluster.Peer, b []byte) ([]byte, error) {
	if len(b) != 8 {
		return nil, cluster.Refusal("a sum has 8 bytes")
	}
	d.theirs.mu.Lock()
	defer d.theirs.mu.Unlock()
	if d.theirs.get(from).sum != binary.BigEndian.Uint64(b) {
		return nil, cluster.Refusal("the sessions that are known here are others")
	}
	return nil, nil
}

// gone is called when a node has ended. Its sessions stay for as long as they may be resumed.
func (d *Directory) gone(p cluster.Peer) {
	d.theirs.mu.Lock()
	if n := d.theirs.of[p]; n != nil {
		n.dead = true
	}
	var dead []*node
	for _, n := range d.theirs.of {
		if n.dead {
			dead = append(dead, n)
		}
	}
	d.theirs.mu.Unlock()
	for _, n := range dead { // one that was to withdraw sessions may have died itself
		d.work.Go(func() { d.bury(n) })
	}
}

// bury withdraws the sessions of a dead node: at once those that nobody can resume, the others later.
func (d *Directory) bury(n *node) {
	d.withdraw(n, func(s *server.Session) bool { return !s.Is(server.Resumable) })
	t := time.NewTimer(d.cfg.ResumeTime)
	defer t.Stop()
	select {
	case <-t.C:
		d.withdraw(n, func(*server.Session) bool { return true })
	case <-d.ctx.Done():
	}
}

// withdraw withdraws sessions of a dead node, if this node is the one to do so, and tells the others.
func (d *Directory) withdraw(n *node, which func(*server.Session) bool) {
	if !d.first() {
		return
	}
	d.theirs.mu.Lock()
	var all []*server.Session
	for address, x := range n.sessions {
		if x.session == nil || which(x.session) {
			if x.session != nil {
				all = append(all, x.session)
			}
			delete(n.sessions, address)
		}
	}
	if len(n.sessions) == 0 {
		delete(d.theirs.of, n.peer)
	}
	d.theirs.mu.Unlock()
	for _, s := range all {
		s.Host.Abandoned(d.ctx, s)
		d.mu.Lock()
		d.tell(d.bus.Nodes(), topicEnded,
			encode(namedFrame{JID: s.JID.String(), Stamp: s.Stamp(), Node: &n.peer}), false)
		d.mu.Unlock()
	}
}

// first says whether this node does what one of the living has to do: that with the lowest id does.
func (d *Directory) first() bool {
	self := d.bus.Self().ID
	return !slices.ContainsFunc(d.bus.Nodes(), func(p cluster.Peer) bool { return p.ID < self })
}
