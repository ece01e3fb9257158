// Package departed tells rooms, nodes, groups and contact lists that an account was deleted or archived, and gives what
// nobody owns any more to somebody.
package departed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"parley/acts"
	"parley/internal/changes"
	"parley/muc"
	"parley/org"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// Host is a hosted domain with what remembers people.
type Host struct {
	*server.Host
	People *people.People
	Rooms  Rooms
	Nodes  Nodes
}

// Rooms are the rooms of a host.
type Rooms interface {
	// Departed removes a deleted account from rooms, and gives the rooms that have another owner now.
	Departed(ctx context.Context, who jid.JID) ([]muc.Inherited, error)
	// Inherit gives owners to the rooms that only this account owns.
	Inherit(ctx context.Context, who jid.JID, why muc.Left) ([]muc.Inherited, error)
}

// Nodes are the nodes of a host's publish-subscribe service.
type Nodes interface {
	// Inherit gives the nodes that only who owns to heir, and returns their names.
	Inherit(ctx context.Context, who, heir jid.JID, why string) ([]string, error)
}

// Store is what Departures asks of the store.
type Store interface {
	store.Formers
	People(ctx context.Context, host string, f store.PeopleFilter) (ps []store.Person, total int, err error)
	Person(ctx context.Context, host, name string) (store.Person, error)
}

// Config is what Departures needs.
type Config struct {
	Store   Store
	Org     *org.Org
	Changes *changes.Changes
	Hosted  func(domain string) bool // Hosted says whether accounts of a domain are here.
	Hosts   func() []Host
	Log     *slog.Logger
}

// Departures holds the deleted accounts. Their names must not mean anything any more in rooms, nodes and lists of any
// host. It is safe from any goroutine, but Run runs once.
type Departures struct {
	cfg   Config
	mu    sync.RWMutex
	lives map[jid.JID]int // how many accounts with an address were deleted
}

// New reads the deleted accounts of domains, before anybody connects.
func New(ctx context.Context, c Config, domains []string) (*Departures, error) {
	d := &Departures{cfg: c, lives: make(map[jid.JID]int)}
	for _, domain := range domains {
		if err := d.read(ctx, domain); err != nil {
			return nil, err
		}
		c.Changes.Host(domain).Follow(changes.Deleted, func(ctx context.Context, name string) error {
			if name == "" {
				return d.read(ctx, domain)
			}
			return d.readOne(ctx, domain, name)
		})
	}
	return d, nil
}

// read reads the deleted accounts of a domain.
func (d *Departures) read(ctx context.Context, domain string) error {
	fs, err := d.cfg.Store.Formers(ctx, domain)
	if err != nil {
		return fmt.Errorf("accounts of %s that were deleted: %w", domain, err)
	}
	for _, f := range fs {
		d.lost(f)
	}
	return nil
}

// readOne reads how often an account was deleted.
func (d *Departures) readOne(ctx context.Context, domain, name string) error {
	f, err := d.cfg.Store.Former(ctx, domain, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		d.lost(f)
	}
	return err
}

func (d *Departures) lost(f store.Former) {
	j, err := jid.New(f.Name, f.Host, "")
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lives[j] = max(d.lives[j], f.Times) // an older reading may come later
}

// Lives gives how many accounts with an address were deleted.
func (d *Departures) Lives(who jid.JID) int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.lives[who]
}

// Departed removes a deleted account from rooms, groups, nodes and contact lists; the store has forgotten it already.
// It may be called again, and the name is not available before it has succeeded.
func (d *Departures) Departed(ctx context.Context, who jid.JID) error {
	if err := d.cfg.Org.Gone(ctx, who.Domain(), who.Local()); err != nil {
		return err
	}
	for _, h := range d.cfg.Hosts() {
		if err := h.People.Unlist(ctx, who); err != nil {
			return err
		}
		in, err := h.Rooms.Departed(ctx, who)
		d.noteHeirs(ctx, h, who, in)
		if err != nil {
			return err
		}
		if err := d.inheritNodes(ctx, h, who, muc.Deleted); err != nil {
			return err
		}
	}
	return d.cfg.Store.MarkTold(ctx, who.Domain(), who.Local())
}

// Retired gives owners to the rooms and nodes that only an archived account owns. It gets its rights back when it is
// restored, but until then somebody has to look after them.
func (d *Departures) Retired(ctx context.Context, who jid.JID) error {
	for _, h := range d.cfg.Hosts() {
		in, err := h.Rooms.Inherit(ctx, who, muc.Archived)
		d.noteHeirs(ctx, h, who, in)
		if err == nil {
			err = d.inheritNodes(ctx, h, who, muc.Archived)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Departures) inheritNodes(ctx context.Context, h Host, who jid.JID, why muc.Left) error {
	heir, err := d.Heir(h.Domain)(ctx)
	if err != nil {
		return err
	}
	names, err := h.Nodes.Inherit(ctx, who, heir, string(why))
	for _, name := range names {
		d.noteHeir(ctx, h, acts.NodeOwner, name, heir, who)
	}
	return err
}

func (d *Departures) noteHeirs(ctx context.Context, h Host, who jid.JID, in []muc.Inherited) {
	for _, x := range in {
		d.noteHeir(ctx, h, acts.RoomOwner, x.What.String(), x.Heir, who)
	}
}

// noteHeir makes an audit entry for something that has another owner.
func (d *Departures) noteHeir(ctx context.Context, h Host, verb acts.Verb, what string, heir, before jid.JID) {
	detail := acts.Detail{"owner": heir.String(), "before": before.String()}
	if err := h.People.Note(context.WithoutCancel(ctx), acts.System, verb, what, detail); err != nil {
		d.cfg.Log.Error("cannot note a new owner", "of", what, "err", err)
	}
}

// Heir gives the person who gets what nobody owns any more: of the host's owners, or else its administrators, the
// first who joined. Zero: nobody.
func (d *Departures) Heir(domain string) func(ctx context.Context) (jid.JID, error) {
	return func(ctx context.Context) (jid.JID, error) {
		for _, role := range []string{store.RoleOwner, store.RoleAdmin} {
			ps, _, err := d.cfg.Store.People(ctx, domain,
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

// Serves says whether an address is that of an account here that can sign in.
func (d *Departures) Serves(ctx context.Context, who jid.JID) (bool, error) {
	if !d.cfg.Hosted(who.Domain()) {
		return false, nil
	}
	u, err := d.cfg.Store.Person(ctx, who.Domain(), who.Local())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return u.State() == store.StateActive, err
}

// tellAgain is how often unfinished deletions are looked for.
const tellAgain = time.Minute

// Run finishes deletions that a crash or a busy room has interrupted, until ctx ends.
func (d *Departures) Run(ctx context.Context) error {
	t := time.NewTicker(tellAgain)
	defer t.Stop()
	for {
		if err := d.tellUntold(ctx); err != nil && ctx.Err() == nil {
			d.cfg.Log.Error("cannot tell rooms and nodes that an account was deleted", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (d *Departures) tellUntold(ctx context.Context) error {
	fs, err := d.cfg.Store.Untold(ctx)
	if err != nil {
		return err
	}
	for _, f := range fs {
		who, err := jid.New(f.Name, f.Host, "")
		if err == nil {
			err = d.Departed(ctx, who)
		}
		if err != nil {
			return fmt.Errorf("%s@%s: %w", f.Name, f.Host, err)
		}
	}
	return nil
}
