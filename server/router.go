package server

import (
	"context"
	"fmt"
	"sync/atomic"

	"parley/wire"
	"parley/wire/jid"
)

// Entity is whatever has a domain of its own besides hosts: a room service, a component, the way out to other servers.
type Entity interface {
	// Receive takes a stanza addressed to the entity. It returns soon: what takes long happens elsewhere. An error is
	// told to the sender by the router's caller.
	Receive(ctx context.Context, st *wire.Stanza) error
}

// Router knows what answers for which domain. Safe from any goroutine.
type Router struct {
	table  atomic.Pointer[table]
	remote atomic.Pointer[Entity] // everything that is not ours
}

type table struct {
	hosts    map[string]*Host
	entities map[string]Entity
}

// NewRouter gives an empty router.
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

// Add puts an entity on its domain.
func (r *Router) Add(domain string, e Entity) error {
	return r.change(func(t *table) error {
		if err := t.taken(domain); err != nil {
			return err
		}
		t.entities[domain] = e
		return nil
	})
}

// SetRemote names what takes stanzas for domains that are not served here.
func (r *Router) SetRemote(e Entity) { r.remote.Store(&e) }

// Host gives a hosted domain; nil if it is none.
func (r *Router) Host(domain string) *Host { return r.table.Load().hosts[domain] }

// Hosts gives all hosted domains.
func (r *Router) Hosts() []*Host {
	var hs []*Host
	for _, h := range r.table.Load().hosts {
		hs = append(hs, h)
	}
	return hs
}

// Entity gives what serves a domain besides hosts; nil if nothing does.
func (r *Router) Entity(domain string) Entity { return r.table.Load().entities[domain] }

// Local says that the domain is served here, as a host or by an entity.
func (r *Router) Local(domain string) bool {
	t := r.table.Load()
	return t.hosts[domain] != nil || t.entities[domain] != nil
}

// Route hands a stanza to what answers for its `to`. An error is for the sender: see Reply.
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

// Send routes a stanza of the server's own making; if that fails nobody is told.
func (r *Router) Send(ctx context.Context, st *wire.Stanza) {
	_ = r.Route(ctx, st)
}

// Reply tells the sender of st about err, if there is anything to tell.
func (r *Router) Reply(ctx context.Context, st *wire.Stanza, err error) {
	if reply := ErrorReply(st, err); reply != nil {
		r.Send(ctx, reply)
	}
}

// Session finds a local session by its full address; nil if there is none.
func (r *Router) Session(full jid.JID) *Session {
	h := r.Host(full.Domain())
	if h == nil {
		return nil
	}
	return h.Account(full.Local()).Session(full.Resource())
}

// Fanout sends one stanza to many full addresses, as a room does: made once, copied into each local session's queue,
// routed one by one to the rest. gone is called for each local address that has no session any more.
func (r *Router) Fanout(ctx context.Context, st *wire.Stanza, tos []jid.JID, gone func(jid.JID)) {
	st.Render()
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
		if s.SendTo(st, to) != nil && gone != nil {
			gone(to)
			continue
		}
		h.Metrics.delivered(st.Kind)
	}
}
