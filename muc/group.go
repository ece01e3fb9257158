package muc

import (
	"context"

	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// A group's room and its themes' rooms: what they are follows from the group, and org says who is who in them.

// groupConfig renders the rules of a kind of group. Members only and real addresses: clients make a group of it.
func groupConfig(g store.Group) RoomConfig {
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
	return c
}

// changed is told of every change of a group, after its commit.
func (s *Service) changed(e org.Event) {
	if e.Host != s.host.Domain {
		return
	}
	switch e.Kind {
	case org.GroupChanged:
		s.eachOf(e.Group.ID, func(ctx context.Context, r *Room) { r.reconfigure(ctx) })
	case org.ThemeChanged:
		s.postLoaded(e.Rooms[0].Local(), func(ctx context.Context, r *Room) { r.themeChanged(ctx, e) })
	case org.ThemePeople:
		s.postLoaded(e.Rooms[0].Local(), func(ctx context.Context, r *Room) { r.membersChanged(ctx, e.Members) })
	case org.ThemeDozes:
		s.postLoaded(e.Rooms[0].Local(), func(_ context.Context, r *Room) { r.keeper.(*grouped).dormant = true })
	case org.MembershipAsked:
		s.askModerators(e)
	case org.MembershipGranted, org.MembershipDenied:
		s.tellAsker(e)
	case org.GroupCreated:
		s.inviteGuests(e)
	case org.MembersChanged:
		s.inviteGuests(e)
		s.eachOf(e.Group.ID, func(ctx context.Context, r *Room) { r.membersChanged(ctx, e.Members) })
	case org.GroupDeleted:
		s.eachOf(e.Group.ID, func(ctx context.Context, r *Room) {
			r.over = true
			r.evict(ctx, wire.E(wire.NSMUCUser, "destroy", wire.T(wire.NSMUCUser, "reason", "the group was deleted")))
			s.forget(r)
		})
	case org.ThemeCreated:
		s.announceTheme(e)
	}
}

// eachOf does something in every room of a group that is in memory.
func (s *Service) eachOf(group string, do func(ctx context.Context, r *Room)) {
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
func (r *Room) reconfigure(ctx context.Context) {
	was, roles := r.cfg, [2]string{r.RoleFor(Member), r.RoleFor(None)}
	r.mu.Lock()
	now, err := r.keeper.Config(ctx, r.cfg)
	if err == nil {
		r.cfg = now
	}
	r.mu.Unlock()
	if err != nil {
		r.s.log.Error("a group's room cannot be brought up to date", "room", r.jid.String(), "err", err)
		return
	}
	for _, o := range r.order {
		o.shown = [2]*wire.Stanza{}
	}
	r.unknown() // what kind of group it is decides who is what
	r.tellConfig(ctx, was, r.cfg)
	r.avatarChanged(ctx, was.Avatars)
	if roles != [2]string{r.RoleFor(Member), r.RoleFor(None)} {
		r.refreshRoles(ctx)
	}
	if r.cfg.MembersOnly && !was.MembersOnly {
		r.expelStrangers(ctx)
	}
}

// manyMembers who come into a group at once are not each told to everyone in its room.
const manyMembers = 50

// membersChanged shows new affiliations and puts out who is no longer in the group (section 9.4: 321, 9.1: 301).
func (r *Room) membersChanged(ctx context.Context, ms []store.Member) {
	for _, m := range ms {
		who, err := jid.Parse(m.JID)
		if err != nil {
			continue
		}
		if len(ms) > manyMembers && !r.isIn(who) { // nobody is told of hundreds, one by one: lists are asked for
			r.unknown()
			continue
		}
		a, err := r.affiliation(ctx, who)
		if err != nil {
			r.s.log.Error("affiliation", "room", r.jid.String(), "err", err)
			continue
		}
		if r.theme != "" && !r.isIn(who) {
			r.affiliatedBy(who, a)
			continue // the group's own room has told
		}
		r.affiliated(ctx, who, a, leaving{})
	}
}
