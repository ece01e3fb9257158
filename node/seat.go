package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"parley/cluster"
	"parley/internal/door"
	"parley/store/sqlstore"
)

// TakeOver makes the node start without waiting for the lease of another node that does not answer.
func TakeOver() Option { return func(n *Node) { n.takeOver = true } }

// WithLease makes the node's lease on a database last d instead of 30 s.
func WithLease(d time.Duration) Option { return func(n *Node) { n.lease = d } }

// openStore opens the store. On a database that other processes can reach, the node first makes sure that it is alone
// there.
func (n *Node) openStore(ctx context.Context) (err error) {
	cfg := n.Config
	sqlite := strings.HasPrefix(cfg.Store.DSN, "sqlite:")
	first, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	o := sqlstore.Options{
		Log:            n.Log,
		Clock:          n.clock,
		IDs:            n.IDs,
		MaxConnections: cfg.Store.MaxConnections,
		CommitBatch:    cfg.Store.CommitBatch,
		Migrate:        cfg.Store.Migrate && sqlite,
	}
	if n.storeOptions != nil {
		n.storeOptions(&o)
	}
	n.Store, err = sqlstore.Open(first, cfg.Store.DSN, o)
	if err != nil || sqlite && !o.Shared || n.among {
		return err
	}
	if err := n.sit(ctx); err != nil {
		return errors.Join(err, n.leave(), n.Store.Close())
	}
	return nil
}

func (n *Node) sit(ctx context.Context) (err error) {
	c := n.Config.Cluster
	if err := os.MkdirAll(n.Config.DataDir, 0o700); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	var migrate func(context.Context) error
	if n.Config.Store.Migrate {
		migrate = n.Store.Migrate
	}
	var dial func(ctx context.Context, network, address string) (net.Conn, error)
	if n.network != nil {
		dial = n.network.DialContext
	}
	n.seat, err = cluster.TakeAndMigrate(ctx, cluster.Config{
		Dial:      dial,
		Rows:      n.Store,
		Dir:       n.Config.DataDir,
		Advertise: c.Advertise,
		Version:   Version(),
		Clock:     n.clock,
		Lease:     n.lease,
		TakeOver:  n.takeOver,
		Several:   c.Enabled,
		Log:       n.Log,
		Listen: func() (net.Listener, error) {
			return n.doors.Listen(c.Address,
				door.Config{Name: "cluster", Limits: door.Limits{All: 1000, PerAddress: 100}, Write: 2 * time.Second})
		},
	}, migrate)
	if err == nil { // only now: migrations may be repeated, and run from two nodes at once
		own := n.seat.Node()
		n.Store.Hold(own.ID, own.Incarnation)
	}
	return err
}

// leave gives up the node's lease, if it has one.
func (n *Node) leave() error {
	if n.seat == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return n.seat.Leave(ctx)
}

// seatLost gives a channel that is closed when another process serves from the database.
func (n *Node) seatLost() <-chan struct{} {
	if n.seat == nil {
		return nil
	}
	return n.seat.Lost()
}

// lostGrace is how long a node that has lost its place says goodbye: its clients are to connect to the other one.
const lostGrace = time.Second

var errSeatLost = errors.New("another server has taken over the database: this one ends, so that " +
	"they do not both serve")

// leaseHeld returns an error while the node's lease has run out.
func (n *Node) leaseHeld(ctx context.Context) error {
	if n.seat == nil {
		return nil
	}
	return n.seat.Held(ctx)
}
