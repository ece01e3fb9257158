// Package node builds one running parley of its parts, and stops it in order.
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

	"parley/config"
	"parley/feature/bookmarks"
	"parley/feature/extdisco"
	"parley/feature/invite"
	"parley/feature/proxy65"
	"parley/feature/push"
	"parley/feature/upload"
	"parley/feature/vcard"
	"parley/feature/webhooks"
	"parley/federation"
	"parley/muc"
	"parley/node/acme"
	"parley/org"
	"parley/pubsub"
	"parley/server"
	"parley/server/c2s"
	"parley/server/component"
	"parley/settings"
	"parley/store"
	"parley/store/sqlstore"
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
	settings *settings.Settings

	pages       // what is for people in browsers
	hosts       []*host
	bookmarks   map[string]*bookmarks.Bookmarks // by host
	cards       map[string]*vcard.Cards
	spaces      map[string]*pubsub.Spaces // by host
	alerts      map[string]*push.Push     // by host
	pushes      *pushes
	hats        hats
	invitations map[string]*invite.Invitations // by host
	backups     backups
	usages      *usages
	proxy       *proxy65.Relay // nil: it is off
	certs       *c2s.Certs
	acme        *acme.Certs // nil: certificates are in files
	door        *c2s.Server
	components  *component.Server  // nil: none is configured
	federation  *federation.Server // nil: it is off

	mu    sync.Mutex
	addrs map[string]net.Addr
	ready chan struct{}
	quit  chan error              // an administrator stops the node; the error, if any, is what Run gives
	stop  []func(context.Context) // of what listens, in the order of stopping

	relays []extdisco.Service // of the TURN server that is built in; guarded by mu
}

// host is a hosted domain with its services.
type host struct {
	*server.Host
	rooms   *muc.Service
	hooks   *webhooks.Webhooks
	nodes   *pubsub.Service
	uploads *upload.Service // nil: there is none
}

// New builds a node: it opens the store (bringing its schema up to date if so configured) and the certificates, and
// puts hosts and services together. Nothing listens yet.
func New(ctx context.Context, cfg *config.Config, log *slog.Logger) (*Node, error) {
	n := &Node{Config: cfg, Log: log, Registry: prometheus.NewRegistry(), Router: server.NewRouter(), IDs: new(store.IDs),
		bookmarks: make(map[string]*bookmarks.Bookmarks), cards: make(map[string]*vcard.Cards), spaces: make(map[string]*pubsub.Spaces), alerts: make(map[string]*push.Push), invitations: make(map[string]*invite.Invitations), addrs: make(map[string]net.Addr), ready: make(chan struct{}), quit: make(chan error, 1)}
	n.backups.asked = make(chan string, 1)
	st, err := openStore(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	n.Store = st
	if err := n.build(ctx); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return n, nil
}

func (n *Node) build(ctx context.Context) error {
	if err := n.buildWords(); err != nil {
		return err
	}
	if err := n.buildSettings(ctx); err != nil {
		return err
	}
	if err := n.buildHosts(ctx); err != nil {
		return err
	}
	n.usages = newUsages(n.hosts)
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
	if err := n.buildWeb(ctx); err != nil {
		return err
	}
	return n.buildFederation(ctx)
}

// secret gives a random value that stays the same for the deployment.
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
	if err := n.Store.Put(ctx, "", key, b); err != nil {
		return nil, fmt.Errorf("keep secret %s: %w", name, err)
	}
	return b, nil
}

// Run listens and serves until ctx ends or something that cannot be done without fails; then it stops in order: no new
// clients, goodbye to those there are, rooms, background work, the store.
func (n *Node) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	g, work := errgroup.WithContext(work)
	for _, h := range n.hosts {
		g.Go(func() error { return ignore(h.Run(work)) })
		g.Go(func() error { return ignore(h.rooms.Run(work)) })
		g.Go(func() error { return ignore(h.hooks.Run(work)) })
		g.Go(func() error { return h.nodes.Run(work) })
	}
	g.Go(func() error { return n.pushes.run(work) })
	g.Go(func() error { return n.Org.Run(work, n.domains(), n.fault) })
	n.runUploads(work, g)
	n.watchRules(work, g)
	g.Go(func() error { return n.settings.Run(work) })
	g.Go(func() error { return n.runBackups(work) })
	g.Go(func() error { return n.runCounts(work) })
	n.runPost(work, g)
	n.runCerts(work, g)
	err := n.listen(work, g)
	if err == nil {
		close(n.ready)
		select {
		case <-ctx.Done():
		case <-work.Done(): // something failed
		case err = <-n.quit:
		}
	}
	grace, done := context.WithTimeout(context.Background(), n.Config.Shutdown.Grace)
	defer done()
	n.door.Shutdown(grace)
	for _, f := range n.stop {
		f(grace)
	}
	for _, h := range n.hosts {
		h.rooms.Close(grace)
	}
	cancel()
	err = errors.Join(err, g.Wait())
	if n.web != nil {
		n.web.Wait()
	}
	return errors.Join(err, n.Store.Close())
}

func ignore(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Ready is closed when the node listens on all its addresses.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// Addr gives the address a door listens on (its first one): "c2s", "c2s_tls", "websocket", "websocket_plain",
// "s2s", "s2s_tls", "metrics"; nil if it is closed.
func (n *Node) Addr(door string) net.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addrs[door]
}

// Host gives a hosted domain; nil if it is none.
func (n *Node) Host(domain string) *server.Host { return n.Router.Host(domain) }

func openStore(ctx context.Context, cfg *config.Config, log *slog.Logger) (*sqlstore.Store, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return sqlstore.Open(ctx, cfg.Store.DSN, sqlstore.Options{Log: log, MaxConnections: cfg.Store.MaxConnections, CommitBatch: cfg.Store.CommitBatch, Migrate: cfg.Store.Migrate})
}
