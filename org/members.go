package org

import (
	"context"
	"errors"
	"maps"
	"time"

	"parley/store"
	"parley/wire/jid"
)

// Members lists who is in a group or banned from it, in order of address.
func (o *Org) Members(ctx context.Context, host, id string) ([]store.Member, error) {
	return o.st.Members(ctx, host, id)
}

// people checks that members of this host exist, and that those of others may be members.
func (o *Org) people(ctx context.Context, g store.Group, ms []store.Member) error {
	for _, m := range ms {
		j, err := jid.Parse(m.JID)
		if err != nil || j.Local() == "" {
			return &Error{Invalid, "member", m.JID + " is no address of a person"}
		}
		if j.Domain() != g.Host {
			if !RulesOf(g).Remote {
				return &Error{Forbidden, "member", m.JID + " is of another server: only a federated group has such members"}
			}
			continue
		}
		if _, err := o.st.User(ctx, g.Host, j.Local()); err != nil {
			return notFound(err, "there is no account "+m.JID)
		}
	}
	return nil
}

func locals(host string, ms []store.Member) (users []string) {
	for _, m := range ms {
		if j, err := jid.Parse(m.JID); err == nil && j.Domain() == host {
			users = append(users, j.Local())
		}
	}
	return users
}

// SetMember adds a person to a group or changes their role; role "" takes them out, store.RoleBanned keeps them out. The
// last owner stays.
func (o *Org) SetMember(ctx context.Context, host, id string, who jid.JID, role string) error {
	return o.SetMembers(ctx, host, id, []store.Member{{JID: who.Bare().String(), Role: role}})
}

// SetMembers does that for many, in one transaction.
func (o *Org) SetMembers(ctx context.Context, host, id string, ms []store.Member) error {
	o.change.Lock()
	defer o.change.Unlock()
	s, err := o.state(ctx, host, id)
	if err != nil {
		return err
	}
	e := Event{Kind: MembersChanged, Host: host, Group: s.group}
	had, size := 0, len(s.members)
	for _, r := range s.members {
		if r == store.RoleOwner {
			had++
		}
	}
	owners := had
	in := func(role string) bool { return role != "" && role != store.RoleBanned }
	for _, m := range ms {
		switch m.Role {
		case "", store.RoleMember, store.RoleModerator, store.RoleOwner, store.RoleBanned:
		default:
			return &Error{Invalid, "role", "is member, moderator, owner or banned"}
		}
		j, err := jid.Parse(m.JID)
		if err != nil || j.Local() == "" {
			return &Error{Invalid, "member", m.JID + " is no address of a person"}
		}
		was := s.members[j]
		if was == m.Role {
			continue
		}
		if was == store.RoleOwner {
			owners--
		}
		if m.Role == store.RoleOwner {
			owners++
		}
		if was == "" {
			size++
		}
		if in(m.Role) && !in(was) {
			if err := o.people(ctx, s.group, []store.Member{m}); err != nil {
				return err
			}
			e.Joined = append(e.Joined, locals(host, []store.Member{m})...)
		} else if in(was) && !in(m.Role) {
			e.Left = append(e.Left, locals(host, []store.Member{m})...)
		}
		e.Members = append(e.Members, store.Member{JID: j.String(), Role: m.Role, Since: time.Now().UTC()})
	}
	if len(e.Members) == 0 {
		return nil
	}
	if owners == 0 && had > 0 {
		return &Error{Forbidden, "role", "the last owner stays: name another owner first"}
	}
	if size > o.cfg.MaxGroup {
		return &Error{Forbidden, "member", "the group is full"}
	}
	bs := o.bookmarksOf(s)
	if err := o.st.SetMembers(ctx, host, id, e.Members, bs); err != nil {
		return err
	}
	o.renew(s, e)
	for _, m := range e.Members { // who is in, or is not to be, waits for no answer
		if err := o.st.DropGroupRequest(ctx, host, id, m.JID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	for _, b := range bs {
		e.Rooms = append(e.Rooms, jid.MustParse(b.Room))
	}
	for _, key := range s.order {
		if t := s.themes[key]; !t.Closed.IsZero() && !t.Restricted { // newcomers do not get those, who leaves may have them
			e.Rooms = append(e.Rooms, o.RoomJID(host, t.Room))
		}
	}
	o.tell(e)
	o.tellRestricted(s, e.Left)
	return nil
}

// renew has the group's state follow a change of its members, made from the state there was: to read thousands of members
// anew for each that comes or goes would cost more than all else.
func (o *Org) renew(s *state, e Event) {
	host, id := s.group.Host, s.group.ID
	members := maps.Clone(s.members)
	for _, m := range e.Members {
		if j := jid.MustParse(m.JID); m.Role == "" {
			delete(members, j)
		} else {
			members[j] = m.Role
		}
	}
	o.mu.Lock()
	o.states[[2]string{host, id}] = &state{group: s.group, members: members, themes: s.themes, order: s.order}
	o.mu.Unlock()
}

// tellRestricted tells those who have left of the restricted themes that they were in; the others are not to learn that
// there are any.
func (o *Org) tellRestricted(s *state, left []string) {
	for _, key := range s.order {
		t := s.themes[key]
		var who []string
		for _, name := range left {
			if j, err := jid.New(name, s.group.Host, ""); err == nil && t.Restricted && t.people[j] != "" {
				who = append(who, name)
			}
		}
		if len(who) > 0 {
			o.tell(Event{Kind: BookmarksGone, Host: s.group.Host, Group: s.group, Theme: &t.Theme, Rooms: []jid.JID{o.RoomJID(s.group.Host, t.Room)}, Left: who})
		}
	}
}

// bookmarksOf gives the bookmarks a new member gets: the group's room, and in small groups its open themes.
func (o *Org) bookmarksOf(s *state) []store.Bookmark {
	bs := []store.Bookmark{o.bookmark(s.group.Host, s.group.Room, s.group.Name)}
	for _, key := range s.order {
		t := s.themes[key]
		if t.Closed.IsZero() && !t.Restricted {
			b := o.bookmark(s.group.Host, t.Room, themeName(s.group, t.Name))
			b.Autojoin = len(s.members) <= o.cfg.MaxFollow
			bs = append(bs, b)
		}
	}
	return bs
}
