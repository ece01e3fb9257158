package org

import (
	"context"
	"errors"

	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// Place is a room of a group or of a theme as one person finds it.
type Place struct {
	Room   jid.JID
	Group  store.Group
	Theme  *store.Theme // nil: the group's own room
	Access Access
	Starts bool // the person may start themes in the group
}

// Addressed says whether the person sees the addresses of others here.
func (p *Place) Addressed() bool { return ShowsAddresses(p.Group, p.Access) }

// Reacts says whether the person may react to messages here.
func (p *Place) Reacts() bool {
	if p.Access.Manages() {
		return true
	}
	open := p.Theme == nil || p.Theme.Closed.IsZero()
	return open && p.Access.Affiliation == Member && p.Group.ReactBy != "moderators"
}

// Places gives the rooms of all groups that a person is a member of, and of their themes, as far as the person may read
// them. Archived themes are left out.
func (o *Org) Places(ctx context.Context, host string, who jid.JID) (all []Place, err error) {
	gs, err := o.GroupsOf(ctx, host, who)
	if err != nil {
		return nil, err
	}
	for _, g := range gs {
		some, err := o.PlacesIn(ctx, host, g.ID, who)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// PlacesIn is Places for one group, with a person who need not be its member. It is empty if the group does not exist.
func (o *Org) PlacesIn(ctx context.Context, host, group string, who jid.JID) (all []Place, err error) {
	s, err := o.state(ctx, host, group)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !s.group.Deleted.IsZero() {
		return nil, nil
	}
	starts := o.MayCreateTheme(ctx, host, group, who) == nil
	for _, key := range append([]string{""}, s.order...) {
		a, err := o.Access(ctx, host, group, key, who)
		if err != nil {
			return nil, err
		}
		if !a.Read || key != "" && s.themes[key].Archived {
			continue
		}
		all = append(all, o.place(s, key, a, starts))
	}
	return all, nil
}

func (o *Org) place(s *state, key string, a Access, starts bool) Place {
	p := Place{Room: o.RoomJID(s.group.Host, s.group.Room), Group: s.group, Access: a, Starts: starts}
	if key != "" {
		t := s.themes[key].Theme
		p.Theme, p.Room = &t, o.RoomJID(s.group.Host, t.Room)
	}
	return p
}

// PlaceOf gives a room as a person finds it; NotFound if there is no such room of a group, or if the person may not
// know of it. Somebody who only knows of it may not read it: Access says so.
func (o *Org) PlaceOf(ctx context.Context, host string, room, who jid.JID) (Place, error) {
	missing := fault.New(fault.NotFound, "", "no such conversation")
	if room.Domain() != o.RoomDomain(host) {
		return Place{}, missing
	}
	of, err := o.belongs(ctx, room)
	if err != nil {
		return Place{}, notFound(err, "no such conversation")
	}
	s, err := o.state(ctx, host, of.group)
	if err != nil {
		return Place{}, err
	}
	if !s.group.Deleted.IsZero() || of.theme != "" && s.themes[of.theme] == nil {
		return Place{}, missing
	}
	a, err := o.Access(ctx, host, of.group, of.theme, who)
	if err != nil {
		return Place{}, err
	}
	if !a.Know {
		return Place{}, missing
	}
	return o.place(s, of.theme, a, o.MayCreateTheme(ctx, host, of.group, who) == nil), nil
}

// belonging says which group a room is of, and which theme; the key is "" for the group's own room.
type belonging struct{ group, theme string }

// belongs gives the group of a room, which never changes; ErrNotFound if the room is not a group's.
func (o *Org) belongs(ctx context.Context, room jid.JID) (of belonging, err error) {
	if of, ok := o.rooms.Get(room); ok {
		return of, nil
	}
	r, err := o.st.Room(ctx, room.Domain(), room.Local())
	if err != nil {
		return of, err
	}
	if r.Group == "" || !r.Destroyed.IsZero() {
		return of, store.ErrNotFound
	}
	of = belonging{r.Group, r.Theme}
	o.rooms.Put(room, of)
	return of, nil
}

// UnreadAfter gives how many messages of a room follow one that a person has read, and how many of them mention the
// person. Both are at most MaxUnread.
func (o *Org) UnreadAfter(ctx context.Context, host string, room, who jid.JID,
	read store.ID) (unread, mentions int, err error) {
	who = who.Bare()
	news, err := o.st.RoomNews(ctx, room.Domain(), room.Local(), who.String(), read, MaxUnread)
	if errors.Is(err, store.ErrNotFound) || err == nil && news.Unread == 0 {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	ids, err := o.st.Mentions(ctx, host, who.Local(), room.String(), read, MaxUnread)
	return news.Unread, len(ids), err
}
