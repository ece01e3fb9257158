package org

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// Members gives a group's members and banned people, in order of address.
func (o *Org) Members(ctx context.Context, host, id string) ([]store.Member, error) {
	return o.st.Members(ctx, host, id)
}

// people checks that members of this host exist, and that people of other hosts may be members.
func (o *Org) people(ctx context.Context, g store.Group, ms []store.Member) error {
	for _, m := range ms {
		j, err := jid.Parse(m.JID)
		if err != nil || j.Local() == "" {
			return fault.At(fault.Invalid, "member", m.JID+" is not the address of a person")
		}
		if j.Domain() != g.Host {
			if !RulesOf(g).Remote {
				return fault.At(fault.NotAllowed, "member",
					m.JID+" is of another server: only a federated group has such members")
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

// SetMember is SetMembers for one person.
func (o *Org) SetMember(ctx context.Context, by acts.Actor, host, id string, who jid.JID, role string) error {
	return o.SetMembers(ctx, by, host, id, []store.Member{{JID: who.Bare().String(), Role: role}})
}

// SetMembers adds people to a group or changes their roles; role "" removes them, store.RoleBanned bans them. The last
// owner stays. Moderators may add, remove and ban members; owners may change every role.
func (o *Org) SetMembers(ctx context.Context, by acts.Actor, host, id string, ms []store.Member) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, id)
		if err != nil {
			return err
		}
		if err := o.maySet(ctx, by, s, ms); err != nil {
			return err
		}
		return o.setMembers(ctx, c, s, ms)
	})
}

// AddNewcomer makes somebody whose account is being created a member of a group. The caller has checked that the actor
// may add new accounts to it.
func (o *Org) AddNewcomer(ctx context.Context, by acts.Actor, host, id string, who jid.JID) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, id)
		if err != nil {
			return err
		}
		return o.setMembers(ctx, c, s, []store.Member{{JID: who.Bare().String(), Role: store.RoleMember}})
	})
}

// setMembers is SetMembers without checking the right. It makes one audit entry per role.
func (o *Org) setMembers(ctx context.Context, c *change, s *state, ms []store.Member) error {
	mc, err := o.planMembers(ctx, s, ms)
	if err != nil {
		return err
	}
	for _, role := range mc.roles() {
		c.Note(acts.GroupMembers, s.group.Slug, mc.detail(role))
	}
	return c.changeMembers(ctx, store.OrgChange{Host: s.group.Host}, mc)
}

// roles gives the roles that a change gives, in order.
func (c *memberChange) roles() (roles []string) {
	for _, m := range c.changed {
		if !slices.Contains(roles, m.Role) {
			roles = append(roles, m.Role)
		}
	}
	return roles
}

// detail gives, for the audit log, the people who get a role, with their roles before.
func (c *memberChange) detail(role string) acts.Detail {
	var some []store.Member
	before := make(map[string]string)
	for _, m := range c.changed {
		if m.Role != role {
			continue
		}
		some = append(some, m)
		if was := c.s.members[jid.MustParse(m.JID)]; was != "" && len(some) <= 100 {
			before[m.JID] = was
		}
	}
	d := acts.Detail{"role": role, "members": addresses(some, memberAddress), "count": len(some)}
	if len(before) > 0 {
		d["before"] = before
	}
	return d
}

// maySet returns an error if an actor may not give these people these roles in a group.
func (o *Org) maySet(ctx context.Context, by acts.Actor, s *state, ms []store.Member) error {
	a, err := o.standing(ctx, by, s.group.Host, s.group.ID, "")
	if err != nil {
		return err
	}
	if a != Owner && a != Admin {
		return fault.New(fault.Forbidden, "", "only moderators change who is in this group")
	}
	high := func(role string) bool { return role == store.RoleModerator || role == store.RoleOwner }
	for _, m := range ms {
		j, err := jid.Parse(m.JID)
		if err != nil {
			continue // the check of the rows reports it
		}
		if a == Admin && (high(m.Role) || high(s.members[j.Bare()])) {
			return fault.At(fault.Forbidden, "role", "only owners add or remove moderators and owners")
		}
	}
	return nil
}

// planMembers gives the effect of giving people roles; an error if it is not allowed.
func (o *Org) planMembers(ctx context.Context, s *state, ms []store.Member) (*memberChange, error) {
	tv, err := o.teamsOf(ctx, s.group.Host)
	if err != nil {
		return nil, err
	}
	c := &memberChange{s: s, now: o.cfg.Now}
	had, owners := s.owners(), s.owners()
	for _, m := range ms {
		j, err := o.checkMember(ctx, s, m)
		if err != nil {
			return nil, err
		}
		roles := s.teamRoles(tv, j)
		if m.Role == "" && len(roles) > 0 && inGroup(s.members[j]) {
			return nil, fault.At(fault.NotAllowed, "member",
				j.String()+" is in this group by a team: take them out of the team")
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
		return nil, fault.At(fault.NotAllowed, "role", "the last owner cannot leave: name another owner first")
	}
	if err := o.fits("member", c); err != nil {
		return nil, err
	}
	return c, nil
}

// fits returns an error if a change makes a group larger than the limit. A group can be over the limit already, because
// the limit was lowered or the group is mandatory; people can always leave it or change their role. Bans of people who
// were not members count apart.
func (o *Org) fits(field string, c *memberChange) error {
	in, out := 0, 0
	for _, role := range c.s.members {
		if inGroup(role) {
			in++
		} else {
			out++
		}
	}
	switch {
	case c.grown > 0 && in+c.grown > o.cfg.MaxGroup:
		return fault.At(fault.Limit, field,
			fmt.Sprintf("the group would be too full: %d people are in it, and it may have %d", in, o.cfg.MaxGroup))
	case c.bans > 0 && out+c.bans > o.cfg.MaxGroup:
		return fault.At(fault.Limit, field, fmt.Sprintf("%d people are banned from the group, and no more can be", out))
	}
	return nil
}

// checkMember checks that a person may have a role in a group of their own.
func (o *Org) checkMember(ctx context.Context, s *state, m store.Member) (jid.JID, error) {
	switch m.Role {
	case "", store.RoleMember, store.RoleModerator, store.RoleOwner, store.RoleBanned:
	default:
		return jid.JID{}, fault.At(fault.Invalid, "role", "is member, moderator, owner or banned")
	}
	j, err := jid.Parse(m.JID)
	if err != nil || j.Local() == "" {
		return j, fault.At(fault.Invalid, "member", m.JID+" is not the address of a person")
	}
	j = j.Bare()
	switch was := s.members[j]; {
	case inGroup(m.Role) && !inGroup(was):
		return j, o.people(ctx, s.group, []store.Member{m})
	case m.Role == "" && inGroup(was) && s.group.Mandatory == Everyone && j.Domain() == s.group.Host:
		return j, fault.At(fault.NotAllowed, "member", "everyone of "+s.group.Host+" is in this group")
	}
	return j, nil
}

// owners counts people who are owners by themselves: teams own no groups.
func (s *state) owners() (n int) {
	for j := range s.members {
		if s.ownRole(j) == store.RoleOwner {
			n++
		}
	}
	return n
}

// ownRole gives the role that a person has in the group without their teams.
func (s *state) ownRole(who jid.JID) string {
	if own, ok := s.own[who]; ok {
		return own
	}
	return s.members[who]
}

// teamRoles gives the roles that a person's teams give them in the group.
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

// effective gives the highest of a person's own role and the roles of their teams; a banned person stays banned.
func effective(own string, teams []string) string {
	grade := map[string]int{"": 0, store.RoleMember: 1, store.RoleModerator: 2, store.RoleOwner: 3, store.RoleBanned: 4}
	for _, r := range teams {
		if grade[r] > grade[own] {
			own = r
		}
	}
	return own
}

// memberChange collects the changes of one group.
type memberChange struct {
	s       *state
	now     func() time.Time
	members []store.GroupMember
	changed []store.Member // people whose effective role changes
	joined  []string
	left    []string
	guests  []jid.JID // new members of other servers
	grown   int       // by how many people the group grows
	bans    int       // newly banned people who were not members
}

// set sets the roles that a person has by themselves and by teams.
func (c *memberChange) set(who jid.JID, own string, byTeams []string) {
	was, now := c.s.members[who], effective(own, byTeams)
	_, granted := c.s.own[who]
	if now == was && own == c.s.ownRole(who) && granted == (len(byTeams) > 0) {
		return
	}
	m := store.Member{JID: who.String(), Role: now, Since: c.now().UTC()}
	c.members = append(c.members, store.GroupMember{Group: c.s.group.ID, Member: m, Own: own, ByTeam: len(byTeams) > 0})
	if now == was {
		return
	}
	c.changed = append(c.changed, m)
	switch {
	case inGroup(now) && !inGroup(was):
		c.grown++
	case inGroup(was) && !inGroup(now):
		c.grown--
	case was == "" && now == store.RoleBanned:
		c.bans++
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

// changeMembers writes changes of groups with all that belongs to them, and tells them after the commit.
func (c *change) changeMembers(ctx context.Context, x store.OrgChange, cs ...*memberChange) error {
	o := c.o
	x.Bookmarks = make(map[string][]store.Bookmark)
	for _, mc := range cs {
		x.Members = append(x.Members, mc.members...)
		if len(mc.joined) > 0 {
			x.Bookmarks[mc.s.group.ID] = o.bookmarksOf(mc.s, len(mc.joined))
		}
	}
	if len(x.Members)+len(x.GroupTeams)+len(x.In)+len(x.Out) == 0 && x.Team == nil && x.Defaults == nil {
		return nil
	}
	if err := o.st.ChangeOrg(ctx, x); err != nil {
		return err
	}
	for _, mc := range cs {
		if len(x.GroupTeams) > 0 {
			c.drop(x.Host, mc.s.group.ID)
		} else {
			c.renew(mc)
		}
	}
	for _, mc := range cs {
		if err := c.tellMembers(ctx, mc); err != nil {
			return err
		}
	}
	return nil
}

func (c *change) tellMembers(ctx context.Context, mc *memberChange) error {
	o, host, g := c.o, mc.s.group.Host, mc.s.group
	if len(mc.changed) == 0 {
		return nil
	}
	for _, m := range mc.changed { // a new member or a banned person needs no request any more
		if !RulesOf(g).Asks {
			break
		}
		if err := o.st.DropGroupRequest(ctx, host, g.ID, m.JID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	e := Event{
		Kind:    MembersChanged,
		Host:    host,
		Group:   g,
		Members: mc.changed,
		Joined:  mc.joined,
		Left:    mc.left,
		Guests:  mc.guests,
		Rooms:   []jid.JID{o.RoomJID(host, g.Room)},
	}
	e.Open = slices.Clone(e.Rooms)
	for _, key := range mc.s.order { // also the rooms that newcomers get no bookmark of: people who leave may have one
		if t := mc.s.themes[key]; !t.Restricted {
			e.Rooms = append(e.Rooms, o.RoomJID(host, t.Room))
			if t.Closed.IsZero() {
				e.Open = append(e.Open, o.RoomJID(host, t.Room))
			}
		}
	}
	c.tell(e)
	c.tellRestricted(mc.s, mc.left)
	return nil
}

// renew has all nodes forget a group after a change of its members, and caches its state here, derived from the one
// before. Reading thousands of members again for each one that joins or leaves would cost more than everything else.
func (c *change) renew(mc *memberChange) {
	o, s := c.o, *mc.s
	s.members, s.own = maps.Clone(mc.s.members), maps.Clone(mc.s.own)
	for _, m := range mc.members {
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
	k := [2]string{s.group.Host, s.group.ID}
	c.forget(k)
	c.locked[k] = &s // later functions of this act use it
	c.Changed(changes.Group, k[1])
	c.Kept(func(ctx context.Context) { o.putIfNewest(ctx, k, &s) })
}

// putIfNewest caches the state that an act has made, which all nodes have been told of, unless the group has changed
// again, somebody has read it already, or an account was deleted meanwhile.
func (o *Org) putIfNewest(ctx context.Context, k [2]string, s *state) {
	o.mu.RLock()
	_, known := o.states[k]
	seen, gone := o.changes, o.gone
	o.mu.RUnlock()
	if known || gone != s.gone {
		return
	}
	if v, err := o.st.Version(ctx, k[0], versionGroup, k[1]); err == nil && v == s.version {
		o.keep(k, s, seen)
	}
}

// tellRestricted tells people who left about the restricted themes that they were in. The others must not learn that
// such themes exist.
func (c *change) tellRestricted(s *state, left []string) {
	o := c.o
	for _, key := range s.order {
		t := s.themes[key]
		var who []string
		for _, name := range left {
			if j, err := jid.New(name, s.group.Host, ""); err == nil && t.Restricted && t.people[j] != "" {
				who = append(who, name)
			}
		}
		if len(who) > 0 {
			c.tell(Event{
				Kind:  BookmarksGone,
				Host:  s.group.Host,
				Group: s.group,
				Theme: &t.Theme,
				Rooms: []jid.JID{o.RoomJID(s.group.Host, t.Room)},
				Left:  who,
			})
		}
	}
}

// bookmarksOf gives the bookmarks for new members: the group's room and, in small groups, its open themes.
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
