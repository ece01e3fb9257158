// Package changes tells everybody who remembers something of the database that it was changed: the caches of this node,
// and those of the other nodes that serve the same database.
package changes

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Topic is a kind of things that are changed. The key beside it says which of them; "" means all.
type Topic string

// The topics. Each change is told under every topic whose caches it makes wrong. Keys are made by Key.
const (
	Account   Topic = "account"   // by name: whether it exists and may sign in, its role, names and profile
	Deleted   Topic = "deleted"   // by name: an account is gone, and with it what others kept of its address
	Own       Topic = "own"       // by name: what an account has chosen: preferences, bookmarks, quiet hours, photo
	Push      Topic = "push"      // by name: what wakes the apps and browsers of an account
	Roster    Topic = "roster"    // by name: contacts
	Blocklist Topic = "blocklist" // by name: whom an account blocks
	Group     Topic = "group"     // by id: a group, its people, its themes and their people
	Teams     Topic = "teams"     // of a host: all teams and their people
	Settings  Topic = "settings"  // of a host: what the organization has decided
	Webhooks  Topic = "webhooks"  // of a host
	Pins      Topic = "pins"      // of a host: in which conversations something is pinned
	Rules     Topic = "rules"     // without a key: which other servers may be reached
)

// topics are all of them. The functions of several are called in this order, so that a simulation can be repeated.
var topics = []Topic{Account, Deleted, Own, Push, Roster, Blocklist, Group, Teams, Settings, Webhooks, Pins, Rules}

// Change is something that was changed.
type Change struct {
	Topic Topic
	Key   string
}

// Key is the key of something of a host; with the name "" that of everything of the host.
func Key(host, name string) string { return name + "@" + host }

// Others are the other nodes.
type Others interface {
	// Tell tells all of them of a change. It returns nil when each has called Hear without an error, is dead, or has
	// been silent for so long that it trusts nothing that it remembers. It bounds its own time: ctx has no end.
	Tell(ctx context.Context, topic Topic, key string) error
}

// Changes tells of changes. It is safe from any goroutine; On, Follow and Join are called before anything is changed.
type Changes struct {
	of     map[Topic][]*listener
	others Others // nil: there are none
	wake   chan struct{}

	mu    sync.Mutex
	stale []*listener // what could not be read again, and is tried again by Run
}

// listener is somebody who remembers things of a topic: it has one of these.
type listener struct {
	drop func(key string)
	read func(ctx context.Context, key string) error
}

// New makes Changes that tell only this node.
func New() *Changes {
	return &Changes{of: make(map[Topic][]*listener), wake: make(chan struct{}, 1)}
}

// Join makes the Changes tell the other nodes as well.
func (c *Changes) Join(o Others) { c.others = o }

// On has drop called for each change of a topic, on whatever node it is made. drop forgets what is remembered under the
// key, and everything if the key is "". It must not wait, and may be called for what has not changed. A value that was
// being read meanwhile must not be kept (memo.Map.PutUnless).
func (c *Changes) On(t Topic, drop func(key string)) {
	c.of[t] = append(c.of[t], &listener{drop: drop})
}

// Follow is On for what is held whole, because those who ask for it cannot wait: read reads it again. A read that fails
// makes Tell fail, and is tried again by Run, with the key "".
func (c *Changes) Follow(t Topic, read func(ctx context.Context, key string) error) {
	c.of[t] = append(c.of[t], &listener{read: read})
}

// Tell has everybody forget what a change has made wrong: here, and then on the other nodes. It returns when all have
// done so. Call it after the commit, also if it is not known whether that has succeeded, and before anybody is told
// that the change is made. It goes on when ctx ends: a change that is kept has to be told. After an error somebody may
// not know of the change yet: it must not be called done.
func (c *Changes) Tell(ctx context.Context, t Topic, key string) error {
	return c.TellAll(ctx, Change{t, key})
}

// TellAll is Tell for several changes.
func (c *Changes) TellAll(ctx context.Context, all ...Change) error {
	ctx = context.WithoutCancel(ctx)
	all = few(all)
	var failed error
	for _, x := range all {
		failed = errors.Join(failed, c.Hear(ctx, x.Topic, x.Key))
	}
	if c.others == nil {
		return failed
	}
	for _, x := range all {
		failed = errors.Join(failed, c.others.Tell(ctx, x.Topic, x.Key))
	}
	return failed
}

// maxKeys is how many changes of one topic are told one by one. If there are more, everything of the topic is dropped.
const maxKeys = 32

// few gives each change once, and no more than maxKeys of a topic.
func few(all []Change) []Change {
	if len(all) < 2 {
		return all
	}
	n := make(map[Topic]int)
	for _, x := range all {
		n[x.Topic]++
	}
	out := make([]Change, 0, len(all))
	seen := make(map[Change]bool, len(all))
	for _, x := range all {
		if n[x.Topic] > maxKeys {
			x.Key = ""
		}
		if !seen[x] {
			seen[x] = true
			out = append(out, x)
		}
	}
	return out
}

// Hear calls the functions of this node, for a change that another node has made. A topic that this node does not know
// is of a newer release: everything is forgotten.
func (c *Changes) Hear(ctx context.Context, t Topic, key string) error {
	if !slices.Contains(topics, t) {
		return c.Forget(ctx)
	}
	var failed error
	for _, l := range c.of[t] {
		failed = errors.Join(failed, c.call(ctx, l, key))
	}
	return failed
}

// Forget makes this node forget everything: changes may have been told that it has not heard, as after a gap in a link,
// when another node has died while it told of one, or when a lease was renewed late.
func (c *Changes) Forget(ctx context.Context) error {
	var failed error
	for _, t := range topics {
		for _, l := range c.of[t] {
			failed = errors.Join(failed, c.call(ctx, l, ""))
		}
	}
	return failed
}

// How long somebody who reads again what it holds may take, and how long Run waits after a failure.
const (
	readTime = 10 * time.Second
	pause    = time.Second
)

func (c *Changes) call(ctx context.Context, l *listener, key string) error {
	if l.drop != nil {
		l.drop(key)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	err := l.read(ctx, key)
	if err == nil {
		return nil
	}
	c.readAgain(l)
	return err
}

// readAgain has Run call somebody again.
func (c *Changes) readAgain(l *listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.stale, l) {
		c.stale = append(c.stale, l)
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run reads again what could not be read when a change was told, until ctx ends.
func (c *Changes) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.wake:
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
		for _, l := range c.takeStale() {
			_ = c.call(ctx, l, "") // a failure is tried again
		}
	}
}

func (c *Changes) takeStale() (ls []*listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ls, c.stale = c.stale, nil
	return ls
}

// Host gives the part of a host.
func (c *Changes) Host(host string) Part { return Part{c, host} }

// Part is what concerns one host: its keys are names on that host.
type Part struct {
	c    *Changes
	host string
}

// On is Changes.On for changes of the host.
func (p Part) On(t Topic, drop func(name string)) {
	p.c.On(t, func(key string) {
		if name, ok := p.name(key); ok {
			drop(name)
		}
	})
}

// Follow is Changes.Follow for changes of the host.
func (p Part) Follow(t Topic, read func(ctx context.Context, name string) error) {
	p.c.Follow(t, func(ctx context.Context, key string) error {
		if name, ok := p.name(key); ok {
			return read(ctx, name)
		}
		return nil
	})
}

// name gives what a key names on the host; ok is false if it is of another host.
func (p Part) name(key string) (name string, ok bool) {
	i := strings.LastIndexByte(key, '@')
	return key[:max(i, 0)], key == "" || key[i+1:] == p.host
}

// Tell is Changes.Tell for something of the host.
func (p Part) Tell(ctx context.Context, t Topic, name string) error {
	return p.c.Tell(ctx, t, Key(p.host, name))
}
