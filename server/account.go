package server

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"parley/store"
	"parley/wire/jid"
)

// Account is a local account that has sessions now.
type Account struct {
	Host *Host
	Name string // localpart

	share *share // what its person puts into archives

	mu       sync.Mutex // guards changes of sessions
	sessions atomic.Pointer[[]*Session]
	contacts atomic.Pointer[Contacts] // nil: not loaded
	changes  atomic.Uint64            // of the roster, so that a load that was overtaken is not kept
}

// Sessions gives the account's sessions as they are now; the slice is shared and never changed.
func (a *Account) Sessions() []*Session {
	if a == nil {
		return nil
	}
	if p := a.sessions.Load(); p != nil {
		return *p
	}
	return nil
}

// Session finds one by its resource; nil if there is none.
func (a *Account) Session(resource string) *Session {
	for _, s := range a.Sessions() {
		if s.JID.Resource() == resource {
			return s
		}
	}
	return nil
}

// Account gives a local account's sessions; nil if it has none (or does not exist).
func (h *Host) Account(name string) *Account {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.accounts[name]
}

// Accounts calls f for each account with sessions, until it says false. No lock is held.
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

// add puts a session into its account; old is one with the same resource that it takes the place of.
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

// remove takes a session out, and its account if it was the last; false if it was not there (any more).
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

// Exists says whether there is such an account. Accounts with sessions exist; for others the answer is remembered for
// as long as Forget is not called.
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

// Forget drops what is remembered of an account; called when one is made, changed or deleted.
func (h *Host) Forget(name string) {
	h.exists.Drop(name)
	h.ContactsChanged(name)
	for _, f := range h.Features {
		if f.Changed != nil {
			f.Changed(name)
		}
	}
}

// Created lets the features know of a new account.
func (h *Host) Created(ctx context.Context, name string) {
	for _, f := range h.Features {
		if f.Created != nil {
			f.Created(ctx, name)
		}
	}
}

// Deleted lets the features know that an account is no more; who makes one of the same name starts with nothing.
func (h *Host) Deleted(ctx context.Context, name string) {
	h.Forget(name)
	h.dropShare(name)
	for _, f := range h.Features {
		if f.Deleted != nil {
			f.Deleted(ctx, name)
		}
	}
}

// Departed lets the features know that an account is no more, whichever host's it was.
func (h *Host) Departed(who jid.JID) {
	for _, f := range h.Features {
		if f.Departed != nil {
			f.Departed(who)
		}
	}
}

// Kick ends all sessions of an account with this stream error.
func (h *Host) Kick(name string, err *wireStreamError) int {
	ss := h.Account(name).Sessions()
	for _, s := range ss {
		s.Close(err)
	}
	return len(ss)
}
