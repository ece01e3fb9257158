package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"parley/wire"
	"parley/wire/jid"
)

// Entity answers for a domain that is not a host: a room service, a component, the way to other servers.
type Entity interface {
	// Receive takes a stanza to the entity. It returns soon and leaves long work to other goroutines. The router's
	// caller reports an error to the sender.
	Receive(ctx context.Context, st *wire.Stanza) error
}

// Router knows what answers for each domain. It is safe from any goroutine.
type Router struct {
	table  atomic.Pointer[table]
	remote atomic.Pointer[Entity] // answers for every domain that is not ours
}

type table struct {
	hosts    map[string]*Host
	entities map[string]Entity
}

// NewRouter returns a router without domains.
func NewRouter() *Router {
	r := &Router{}
	r.table.Store(&table{})
	return r
}

func (r *Router) change(f func(*table) error) error {
	for {
		old := r.table.Load()
		now := &table{hosts: make(map[string]*Host), entities: make(map[string]Entity)}
		for d, h := range old.hosts {
			now.hosts[d] = h
		}
		for d, e := range old.entities {
			now.entities[d] = e
		}
		if err := f(now); err != nil {
			return err
		}
		if r.table.CompareAndSwap(old, now) {
			return nil
		}
	}
}

func (t *table) taken(domain string) error {
	if t.hosts[domain] != nil || t.entities[domain] != nil {
		return fmt.Errorf("domain %s is served twice", domain)
	}
	return nil
}

func (r *Router) addHost(h *Host) error {
	return r.change(func(t *table) error {
		if err := t.taken(h.Domain); err != nil {
			return err
		}
		t.hosts[h.Domain] = h
		return nil
	})
}

// Add puts an entity on its domain. It fails if the domain is taken.
func (r *Router) Add(domain string, e Entity) error {
	return r.change(func(t *table) error {
		if err := t.taken(domain); err != nil {
			return err
		}
		t.entities[domain] = e
		return nil
	})
}

// SetRemote sets the entity that takes stanzas for all domains that are not served here.
func (r *Router) SetRemote(e Entity) { r.remote.Store(&e) }

// Host returns the host of a domain, or nil.
func (r *Router) Host(domain string) *Host { return r.table.Load().hosts[domain] }

// Hosts returns all hosts.
func (r *Router) Hosts() []*Host {
	var hs []*Host
	for _, h := range r.table.Load().hosts {
		hs = append(hs, h)
	}
	return hs
}

// Entity returns what serves a domain that is not a host, or nil.
func (r *Router) Entity(domain string) Entity { return r.table.Load().entities[domain] }

// Local reports whether a host or an entity serves the domain here.
func (r *Router) Local(domain string) bool {
	t := r.table.Load()
	return t.hosts[domain] != nil || t.entities[domain] != nil
}

// Route hands a stanza to whatever answers for its `to`. An error is for the sender; see Reply.
func (r *Router) Route(ctx context.Context, st *wire.Stanza) error {
	t := r.table.Load()
	domain := st.To.Domain()
	if h := t.hosts[domain]; h != nil {
		return h.Receive(ctx, st)
	}
	if e := t.entities[domain]; e != nil {
		return e.Receive(ctx, st)
	}
	if e := r.remote.Load(); e != nil {
		return (*e).Receive(ctx, st)
	}
	return RemoteNotFound
}

// Send routes a stanza of the server's own. It drops errors.
func (r *Router) Send(ctx context.Context, st *wire.Stanza) {
	_ = r.Route(ctx, st)
}

// Reply reports err to the sender of st, unless there is nothing to report.
func (r *Router) Reply(ctx context.Context, st *wire.Stanza, err error) {
	if fenced(st, err) {
		return
	}
	if reply := ErrorReply(st, err); reply != nil {
		r.Send(ctx, reply)
	}
}

// Session returns the local session with this full address, or nil.
func (r *Router) Session(full jid.JID) *Session {
	h := r.Host(full.Domain())
	if h == nil {
		return nil
	}
	return h.Account(full.Local()).Session(full.Resource())
}

// Fanout sends one stanza to many full addresses, as a room does. It makes the stanza once, queues it for each local
// session, and routes it to each of the other addresses. It calls gone for each local address without a session.
func (r *Router) Fanout(ctx context.Context, st *wire.Stanza, tos []jid.JID, gone func(jid.JID)) {
	st.Render()
	var away []*Session
	for _, to := range tos {
		h := r.Host(to.Domain())
		if h == nil {
			c := st.Copy()
			c.To = to
			if err := r.Route(ctx, c); err != nil && gone != nil {
				gone(to)
			}
			continue
		}
		s := h.Account(to.Local()).Session(to.Resource())
		if s == nil {
			if gone != nil {
				gone(to)
			}
			continue
		}
		if !h.MayReceive(ctx, st, to) {
			continue
		}
		if s.node != "" {
			away = append(away, s)
			continue
		}
		if s.SendTo(st, to) != nil && gone != nil {
			gone(to)
			continue
		}
		h.Metrics.delivered(st.Kind)
	}
	if len(away) > 0 {
		fanoutAway(st, away, gone)
	}
}

// fanoutAway is Fanout for sessions of other nodes: each node gets the stanza once.
func fanoutAway(st *wire.Stanza, away []*Session, gone func(jid.JID)) {
	slices.SortStableFunc(away, func(a, b *Session) int { return strings.Compare(a.node, b.node) })
	for len(away) > 0 {
		n := slices.IndexFunc(away, func(s *Session) bool { return s.node != away[0].node })
		if n < 0 {
			n = len(away)
		}
		some := away[:n]
		away = away[n:]
		err := some[0].Host.Others.Fanout(st, some[0].node, some)
		for _, s := range some {
			if err == nil {
				s.Host.Metrics.delivered(st.Kind)
			} else if gone != nil {
				gone(s.JID)
			}
		}
	}
}
