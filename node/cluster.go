package node

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"parley/cluster"
	"parley/cluster/directory"
)

// peers are what a node has that serves beside others.
type peers struct {
	bus       *cluster.Bus
	members   *cluster.Members
	directory *directory.Directory
	told      *directory.Told
	missed    chan struct{} // of size 1: something may have been missed
}

// buildCluster prepares the links to other nodes, if the node serves beside others. Hosts know of sessions elsewhere
// from then on.
func (n *Node) buildCluster(ctx context.Context) error {
	if n.seat == nil || !n.Config.Cluster.Enabled {
		return nil
	}
	n.Store.Beside()
	secret, err := n.secret(ctx, "cluster")
	if err != nil {
		return err
	}
	cfg := cluster.BusConfig{Self: n.seat.Node(), Secret: secret, Clock: n.clock, Log: n.Log}
	if n.network != nil {
		cfg.Dial = n.network.DialContext
	}
	bus, err := cluster.NewBus(cfg)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	bus.Register(n.Registry)
	p := &peers{bus: bus, members: cluster.NewMembers(n.Store, bus, n.Log), missed: make(chan struct{}, 1)}
	p.directory = directory.New(directory.Config{
		Bus:     bus,
		Router:  n.Router,
		Log:     n.Log,
		Missed:  p.miss,
		Metrics: n.Registry,
	})
	for _, h := range n.hosts {
		h.Others = p.directory
		rooms := p.directory.Rooms(h.rooms.Domain())
		h.rooms.Join(rooms)
		rooms.Serve(h.rooms.Service)
		if chat := n.chats[h.Domain]; chat != nil {
			chat.Others = p.directory.Events(h.Host)
		}
	}
	p.told = directory.NewTold(p.directory, n.Store, n.told)
	directory.NewEverywhere(p.directory, n.all)
	bus.Watch(cluster.Watcher{Gone: func(cluster.Peer) { p.miss() }}) // it may have told nobody of its last change
	p.directory.TakeEvents(func(ctx context.Context, host, account, name string, data []byte) {
		if chat := n.chats[host]; chat != nil {
			chat.TakeEvent(ctx, account, name, data)
		}
	})
	n.peers = p
	return nil
}

// miss notes that this node may have missed what another one did.
func (p *peers) miss() {
	select {
	case p.missed <- struct{}{}:
	default:
	}
}

// joinCluster makes links to the other nodes, and returns when this one knows their sessions. Nothing listens before.
func (n *Node) joinCluster(ctx, work context.Context, g *errgroup.Group) error {
	p := n.peers
	if p == nil {
		return nil
	}
	n.seat.Links(p.bus.Serve)
	for err := p.members.Read(ctx); err != nil; err = p.members.Read(ctx) {
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("cluster: %w", err)
		}
		n.Log.Warn("the database takes long to say which other servers there are")
	}
	n.keep(work, g, "nodes", p.members.Run)
	n.keep(work, g, "sessions of other nodes", p.directory.Run)
	n.keep(work, g, "changes of other nodes", p.told.Guard)
	n.keep(work, g, "what was missed of other nodes", n.catchUp)
	if err := p.directory.Settle(ctx); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	n.askOthers()
	for _, other := range p.bus.Nodes() {
		n.Log.Info("serving beside another server", "node", other.ID, "incarnation", other.Incarnation)
	}
	return nil
}

// leaveCluster ends the links.
func (n *Node) leaveCluster() {
	if n.peers != nil {
		n.seat.Links(nil)
		n.peers.bus.Close()
	}
}

// Flush returns when every other node has handled what this one has told it.
func (n *Node) Flush(ctx context.Context) error {
	if n.peers == nil {
		return nil
	}
	return n.peers.bus.Flush(ctx)
}

// othersHeard returns an error while another server that this one serves beside is not heard.
func (n *Node) othersHeard(ctx context.Context) error {
	if n.peers == nil {
		return nil
	}
	return n.peers.bus.Unheard(ctx)
}

// Crossed returns how many stanzas of clients this node has given to another one for a client there.
func (n *Node) Crossed() int64 {
	if n.peers == nil {
		return 0
	}
	return n.peers.directory.Crossed()
}
