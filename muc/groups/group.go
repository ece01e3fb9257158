package groups

import (
	"context"

	"parley/internal/fault"
	"parley/muc"
	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// groupConfig gives the configuration that follows from a kind of group. Clients show a room as a group if it is for
// members only and shows real addresses.
func groupConfig(g store.Group) muc.RoomConfig {
	r := org.RulesOf(g)
	c := muc.RoomConfig{
		Name:         g.Name,
		Description:  g.Description,
		Persistent:   true,
		Public:       r.Listed,
		MembersOnly:  r.MembersOnly,
		NonAnonymous: r.ShowAddresses,
		Moderated:    r.Moderated,
		Archive:      true,
		Invites:      true,
		PM:           "anyone",
		SinceJoin:    g.SinceJoin,
	}
	if r.Moderated { // people who only read must not write to everyone one by one either
		c.PM = "participants"
	}
	if r.QuietMembers {
		c.Broadcast = []string{"moderator"}
	}
	return c
}

// changed follows the changes of groups that are made on this node. It is called after each commit.
func (s *Service) changed(e org.Event) {
	if e.Host != s.host.Domain {
		return
	}
	switch e.Kind {
	case org.MembershipAsked:
		s.askModerators(e)
	case org.MembershipGranted, org.MembershipDenied:
		s.tellAsker(e)
	case org.GroupCreated, org.MembersChanged:
		s.inviteGuests(e)
	case org.ThemeCreated:
		s.announceTheme(e)
	}
}

// changedInRooms has the rooms that are in memory here follow the changes of groups, on whatever node they are made. It
// is called after each commit, and after changed.
func (s *Service) changedInRooms(e org.Event) {
	if e.Host != s.host.Domain {
		return
	}
	switch e.Kind {
	case org.GroupChanged:
		s.eachOf(e.Group.ID, func(ctx context.Context, k *keeper) { k.reconfigure(ctx) })
	case org.ThemeChanged:
		s.PostLoaded(e.Rooms[0].Local(), in(func(ctx context.Context, k *keeper) { k.themeChanged(ctx, e) }))
	case org.ThemePeople:
		s.PostLoaded(e.Rooms[0].Local(), in(func(ctx context.Context, k *keeper) { k.membersChanged(ctx, e.Members) }))
	case org.ThemeDozes:
		s.PostLoaded(e.Rooms[0].Local(), sleep)
	case org.MembersChanged:
		s.eachOf(e.Group.ID, func(ctx context.Context, k *keeper) { k.membersChanged(ctx, e.Members) })
	case org.GroupDeleted:
		reason := wire.T(wire.NSMUCUser, "reason", "the group was deleted")
		s.eachOf(e.Group.ID, func(ctx context.Context, k *keeper) {
			k.r.End(ctx, wire.E(wire.NSMUCUser, "destroy", reason))
		})
	}
}

// Recheck has the groups' rooms that are in memory look at the rights of all who are in them: this node may not have
// heard of a change.
func (s *Service) Recheck() {
	s.EachLoaded(func(r *muc.Room) bool { return keeperOf(r) != nil }, in(func(ctx context.Context, k *keeper) {
		if !k.reconfigure(ctx) {
			return
		}
		var ms []store.Member
		for _, o := range k.r.Occupants() {
			ms = append(ms, store.Member{JID: o.Person().String()})
		}
		k.membersChanged(ctx, ms)
	}))
}

// in gives what a keeper does as work of its room. It does nothing in a room that is not of a group any more.
func in(do func(ctx context.Context, k *keeper)) func(ctx context.Context, r *muc.Room) {
	return func(ctx context.Context, r *muc.Room) {
		if k := keeperOf(r); k != nil {
			do(ctx, k)
		}
	}
}

// eachOf does something in every room of a group that is in memory.
func (s *Service) eachOf(group string, do func(ctx context.Context, k *keeper)) {
	s.EachLoaded(func(r *muc.Room) bool {
		k := keeperOf(r)
		return k != nil && k.group == group
	}, in(do))
}

// reconfigure takes over what the group or theme says now.
func (k *keeper) reconfigure(ctx context.Context) (certain bool) {
	return k.certain(ctx, k.r.Reconfigure(ctx))
}

// certain restarts the room if err says that it could not find out what has changed: somebody in it may not be allowed
// there any more. It leaves the room of a deleted group alone: the event of that comes next and ends it.
func (k *keeper) certain(ctx context.Context, err error) bool {
	if err == nil {
		return true
	}
	if _, err := k.org.GroupByID(ctx, k.host, k.group); fault.Is(err, fault.NotFound) {
		return false
	}
	k.s.note("a room cannot find out what has changed: everyone has to enter it again", err, "room", k.r.JID().String())
	k.r.Restart(ctx)
	return false
}

// manyMembers is how many people may join a group at once so that each is shown to everyone in its room.
const manyMembers = 50

// membersChanged shows new affiliations, and puts out people who are not in the group any more (XEP-0045, section 9.4:
// status 321, section 9.1: 301).
func (k *keeper) membersChanged(ctx context.Context, ms []store.Member) {
	r := k.r
	for _, m := range ms {
		who, err := jid.Parse(m.JID)
		if err != nil {
			continue
		}
		if len(ms) > manyMembers && !r.IsIn(who) { // hundreds are not shown one by one: clients ask for lists
			r.AffiliationsUnknown()
			continue
		}
		a, err := k.Affiliation(ctx, who)
		if !k.certain(ctx, err) {
			return
		}
		if k.theme != "" && !r.IsIn(who) {
			r.AffiliationNoted(who, a)
			continue // the message about it is in the group's own room
		}
		r.Affiliated(ctx, who, a)
	}
}
