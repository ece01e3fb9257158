package org

import (
	"context"
	"errors"
	"slices"

	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// MaxUnread is up to how many unread messages of a room are counted.
const MaxUnread = 200

// maxFree is how many free rooms are looked at.
const maxFree = 200

// RoomNews is a room of a person with what they have not read in it.
type RoomNews struct {
	Room     jid.JID
	Free     string       // of a free room: its name in the person's bookmarks
	Group    store.Group  // zero for a free room
	Theme    *store.Theme // nil: the group's own room
	Mentions int          // how many of the unread messages mention the person
	store.News
}

// Name gives the room's name, with its group if it is a theme's.
func (r *RoomNews) Name() string {
	switch {
	case r.Free != "":
		return r.Free
	case r.Theme != nil:
		return themeName(r.Group, r.Theme.Name)
	}
	return r.Group.Name
}

// News gives, the latest first, the rooms of a person's groups and readable themes that have messages, and the free
// rooms that the person belongs to or has bookmarked. Messages from before the person was added do not count as unread.
// With unread it gives only rooms with unread messages.
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
		if errors.Is(err, store.ErrNotFound) { // they have left meanwhile
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
			// from before they were a member
			if g.SinceJoin && m.Role == store.RoleMember && r.Last.ID < store.FirstID(m.Since) {
				continue
			}
			if err := o.mentioned(ctx, host, who, &r); err != nil {
				return nil, err
			}
			all = append(all, r)
		}
	}
	if all, err = o.freeNews(ctx, host, who, read, unread, all); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b RoomNews) int { return int(min(1, max(-1, b.Last.ID-a.Last.ID))) })
	return all, nil
}

// mentioned counts the mentions among the unread messages.
func (o *Org) mentioned(ctx context.Context, host string, who jid.JID, r *RoomNews) error {
	if r.Unread == 0 {
		return nil
	}
	ids, err := o.st.Mentions(ctx, host, who.Local(), r.Room.String(), r.Since, MaxUnread)
	r.Mentions = len(ids)
	return err
}

// freeNews adds the free rooms.
func (o *Org) freeNews(ctx context.Context, host string, who jid.JID, read map[string]store.ID, unread bool,
	all []RoomNews) ([]RoomNews, error) {
	fs, err := o.st.FreeRooms(ctx, host, o.RoomDomain(host), who.Local(), maxFree)
	if err != nil {
		return nil, err
	}
	for _, f := range fs {
		r := RoomNews{Room: o.RoomJID(host, f.Name), Free: f.Title}
		if r.Free == "" {
			r.Free = r.Room.Name() + "@" + r.Room.Domain()
		}
		after := max(read[r.Room.String()], store.FirstID(f.Since), f.From-1)
		r.News, err = o.st.RoomNews(ctx, o.RoomDomain(host), f.Name, who.String(), after, MaxUnread)
		if errors.Is(err, store.ErrNotFound) || err == nil && (unread && r.Unread == 0 || r.Last.ID < f.From) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := o.mentioned(ctx, host, who, &r); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// readable gives the rooms of a group that a person may read, without their news.
func (o *Org) readable(ctx context.Context, host string, g store.Group, who jid.JID) ([]RoomNews, error) {
	s, err := o.state(ctx, host, g.ID)
	if fault.Is(err, fault.NotFound) {
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
