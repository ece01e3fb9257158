// Package org is who is in which group and what follows from it: the one place of the rules for groups, themes and
// memberships, for every door.
package org

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"parley/store"
	"parley/wire/jid"
)

// Kind of an Error, for doors to turn into their own: a stanza error, an HTTP status, an exit code.
type Kind uint8

const (
	Invalid Kind = iota + 1
	Exists
	NotFound
	Forbidden
)

// Error is a mistake of who asked, in plain words.
type Error struct {
	Kind  Kind
	Field string // which input it is about; may be empty
	Text  string
}

func (e *Error) Error() string {
	if e.Field != "" {
		return e.Field + ": " + e.Text
	}
	return e.Text
}

// Config of the rules; zero values mean the defaults.
type Config struct {
	Label     string // rooms are at <Label>.<host>; default "groups"
	MaxFollow int    // groups up to this size follow each new theme; default 50
	MaxThemes int    // of one group; default 1000
	MaxGroup  int    // members of one group; default 5000
}

// Org knows and changes groups. Safe from any goroutine.
type Org struct {
	st  store.Store
	cfg Config

	change sync.Mutex // held while something changes and is told, so that events come in order
	subs   []func(Event)

	mu     sync.RWMutex
	states map[[2]string]*state // host and group id
}

// New makes it. Subscribe before anything changes.
func New(st store.Store, c Config) *Org {
	if c.Label == "" {
		c.Label = "groups"
	}
	if c.MaxFollow <= 0 {
		c.MaxFollow = 50
	}
	if c.MaxThemes <= 0 {
		c.MaxThemes = 1000
	}
	if c.MaxGroup <= 0 {
		c.MaxGroup = 5000
	}
	return &Org{st: st, cfg: c, states: make(map[[2]string]*state)}
}

// EventKind says what has happened.
type EventKind uint8

const (
	GroupCreated EventKind = iota + 1
	GroupChanged           // name, description
	GroupDeleted
	MembersChanged
	ThemeCreated
	ThemeChanged  // closed, renamed
	BookmarksGone // of a restricted theme, for those who were in it and have left its group
)

// Event is a change that is durable.
type Event struct {
	Kind    EventKind
	Host    string
	Group   store.Group
	Theme   *store.Theme
	Members []store.Member // MembersChanged: as they are now, role "" for those who left
	Rooms   []jid.JID      // the rooms it is about
	Joined  []string       // local accounts that have got bookmarks of Rooms
	Left    []string       // local accounts whose bookmarks of Rooms are gone
	Actor   jid.JID        // zero: an administrator
}

// Subscribe has f called for each event, in order, after its commit. f returns soon and changes nothing here.
func (o *Org) Subscribe(f func(Event)) { o.subs = append(o.subs, f) }

func (o *Org) tell(e Event) {
	for _, f := range o.subs {
		f(e)
	}
}

// RoomDomain gives the domain of the rooms of a host's groups.
func (o *Org) RoomDomain(host string) string { return o.cfg.Label + "." + host }

// RoomJID gives a room's address.
func (o *Org) RoomJID(host, local string) jid.JID {
	j, err := jid.New(local, o.RoomDomain(host), "")
	if err != nil { // localparts are made here, of characters that are allowed
		panic(fmt.Sprintf("org: room %q: %v", local, err))
	}
	return j
}

// state is a group as it is remembered. It is shared and not changed: a change drops it.
type state struct {
	group   store.Group
	members map[jid.JID]string // role
	themes  map[string]*themeState
	order   []string
}

type themeState struct {
	store.Theme
	people map[jid.JID]string
}

func (o *Org) state(ctx context.Context, host, id string) (*state, error) {
	k := [2]string{host, id}
	o.mu.RLock()
	s := o.states[k]
	o.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	s, err := o.load(ctx, host, id)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.states[k] = s
	o.mu.Unlock()
	return s, nil
}

func (o *Org) load(ctx context.Context, host, id string) (*state, error) {
	g, err := o.st.Group(ctx, host, id)
	if err != nil {
		return nil, notFound(err, "no such group")
	}
	s := &state{group: g, members: make(map[jid.JID]string), themes: make(map[string]*themeState)}
	ms, err := o.st.Members(ctx, host, id)
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		if j, err := jid.Parse(m.JID); err == nil {
			s.members[j] = m.Role
		}
	}
	ts, err := o.st.Themes(ctx, host, id)
	if err != nil {
		return nil, err
	}
	for _, t := range ts {
		people, err := o.st.ThemeList(ctx, host, t.Key)
		if err != nil {
			return nil, err
		}
		x := &themeState{Theme: t, people: make(map[jid.JID]string)}
		for _, m := range people {
			if j, err := jid.Parse(m.JID); err == nil {
				x.people[j] = m.Role
			}
		}
		s.themes[t.Key] = x
		s.order = append(s.order, t.Key)
	}
	return s, nil
}

// drop forgets a group; called with change held, after the commit and before anyone is told.
func (o *Org) drop(host, id string) {
	o.mu.Lock()
	delete(o.states, [2]string{host, id})
	o.mu.Unlock()
}

func notFound(err error, text string) error {
	if errors.Is(err, store.ErrNotFound) {
		return &Error{NotFound, "", text}
	}
	return err
}

// Affiliations of XEP-0045, as far as they follow from a group.
const (
	Owner   = "owner"
	Admin   = "admin"
	Member  = "member"
	None    = "none"
	Outcast = "outcast"
)

// Affiliation is the one function that says who a person is in a group's room, or with a theme's key in that theme's.
// Every door asks it: join, send, discovery, member lists, archives. It runs no SQL for members.
func (o *Org) Affiliation(ctx context.Context, host, group, theme string, who jid.JID) (string, error) {
	s, err := o.state(ctx, host, group)
	if err != nil {
		return None, err
	}
	who = who.Bare()
	if a, ok := s.affiliation(theme, who); ok {
		return a, nil
	}
	if who.Domain() != host {
		return None, nil
	}
	// An administrator of the organization owns its groups.
	u, err := o.st.User(ctx, host, who.Local())
	if errors.Is(err, store.ErrNotFound) {
		return None, nil
	}
	if err != nil {
		return None, err
	}
	if u.Admin && !u.Disabled {
		return Owner, nil
	}
	return None, nil
}

// affiliation decides from the group's own rows; ok is false for who is not in it.
func (s *state) affiliation(theme string, who jid.JID) (a string, ok bool) {
	role := s.members[who]
	var t *themeState
	if theme != "" {
		if t = s.themes[theme]; t == nil {
			return None, true
		}
	}
	switch {
	case role == store.RoleBanned || t != nil && t.people[who] == store.RoleBanned:
		return Outcast, true
	case role == store.RoleOwner:
		return Owner, true
	case role == store.RoleModerator:
		return Admin, true
	case role == "":
		return None, false
	case t == nil || !t.Restricted || t.people[who] != "":
		return Member, true
	}
	return None, true
}

// AffiliationsOf lists who has an affiliation in a group's room, or in a theme's: what member lists show.
func (o *Org) AffiliationsOf(ctx context.Context, host, group, theme string) (map[jid.JID]string, error) {
	s, err := o.state(ctx, host, group)
	if err != nil {
		return nil, err
	}
	all := make(map[jid.JID]string, len(s.members))
	for j := range s.members {
		if a, _ := s.affiliation(theme, j); a != None {
			all[j] = a
		}
	}
	if t := s.themes[theme]; t != nil {
		for j := range t.people {
			if a, _ := s.affiliation(theme, j); a != None {
				all[j] = a
			}
		}
	}
	return all, nil
}

// Visible says whether a person may know of a group, or of a theme in it: members of it, and of a public group
// everyone of the organization. Restricted themes are seen by those who are in them.
func (o *Org) Visible(ctx context.Context, host, group, theme string, who jid.JID) (bool, error) {
	a, err := o.Affiliation(ctx, host, group, theme, who)
	if err != nil || a == Outcast {
		return false, err
	}
	if a != None {
		return true, nil
	}
	s, err := o.state(ctx, host, group)
	if err != nil {
		return false, err
	}
	if s.group.Private || who.Domain() != host {
		return false, nil
	}
	return theme == "" || !s.themes[theme].restricted(), nil
}

func (t *themeState) restricted() bool { return t == nil || t.Restricted }

// Enter is Affiliation for who wants to come in: into a public group local people come as new members.
func (o *Org) Enter(ctx context.Context, host, group, theme string, who jid.JID) (string, error) {
	a, err := o.Affiliation(ctx, host, group, theme, who)
	if err != nil || a != None || who.Domain() != host {
		return a, err
	}
	s, err := o.state(ctx, host, group)
	if err != nil || s.group.Private {
		return None, err
	}
	if s.members[who.Bare()] == "" {
		if err := o.SetMember(ctx, host, group, who.Bare(), store.RoleMember); err != nil {
			return None, err
		}
	}
	return o.Affiliation(ctx, host, group, theme, who)
}
