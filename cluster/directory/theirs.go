package directory

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/cluster"
	"parley/server"
	"parley/wire/jid"
)

// nodes holds what is known of the sessions of other nodes.
type nodes struct {
	mu   sync.Mutex
	of   map[cluster.Peer]*node // also of those that are dead and whose sessions are not withdrawn yet
	over map[string]int64       // the last incarnation that is dead, by node
	web  map[string]int         // how many of the sessions are of browsers, by host
}

// count counts a session that comes (1) or goes (-1).
func (ns *nodes) count(s *server.Session, by int) {
	if s != nil && s.Info.Transport == transportWeb {
		ns.web[s.Host.Domain] += by
	}
}

// node is what is known of one other node.
type node struct {
	peer     cluster.Peer
	dead     bool
	sessions map[string]*theirs // by address
	sum      uint64
	round    uint64 // counts its snapshots
	complete bool   // it has told all its sessions since there is a link
	stray    int    // how often it was seen to be none of the cluster's nodes
}

// errOver is the answer to a dead node, whose frames may come late.
var errOver = errors.New("this server takes the node for dead")

// theirs is a session of another node.
type theirs struct {
	session *server.Session // nil: a later session has its address
	out     *outbound       // the way to it
	stamp   int64
	rev     uint64
	round   uint64 // the last snapshot that had it, or that it came after
}

// get gives what is known of a node that lives.
func (ns *nodes) get(p cluster.Peer) (*node, error) {
	if p.Incarnation <= ns.over[p.ID] {
		return nil, errOver
	}
	n := ns.of[p]
	if n == nil {
		n = &node{peer: p, sessions: make(map[string]*theirs)}
		ns.of[p] = n
	}
	return n, nil
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
	n, err := d.theirs.get(from)
	if err != nil {
		return err
	}
	x := n.sessions[f.JID]
	if x != nil && (x.stamp > f.Stamp || x.stamp == f.Stamp && x.rev >= f.Rev && x.session != nil) {
		x.round = n.round
		return nil
	}
	if x != nil && x.stamp == f.Stamp && x.session != nil {
		x.rev, x.round = f.Rev, n.round
		return x.session.Become(f.SessionState, f.Directed != nil)
	}
	out := &outbound{d: d, node: from, address: f.JID, stamp: f.Stamp}
	s, err := h.Join(ctx, from.ID, f.SessionState, out)
	if err != nil {
		return err
	}
	if x != nil {
		d.theirs.drop(n, f.JID, x)
	}
	if s != nil { // else the sums differ, and it is told again: the other session may end
		d.theirs.replace(f.JID)
		d.theirs.count(s, 1)
		n.sum += hashOf(f.JID, f.Stamp)
	}
	n.sessions[f.JID] = &theirs{session: s, out: out, stamp: f.Stamp, rev: f.Rev, round: n.round}
	return nil
}

// revive notes that a node lives that was taken for dead: there is a link to it.
func (ns *nodes) revive(p cluster.Peer) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.over[p.ID] == p.Incarnation {
		ns.over[p.ID]--
	}
	if n := ns.of[p]; n != nil {
		n.dead, n.stray = false, 0
	}
}

// replace notes that the sessions with an address have lost it to another one. The sums differ then, so that they are
// told again: that one may end first.
func (ns *nodes) replace(address string) {
	for _, n := range ns.of {
		if x := n.sessions[address]; x != nil && x.session != nil {
			n.sum -= hashOf(address, x.stamp)
			ns.count(x.session, -1)
			x.session = nil
		}
	}
}

// drop forgets a session of a node.
func (ns *nodes) drop(n *node, address string, x *theirs) {
	if x.session != nil {
		x.session.Host.Leave(x.session)
		ns.count(x.session, -1)
		n.sum -= hashOf(address, x.stamp)
	}
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
	if n == nil || n.dead != (f.Node != nil) { // what a dead node says may be half of what it had to say
		return nil, nil
	}
	x := n.sessions[f.JID]
	switch {
	case x == nil || x.stamp != f.Stamp:
	case f.By == d.bus.Self().ID && x.session != nil:
		s := x.session
		d.theirs.count(s, -1)
		n.sum -= hashOf(f.JID, x.stamp)
		delete(n.sessions, f.JID)
		d.work.Go(func() { s.Host.Abandoned(d.ctx, s) })
	default:
		d.theirs.drop(n, f.JID, x)
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
	n, err := d.theirs.get(from)
	if err != nil {
		return nil, err
	}
	if x := n.sessions[f.JID]; x != nil && x.stamp == f.Stamp && x.session != nil {
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
		n, err := d.theirs.get(from)
		if err == nil {
			n.round++
		}
		again := err == nil && n.round > 1
		d.theirs.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if again {
			d.missed()
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
		n, err := d.theirs.get(from)
		if err != nil {
			return nil, err
		}
		for address, x := range n.sessions {
			if x.round != n.round {
				d.theirs.drop(n, address, x)
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
	n, err := d.theirs.get(from)
	if err != nil {
		return nil, nil // it learns from its row that it is dead
	}
	if n.sum != binary.BigEndian.Uint64(b) {
		return nil, cluster.Refusal("the sessions that are known here are others")
	}
	return nil, nil
}

// gone is called when a node has ended. Its sessions stay for as long as they may be resumed.
func (d *Directory) gone(p cluster.Peer) {
	d.theirs.mu.Lock()
	if d.theirs.over == nil {
		d.theirs.over = make(map[string]int64)
	}
	d.theirs.over[p.ID] = max(d.theirs.over[p.ID], p.Incarnation)
	var orphans []*server.Session
	if n := d.theirs.of[p]; n != nil {
		n.dead = true
		for _, address := range slices.Sorted(maps.Keys(n.sessions)) {
			if x := n.sessions[address]; x.session != nil {
				x.session.Orphan()
				orphans = append(orphans, x.session)
			}
		}
	}
	var dead []*node
	for _, n := range d.theirs.of {
		if n.dead {
			dead = append(dead, n)
		}
	}
	d.theirs.mu.Unlock()
	d.roomsGone(orphans)
	for _, n := range dead { // one that was to withdraw sessions may have died itself
		d.work.Go(func() { d.bury(n) })
	}
}

// bury withdraws the sessions of a dead node: at once those that nobody can resume, the others later. One of the living
// nodes does so. It may be one that came later and never knew of the sessions: what is left a while later is withdrawn
// by each node that still knows of it.
func (d *Directory) bury(n *node) {
	unresumable := func(s *server.Session) bool { return !s.Is(server.Resumable) }
	all := func(*server.Session) bool { return true }
	always := func() bool { return true }
	for _, step := range []struct {
		after time.Duration
		which func(*server.Session) bool
		mine  func() bool
	}{
		{0, unresumable, d.first},
		{leftTime, unresumable, always},
		{d.cfg.ResumeTime - leftTime, all, d.first},
		{leftTime, all, always},
	} {
		t := time.NewTimer(step.after)
		select {
		case <-t.C:
		case <-d.ctx.Done():
			t.Stop()
			return
		}
		if step.mine() {
			d.withdraw(n, step.which)
		}
	}
}

// withdraw withdraws sessions of a dead node, and tells the others.
func (d *Directory) withdraw(n *node, which func(*server.Session) bool) {
	d.theirs.mu.Lock()
	if !n.dead {
		d.theirs.mu.Unlock()
		return
	}
	var all []*server.Session
	for _, address := range slices.Sorted(maps.Keys(n.sessions)) {
		x := n.sessions[address]
		if x.session == nil || which(x.session) {
			if x.session != nil {
				all = append(all, x.session)
				d.theirs.count(x.session, -1)
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

// findStrays finds nodes that have told of sessions and are none of the cluster's, so that nobody says that they have
// ended: one that died before this node had read that it was there.
func (d *Directory) findStrays() {
	living := d.bus.Nodes()
	var gone []cluster.Peer
	d.theirs.mu.Lock()
	for p, n := range d.theirs.of {
		switch {
		case n.dead:
		case slices.Contains(living, p):
			n.stray = 0
		default:
			if n.stray++; n.stray >= mostStray {
				gone = append(gone, p)
			}
		}
	}
	d.theirs.mu.Unlock()
	for _, p := range gone {
		d.gone(p)
	}
}

// first says whether this node does what one of the living has to do: that with the lowest id does.
func (d *Directory) first() bool {
	self := d.bus.Self().ID
	return !slices.ContainsFunc(d.bus.Nodes(), func(p cluster.Peer) bool { return p.ID < self })
}
