// Package server is the hall: hosts, sessions, routing, and the stages at which features take part. It opens no socket
// and runs no SQL.
package server

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/background"
	"parley/internal/memo"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Host is one hosted domain: its accounts, its sessions, what it can do.
type Host struct {
	Domain   string
	JID      jid.JID
	Store    Store
	IDs      *store.IDs
	Router   *Router
	Log      *slog.Logger
	Metrics  *Metrics
	Features []*Feature
	Limits   Limits

	iq     map[Query]handler
	blocks []func(ctx context.Context, account string, who jid.JID) bool
	steps  [stages][]Step
	voices map[string]Voice
	mates  func(ctx context.Context, account string) ([]Mate, string, error)

	mu         sync.RWMutex // guards accounts and shares; taken before Account.mu
	accounts   map[string]*Account
	shares     map[string]*share // by account, also of those without a session
	manyShares int               // how many there are when those at rest are forgotten
	exists     memo.Map[string, bool]

	pep       PEP
	known     memo.Map[capsKey, []string] // what kinds of clients want, of what was verified
	watchers  watchers
	items     atomic.Pointer[[]Item] // disco#items of the host
	asks      asks
	questions questions
	retracted []func(ctx context.Context, account string, kept []byte)
	allowed   atomic.Int64 // see Allow

	capsOnce sync.Once
	caps     string
}

// Limits of a host that the hall itself keeps.
type Limits struct {
	SessionsPerAccount    int   // 0: no limit
	ArchiveBytesPerSecond int64 // that one person has archives keep, on average; 0: no limit
	ArchiveBytesBurst     int64 // and at once
}

// HostConfig is what a host is made of.
type HostConfig struct {
	Domain   string
	Store    Store
	IDs      *store.IDs
	Router   *Router
	Log      *slog.Logger
	Metrics  *Metrics
	Limits   Limits
	Features func(h *Host) []*Feature // called once, with the host so far
}

// NewHost makes a host and puts it on the router. Two features that answer the same query are an error.
func NewHost(c HostConfig) (*Host, error) {
	j, err := jid.Parse(c.Domain)
	if err != nil || j.Domain() != c.Domain || !j.IsBare() || j.Local() != "" {
		return nil, fmt.Errorf("host %q is no domain in canonical form", c.Domain)
	}
	h := &Host{
		Domain: c.Domain, JID: j, Store: c.Store, IDs: c.IDs, Router: c.Router,
		Log: c.Log.With("host", c.Domain), Metrics: c.Metrics, Limits: c.Limits,
		iq: make(map[Query]handler), accounts: make(map[string]*Account), shares: make(map[string]*share),
	}
	h.items.Store(&[]Item{})
	h.known.Most = maxKnown
	if err := h.install(c.Features(h)); err != nil {
		return nil, fmt.Errorf("host %s: %w", c.Domain, err)
	}
	return h, c.Router.addHost(h)
}

// Run does the features' background work until ctx ends. Work that fails is begun again. Then it ends what the host
// asks clients, and asks nothing any more.
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

// AddItem puts a service into the host's disco#items.
func (h *Host) AddItem(it Item) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := append(append([]Item{}, *h.items.Load()...), it)
	h.items.Store(&now)
}

// Items gives the host's services that are there now.
func (h *Host) Items() []Item {
	return slices.DeleteFunc(slices.Clone(*h.items.Load()), func(it Item) bool { return it.While != nil && !it.While() })
}

// Conflict says what happens when a resource is asked for that is in use (RFC 6120, section 7.7.2.2).
type Conflict uint8

const (
	Replace  Conflict = iota // the older stream ends with <conflict/>
	Refuse                   // the newcomer gets the stanza error conflict
	Generate                 // the newcomer gets another resource
)

// Bind makes a session. resource is as asked for, "" for one made by the server. A replaced session has been unbound
// when Bind returns.
func (h *Host) Bind(ctx context.Context, name, resource string, policy Conflict, out Outbound, info SessionInfo) (*Session, error) {
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
	s := &Session{JID: full, Host: h, Started: time.Now(), Info: info, out: out}
	if old := h.Account(name).Session(full.Resource()); old != nil {
		old.Close(&wire.StreamError{Condition: "conflict", Text: "another client has taken this resource"})
		h.Unbind(ctx, old)
	}
	if old := h.add(s); old != nil { // two at the same moment
		old.Close(&wire.StreamError{Condition: "conflict"})
		old.closed.Store(true)
	}
	h.Metrics.sessions.Inc()
	for _, f := range h.Features {
		if f.Bound != nil {
			f.Bound(ctx, s)
		}
	}
	return s, nil
}

func (h *Host) newResource() string {
	return h.IDs.Next().String()
}

// Unbind ends a session for good: it becomes unavailable to whoever saw it, and is no more. Doing it again does
// nothing.
func (h *Host) Unbind(ctx context.Context, s *Session) {
	if s.closed.Swap(true) {
		return
	}
	h.withdraw(ctx, s)
	if h.remove(s) {
		h.Metrics.sessions.Dec()
	}
	for _, f := range h.Features {
		if f.Unbound != nil {
			f.Unbound(ctx, s)
		}
	}
}

// NewID gives an id for a stanza that the host sends by itself.
func (h *Host) NewID() string {
	return "h" + h.IDs.Next().String()
}
