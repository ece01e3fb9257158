package org

import (
	"context"
	"slices"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// Everyone of the organization, or everyone of a team, is in a mandatory group, now and in future.

// SetMandatory makes a group mandatory for everyone (Everyone) or for a team (its id), or ends that (""); members stay
// then. If there are many, people are added in the background: see Progress. Administrators may do this.
func (o *Org) SetMandatory(ctx context.Context, by acts.Actor, host, id, whom string) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, id)
		if err != nil {
			return err
		}
		if _, err := o.standing(ctx, by, host, id, ""); err != nil {
			return err
		}
		if err := o.mustRun(ctx, host, by); err != nil {
			return err
		}
		if s.group.Mandatory == whom {
			c.keeps(s)
		} else if err := o.setMandatory(ctx, c, s, whom); err != nil {
			return err
		}
		if whom == Everyone {
			c.After(func(context.Context) { o.fill(host, id) })
		}
		return nil
	})
}

func (o *Org) setMandatory(ctx context.Context, c *change, s *state, whom string) error {
	g := s.group
	g.Mandatory = whom
	was, err := o.whom(ctx, g.Host, s.group.Mandatory)
	if err != nil {
		return err
	}
	is, err := o.whom(ctx, g.Host, whom)
	if err != nil {
		return err
	}
	if err := o.st.UpdateGroup(ctx, g); err != nil {
		return err
	}
	if whom != "" && whom != Everyone {
		role := store.RoleMember
		for _, gt := range s.teams {
			if gt.Team == whom {
				role = gt.Role
			}
		}
		if err := o.setGroupTeam(ctx, c, s, whom, role); err != nil {
			return err
		}
	}
	c.drop(g.Host, g.ID)
	d := make(acts.Detail)
	acts.Was(d, "whom", was, is)
	c.Note(acts.GroupMandatory, g.Slug, d)
	c.tell(Event{Kind: GroupChanged, Host: g.Host, Group: g, Rooms: []jid.JID{o.RoomJID(g.Host, g.Room)}})
	return nil
}

// whom returns, for the audit log, the people for whom a group is mandatory: everyone, or a team by its slug.
func (o *Org) whom(ctx context.Context, host, whom string) (string, error) {
	if whom == "" || whom == Everyone {
		return whom, nil
	}
	tv, err := o.teamsOf(ctx, host)
	if err != nil || tv.byID[whom] == nil {
		return whom, err
	}
	return tv.byID[whom].Slug, nil
}

// Arrived tells of a new account, which the store has added to the groups mandatory for everyone, and adds the
// bookmarks of the themes of small groups.
func (o *Org) Arrived(ctx context.Context, host, name string) error {
	j, err := jid.New(name, host, "")
	if err != nil {
		return err
	}
	gs, err := o.mandatory(ctx, host)
	if err != nil {
		return err
	}
	for _, g := range gs {
		if err := o.arrivedIn(ctx, host, g.ID, j); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

func (o *Org) arrivedIn(ctx context.Context, host, id string, who jid.JID) error {
	return o.act(ctx, host, acts.System, func(ctx context.Context, c *change) error {
		o.drop(host, id) // the store has changed it
		s, err := c.lock(ctx, host, id)
		if err != nil || s.members[who] == store.RoleBanned {
			return err
		}
		before := *s
		before.members = make(map[jid.JID]string, len(s.members))
		for j, role := range s.members {
			if j != who {
				before.members[j] = role
			}
		}
		if bs := o.bookmarksOf(&before, 1); len(bs) > 1 {
			if err := o.st.SetBookmarks(ctx, host, who.Local(), 0, bs[1:]...); err != nil {
				return err
			}
		}
		mc := &memberChange{s: &before, now: o.cfg.Now}
		mc.set(who, store.RoleMember, nil)
		return c.changeMembers(ctx, store.OrgChange{Host: host}, mc)
	})
}

// MayGo returns an error if an account may not be deleted because it is the last owner of a group.
func (o *Org) MayGo(ctx context.Context, host, name string) error {
	j, err := jid.New(name, host, "")
	if err != nil {
		return err
	}
	gs, err := o.GroupsOf(ctx, host, j)
	if err != nil {
		return err
	}
	var last []string
	for _, g := range gs {
		s, err := o.state(ctx, host, g.ID)
		if err != nil {
			return err
		}
		if s.ownRole(j) == store.RoleOwner && s.owners() == 1 && len(s.members) > 1 {
			last = append(last, g.Slug)
		}
	}
	if len(last) == 0 {
		return nil
	}
	slices.Sort(last)
	return fault.New(fault.NotAllowed, "", j.String()+" is the last owner of "+join(last)+": name another owner first")
}

func join(names []string) string {
	out := ""
	for i, n := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			out += " and "
		default:
			out += ", "
		}
		out += n
	}
	return out
}

// Gone has all nodes forget what others kept of a deleted account, such as the groups that it was in, and tells the
// rooms and contact lists of this one.
func (o *Org) Gone(ctx context.Context, host, name string) error {
	j, err := jid.New(name, host, "")
	if err != nil {
		return err
	}
	var knowing []*state
	o.mu.RLock()
	for _, s := range o.states {
		if s.knows(j) {
			knowing = append(knowing, s)
		}
	}
	tv := o.teams[host]
	o.mu.RUnlock()
	// whatever comes of it, the rooms here are told
	err = o.cfg.Acts.Changes().Tell(ctx, changes.Deleted, j.String())
	for _, s := range knowing { // only rooms of cached groups can be in memory
		o.tellGone(s, j)
	}
	if tv == nil {
		return err
	}
	for _, t := range tv.of[name] {
		was := t.names()
		o.tell(Event{
			Kind: TeamChanged,
			Host: host,
			Team: TeamEvent{
				Was:    t.Team,
				Is:     t.Team,
				Before: was,
				Now:    slices.DeleteFunc(slices.Clone(was), func(n string) bool { return n == name }),
			},
		})
	}
	return err
}

// knows says whether a person has a role in a group or in one of its themes.
func (s *state) knows(who jid.JID) bool {
	if _, ok := s.members[who]; ok {
		return true
	}
	for _, t := range s.themes {
		if _, ok := t.people[who]; ok || t.Creator == who.String() {
			return true
		}
	}
	return false
}

// tellGone tells a group's room and those of its themes that a person is gone.
func (o *Org) tellGone(s *state, who jid.JID) {
	g := s.group
	gone := []store.Member{{JID: who.String()}}
	if _, ok := s.members[who]; ok {
		o.tell(Event{
			Kind:    MembersChanged,
			Host:    g.Host,
			Group:   g,
			Rooms:   []jid.JID{o.RoomJID(g.Host, g.Room)},
			Members: gone,
		})
	}
	for _, key := range s.order {
		if t := s.themes[key]; t.people[who] != "" {
			o.tell(Event{
				Kind:    ThemePeople,
				Host:    g.Host,
				Group:   g,
				Theme:   &t.Theme,
				Rooms:   []jid.JID{o.RoomJID(g.Host, t.Room)},
				Members: gone,
			})
		}
	}
}
