// Package server routes stanzas: it has the hosts, their sessions, the router, and the stages at which features take
// part. It opens no socket and runs no SQL.
package server

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"parley/internal/background"
	"parley/internal/changes"
	"parley/internal/clock"
	"parley/internal/everywhere"
	"parley/internal/memo"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Host is one hosted domain: its accounts, its sessions and its features. It is safe from any goroutine.
type Host struct {
	Domain   string
	JID      jid.JID
	Store    Store
	IDs      *store.IDs
	Clock    clock.Clock
	Router   *Router
	Log      *slog.Logger
	Metrics  *Metrics
	Features []*Feature
	Limits   Limits
	Others   Others           // set before the host serves; nil: there is only this node
	Changes  *changes.Changes // by which features hear of changes, also of other hosts; see On and Tell

	// Everywhere has features do on other nodes what has to be done there as well.
	Everywhere everywhere.Part

	iq         map[Query]handler
	blocks     []func(ctx context.Context, account string, who jid.JID) bool
	steps      [stages][]Step
	responders map[string]Responder
	teammates  func(ctx context.Context, account string) ([]Teammate, string, error)

	mu         sync.RWMutex // guards accounts and shares; taken before Account.mu
	accounts   map[string]*Account
	shares     map[string]*share // by account, also for accounts without a session
	manyShares int               // shares that are at rest are dropped when there are this many
	exists     memo.Map[string, bool]

	pep       PEP
	known     memo.Map[capsKey, []string] // what kinds of clients follow, where the hash was verified
	watchers  watchers
	items     atomic.Pointer[[]Item] // disco#items of the host
	asks      asks
	questions questions
	retracted []func(ctx context.Context, account string, kept []byte)
	allowed   atomic.Int64 // see Allow
	kicks     kicks

	capsOnce sync.Once
	caps     string
}

// Limits are the limits that a host keeps for each account.
type Limits struct {
	SessionsPerAccount    int   // 0: no limit
	ArchiveBytesPerSecond int64 // average bytes that one person may add to archives; 0: no limit
	ArchiveBytesBurst     int64 // bytes that one person may add to archives at once
}

// HostConfig holds what NewHost needs.
type HostConfig struct {
	Domain  string
	Store   Store
	IDs     *store.IDs
	Clock   clock.Clock // what the host and its features go by; give IDs the same
	Router  *Router
	Log     *slog.Logger
	Metrics *Metrics
	Limits  Limits
	Changes *changes.Changes // the node's; default: some of the host's own

	Everywhere *everywhere.Everywhere   // the node's; default: one of the host's own
	Features   func(h *Host) []*Feature // called once, with the unfinished host
}

// NewHost makes a host and puts it on the router. It fails if the domain is not canonical or taken, or if two features
// answer the same query or address.
func NewHost(c HostConfig) (*Host, error) {
	j, err := jid.Parse(c.Domain)
	if err != nil || j.Domain() != c.Domain || !j.IsBare() || j.Local() != "" {
		return nil, fmt.Errorf("host %q is not a domain in canonical form", c.Domain)
	}
	h := &Host{
		Domain: c.Domain, JID: j, Store: c.Store, IDs: c.IDs, Clock: c.Clock, Router: c.Router,
		Log: c.Log.With("host", c.Domain), Metrics: c.Metrics, Limits: c.Limits,
		Changes: c.Changes,
		iq:      make(map[Query]handler), accounts: make(map[string]*Account), shares: make(map[string]*share),
	}
	if h.Changes == nil {
		h.Changes = changes.New()
	}
	if c.Everywhere == nil {
		c.Everywhere = everywhere.New()
	}
	h.Everywhere = c.Everywhere.Host(c.Domain)
	h.watchersElsewhere()
	h.forgetting()
	h.items.Store(&[]Item{})
	h.known.Most = maxKnown
	if err := h.install(c.Features(h)); err != nil {
		return nil, fmt.Errorf("host %s: %w", c.Domain, err)
	}
	return h, c.Router.addHost(h)
}

// Run does the features' background work until ctx ends, and starts work again that fails. At the end it cancels the
// host's questions to clients; the host asks nothing afterwards.
func (h *Host) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, f := range h.Features {
		if f.Run != nil {
			wg.Go(func() { background.Keep(ctx, h.Log, "feature "+f.Name, f.Run) })
		}
	}
	wg.Wait()
	h.questions.close()
	return nil
}

// AddItem adds a service to the host's disco#items.
func (h *Host) AddItem(it Item) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := append(append([]Item{}, *h.items.Load()...), it)
	h.items.Store(&now)
}

// Items returns the host's services that are available now.
func (h *Host) Items() []Item {
	return slices.DeleteFunc(slices.Clone(*h.items.Load()), func(it Item) bool {
		return it.While != nil && !it.While()
	})
}

// Conflict says what happens when a client asks for a resource that is in use (RFC 6120, section 7.7.2.2).
type Conflict uint8

const (
	Replace  Conflict = iota // the older stream ends with <conflict/>
	Refuse                   // the newcomer gets the stanza error conflict
	Generate                 // the newcomer gets another resource
)

// Bind makes a session for the account name. resource is what the client asked for; "" lets the server choose. A
// session that this one replaces has been unbound when Bind returns.
func (h *Host) Bind(ctx context.Context, name, resource string, policy Conflict, out Outbound,
	info SessionInfo) (*Session, error) {
	a := h.Account(name)
	taken := resource != "" && a.Session(resource) != nil
	if max := h.Limits.SessionsPerAccount; max > 0 && len(a.Sessions()) >= max && !taken {
		return nil, ResourceConstraint
	}
	if taken && policy == Refuse {
		return nil, errConflict
	}
	if resource == "" || taken && policy == Generate {
		resource = h.newResource()
	}
	full, err := jid.New(name, h.Domain, resource)
	if err != nil {
		return nil, BadRequest
	}
	s := &Session{
		JID: full, Host: h, Started: h.Clock.Now(), Info: info, out: out, stamp: int64(h.IDs.Next()),
	}
	if old := h.Account(name).Session(full.Resource()); old != nil {
		s.stamp = max(s.stamp, old.stamp+1) // the clock of its node may be ahead
		h.end(ctx, old, &wire.StreamError{Condition: "conflict", Text: "another client has taken this resource"})
	}
	if old := h.add(s); old != nil { // two clients bind the same resource at once
		old.Close(&wire.StreamError{Condition: "conflict"})
		old.closed.Store(true)
	}
	s.announce(true)
	h.Metrics.sessions.Inc()
	for _, f := range h.Features {
		if f.Bound != nil {
			f.Bound(ctx, s)
		}
	}
	return s, nil
}

// end ends a session, wherever it is, and returns when it was unbound.
func (h *Host) end(ctx context.Context, s *Session, err *wire.StreamError) {
	if s.node != "" {
		h.Others.End(ctx, s, err)
		h.Leave(s)
		return
	}
	h.EndHere(ctx, s, err)
}

func (h *Host) newResource() string {
	return h.IDs.Next().String()
}

// Unbind ends a session for good: it becomes unavailable to everyone who saw it, and leaves its account. A second call
// ends nothing.
//
// unacked are the stanzas that its client never acknowledged. They go their way before anybody hears that the client is
// gone: what is sent to it after that comes behind them.
func (h *Host) Unbind(ctx context.Context, s *Session, unacked ...*wire.Stanza) {
	if s.closed.Swap(true) {
		h.unacked(ctx, s, unacked)
		return
	}
	was := s.setPresence(nil, 0)
	h.unacked(ctx, s, unacked)
	all := h.withdraw(ctx, s, was)
	if h.remove(s) {
		h.Metrics.sessions.Dec()
	}
	if h.Others != nil {
		h.Others.Ended(s, all)
	}
	for _, f := range h.Features {
		if f.Unbound != nil {
			f.Unbound(ctx, s)
		}
	}
}

// idPrefix begins the ids of stanzas that are the host's own.
const idPrefix = "h"

// NewID returns an id for a stanza of the host's own.
func (h *Host) NewID() string {
	return idPrefix + h.IDs.Next().String()
}
