package server

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"parley/internal/changes"
	"parley/internal/memo"
	"parley/store"
)

// Account is a local account that has at least one session.
type Account struct {
	Host *Host
	Name string // the localpart

	share *share // counts this person's writes to archives
	turns turns

	mu       sync.Mutex // guards changes of sessions
	sessions atomic.Pointer[[]*Session]
	contacts atomic.Pointer[Contacts] // nil: not loaded
	changes  atomic.Uint64            // counts roster changes, so that a load that a change overtook is not kept
}

// Sessions returns the account's current sessions; a nil account has none. The slice is shared: do not change it. It is
// safe from any goroutine.
func (a *Account) Sessions() []*Session {
	if a == nil {
		return nil
	}
	if p := a.sessions.Load(); p != nil {
		return *p
	}
	return nil
}

// Session returns the session with this resource, or nil.
func (a *Account) Session(resource string) *Session {
	for _, s := range a.Sessions() {
		if s.JID.Resource() == resource {
			return s
		}
	}
	return nil
}

// Account returns the local account with this localpart, or nil if it has no session or does not exist.
func (h *Host) Account(name string) *Account {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.accounts[name]
}

// Accounts calls f for each account that has a session, until f returns false. It holds no lock while f runs.
func (h *Host) Accounts(f func(*Account) bool) {
	h.mu.RLock()
	as := make([]*Account, 0, len(h.accounts))
	for _, a := range h.accounts {
		as = append(as, a)
	}
	h.mu.RUnlock()
	for _, a := range as {
		if !f(a) {
			return
		}
	}
}

// add puts a session into its account. It returns the session that had the same resource before, or nil.
func (h *Host) add(s *Session) (old *Session) {
	name := s.JID.Local()
	h.mu.Lock()
	a := h.accounts[name]
	if a == nil {
		a = &Account{Host: h, Name: name, share: h.shareLocked(name)}
		h.accounts[name] = a
	}
	s.account = a
	a.mu.Lock()
	h.mu.Unlock()
	defer a.mu.Unlock()
	was := a.Sessions()
	now := make([]*Session, 0, len(was)+1)
	for _, o := range was {
		if o.JID == s.JID {
			old = o
			continue
		}
		now = append(now, o)
	}
	now = append(now, s)
	a.sessions.Store(&now)
	return old
}

// remove takes a session out of its account, and drops the account with its last session. It returns false if the
// session was gone already.
func (h *Host) remove(s *Session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := s.account
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.Sessions()
	now := make([]*Session, 0, len(was))
	for _, o := range was {
		if o != s {
			now = append(now, o)
		}
	}
	if len(now) == len(was) {
		return false
	}
	a.sessions.Store(&now)
	if len(now) == 0 && h.accounts[a.Name] == a {
		delete(h.accounts, a.Name)
	}
	return true
}

// Exists reports whether the host has this account. It asks the store at most once for each name and remembers the
// answer until the account is changed; an account with a session exists without asking. Errors are the store's.
func (h *Host) Exists(ctx context.Context, name string) (bool, error) {
	if h.Account(name) != nil {
		return true, nil
	}
	if known, ok := h.exists.Get(name); ok {
		return known, nil
	}
	drops := h.exists.Drops()
	_, err := h.Store.User(ctx, h.Domain, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	h.exists.PutUnless(name, err == nil, drops)
	return err == nil, nil
}

// On has drop called when something of the host's is changed, on whatever node: see changes.Changes.On.
func (h *Host) On(t changes.Topic, drop func(name string)) { h.Changes.Host(h.Domain).On(t, drop) }

// Tell has all nodes forget something of the host's that was changed: see changes.Changes.Tell.
func (h *Host) Tell(ctx context.Context, t changes.Topic, name string) error {
	return h.Changes.Host(h.Domain).Tell(ctx, t, name)
}

// forgetting drops what the host itself remembers when it is changed.
func (h *Host) forgetting() {
	h.On(changes.Account, memo.Forgetting(&h.exists))
	for _, t := range []changes.Topic{changes.Account, changes.Roster} {
		h.On(t, h.dropContacts)
	}
	// teams make contacts of their people, and a deleted account was a contact of others
	for _, t := range []changes.Topic{changes.Teams, changes.Deleted} {
		h.On(t, func(string) { h.dropContacts("") })
	}
}

// AccountChanged has all nodes forget what they remember of an account, and tells the features of this one. Call it
// when an account was created, changed or deleted other than by an act.
func (h *Host) AccountChanged(ctx context.Context, name string) error {
	err := h.Tell(ctx, changes.Account, name)
	h.Changed(name)
	return err
}

// Changed tells the features that an account was created, changed or deleted, after caches have forgotten it.
func (h *Host) Changed(name string) {
	for _, f := range h.Features {
		if f.Changed != nil {
			f.Changed(name)
		}
	}
}

// Created tells the features that an account was created.
func (h *Host) Created(ctx context.Context, name string) {
	for _, f := range h.Features {
		if f.Created != nil {
			f.Created(ctx, name)
		}
	}
}

// Deleted tells the features that an account was deleted, so that a later account of the same name starts with nothing.
// Caches have forgotten it already.
func (h *Host) Deleted(ctx context.Context, name string) {
	h.Changed(name)
	h.dropShare(name)
	for _, f := range h.Features {
		if f.Deleted != nil {
			f.Deleted(ctx, name)
		}
	}
}

// Kick ends all sessions of an account with the stream error err, on whatever node, and sign-ins that are under way. It
// returns how many sessions there were.
func (h *Host) Kick(name string, err *wireStreamError) int {
	n := len(h.Account(name).Sessions())
	h.kick(name, nil, err)
	return n
}

// End is Kick for the sessions that choose accepts. All sign-ins that are under way end: nobody knows yet whether they
// would be accepted, and their clients try again.
func (h *Host) End(name string, choose func(*Session) bool, err *wireStreamError) int {
	only := []int64{}
	for _, s := range h.Account(name).Sessions() {
		if choose(s) {
			only = append(only, s.stamp)
		}
	}
	h.kick(name, only, err)
	return len(only)
}

func (h *Host) kick(name string, only []int64, err *wireStreamError) {
	h.KickHere(name, only, err)
	if h.Others != nil {
		h.Others.Kick(h, name, only, err)
	}
}
