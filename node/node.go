// Package node builds one running parley from its parts, and stops it in order.
package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"parley/acts"
	"parley/admin"
	"parley/cluster"
	"parley/config"
	"parley/feature/extdisco"
	"parley/feature/invite"
	"parley/feature/proxy65"
	"parley/feature/upload"
	"parley/feature/vcard"
	"parley/feature/webhooks"
	"parley/feature/webpush"
	"parley/federation"
	"parley/internal/background"
	"parley/internal/changes"
	"parley/internal/clock"
	"parley/internal/disk"
	"parley/internal/door"
	"parley/internal/everywhere"
	"parley/muc/groups"
	"parley/muc/notices"
	"parley/node/acme"
	"parley/node/doctor"
	"parley/org"
	"parley/people/departed"
	"parley/pubsub"
	"parley/server"
	"parley/server/c2s"
	"parley/server/component"
	"parley/settings"
	"parley/store"
	"parley/store/sqlstore"
	"parley/transfer/backup"
	"parley/webchat"
)

// Node is one running server. Two in one process share nothing.
type Node struct {
	Config   *config.Config
	Log      *slog.Logger
	Registry *prometheus.Registry
	Store    *sqlstore.Store
	Router   *server.Router
	Org      *org.Org
	IDs      *store.IDs
	clock    clock.Clock
	told     *changes.Changes       // who hears of a change of the database
	all      *everywhere.Everywhere // has other nodes do what follows from it
	among    bool                   // other nodes serve the database at the same time: see Among
	acts     *acts.Log
	settings *settings.Settings

	writable     *admin.Writable
	storeOptions func(*sqlstore.Options) // nil: the usual
	network      Network                 // nil: the machine's

	seat     *cluster.Seat // nil: no other process can reach the database
	peers    *peers        // nil: the node serves alone
	takeOver bool
	lease    time.Duration // 0: the usual

	pages       // pages for browsers
	hosts       []*host
	cards       map[string]*vcard.Cards
	spaces      map[string]*pubsub.Spaces   // by host
	notices     map[string]*notices.Notices // by host
	chats       map[string]*webchat.Service // by host
	pushes      map[string]*webpush.WebPush // by host
	pushMetrics *webpush.Metrics
	pushSecret  []byte
	pushTest    webpush.Config // what WithPushServices changes
	changes     *notices.Changes
	departures  *departed.Departures
	invitations map[string]*invite.Invitations // by host
	backups     *backup.Keeper
	counts      *admin.Counts
	disks       *disk.Watch
	began       time.Time
	proxy       *proxy65.Relay // nil: the proxy is off
	certs       *c2s.Certs
	acme        *acme.Certs // nil: certificates are in files
	door        *c2s.Server
	doors       *door.House        // accepts all connections
	components  *component.Server  // nil: no component is configured
	federation  *federation.Server // nil: it is off
	others      *federation.Admin

	mu    sync.Mutex
	addrs map[string]net.Addr
	ready chan struct{}
	quit  chan error              // an administrator stops the node; the error, if any, is what Run gives
	stop  []func(context.Context) // of everything that listens, in the order of stopping

	relays []extdisco.Service // services of the built-in TURN server; guarded by mu
}

// host is a hosted domain with its services.
type host struct {
	*server.Host
	rooms   *groups.Service
	hats    *groups.Hats
	hooks   *webhooks.Webhooks
	nodes   *pubsub.Service
	uploads *upload.Service // nil: there is no upload service
}

// Option changes how New builds a node.
type Option func(*Node)

// WithClock makes the node go by another clock than the machine's (see package clock).
func WithClock(c clock.Clock) Option { return func(n *Node) { n.clock, n.IDs.Clock = c, c } }

// Network is how a node listens and reaches other nodes, as net.Listen and net.Dialer do.
type Network interface {
	Listen(network, address string) (net.Listener, error)
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// WithNetwork gives a node another network than the machine's, for its doors, its control socket and other nodes. Other
// servers are still reached over the machine's.
func WithNetwork(w Network) Option { return func(n *Node) { n.network = w } }

// WithStoreOptions changes how a node opens its store.
func WithStoreOptions(change func(*sqlstore.Options)) Option {
	return func(n *Node) { n.storeOptions = change }
}

// Among makes the node one of several in this process that serve one database: it takes no place there, and tells the
// others of changes. It is for tests, until nodes are joined by links.
func Among(others changes.Others) Option {
	return func(n *Node) {
		n.among = true
		n.told.Join(others)
	}
}

// Changes gives what tells this node, and the others, of changes of the database.
func (n *Node) Changes() *changes.Changes { return n.told }

// New builds a node: it opens the store (and migrates its schema if configured) and the certificates, and builds hosts
// and services. Nothing listens yet.
func New(ctx context.Context, cfg *config.Config, log *slog.Logger, os ...Option) (*Node, error) {
	n := &Node{
		Config:      cfg,
		Log:         log,
		Registry:    prometheus.NewRegistry(),
		Router:      server.NewRouter(),
		IDs:         new(store.IDs),
		told:        changes.New(),
		all:         everywhere.New(),
		cards:       make(map[string]*vcard.Cards),
		spaces:      make(map[string]*pubsub.Spaces),
		notices:     make(map[string]*notices.Notices),
		chats:       make(map[string]*webchat.Service),
		pushes:      make(map[string]*webpush.WebPush),
		invitations: make(map[string]*invite.Invitations),
		addrs:       make(map[string]net.Addr),
		ready:       make(chan struct{}),
		quit:        make(chan error, 1),
	}
	n.doors = door.NewHouse(log, n.Registry)
	for _, o := range os {
		o(n)
	}
	if n.network != nil {
		n.doors.Open = n.network.Listen
	}
	n.began = n.clock.Now()
	if err := doctor.Usable(cfg, n.began); err != nil { // before another server is taken over or a schema is changed
		return nil, err
	}
	if err := n.openStore(ctx); err != nil {
		return nil, err
	}
	n.writable = &admin.Writable{Write: n.Store.Writable, IsFull: sqlstore.IsFull}
	if err := n.build(ctx); err != nil {
		if n.door != nil {
			n.door.Shutdown(ctx)
		}
		return nil, errors.Join(err, n.leave(), n.Store.Close())
	}
	return n, nil
}

func (n *Node) build(ctx context.Context) error {
	if err := n.beginIDs(ctx); err != nil {
		return err
	}
	if err := n.buildWords(); err != nil {
		return err
	}
	if err := n.buildSettings(ctx); err != nil {
		return err
	}
	if err := n.buildPlaces(ctx); err != nil {
		return err
	}
	if err := n.buildHosts(ctx); err != nil {
		return err
	}
	if err := n.buildCluster(ctx); err != nil {
		return err
	}
	n.buildDisks()
	n.buildSystem()
	if err := n.buildComponents(); err != nil {
		return err
	}
	if err := n.buildCerts(); err != nil {
		return err
	}
	secret, err := n.secret(ctx, "sasl")
	if err != nil {
		return err
	}
	n.door = c2s.New(doorConfig(n, secret))
	n.others = n.newOthers()
	n.buildAPI()
	if err := n.buildWeb(ctx); err != nil {
		return err
	}
	return n.buildFederation(ctx)
}

// secret gives a random value that is kept in the store, so that it stays the same, and is that of all nodes.
func (n *Node) secret(ctx context.Context, name string) ([]byte, error) {
	key := "secret/" + name
	b, err := n.Store.Get(ctx, "", key)
	if err == nil {
		return b, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	b = make([]byte, 32)
	rand.Read(b)
	if b, err = n.Store.PutFirst(ctx, "", key, b); err != nil { // another node may begin at the same moment
		return nil, fmt.Errorf("keep secret %s: %w", name, err)
	}
	return b, nil
}

// Run listens and serves until ctx ends or a listener fails. Then it stops in order: no new clients, goodbye to
// connected ones, rooms, background work, the store.
func (n *Node) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	g, work := errgroup.WithContext(work)
	for _, h := range n.hosts {
		n.keep(work, g, "features of "+h.Domain, h.Run)
		n.keep(work, g, "rooms of "+h.Domain, h.rooms.Run)
		n.keep(work, g, "webhooks of "+h.Domain, h.hooks.Run)
		n.keep(work, g, "pushes of rooms of "+h.Domain, n.notices[h.Domain].Run)
		n.keep(work, g, "nodes of "+h.Domain, h.nodes.Run)
	}
	n.keep(work, g, "bookmarks", n.changes.Run)
	n.keep(work, g, "mandatory groups", func(ctx context.Context) error {
		return n.Org.Run(ctx, n.domains(), func(err error) { n.Log.Error("cannot add people to a group", "err", err) })
	})
	n.runUploads(work, g)
	n.watchRules(work, g)
	n.keep(work, g, "changes", n.told.Run)
	n.keep(work, g, "settings", n.settings.Run)
	n.keep(work, g, "departures", n.departures.Run)
	n.keep(work, g, "backups", n.backups.Run)
	n.keep(work, g, "counts", n.counts.Run)
	n.keep(work, g, "disks", n.disks.Run)
	n.runMail(work, g)
	g.Go(func() error { return n.places.Run(work) })
	n.runCerts(work, g)
	err := n.joinCluster(ctx, work, g)
	if err == nil {
		err = n.listen(work, g)
	}
	if err == nil {
		close(n.ready)
		select {
		case <-ctx.Done():
		case <-work.Done(): // something failed
		case err = <-n.quit:
		case <-n.seatLost():
			err = errSeatLost
		case <-n.Store.Fenced():
			err = errSeatLost
		}
	}
	began := time.Now()
	patience := n.Config.Shutdown.Grace
	if errors.Is(err, errSeatLost) {
		patience = min(patience, lostGrace)
	}
	n.Log.Info("stopping", "grace", patience)
	grace, done := context.WithTimeout(context.Background(), patience)
	defer done()
	n.door.Shutdown(grace)
	for _, chat := range n.chats {
		chat.Shutdown()
	}
	for _, f := range n.stop {
		f(grace)
	}
	for _, h := range n.hosts {
		h.rooms.Close(grace)
	}
	cancel()
	err = errors.Join(err, g.Wait())
	n.leaveCluster()
	if n.web != nil {
		n.web.Close()
	}
	n.writable.Close()
	err = errors.Join(err, n.leave(), n.Store.Close())
	n.Log.Info("stopped", "after", time.Since(began).Round(time.Millisecond))
	return err
}

// keep runs background work in g until ctx ends. Work that fails is started again, and does not end the node.
func (n *Node) keep(ctx context.Context, g *errgroup.Group, name string, f func(context.Context) error) {
	g.Go(func() error {
		background.Keep(ctx, n.Log, name, f)
		return nil
	})
}

// Ready is closed when the node listens on all its addresses.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// Addr gives the (first) address of a door: "c2s", "c2s_tls", "websocket", "websocket_plain", "s2s", "s2s_tls",
// "metrics"; nil if it is closed.
func (n *Node) Addr(door string) net.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addrs[door]
}

// Host gives a hosted domain; nil if there is none.
func (n *Node) Host(domain string) *server.Host { return n.Router.Host(domain) }
