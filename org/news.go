package org

import (
	"context"
	"errors"
	"slices"

	"parley/store"
	"parley/wire/jid"
)

// MaxUnread is the most unread messages of one room that are counted.
const MaxUnread = 200

// RoomNews is a room of a person's groups with what they have not read in it: "missed activity".
type RoomNews struct {
	Room     jid.JID
	Group    store.Group
	Theme    *store.Theme // nil: the group's own room
	Mentions int          // of the unread ones, in how many the person was mentioned
	store.News
}

// News gives the rooms of a person's groups and of the themes they may read in which something was ever said, the latest
// first. Nothing counts as unread that was there before the person was. With unread only rooms with something unread.
func (o *Org) News(ctx context.Context, host string, who jid.JID, unread bool) ([]RoomNews, error) {
	who = who.Bare()
	gs, err := o.GroupsOf(ctx, host, who)
	if err != nil || who.Domain() != host {
		return nil, err
	}
	ds, err := o.st.Displayed(ctx, host, who.Local())
	if err != nil {
		return nil, err
	}
	read := make(map[string]store.ID, len(ds))
	for _, d := range ds {
		read[d.Chat] = d.ID
	}
	var all []RoomNews
	for _, g := range gs {
		rooms, err := o.readable(ctx, host, g, who)
		if err != nil {
			return nil, err
		}
		m, err := o.st.Member(ctx, host, g.ID, who.String())
		if errors.Is(err, store.ErrNotFound) { // has left meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, r := range rooms {
			after := max(read[r.Room.String()], store.FirstID(m.Since))
			r.News, err = o.st.RoomNews(ctx, o.RoomDomain(host), r.Room.Local(), who.String(), after, MaxUnread)
			if errors.Is(err, store.ErrNotFound) || err == nil && unread && r.Unread == 0 {
				continue
			}
			if err != nil {
				return nil, err
			}
			if g.SinceJoin && m.Role == store.RoleMember && r.Last.ID < store.FirstID(m.Since) { // said before they were in
				continue
			}
			if r.Unread > 0 {
				ids, err := o.st.Mentions(ctx, host, who.Local(), r.Room.String(), r.Since, MaxUnread)
				if err != nil {
					return nil, err
				}
				r.Mentions = len(ids)
			}
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b RoomNews) int { return int(min(1, max(-1, b.Last.ID-a.Last.ID))) })
	return all, nil
}

// readable are the rooms of a group that a person may read, without what is new in them.
func (o *Org) readable(ctx context.Context, host string, g store.Group, who jid.JID) ([]RoomNews, error) {
	s, err := o.state(ctx, host, g.ID)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var rooms []RoomNews
	for _, key := range append([]string{""}, s.order...) {
		a, err := o.Affiliation(ctx, host, g.ID, key, who)
		if err != nil || a == None || a == Outcast {
			continue
		}
		r := RoomNews{Group: g, Room: o.RoomJID(host, g.Room)}
		if key != "" {
			t := s.themes[key].Theme
			r.Theme, r.Room = &t, o.RoomJID(host, t.Room)
		}
		rooms = append(rooms, r)
	}
	return rooms, nil
}
