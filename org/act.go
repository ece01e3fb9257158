package org

import (
	"context"
	"slices"
	"sync"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// change is an act in progress.
type change struct {
	*acts.Act
	o     *Org
	outer *change // of the act that contains this one
	// locked holds the groups that this act has locked, as they are within it.
	locked map[[2]string]*state
}

type changeKey struct{}

func changeOf(ctx context.Context) *change {
	c, _ := ctx.Value(changeKey{}).(*change)
	return c
}

// act runs f as one act of an actor on a host. f checks, writes, notes for the audit log and collects events; it may be
// run again.
func (o *Org) act(ctx context.Context, host string, by acts.Actor, f func(ctx context.Context, c *change) error) error {
	return o.cfg.Acts.Do(ctx, host, by, func(ctx context.Context, a *acts.Act) error {
		c := &change{Act: a, o: o, outer: changeOf(ctx), locked: make(map[[2]string]*state)}
		return f(context.WithValue(ctx, changeKey{}, c), c)
	})
}

// Kinds of things with a version.
const (
	versionGroup  = "group"
	versionTeams  = "teams"  // all teams of a host
	versionShared = "shared" // things that a team shares
)

// lock locks an existing group until the act is over, and gives it as it is.
func (c *change) lock(ctx context.Context, host, id string) (*state, error) {
	k := [2]string{host, id}
	if s := c.find(k); s != nil {
		return s, nil
	}
	v, err := c.turn(ctx, versionGroup, host, id)
	if err != nil {
		return nil, err
	}
	c.o.mu.RLock()
	s, gone := c.o.states[k], c.o.gone
	c.o.mu.RUnlock()
	if s == nil || s.version != v-1 { // this act or another node changed the group
		if s, err = c.o.load(ctx, host, id); err != nil {
			return nil, err
		}
	}
	next := *s
	next.version, next.gone = v, gone
	c.locked[k] = &next
	return &next, nil
}

// find returns a group that this act, or one that contains it, has locked; nil if neither has.
func (c *change) find(k [2]string) *state {
	for ; c != nil; c = c.outer {
		if s := c.locked[k]; s != nil {
			return s
		}
	}
	return nil
}

// forget makes a written group be read again, also within this act.
func (c *change) forget(k [2]string) {
	for ; c != nil; c = c.outer {
		delete(c.locked, k)
	}
}

// turn raises a version, which locks it, and orders the events of this act after those of lower versions.
func (c *change) turn(ctx context.Context, kind, host, id string) (int64, error) {
	v, err := c.o.st.Bump(ctx, host, kind, id)
	if err != nil {
		return 0, err
	}
	k, mine := [3]string{kind, host, id}, turn{c.Root(), v}
	c.o.turns.take(k, mine)
	c.End(func() { c.o.turns.end(k, mine) })
	c.Kept(func(context.Context) { c.o.turns.wait(k, mine) })
	return v, nil
}

// tell tells an event after the commit.
func (c *change) tell(e Event) {
	c.After(func(ctx context.Context) {
		e.Cause = ctx.Value(causeKey{})
		c.o.tell(e)
	})
}

// drop makes a group be read again by whoever needs it next, on all nodes.
func (c *change) drop(host, id string) {
	c.forget([2]string{host, id})
	c.Changed(changes.Group, id)
}

// keeps says that only a group's version changed.
func (c *change) keeps(s *state) {
	c.Kept(func(context.Context) {
		k := [2]string{s.group.Host, s.group.ID}
		c.o.mu.Lock()
		defer c.o.mu.Unlock()
		// one that is not cached may have been changed meanwhile, by another node as well
		if now := c.o.states[k]; now != nil && now.version < s.version {
			c.o.states[k] = s
		}
	})
}

// turns keep the events of one thing in the order of its versions. An act gets a version from a transaction that has
// the thing locked; so when the act commits, all lower versions are committed or never will be.
type turns struct {
	mu   sync.Mutex
	free *sync.Cond
	open map[[3]string][]turn // of acts in progress
}

// turn is a version that an act has made.
type turn struct {
	act     *acts.Act
	version int64
}

func newTurns() *turns {
	t := &turns{open: make(map[[3]string][]turn)}
	t.free = sync.NewCond(&t.mu)
	return t
}

func (t *turns) take(k [3]string, mine turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[k] = append(t.open[k], mine)
}

// wait returns when all other acts with lower versions are over.
func (t *turns) wait(k [3]string, mine turn) {
	before := func(x turn) bool {
		return x.version < mine.version && x.act != mine.act
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for slices.ContainsFunc(t.open[k], before) {
		t.free.Wait()
	}
}

func (t *turns) end(k [3]string, mine turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.open[k], mine); i >= 0 {
		t.open[k] = slices.Delete(t.open[k], i, i+1)
	}
	if len(t.open[k]) == 0 {
		delete(t.open, k)
	}
	t.free.Broadcast()
}

// runs says whether an actor administers a host's organization.
func (o *Org) runs(ctx context.Context, host string, by acts.Actor) (bool, error) {
	if by.Machine() || by.Runs() {
		return true, nil
	}
	if by.Who.Domain() != host {
		return false, nil
	}
	return o.administers(ctx, host, by.Who)
}

// mustRun returns an error for people who are not administrators.
func (o *Org) mustRun(ctx context.Context, host string, by acts.Actor) error {
	ok, err := o.runs(ctx, host, by)
	if err == nil && !ok {
		err = fault.ErrRole
	}
	return err
}

// standing gives an actor's affiliation in a group's room or, with a theme's key, in that theme; NotFound if the actor
// may not know of it.
func (o *Org) standing(ctx context.Context, by acts.Actor, host, group, theme string) (string, error) {
	if by.Machine() {
		return Owner, nil
	}
	a, err := o.Access(ctx, host, group, theme, by.Who)
	switch {
	case err != nil:
		return None, err
	case !a.Know && a.Affiliation != Outcast:
		return None, fault.New(fault.NotFound, "", "no such group")
	}
	return a.Affiliation, nil
}

// mustOwn returns an error for people who do not own a group.
func (o *Org) mustOwn(ctx context.Context, by acts.Actor, host, group string) error {
	a, err := o.standing(ctx, by, host, group, "")
	if err == nil && a != Owner {
		err = fault.New(fault.Forbidden, "", "only owners of the group may do this")
	}
	return err
}

// mustManage returns an error for people who are neither owners nor moderators.
func (o *Org) mustManage(ctx context.Context, by acts.Actor, host, group, theme string) error {
	a, err := o.standing(ctx, by, host, group, theme)
	if err == nil && a != Owner && a != Admin {
		err = fault.New(fault.Forbidden, "", "only owners and moderators of the group may do this")
	}
	return err
}

// addresses gives the addresses of the first hundred people, for the audit log.
func addresses[T any](xs []T, of func(T) string) []string {
	out := make([]string, 0, min(len(xs), 100))
	for _, x := range xs[:min(len(xs), 100)] {
		out = append(out, of(x))
	}
	return out
}

func memberAddress(m store.Member) string { return m.JID }

// creator gives the person who acts; zero for the command line and the server.
func creator(by acts.Actor) jid.JID { return by.Who.Bare() }
