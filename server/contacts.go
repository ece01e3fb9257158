package server

import (
	"context"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

type wireStreamError = wire.StreamError

// Contacts is who an account sees and who sees it. It is shared and never changed.
type Contacts struct {
	from, to map[jid.JID]struct{}
	all      []store.Contact
	version  int64
	From     []jid.JID // bare addresses that get the account's presence
	To       []jid.JID // bare addresses whose presence the account gets
}

// SubscribedFrom says that `who` (bare) gets the account's presence.
func (c *Contacts) SubscribedFrom(who jid.JID) bool { _, ok := c.from[who]; return ok }

// SubscribedTo says that the account gets the presence of `who` (bare).
func (c *Contacts) SubscribedTo(who jid.JID) bool { _, ok := c.to[who]; return ok }

// InRoster says that the account has `who` (bare) in its roster.
func (c *Contacts) InRoster(who jid.JID) bool {
	for i := range c.all {
		if c.all[i].JID == who.String() {
			return c.all[i].InRoster
		}
	}
	return false
}

// All gives the roster as it is kept, hidden items too, and its version.
func (c *Contacts) All() ([]store.Contact, int64) { return c.all, c.version }

// Contacts gives an account's contacts; for accounts with sessions they are kept in memory until ContactsChanged.
func (h *Host) Contacts(ctx context.Context, name string) (*Contacts, error) {
	a := h.Account(name)
	var before uint64
	if a != nil {
		if c := a.contacts.Load(); c != nil {
			return c, nil
		}
		before = a.changes.Load()
	}
	all, version, err := h.Store.Roster(ctx, h.Domain, name)
	if err != nil {
		return nil, err
	}
	c := &Contacts{all: all, version: version, from: map[jid.JID]struct{}{}, to: map[jid.JID]struct{}{}}
	for i := range all {
		j, err := jid.Parse(all[i].JID)
		if err != nil {
			continue
		}
		if sub := all[i].Subscription; sub == store.SubFrom || sub == store.SubBoth {
			c.from[j] = struct{}{}
			c.From = append(c.From, j)
		}
		if sub := all[i].Subscription; sub == store.SubTo || sub == store.SubBoth {
			c.to[j] = struct{}{}
			c.To = append(c.To, j)
		}
	}
	if a != nil {
		a.contacts.Store(c)
		if a.changes.Load() != before { // changed while it was read
			a.contacts.CompareAndSwap(c, nil)
		}
	}
	return c, nil
}

// ContactsChanged drops what is remembered of an account's contacts; called after each commit that changes them.
func (h *Host) ContactsChanged(name string) {
	if a := h.Account(name); a != nil {
		a.changes.Add(1)
		a.contacts.Store(nil)
	}
}
