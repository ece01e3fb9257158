package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley/acts"
	"parley/muc"
	"parley/store"
	"parley/wire/jid"
)

// departures holds the deleted accounts. Their names must not mean anything any more in rooms, nodes and lists of any
// host.
type departures struct {
	mu    sync.RWMutex
	lives map[jid.JID]int // how many accounts with an address were deleted
}

// loadDepartures reads the deleted accounts before anybody connects.
func (n *Node) loadDepartures(ctx context.Context) error {
	n.departures.lives = make(map[jid.JID]int)
	for _, hc := range n.Config.Hosts {
		fs, err := n.Store.Formers(ctx, hc.Domain)
		if err != nil {
			return fmt.Errorf("accounts of %s that were deleted: %w", hc.Domain, err)
		}
		for _, f := range fs {
			n.lost(f)
		}
	}
	return nil
}

func (n *Node) lost(f store.Former) {
	j, err := jid.New(f.Name, f.Host, "")
	if err != nil {
		return
	}
	n.departures.mu.Lock()
	n.departures.lives[j] = f.Times
	n.departures.mu.Unlock()
}

// lives gives how many accounts with an address were deleted.
func (n *Node) lives(who jid.JID) int {
	n.departures.mu.RLock()
	defer n.departures.mu.RUnlock()
	return n.departures.lives[who]
}

// departed removes a deleted account from rooms, groups, nodes and contact lists; the store has forgotten it already.
// It may be called again, and the name is not available before it has succeeded.
func (n *Node) departed(ctx context.Context, who jid.JID) error {
	f, err := n.Store.Former(ctx, who.Domain(), who.Local())
	if err != nil {
		return err
	}
	n.lost(f)
	if err := n.Org.Gone(ctx, who.Domain(), who.Local()); err != nil {
		return err
	}
	for _, h := range n.hosts {
		h.Departed(who)
		if err := n.people[h.Domain].Unlist(ctx, who); err != nil {
			return err
		}
		in, err := h.rooms.Departed(ctx, who)
		n.noteHeirs(ctx, h, who, in)
		if err != nil {
			return err
		}
		if err := n.inheritNodes(ctx, h, who, muc.Deleted); err != nil {
			return err
		}
	}
	return n.Store.MarkTold(ctx, who.Domain(), who.Local())
}

// retired gives owners to the rooms and nodes that only an archived account owns. It gets its rights back when it is
// restored, but until then somebody has to look after them.
func (n *Node) retired(ctx context.Context, who jid.JID) error {
	for _, h := range n.hosts {
		in, err := h.rooms.Inherit(ctx, who, muc.Archived)
		n.noteHeirs(ctx, h, who, in)
		if err == nil {
			err = n.inheritNodes(ctx, h, who, muc.Archived)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) inheritNodes(ctx context.Context, h *host, who jid.JID, why muc.Left) error {
	heir, err := n.heirOf(h.Domain)(ctx)
	if err != nil {
		return err
	}
	names, err := h.nodes.Inherit(ctx, who, heir, string(why))
	for _, name := range names {
		n.noteHeir(ctx, h, acts.NodeOwner, name, heir, who)
	}
	return err
}

func (n *Node) noteHeirs(ctx context.Context, h *host, who jid.JID, in []muc.Inherited) {
	for _, x := range in {
		n.noteHeir(ctx, h, acts.RoomOwner, x.What.String(), x.Heir, who)
	}
}

// noteHeir makes an audit entry for something that has another owner.
func (n *Node) noteHeir(ctx context.Context, h *host, verb acts.Verb, what string, heir, before jid.JID) {
	detail := acts.Detail{"owner": heir.String(), "before": before.String()}
	if err := n.people[h.Domain].Note(context.WithoutCancel(ctx), acts.System, verb, what, detail); err != nil {
		n.Log.Error("cannot note a new owner", "of", what, "err", err)
	}
}

// heirOf gives the person who gets what nobody owns any more: of the host's owners, or else its administrators, the
// first who joined. Zero: nobody.
func (n *Node) heirOf(domain string) func(ctx context.Context) (jid.JID, error) {
	return func(ctx context.Context) (jid.JID, error) {
		for _, role := range []string{store.RoleOwner, store.RoleAdmin} {
			ps, _, err := n.Store.People(ctx, domain,
				store.PeopleFilter{Role: role, State: store.StateActive, Limit: 200})
			if err != nil {
				return jid.JID{}, err
			}
			if len(ps) > 0 {
				first := slices.MinFunc(ps, func(a, b store.Person) int { return a.Created.Compare(b.Created) })
				return jid.New(first.Name, domain, "")
			}
		}
		return jid.JID{}, nil
	}
}

// serves says whether an address is that of an account here that can sign in.
func (n *Node) serves(ctx context.Context, who jid.JID) (bool, error) {
	p := n.people[who.Domain()]
	if p == nil {
		return false, nil
	}
	u, err := n.Store.Person(ctx, who.Domain(), who.Local())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return u.State() == store.StateActive, err
}

// tellAgain is how often unfinished deletions are looked for.
const tellAgain = time.Minute

// runDepartures finishes deletions that a crash or a busy room has interrupted, until ctx ends.
func (n *Node) runDepartures(ctx context.Context) error {
	t := time.NewTicker(tellAgain)
	defer t.Stop()
	for {
		if err := n.tellDepartures(ctx); err != nil && ctx.Err() == nil {
			n.Log.Error("cannot tell rooms and nodes that an account was deleted", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (n *Node) tellDepartures(ctx context.Context) error {
	fs, err := n.Store.Untold(ctx)
	if err != nil {
		return err
	}
	for _, f := range fs {
		who, err := jid.New(f.Name, f.Host, "")
		if err == nil {
			err = n.departed(ctx, who)
		}
		if err != nil {
			return fmt.Errorf("%s@%s: %w", f.Name, f.Host, err)
		}
	}
	return nil
}
