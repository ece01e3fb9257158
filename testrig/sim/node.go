package sim

import (
	"context"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/config"
	"parley/node"
	"parley/store/sqlstore"
)

// Host is the organization's domain.
const Host = "example.org"

// door is the address of clients' streams.
const door = "client-door"

// resumeTime is how long a session waits for its client.
const resumeTime = 20 * time.Second

// Node is one life of a node: from its start to its end. Its successor has the same database, on the same machine or on
// another one.
type Node struct {
	world   *World
	place   int // among the nodes that serve together
	machine machine
	gate    *gate
	net     *network
	clock   *nodeClock

	cancel context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex
	real    *node.Node // nil until it is built
	err     error      // why it ended
	up      bool
	was     bool      // it was up
	thawsAt time.Time // until then nothing crosses its edges
	usurped bool      // another node has its place

	// These are the world's.
	trouble time.Time // until then the database is slow for it, and fails often
	// refuse is the key of the next transaction that is refused: it is the next attempt at what was done without an
	// answer, of which the refusal says nothing. 0: none.
	refuse  uint64
	endedAt time.Time // when the world saw that it had ended
}

// nodeClock is a node's own clock: the world's, and a difference.
type nodeClock struct {
	mu     sync.Mutex
	differ time.Duration
}

func (c *nodeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.differ)
}

func (c *nodeClock) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.differ += d
}

// start begins a node's life. It goes on in goroutines of its own.
func (w *World) start(place int, on machine, clock *nodeClock, open bool) *Node {
	n := &Node{world: w, place: place, machine: on, clock: clock, ended: make(chan struct{})}
	n.gate = &gate{node: n, open: open, begun: make(map[context.Context]uint64)}
	n.net = &network{node: n, listeners: make(map[string]*listener)}
	w.wires.reachable(on)
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	go func() {
		defer close(n.ended)
		err := n.live(ctx)
		n.mu.Lock()
		n.err, n.up = err, false
		n.mu.Unlock()
	}()
	return n
}

func (n *Node) live(ctx context.Context) error {
	cfg := config.Dev(filepath.Join(n.world.dir, n.machine.name))
	cfg.Hosts = []config.Host{{Domain: Host}}
	cfg.TLS.Certificate, cfg.TLS.Key = n.world.files[0], n.world.files[1]
	cfg.Store.DSN = "sqlite:" + filepath.Join(n.world.dir, "parley.db")
	cfg.Listeners.C2S.Addresses, cfg.Listeners.C2S.RequireTLS = []string{door}, false
	cfg.Listeners.C2STLS.Addresses, cfg.Listeners.WebSocket.Addresses = nil, nil
	cfg.Listeners.WebSocket.PlainAddresses, cfg.Listeners.Metrics.Addresses = nil, nil
	cfg.Listeners.Component.Addresses = nil
	cfg.Limits.ConnectionsPerAddress, cfg.Limits.ConnectionsPending = 10_000, 10_000
	cfg.Auth.Throttle.PerAddress, cfg.Auth.Throttle.PerAccount = 1_000_000, 1_000_000 // all come from one address
	cfg.StreamManagement.ResumeTimeout = resumeTime
	if n.world.several() {
		cfg.Cluster.Enabled, cfg.Cluster.Address = true, n.machine.address
	}
	log := slog.New(slog.NewTextHandler(journal{n}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	real, err := node.New(ctx, cfg, log, node.WithClock(n.clock.now), node.WithNetwork(n.net),
		node.WithStoreOptions(func(o *sqlstore.Options) {
			o.Shared = true
			o.Driver = func(d driver.Driver) driver.Driver { return stores{d, n} }
		}))
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.real = real
	n.mu.Unlock()
	go func() {
		select {
		case <-real.Ready():
			n.mu.Lock()
			n.up, n.was = true, true
			n.mu.Unlock()
		case <-n.ended:
		}
	}()
	return real.Run(ctx)
}

// built gives the node itself; nil if it is not built yet.
func (n *Node) built() *node.Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.real
}

// String names the node in the trace, if there are several.
func (n *Node) String() string {
	if !n.world.several() {
		return ""
	}
	return strconv.Itoa(n.place)
}

// machine is what a node can run on.
type machine struct {
	name    string // also of its data folder
	address string // at which other nodes reach the node; "": the node serves alone
}

// machines are those that the node of a place may run on, one at a time.
func (w *World) machines(place int) (all [2]machine) {
	for i, name := range []string{"a", "b"} {
		all[i] = machine{name: name}
		if w.several() {
			all[i] = machine{fmt.Sprintf("%s%d", name, place), fmt.Sprintf("10.0.%d.%d:7470", place, i+1)}
		}
	}
	return all
}

// several says whether several nodes serve together.
func (w *World) several() bool { return w.o.Nodes > 1 }

// living are the nodes that clients can connect to.
func (w *World) living() (out []*Node) {
	for _, n := range w.nodes {
		if n.ready() && !n.gate.dead() && !n.frozen() {
			out = append(out, n)
		}
	}
	return out
}

// ready says whether clients can connect.
func (n *Node) ready() bool {
	if n == nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up
}

// wasUp says whether clients could ever connect.
func (n *Node) wasUp() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.was
}

// over says whether the node has ended.
func (n *Node) over() bool {
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// frozen says whether nothing crosses the node's edges, as while its process is stopped.
func (n *Node) frozen() bool {
	if n == nil {
		return true
	}
	return time.Now().Before(n.thawsAt)
}

// isUsurped says whether another node has the node's place.
func (n *Node) isUsurped() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.usurped
}

// wake has a node go on whose place was taken while it was paused.
func (n *Node) wake() {
	n.mu.Lock()
	n.usurped = true
	n.mu.Unlock()
	n.gate.openWide()
}

// kill ends the node as kill -9 does: nothing that is not done yet is done, nothing is said to anybody.
func (n *Node) kill() {
	for _, c := range n.world.clients {
		if c.pipe != nil && c.at == n {
			c.lose()
		}
	}
	n.gate.kill()
	n.net.kill()
	n.cancel()
}

// journal looks at what a node logs.
type journal struct{ node *Node }

// Write takes a line of the log. A panic is a finding whatever it is about.
func (j journal) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "panic") {
		j.node.world.panics(string(b))
	}
	return len(b), nil
}
