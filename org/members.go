package org

import (
	"context"
	"errors"
	"maps"
	"slices"
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

func guests(host string, ms []store.Member) (js []jid.JID) {
	for _, m := range ms {
		if j, err := jid.Parse(m.JID); err == nil && j.Domain() != host {
			js = append(js, j)
		}
	}
	return js
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
	c, err := o.planMembers(ctx, host, id, ms)
	if err != nil {
		return err
	}
	return o.changeMembers(ctx, store.OrgChange{Host: host}, c)
}

// planMembers says what it comes to if people are given roles, or why they cannot be.
func (o *Org) planMembers(ctx context.Context, host, id string, ms []store.Member) (*memberChange, error) {
	s, err := o.state(ctx, host, id)
	if err != nil {
		return nil, err
	}
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return nil, err
	}
	c := &memberChange{s: s}
	had, owners := s.owners(), s.owners()
	for _, m := range ms {
		j, err := o.checkMember(ctx, s, m)
		if err != nil {
			return nil, err
		}
		roles := s.teamRoles(tv, j)
		if m.Role == "" && len(roles) > 0 && inGroup(s.members[j]) {
			return nil, &Error{Forbidden, "member", j.String() + " is in this group by a team: take them out of the team"}
		}
		own := s.ownRole(j)
		if own == store.RoleOwner {
			owners--
		}
		if m.Role == store.RoleOwner {
			owners++
		}
		c.set(j, m.Role, roles)
	}
	if owners == 0 && had > 0 {
		return nil, &Error{Forbidden, "role", "the last owner stays: name another owner first"}
	}
	if len(s.members)+c.fresh > o.cfg.MaxGroup {
		return nil, &Error{Forbidden, "member", "the group is full"}
	}
	return c, nil
}

// checkMember says whether a person may have a role in a group of their own.
func (o *Org) checkMember(ctx context.Context, s *state, m store.Member) (jid.JID, error) {
	switch m.Role {
	case "", store.RoleMember, store.RoleModerator, store.RoleOwner, store.RoleBanned:
	default:
		return jid.JID{}, &Error{Invalid, "role", "is member, moderator, owner or banned"}
	}
	j, err := jid.Parse(m.JID)
	if err != nil || j.Local() == "" {
		return j, &Error{Invalid, "member", m.JID + " is no address of a person"}
	}
	j = j.Bare()
	switch was := s.members[j]; {
	case inGroup(m.Role) && !inGroup(was):
		return j, o.people(ctx, s.group, []store.Member{m})
	case m.Role == "" && inGroup(was) && s.group.Mandatory == Everyone && j.Domain() == s.group.Host:
		return j, &Error{Forbidden, "member", "everyone of " + s.group.Host + " is in this group"}
	}
	return j, nil
}

// owners counts those who are owners of their own: teams own no groups.
func (s *state) owners() (n int) {
	for j := range s.members {
		if s.ownRole(j) == store.RoleOwner {
			n++
		}
	}
	return n
}

// ownRole is what a person is in the group without their teams.
func (s *state) ownRole(who jid.JID) string {
	if own, ok := s.own[who]; ok {
		return own
	}
	return s.members[who]
}

// teamRoles is what a person's teams make them in the group.
func (s *state) teamRoles(tv *teams, who jid.JID) (roles []string) {
	if who.Domain() != s.group.Host {
		return nil
	}
	for _, gt := range s.teams {
		if t := tv.byID[gt.Team]; t != nil && t.has(who.Local()) {
			roles = append(roles, gt.Role)
		}
	}
	return roles
}

// effective is what a person is by themselves and by their teams: the most of it; banned is banned.
func effective(own string, teams []string) string {
	grade := map[string]int{"": 0, store.RoleMember: 1, store.RoleModerator: 2, store.RoleOwner: 3, store.RoleBanned: 4}
	for _, r := range teams {
		if grade[r] > grade[own] {
			own = r
		}
	}
	return own
}

// memberChange gathers what changes in one group.
type memberChange struct {
	s       *state
	members []store.GroupMember
	changed []store.Member // whose effective role is another
	joined  []string
	left    []string
	guests  []jid.JID // of other servers, who have come in
	fresh   int       // rows there will be more
}

// set says what a person is to be: of their own, and by teams.
func (c *memberChange) set(who jid.JID, own string, byTeams []string) {
	was, now := c.s.members[who], effective(own, byTeams)
	_, granted := c.s.own[who]
	if now == was && own == c.s.ownRole(who) && granted == (len(byTeams) > 0) {
		return
	}
	m := store.Member{JID: who.String(), Role: now, Since: time.Now().UTC()}
	c.members = append(c.members, store.GroupMember{Group: c.s.group.ID, Member: m, Own: own, ByTeam: len(byTeams) > 0})
	if now == was {
		return
	}
	c.changed = append(c.changed, m)
	if was == "" {
		c.fresh++
	}
	if who.Domain() != c.s.group.Host {
		if inGroup(now) && !inGroup(was) {
			c.guests = append(c.guests, who)
		}
		return
	}
	if inGroup(now) && !inGroup(was) {
		c.joined = append(c.joined, who.Local())
	} else if inGroup(was) && !inGroup(now) {
		c.left = append(c.left, who.Local())
	}
}

// changeMembers writes changes of groups, with what else belongs to them, and tells.
func (o *Org) changeMembers(ctx context.Context, x store.OrgChange, cs ...*memberChange) error {
	x.Bookmarks = make(map[string][]store.Bookmark)
	for _, c := range cs {
		x.Members = append(x.Members, c.members...)
		if len(c.joined) > 0 {
			x.Bookmarks[c.s.group.ID] = o.bookmarksOf(c.s, len(c.joined))
		}
	}
	if len(x.Members)+len(x.GroupTeams)+len(x.In)+len(x.Out) == 0 && x.Team == nil && x.Defaults == nil {
		return nil
	}
	if err := o.st.ChangeOrg(ctx, x); err != nil {
		return err
	}
	for _, c := range cs {
		if len(x.GroupTeams) > 0 {
			o.drop(x.Host, c.s.group.ID)
		} else {
			o.renew(c)
		}
	}
	for _, c := range cs {
		if err := o.tellMembers(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (o *Org) tellMembers(ctx context.Context, c *memberChange) error {
	host, g := c.s.group.Host, c.s.group
	if len(c.changed) == 0 {
		return nil
	}
	for _, m := range c.changed { // who is in, or is not to be, waits for no answer
		if !RulesOf(g).Asks {
			break
		}
		if err := o.st.DropGroupRequest(ctx, host, g.ID, m.JID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	e := Event{Kind: MembersChanged, Host: host, Group: g, Members: c.changed, Joined: c.joined, Left: c.left, Guests: c.guests, Rooms: []jid.JID{o.RoomJID(host, g.Room)}}
	e.Open = slices.Clone(e.Rooms)
	for _, key := range c.s.order { // also those that newcomers do not get: who leaves may have them
		if t := c.s.themes[key]; !t.Restricted {
			e.Rooms = append(e.Rooms, o.RoomJID(host, t.Room))
			if t.Closed.IsZero() {
				e.Open = append(e.Open, o.RoomJID(host, t.Room))
			}
		}
	}
	o.tell(e)
	o.tellRestricted(c.s, c.left)
	return nil
}

// renew has the group's state follow a change of its members, made from the state there was: to read thousands of members
// anew for each that comes or goes would cost more than all else.
func (o *Org) renew(c *memberChange) {
	s := *c.s
	s.members, s.own = maps.Clone(c.s.members), maps.Clone(c.s.own)
	for _, m := range c.members {
		j := jid.MustParse(m.JID)
		if m.Role == "" {
			delete(s.members, j)
		} else {
			s.members[j] = m.Role
		}
		if !m.ByTeam {
			delete(s.own, j)
			continue
		}
		if s.own == nil {
			s.own = make(map[jid.JID]string)
		}
		s.own[j] = m.Own
	}
	o.mu.Lock()
	o.states[[2]string{s.group.Host, s.group.ID}] = &s
	o.changes++
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

// bookmarksOf gives the bookmarks that new members get: the group's room, and in small groups its open themes.
func (o *Org) bookmarksOf(s *state, fresh int) []store.Bookmark {
	bs := []store.Bookmark{o.bookmark(s.group.Host, s.group.Room, s.group.Name)}
	if len(s.members)+fresh > o.cfg.MaxFollow {
		return bs
	}
	for _, key := range s.order {
		if t := s.themes[key]; t.Closed.IsZero() && !t.Restricted {
			bs = append(bs, o.bookmark(s.group.Host, t.Room, themeName(s.group, t.Name)))
		}
	}
	return bs
}
