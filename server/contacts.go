package server

import (
	"context"
	"slices"

	"parley/internal/changes"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

type wireStreamError = wire.StreamError

// Contacts holds the contacts of an account: those it sees and those who see it. It is shared and never changed.
type Contacts struct {
	from, to    map[jid.JID]struct{}
	all         []store.Contact
	version     int64
	teammates   map[jid.JID]Teammate
	TeamVersion string    // changes when teams add or remove contacts; "": they add none
	From        []jid.JID // bare addresses that get the account's presence
	To          []jid.JID // bare addresses whose presence the account gets
}

// SubscribedFrom reports whether the bare address who gets the account's presence.
func (c *Contacts) SubscribedFrom(who jid.JID) bool { _, ok := c.from[who]; return ok }

// SubscribedTo reports whether the account gets the presence of the bare address who.
func (c *Contacts) SubscribedTo(who jid.JID) bool { _, ok := c.to[who]; return ok }

// InRoster reports whether the bare address who is in the account's roster.
func (c *Contacts) InRoster(who jid.JID) bool {
	for i := range c.all {
		if c.all[i].JID == who.String() {
			return c.all[i].InRoster
		}
	}
	return false
}

// All returns the roster as the store keeps it, with hidden items, and its version.
func (c *Contacts) All() ([]store.Contact, int64) { return c.all, c.version }

// maxReloads is how often contacts are read again that change while they are read.
const maxReloads = 5

// Contacts returns an account's contacts. For accounts with a session it remembers them until ContactsChanged. Errors
// are the store's.
func (h *Host) Contacts(ctx context.Context, name string) (*Contacts, error) {
	a := h.Account(name)
	if a == nil {
		return h.readContacts(ctx, name)
	}
	for n := 1; ; n++ {
		if c := a.contacts.Load(); c != nil {
			return c, nil
		}
		before := a.changes.Load()
		c, err := h.readContacts(ctx, name)
		if err != nil {
			return nil, err
		}
		if a.changes.Load() == before {
			a.contacts.Store(c)
			if a.changes.Load() == before {
				return c, nil
			}
			a.contacts.CompareAndSwap(c, nil)
		}
		if n >= maxReloads { // the contacts of a moment ago, which are not remembered
			return c, nil
		}
	}
}

func (h *Host) readContacts(ctx context.Context, name string) (*Contacts, error) {
	all, version, err := h.Store.Roster(ctx, h.Domain, name)
	if err != nil {
		return nil, err
	}
	c := &Contacts{version: version, from: map[jid.JID]struct{}{}, to: map[jid.JID]struct{}{}}
	if err := c.join(ctx, h, name, all); err != nil {
		return nil, err
	}
	all = c.all
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
	return c, nil
}

// ContactsChanged has all nodes forget what they remember of an account's contacts. Call it after each commit that
// changes them.
func (h *Host) ContactsChanged(ctx context.Context, name string) error {
	return h.Tell(ctx, changes.Roster, name)
}

// dropContacts drops the contacts of an account; with "" those of all.
func (h *Host) dropContacts(name string) {
	if name == "" {
		h.Accounts(func(a *Account) bool {
			a.dropContacts()
			return true
		})
	} else if a := h.Account(name); a != nil {
		a.dropContacts()
	}
}

func (a *Account) dropContacts() {
	a.changes.Add(1)
	a.contacts.Store(nil)
}

// Teammate is a contact that an account has because both are in a team. They see each other, whatever the account's own
// roster says.
type Teammate struct {
	JID    jid.JID  // bare
	Name   string   // for a contact without a name of its own
	Groups []string // names of the teams
}

// SetTeammates sets the func that returns an account's teammates and a version of them, "" if there are none. Call it
// before the host serves.
func (h *Host) SetTeammates(f func(ctx context.Context, account string) ([]Teammate, string, error)) {
	h.teammates = f
}

// join adds the teammates to the stored contacts.
func (c *Contacts) join(ctx context.Context, h *Host, name string, kept []store.Contact) error {
	c.all = kept
	if h.teammates == nil {
		return nil
	}
	ms, version, err := h.teammates(ctx, name)
	if err != nil || len(ms) == 0 {
		return err
	}
	c.TeamVersion, c.teammates = version, make(map[jid.JID]Teammate, len(ms))
	for _, m := range ms {
		c.teammates[m.JID] = m
	}
	c.all = make([]store.Contact, 0, len(kept)+len(ms))
	seen := make(map[jid.JID]bool, len(kept))
	for _, k := range kept {
		if j, err := jid.Parse(k.JID); err == nil {
			seen[j] = true
			k = c.Seen(k, j)
		}
		c.all = append(c.all, k)
	}
	for _, m := range ms {
		if !seen[m.JID] {
			c.all = append(c.all, c.Seen(store.Contact{JID: m.JID.String()}, m.JID))
		}
	}
	return nil
}

// Teammate returns the teammate with the bare address who, and whether there is one.
func (c *Contacts) Teammate(who jid.JID) (Teammate, bool) {
	m, ok := c.teammates[who]
	return m, ok
}

// Seen returns a stored contact with what a team adds to it.
func (c *Contacts) Seen(k store.Contact, who jid.JID) store.Contact {
	m, ok := c.teammates[who]
	if !ok {
		return k
	}
	if !k.InRoster || k.Name == "" {
		k.Name = m.Name
	}
	k.InRoster, k.Subscription, k.Ask = true, store.SubBoth, false
	k.Groups = slices.Clone(k.Groups)
	for _, g := range m.Groups {
		if !slices.Contains(k.Groups, g) {
			k.Groups = append(k.Groups, g)
		}
	}
	return k
}
