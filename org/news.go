package org

import (
	"cmp"
	"context"
	"slices"

	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// MaxUnread is up to how many unread messages of a room are counted.
const MaxUnread = 200

// maxFree is how many free rooms are looked at.
const maxFree = 1000

// RoomNews is a room of a person with what they have not read in it.
type RoomNews struct {
	Room     jid.JID
	Free     string       // of a free room: its name in the person's bookmarks
	Group    store.Group  // zero for a free room
	Theme    *store.Theme // nil: the group's own room
	Mentions int          // how many of the unread messages mention the person
	store.News

	after store.ID // messages up to this one do not count as unread
	first store.ID // the first that the person may read
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
// With unread it gives only rooms with unread messages. It runs as many statements for many rooms as for few.
func (o *Org) News(ctx context.Context, host string, who jid.JID, unread bool) ([]RoomNews, error) {
	who = who.Bare()
	if who.Domain() != host {
		return nil, nil
	}
	ds, err := o.st.Displayed(ctx, host, who.Local())
	if err != nil {
		return nil, err
	}
	read := make(map[string]store.ID, len(ds))
	for _, d := range ds {
		read[d.Chat] = d.ID
	}
	all, err := o.groupRooms(ctx, host, who, read)
	if err != nil {
		return nil, err
	}
	free, err := o.freeRooms(ctx, host, who, read)
	if err != nil {
		return nil, err
	}
	if all, err = o.withNews(ctx, host, who, append(all, free...), unread); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b RoomNews) int { return cmp.Compare(b.Last.ID, a.Last.ID) })
	return all, nil
}

// groupRooms gives the readable rooms of a person's groups, without their news.
func (o *Org) groupRooms(ctx context.Context, host string, who jid.JID, read map[string]store.ID) ([]RoomNews, error) {
	gs, err := o.GroupsOf(ctx, host, who)
	if err != nil {
		return nil, err
	}
	ms, err := o.st.Memberships(ctx, host, who.String())
	if err != nil {
		return nil, err
	}
	var all []RoomNews
	for _, g := range gs {
		m, ok := ms[g.ID]
		if !ok { // they have left meanwhile
			continue
		}
		rooms, err := o.readable(ctx, host, g, who)
		if err != nil {
			return nil, err
		}
		for _, r := range rooms {
			added := store.FirstID(m.Since)
			r.after = max(read[r.Room.String()], added)
			if g.SinceJoin && m.Role == store.RoleMember {
				r.first = added
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// freeRooms gives the free rooms of a person, without their news.
func (o *Org) freeRooms(ctx context.Context, host string, who jid.JID, read map[string]store.ID) ([]RoomNews, error) {
	fs, err := o.st.FreeRooms(ctx, host, o.RoomDomain(host), who.Local(), maxFree)
	if err != nil {
		return nil, err
	}
	all := make([]RoomNews, 0, len(fs))
	for _, f := range fs {
		r := RoomNews{Room: o.RoomJID(host, f.Name), Free: f.Title, first: f.From}
		if r.Free == "" {
			r.Free = r.Room.Name() + "@" + r.Room.Domain()
		}
		r.after = max(read[r.Room.String()], store.FirstID(f.Since), f.From-1)
		all = append(all, r)
	}
	return all, nil
}

// withNews adds the news to rooms, and leaves out those without a message that the person may read and, with unread,
// those where the person has read everything.
func (o *Org) withNews(ctx context.Context, host string, who jid.JID, all []RoomNews, unread bool) ([]RoomNews, error) {
	after := make(map[string]store.ID, len(all))
	for i := range all {
		after[all[i].Room.Local()] = all[i].after
	}
	news, err := o.st.NewsOf(ctx, o.RoomDomain(host), who.String(), after, MaxUnread)
	if err != nil {
		return nil, err
	}
	since := make(map[string]store.ID)
	kept := all[:0]
	for _, r := range all {
		n, ok := news[r.Room.Local()]
		if !ok || n.Last.ID < r.first || unread && n.Unread == 0 {
			continue
		}
		r.News = n
		if n.Unread > 0 {
			since[r.Room.String()] = n.Since
		}
		kept = append(kept, r)
	}
	mentions, err := o.st.CountMentions(ctx, host, who.Local(), since)
	for i := range kept {
		kept[i].Mentions = min(mentions[kept[i].Room.String()], MaxUnread)
	}
	return kept, err
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
