package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"parley/internal/clock"
	"parley/internal/door"
	"parley/store"
)

// Rows is the table of nodes in the database.
type Rows interface {
	// ClusterNodes returns the recorded nodes.
	ClusterNodes(ctx context.Context) ([]store.ClusterNode, error)
	// ClaimNode records a node instead of the dead ones, and returns its incarnation.
	ClaimNode(ctx context.Context, n store.ClusterNode, lease time.Duration,
		dead ...store.ClusterNode) (incarnation int64, err error)
	// RenewNode extends a node's lease.
	RenewNode(ctx context.Context, id string, incarnation int64, lease time.Duration) error
	// LeaveNode deletes a node.
	LeaveNode(ctx context.Context, id string, incarnation int64) error
}

// Config holds the settings of Take.
type Config struct {
	Rows      Rows
	Dir       string // the data folder
	Listen    func() (net.Listener, error)
	Advertise string // the address at which others reach Listen; "": its own address
	Version   string
	Lease     time.Duration // 0: 30 s
	TakeOver  bool          // do not wait for the lease of a node that does not answer
	Several   bool          // serve beside other nodes that do so
	Clock     clock.Clock   // for what people are told; leases go by the database's
	Log       *slog.Logger

	// Dial connects to other nodes; nil: over the machine's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Seat is a process's place at its database. For now a database has only one place. It is safe from any goroutine.
type Seat struct {
	cfg  Config
	id   *identity
	node store.ClusterNode
	nl   net.Listener
	stop context.CancelFunc
	done sync.WaitGroup

	lost chan struct{} // closed when another process has taken the place

	mu      sync.Mutex
	renewed time.Time
	links   func(net.Conn) // see Links
}

// ErrTaken says that another living node has the place.
var ErrTaken = errors.New("another parley serves from this database")

// look is how often a starting node checks whether another one is alive.
const look = time.Second

// Take takes the place at a database and returns it. It does not wait for a node that has ended, cleanly or not: the
// lock of its data folder is free, or nothing answers at its address. A node that answers gives ErrTaken. For a node
// that is silent, Take waits until its lease has expired.
func Take(ctx context.Context, cfg Config) (_ *Seat, err error) {
	if cfg.Lease <= 0 {
		cfg.Lease = 30 * time.Second
	}
	s := &Seat{cfg: cfg, lost: make(chan struct{})}
	if s.id, err = openIdentity(cfg.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := s.claim(ctx); err != nil {
		return nil, err
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.done.Go(func() { s.answer() })
	s.done.Go(func() { s.renew(work) })
	return s, nil
}

// TakeAndMigrate is Take for a database whose schema migrate then brings up to date; nil leaves the schema alone. A
// schema that knows nothing of places yet is migrated first. It returns the seat also with an error of migrate: the
// caller gives it up.
func TakeAndMigrate(ctx context.Context, cfg Config, migrate func(context.Context) error) (s *Seat, err error) {
	_, err = cfg.Rows.ClusterNodes(ctx)
	before := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("nodes: %w", err)
	}
	if before {
		if s, err = Take(ctx, cfg); err != nil {
			return nil, err
		}
	}
	if migrate != nil {
		if err := migrate(ctx); err != nil {
			return s, fmt.Errorf("store: migrate: %w", err)
		}
	}
	if before {
		return s, nil
	}
	return Take(ctx, cfg)
}

func (s *Seat) close() error {
	var err error
	if s.nl != nil {
		err = s.nl.Close()
	}
	return errors.Join(err, s.id.close())
}

// claim waits until there is no other node, and then records this one.
func (s *Seat) claim(ctx context.Context) error {
	known := make(map[string]int64) // when the leases expire that it waits for
	for {
		ns, err := s.cfg.Rows.ClusterNodes(ctx)
		if err != nil {
			return fmt.Errorf("nodes: %w", err)
		}
		var dead []store.ClusterNode
		wait := false
		for _, n := range ns {
			if s.beside(n) {
				continue
			}
			gone, err := s.gone(ctx, &n, known)
			if err != nil {
				return err
			}
			if !gone {
				wait = true
				continue
			}
			dead = append(dead, n)
		}
		if !wait {
			if err := s.sit(ctx, dead); !errors.Is(err, store.ErrConflict) {
				return err
			}
		}
		t := time.NewTimer(look)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// beside says whether this node serves beside another one. Whether that is dead is judged later, by all that there are.
func (s *Seat) beside(n store.ClusterNode) bool { return s.cfg.Several && n.Several && n.ID != s.id.id }

// gone reports whether a node has ended. It returns an error if the node is alive.
func (s *Seat) gone(ctx context.Context, n *store.ClusterNode, known map[string]int64) (bool, error) {
	own := n.ID == s.id.id
	until, waited := known[n.ID]
	w := s.ask(ctx, *n)
	switch {
	case w == alive && own:
		return false, fmt.Errorf("%w under the same identity: %s: this data folder is a copy of its folder: remove "+
			"%s from the copy, and stop the other server first", ErrTaken, about(*n), identityName)
	case w == alive:
		return false, fmt.Errorf("%w: %s: stop it first, name another database in store.dsn, or set cluster.enabled for "+
			"both to have them serve together", ErrTaken, about(*n))
	case w == refused, own, n.Lease == 0:
		return true, nil
	case s.cfg.TakeOver:
		s.cfg.Log.Warn("taking over from a server that does not answer", "server", about(*n))
		n.Until = 0
		return true, nil
	case waited && until != n.Until:
		return false, fmt.Errorf("%w: %s: it does not answer there but renews its lease: stop it first, or set "+
			"cluster.address to an address that can be reached from here", ErrTaken, about(*n))
	}
	known[n.ID] = n.Until
	s.cfg.Log.Warn("another server may still use this database and does not answer: waiting until its lease expires; "+
		"--take-over does not wait",
		"server", about(*n), "left", n.Lease.Round(time.Second))
	return false, nil
}

// about describes a node for people who look for it.
func about(n store.ClusterNode) string {
	return fmt.Sprintf("%s, version %s, since %s, at %s",
		n.Place, n.Version, n.Started.Format("2006-01-02 15:04:05 UTC"), n.Address)
}

// sit listens, unless it does already, and records this node.
func (s *Seat) sit(ctx context.Context, dead []store.ClusterNode) (err error) {
	if s.nl == nil {
		if s.nl, err = s.cfg.Listen(); err != nil {
			return err
		}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	s.node = store.ClusterNode{
		ID:      s.id.id,
		Address: s.cfg.Advertise,
		Scope:   scope(),
		Place:   fmt.Sprintf("process %d on %s", os.Getpid(), host),
		Version: s.cfg.Version,
		Several: s.cfg.Several,
		Started: s.cfg.Clock.Now().UTC(),
	}
	if s.node.Address == "" {
		s.node.Address = s.nl.Addr().String()
	}
	began := time.Now()
	if s.node.Incarnation, err = s.cfg.Rows.ClaimNode(ctx, s.node, s.cfg.Lease, dead...); err != nil {
		return err
	}
	s.renewed = began
	s.cfg.Log.Info("this server owns the database", "node", s.node.ID, "incarnation", s.node.Incarnation,
		"address", s.node.Address)
	return nil
}

// answer tells every connection that this node is alive.
func (s *Seat) answer() {
	line := hello(s.node.ID, s.node.Incarnation)
	err := door.Serve(s.nl, s.cfg.Log, func(c net.Conn) {
		s.done.Go(func() { s.answerOne(c, line) })
	})
	if err != nil && !errors.Is(err, net.ErrClosed) {
		s.cfg.Log.Error("this server no longer answers whether it is alive", "err", err)
	}
}

func (s *Seat) answerOne(c net.Conn, line string) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(askTime))
	if _, err := io.WriteString(c, line); err != nil {
		return // the other side has gone
	}
	s.mu.Lock()
	links := s.links
	s.mu.Unlock()
	if links != nil {
		links(c)
	}
}

// Links has a function take the connections that other nodes make, once they know that this one is alive.
func (s *Seat) Links(take func(net.Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = take
}

// renew extends the lease until ctx ends or another process takes the place.
func (s *Seat) renew(ctx context.Context) {
	every := s.cfg.Lease / 6
	t := time.NewTicker(every)
	defer t.Stop()
	told := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		began := time.Now()
		try, cancel := context.WithTimeout(ctx, every)
		err := s.cfg.Rows.RenewNode(try, s.node.ID, s.node.Incarnation, s.cfg.Lease)
		cancel()
		switch {
		case err == nil:
			s.mu.Lock()
			s.renewed = began
			s.mu.Unlock()
			told = false
		case errors.Is(err, store.ErrConflict):
			close(s.lost)
			return
		case ctx.Err() == nil && !told:
			told = true
			s.cfg.Log.Warn("the lease on the database cannot be renewed", "err", err)
		}
	}
}

// Lost returns a channel that is closed when another process has taken the place. This process must then end.
func (s *Seat) Lost() <-chan struct{} { return s.lost }

// Node returns what is recorded of this process.
func (s *Seat) Node() store.ClusterNode { return s.node }

// Held returns an error while the lease has expired because the database does not answer. Clients stay connected
// meanwhile.
func (s *Seat) Held(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if late := time.Since(s.renewed) - s.cfg.Lease; late > 0 {
		return fmt.Errorf("the lease on the database expired %v ago: another server may take over",
			late.Round(time.Second))
	}
	return nil
}

// Leave gives up the place in an orderly way.
func (s *Seat) Leave(ctx context.Context) error {
	s.stop()
	err := s.nl.Close()
	s.done.Wait()
	return errors.Join(err, s.cfg.Rows.LeaveNode(ctx, s.node.ID, s.node.Incarnation), s.id.close())
}
