package muc

import (
	"context"
	"encoding/json"

	"parley/acts"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// A group's room and its themes' rooms: what they are follows from the group, and org says who is who in them.

// loadGroup sets the room's configuration from its group.
func (r *room) loadGroup(ctx context.Context) error {
	o, host := r.s.cfg.Org, r.s.host.Domain
	g, err := o.GroupByID(ctx, host, r.group)
	if err != nil {
		return err
	}
	r.rules = org.RulesOf(g)
	c, err := r.s.groupConfig(g)
	if err != nil {
		return err
	}
	if r.theme != "" {
		t, err := o.Theme(ctx, host, r.theme)
		if err != nil {
			return err
		}
		c.Name = g.Name + " › " + t.Name
		r.closed = !t.Closed.IsZero()
		if r.dormant, err = o.Dormant(ctx, host, r.theme); err != nil {
			return err
		}
		if t.Restricted {
			c.Public, c.MembersOnly = false, true
		}
	}
	c.Lang, c.Mentions = r.cfg.Lang, r.cfg.Mentions
	r.cfg = c
	return nil
}

// groupConfig renders the rules of a kind of group. Members only and real addresses: clients make a group of it.
func (s *Service) groupConfig(g store.Group) (RoomConfig, error) {
	r := org.RulesOf(g)
	c := RoomConfig{Name: g.Name, Description: g.Description, Persistent: true, Public: r.Listed, MembersOnly: r.MembersOnly, NonAnonymous: r.ShowAddresses,
		Moderated: r.Moderated, Archive: true, Invites: true, PM: "anyone"}
	c.SinceJoin = g.SinceJoin
	if r.Moderated { // who may only read does not write to everybody one by one either
		c.PM = "participants"
	}
	if r.QuietMembers {
		c.Broadcast = []string{"moderator"}
	}
	hash, err := s.cfg.Org.PictureHash(g)
	if hash != "" {
		c.Avatars = []string{hash}
	}
	return c, err
}

// configOf gives the configuration of a free room's row.
func (s *Service) configOf(row store.Room) (RoomConfig, error) {
	c := s.cfg.Defaults
	if len(row.Config) == 0 {
		return c, nil
	}
	err := json.Unmarshal(row.Config, &c)
	return c, err
}

// configureGroup takes what an owner may change of a group by its room: name and description. The event does the rest.
func (r *room) configureGroup(ctx context.Context, by acts.Actor, now RoomConfig) error {
	if r.theme != "" {
		if now.Name != r.cfg.Name || now.Description != r.cfg.Description {
			return server.WithText(server.NotAllowed, "a theme is renamed by its group")
		}
		return nil
	}
	_, err := r.s.cfg.Org.Update(ctx, by, r.s.host.Domain, r.group, org.GroupChange{Name: &now.Name, Description: &now.Description})
	return err
}

// setMembers turns changes of affiliations into changes of the group, or of who is in the theme.
func (r *room) setMembers(ctx context.Context, by acts.Actor, cs []change) error {
	var ms []store.Member
	for _, c := range cs {
		if c.affiliation == "" {
			continue
		}
		now, err := r.affiliation(ctx, c.who)
		if err != nil {
			return err
		}
		if now == c.affiliation {
			continue // some clients copy affiliations to where they hold already
		}
		role := map[string]string{org.Owner: store.RoleOwner, org.Admin: store.RoleModerator, org.Member: store.RoleMember, org.Outcast: store.RoleBanned, org.None: ""}[c.affiliation]
		if high := role == store.RoleOwner || role == store.RoleModerator; r.theme != "" && (high || rank[now] >= rank[org.Admin]) {
			return server.WithText(server.NotAllowed, "moderators and owners of a theme are those of its group")
		}
		ms = append(ms, store.Member{JID: c.who.String(), Role: role})
	}
	if len(ms) == 0 {
		return nil
	}
	if r.theme != "" {
		return r.setThemePeople(ctx, by, ms)
	}
	return r.s.cfg.Org.SetMembers(ctx, by, r.s.host.Domain, r.group, ms)
}

// setThemePeople refuses what org would take for nothing to do: a member of the group is in its open themes.
func (r *room) setThemePeople(ctx context.Context, by acts.Actor, ms []store.Member) error {
	o, host := r.s.cfg.Org, r.s.host.Domain
	t, err := o.Theme(ctx, host, r.theme)
	if err != nil {
		return err
	}
	for _, m := range ms {
		a, err := r.affiliation(ctx, jid.MustParse(m.JID))
		if err != nil {
			return err
		}
		if m.Role == "" && a == org.Member && !t.Restricted {
			if role, err := o.RoleOf(ctx, host, r.group, jid.MustParse(m.JID)); err != nil || role != "" {
				return server.WithText(server.NotAllowed, "who is in a theme follows from its group")
			}
		}
	}
	return o.SetThemePeople(ctx, by, host, r.theme, ms)
}

// changed is told of every change of a group, after its commit.
func (s *Service) changed(e org.Event) {
	if e.Host != s.host.Domain {
		return
	}
	switch e.Kind {
	case org.GroupChanged:
		s.eachOf(e.Group.ID, func(ctx context.Context, r *room) { r.reconfigure(ctx) })
	case org.ThemeChanged:
		s.postLoaded(e.Rooms[0].Local(), func(ctx context.Context, r *room) { r.themeChanged(ctx, e) })
	case org.ThemePeople:
		s.postLoaded(e.Rooms[0].Local(), func(ctx context.Context, r *room) { r.membersChanged(ctx, e.Members) })
	case org.ThemeDozes:
		s.postLoaded(e.Rooms[0].Local(), func(_ context.Context, r *room) { r.dormant = true })
	case org.MembershipAsked:
		s.askModerators(e)
	case org.MembershipGranted, org.MembershipDenied:
		s.tellAsker(e)
	case org.GroupCreated:
		s.inviteGuests(e)
	case org.MembersChanged:
		s.inviteGuests(e)
		s.eachOf(e.Group.ID, func(ctx context.Context, r *room) { r.membersChanged(ctx, e.Members) })
	case org.GroupDeleted:
		s.eachOf(e.Group.ID, func(ctx context.Context, r *room) {
			r.over = true
			r.evict(ctx, wire.E(wire.NSMUCUser, "destroy", wire.T(wire.NSMUCUser, "reason", "the group was deleted")))
			s.forget(r)
		})
	case org.ThemeCreated:
		s.announceTheme(e)
	}
}

// eachOf does something in every room of a group that is in memory.
func (s *Service) eachOf(group string, do func(ctx context.Context, r *room)) {
	s.mu.RLock()
	var names []string
	for name, r := range s.rooms {
		if r.group == group {
			names = append(names, name)
		}
	}
	s.mu.RUnlock()
	for _, name := range names {
		s.postLoaded(name, do)
	}
}

// reconfigure takes over what the group or theme says now.
func (r *room) reconfigure(ctx context.Context) {
	was, closed := r.cfg, r.closed
	r.mu.Lock()
	err := r.loadGroup(ctx)
	r.mu.Unlock()
	if err != nil {
		r.s.log.Error("a group's room cannot be brought up to date", "room", r.jid.String(), "err", err)
		return
	}
	for _, o := range r.order {
		o.shown = [2]*wire.Stanza{}
	}
	r.versions = nil // what kind of group it is decides who is what
	r.tellConfig(ctx, was, r.cfg)
	r.avatarChanged(ctx, was.Avatars)
	if closed != r.closed || was.Moderated != r.cfg.Moderated {
		r.refreshRoles(ctx)
	}
	if r.cfg.MembersOnly && !was.MembersOnly {
		r.expelStrangers(ctx)
	}
}

// manyMembers who come into a group at once are not each told to everyone in its room.
const manyMembers = 50

// membersChanged shows new affiliations and puts out who is no longer in the group (section 9.4: 321, 9.1: 301).
func (r *room) membersChanged(ctx context.Context, ms []store.Member) {
	for _, m := range ms {
		who, err := jid.Parse(m.JID)
		if err != nil {
			continue
		}
		if len(ms) > manyMembers && !r.isIn(who) { // nobody is told of hundreds, one by one: lists are asked for
			r.versions = nil
			continue
		}
		a, err := r.affiliation(ctx, who)
		if err != nil {
			r.s.log.Error("affiliation", "room", r.jid.String(), "err", err)
			continue
		}
		if r.theme != "" && !r.isIn(who) {
			r.versioned(who, a)
			continue // the group's own room has told
		}
		r.affiliated(ctx, who, a, leaving{})
	}
}

// access is what org says of a person here.
func (r *room) access(ctx context.Context, who jid.JID) (org.Access, error) {
	return r.s.cfg.Org.Access(ctx, r.s.host.Domain, r.group, r.theme, who)
}

// enterGroup gives the affiliation of who comes into a group's room or a theme; where the kind of group has it so they
// are members by that.
func (r *room) enterGroup(ctx context.Context, who jid.JID) (string, error) {
	a, err := r.s.cfg.Org.Enter(ctx, r.s.by(who), r.s.host.Domain, r.group, r.theme)
	switch {
	case err != nil || a.Read || a.Affiliation == org.Outcast:
		return a.Affiliation, err
	case r.cfg.MembersOnly:
		return a.Affiliation, errNoMember
	}
	return a.Affiliation, server.WithText(server.Forbidden, "this room is for people of "+r.s.host.Domain)
}
