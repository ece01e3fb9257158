package org

import (
	"context"
	"slices"

	"parley/store"
	"parley/wire/jid"
)

// Mandatory groups: everyone of the organization is in them, or everyone of a team, now and in future.

// SetMandatory has everyone in a group (Everyone), or everyone of a team (its id), or ends that (""): who is in stays.
// Those who are not in it yet are added in the background where they are many: see Progress.
func (o *Org) SetMandatory(ctx context.Context, host, id, whom string) error {
	o.change.Lock()
	s, err := o.state(ctx, host, id)
	if err == nil && s.group.Mandatory != whom {
		err = o.setMandatory(ctx, s, whom)
	}
	o.change.Unlock()
	if err == nil && whom == Everyone {
		o.fill(host, id)
	}
	return err
}

func (o *Org) setMandatory(ctx context.Context, s *state, whom string) error {
	g := s.group
	g.Mandatory = whom
	write := func() error { return o.st.UpdateGroup(ctx, g) }
	if whom != "" && whom != Everyone {
		role := store.RoleMember
		for _, gt := range s.teams {
			if gt.Team == whom {
				role = gt.Role
			}
		}
		if err := o.setGroupTeam(ctx, g.Host, g.ID, whom, role, write); err != nil {
			return err
		}
	} else if err := write(); err != nil {
		return err
	}
	o.drop(g.Host, g.ID)
	o.tell(Event{Kind: GroupChanged, Host: g.Host, Group: g, Rooms: []jid.JID{o.RoomJID(g.Host, g.Room)}})
	return nil
}

// Arrived tells of a new account, which the store has put into the groups that everyone is in; and adds what else goes
// with it: in small groups their themes.
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
		if err := o.arrivedIn(ctx, host, g.ID, j); err != nil && !isNotFound(err) {
			return err
		}
	}
	return nil
}

func (o *Org) arrivedIn(ctx context.Context, host, id string, who jid.JID) error {
	o.change.Lock()
	defer o.change.Unlock()
	o.drop(host, id) // the store has changed it
	s, err := o.state(ctx, host, id)
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
	c := &memberChange{s: &before}
	c.set(who, store.RoleMember, nil)
	return o.changeMembers(ctx, store.OrgChange{Host: host}, c)
}

// MayGo says whether an account may be deleted: not while it is the last owner of a group.
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
	return &Error{Forbidden, "", j.String() + " is the last owner of " + join(last) + ": name another owner first"}
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

// Gone takes an account that is deleted out of what is remembered, and has rooms and contact lists know.
func (o *Org) Gone(ctx context.Context, host, name string) error {
	j, err := jid.New(name, host, "")
	if err != nil {
		return err
	}
	o.change.Lock()
	defer o.change.Unlock()
	var groups []store.Group
	o.mu.RLock()
	for k, s := range o.states {
		if _, ok := s.members[j]; ok && k[0] == host {
			groups = append(groups, s.group)
		}
	}
	tv := o.teams[host]
	o.mu.RUnlock()
	for _, g := range groups { // rooms that are in memory are of groups that are
		o.drop(host, g.ID)
		o.tell(Event{Kind: MembersChanged, Host: host, Group: g, Rooms: []jid.JID{o.RoomJID(host, g.Room)}, Members: []store.Member{{JID: j.String()}}})
	}
	o.PersonChanged(host)
	if tv == nil {
		return nil
	}
	for _, t := range tv.of[name] {
		was := t.names()
		o.tell(Event{Kind: TeamChanged, Host: host, Team: TeamEvent{Was: t.Team, Is: t.Team, Before: was, Now: slices.DeleteFunc(slices.Clone(was), func(n string) bool { return n == name })}})
	}
	return nil
}
