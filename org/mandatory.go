package org

import (
	"context"
	"errors"
	"slices"

	"parley/store"
	"parley/wire/jid"
)

// Mandatory groups: everyone of the organization is in them, or everyone of a team, now and in future.

// job is what is done in the background when a group becomes one that everyone is in.
type job struct{ done, total int }

const batch = 100 // people added in one transaction

// SetMandatory has everyone in a group (Everyone), or everyone of a team (its id), or ends that (""): who is in stays.
// Of everyone those who are not in it yet are added in the background: see Progress.
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

// Progress says how far adding everyone to a mandatory group has come; total is 0 where nothing is being done.
func (o *Org) Progress(host, id string) (done, total int) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if j := o.jobs[[2]string{host, id}]; j != nil {
		return j.done, j.total
	}
	return 0, 0
}

// Filling is Progress, with whether anything is being done or waits for it: also before it is known how much.
func (o *Org) Filling(host, id string) (done, total int, now bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	j := o.jobs[[2]string{host, id}]
	if j == nil {
		return 0, 0, false
	}
	return j.done, j.total, true
}

// fill asks Run to add everyone to a group.
func (o *Org) fill(host, id string) {
	k := [2]string{host, id}
	o.mu.Lock()
	if o.jobs[k] == nil {
		o.jobs[k] = &job{}
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Run adds people to the groups that everyone is in, until ctx ends. What an earlier run has not come to the end of goes
// on.
func (o *Org) Run(ctx context.Context, hosts []string, fault func(err error)) error {
	for _, host := range hosts {
		if err := o.resume(ctx, host); err != nil && ctx.Err() == nil {
			fault(err)
		}
	}
	for {
		for {
			k, ok := o.nextJob()
			if !ok {
				break
			}
			if err := o.fillGroup(ctx, k[0], k[1]); err != nil && ctx.Err() == nil && !isNotFound(err) {
				fault(err)
			}
			o.mu.Lock()
			delete(o.jobs, k)
			o.mu.Unlock()
			if ctx.Err() != nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		}
	}
}

func (o *Org) nextJob() (k [2]string, ok bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for k := range o.jobs {
		return k, true
	}
	return k, false
}

func (o *Org) resume(ctx context.Context, host string) error {
	gs, err := o.mandatory(ctx, host)
	if err != nil {
		return err
	}
	for _, g := range gs {
		n, err := o.st.CountOutside(ctx, host, g.ID)
		if err != nil {
			return err
		}
		if n > 0 {
			o.fill(host, g.ID)
		}
	}
	return nil
}

// mandatory lists the groups that everyone is in.
func (o *Org) mandatory(ctx context.Context, host string) (out []store.Group, err error) {
	for after := ""; ; {
		gs, err := o.st.Groups(ctx, host, after, 200)
		if err != nil {
			return nil, err
		}
		for _, g := range gs {
			after = g.Slug
			if g.Mandatory == Everyone {
				out = append(out, g)
			}
		}
		if len(gs) < 200 {
			return out, nil
		}
	}
}

func (o *Org) fillGroup(ctx context.Context, host, id string) error {
	total, err := o.st.CountOutside(ctx, host, id)
	if err != nil {
		return err
	}
	o.progress(host, id, 0, total)
	done := 0
	for after := ""; ; {
		names, err := o.st.Outside(ctx, host, id, after, batch)
		if err != nil || len(names) == 0 {
			return err
		}
		after = names[len(names)-1]
		if err := o.addAll(ctx, host, id, names); err != nil {
			return err
		}
		done += len(names)
		o.progress(host, id, done, max(total, done))
	}
}

func (o *Org) progress(host, id string, done, total int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if j := o.jobs[[2]string{host, id}]; j != nil {
		j.done, j.total = done, total
	}
}

var errNoLonger = errors.New("org: not everyone is to be in this group any more")

// addAll adds people to a group that everyone is in; one who is gone meanwhile is left out.
func (o *Org) addAll(ctx context.Context, host, id string, names []string) error {
	o.change.Lock()
	defer o.change.Unlock()
	s, err := o.state(ctx, host, id)
	if err != nil {
		return err
	}
	if s.group.Mandatory != Everyone {
		return &Error{NotFound, "", errNoLonger.Error()}
	}
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return err
	}
	c := &memberChange{s: s}
	for _, name := range names {
		j, err := jid.New(name, host, "")
		if err != nil {
			continue
		}
		if _, err := o.st.User(ctx, host, name); errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		if s.ownRole(j) == "" {
			c.set(j, store.RoleMember, s.teamRoles(tv, j))
		}
	}
	return o.changeMembers(ctx, store.OrgChange{Host: host}, c)
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
