package org

import (
	"context"
	"errors"
	"time"

	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// People follow themes by their bookmarks: clients enter the rooms that are bookmarked with autojoin by themselves, so
// clients need to know nothing of themes.

// wakeAtMost is the shortest time between two wakings of a person by one theme.
const wakeAtMost = time.Hour

// ThemeOfRoom gives the theme of a room; NotFound if the room is not a theme's.
func (o *Org) ThemeOfRoom(ctx context.Context, host string, room jid.JID) (store.Theme, error) {
	if room.Domain() != o.RoomDomain(host) {
		return store.Theme{}, fault.New(fault.NotFound, "", "no theme")
	}
	r, err := o.st.Room(ctx, room.Domain(), room.Local())
	if err != nil {
		return store.Theme{}, notFound(err, "no theme")
	}
	if r.Theme == "" {
		return store.Theme{}, fault.New(fault.NotFound, "", "no theme")
	}
	return o.Theme(ctx, host, r.Theme)
}

// Follow sets whether a person follows a theme: store.FollowYes, FollowMuted or FollowAuto. Their clients then enter
// its room by themselves, or no longer do.
func (o *Org) Follow(ctx context.Context, host, key, name, state string) error {
	switch state {
	case store.FollowYes, store.FollowMuted, store.FollowAuto:
	default:
		return fault.At(fault.Invalid, "state", "is following, muted or auto")
	}
	j, err := jid.New(name, host, "")
	if err != nil {
		return fault.New(fault.Invalid, "", "no such account")
	}
	s, t, err := o.theme(ctx, host, key)
	if err != nil {
		return err
	}
	if a, err := o.Access(ctx, host, s.group.ID, key, j); err != nil {
		return err
	} else if !a.Read {
		return fault.New(fault.Forbidden, "", "you are not in this theme")
	}
	if err := o.bookmarks.Take(ctx); err != nil {
		return err
	}
	defer o.bookmarks.Free()
	if err := o.st.SetFollow(ctx, host, key, name, state); err != nil {
		return err
	}
	return o.mark(ctx, s, &t.Theme, name, state != store.FollowMuted)
}

// mark writes whether a person's clients enter a theme's room, and tells it.
func (o *Org) mark(ctx context.Context, s *state, t *store.Theme, name string, autojoin bool) error {
	host, room := t.Host, o.RoomJID(t.Host, t.Room)
	b := o.bookmark(host, t.Room, themeName(s.group, t.Name))
	bs, err := o.st.Bookmarks(ctx, host, name)
	if err != nil {
		return err
	}
	found := false
	for i := range bs {
		if bs[i].Room == room.String() {
			b, found = bs[i], true
		}
	}
	if found && b.Autojoin == autojoin || !found && !autojoin {
		return nil
	}
	b.Autojoin, b.Updated = autojoin, o.now()
	if err := o.st.SetBookmarks(ctx, host, name, 0, b); err != nil {
		return err
	}
	o.tell(Event{
		Kind:    BookmarksChanged,
		Host:    host,
		Group:   s.group,
		Theme:   t,
		Rooms:   []jid.JID{room},
		Renamed: []string{name},
	})
	return nil
}

// TookPart makes a person who wrote in a theme follow it, whatever they chose before.
func (o *Org) TookPart(ctx context.Context, host, key, name string) error {
	state, _, err := o.st.Follow(ctx, host, key, name)
	if err != nil || state == store.FollowYes {
		return err
	}
	return o.Follow(ctx, host, key, name, store.FollowYes)
}

// Marked handles a change of a bookmark by a person's client: was and is say whether clients enter the room by
// themselves. A person who turns that off has left the theme on purpose.
func (o *Org) Marked(ctx context.Context, host, name string, room jid.JID, was, is bool) error {
	if was == is {
		return nil
	}
	t, err := o.ThemeOfRoom(ctx, host, room)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	state, _, err := o.st.Follow(ctx, host, t.Key, name)
	switch {
	case err != nil:
		return err
	case !is:
		return o.st.SetFollow(ctx, host, t.Key, name, store.FollowMuted)
	case state != store.FollowAuto:
		return o.st.SetFollow(ctx, host, t.Key, name, store.FollowYes)
	}
	return nil
}

// DozeIdle makes people dormant in themes without messages since idle: their clients no longer enter the room until
// somebody writes. People who have taken part are not affected.
func (o *Org) DozeIdle(ctx context.Context, host string, idle time.Time) error {
	for after := ""; ; {
		gs, err := o.st.Groups(ctx, host, after, 200)
		if err != nil {
			return err
		}
		for _, g := range gs {
			after = g.Slug
			ts, err := o.st.Themes(ctx, host, g.ID)
			if err != nil {
				return err
			}
			for i := range ts {
				if err := o.dozeTheme(ctx, g, &ts[i], idle); err != nil {
					return err
				}
			}
		}
		if len(gs) < 200 {
			return nil
		}
	}
}

func (o *Org) dozeTheme(ctx context.Context, g store.Group, t *store.Theme, idle time.Time) error {
	if t.Archived || t.Created.After(idle) {
		return nil
	}
	_, last, err := o.st.RoomBounds(ctx, o.RoomDomain(g.Host), t.Room)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && last.Time().After(idle) {
		return nil
	}
	if err := o.bookmarks.Take(ctx); err != nil {
		return err
	}
	defer o.bookmarks.Free()
	room := o.RoomJID(g.Host, t.Room)
	users, err := o.st.Doze(ctx, g.Host, t.Key, room.String())
	if err != nil || len(users) == 0 {
		return err
	}
	o.tell(Event{Kind: ThemeDozes, Host: g.Host, Group: g, Theme: t, Rooms: []jid.JID{room}, Renamed: users})
	return nil
}

// WakeTheme wakes the dormant people of a theme, because somebody wrote in it. more says that some stay dormant because
// they were woken too recently.
func (o *Org) WakeTheme(ctx context.Context, host, key string) (more bool, err error) {
	if err := o.bookmarks.Take(ctx); err != nil {
		return false, err
	}
	defer o.bookmarks.Free()
	s, t, err := o.theme(ctx, host, key)
	if err != nil {
		return false, err
	}
	room := o.RoomJID(host, t.Room)
	users, left, err := o.st.Wake(ctx, host, key, room.String(), o.now().Add(-wakeAtMost))
	if err != nil || len(users) == 0 {
		return left > 0, err
	}
	o.tell(Event{
		Kind:    BookmarksChanged,
		Host:    host,
		Group:   s.group,
		Theme:   &t.Theme,
		Rooms:   []jid.JID{room},
		Renamed: users,
	})
	return left > 0, nil
}

// Dormant says whether a theme has dormant people.
func (o *Org) Dormant(ctx context.Context, host, key string) (bool, error) {
	n, err := o.st.Dormant(ctx, host, key)
	return n > 0, err
}

// AssertMandatory makes a person's clients enter mandatory groups again that they were told not to enter; at most once
// a day.
func (o *Org) AssertMandatory(ctx context.Context, host, name string) error {
	bs, err := o.st.MandatoryRooms(ctx, host, name)
	if err != nil || len(bs) == 0 {
		return err
	}
	key := "mandatory/" + name
	if b, err := o.st.Get(ctx, host, key); err == nil {
		if at, err := time.Parse(time.RFC3339, string(b)); err == nil && o.now().Sub(at) < 24*time.Hour {
			return nil
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := o.st.Put(ctx, host, key, []byte(o.now().Format(time.RFC3339))); err != nil {
		return err
	}
	if err := o.st.SetBookmarks(ctx, host, name, 0, bs...); err != nil {
		return err
	}
	o.bookmarks.Lock() // it is kept, so it is told
	defer o.bookmarks.Free()
	for _, b := range bs {
		o.tell(Event{
			Kind:    BookmarksChanged,
			Host:    host,
			Rooms:   []jid.JID{jid.MustParse(b.Room)},
			Renamed: []string{name},
		})
	}
	return nil
}

// Followed is a theme with the way in which a person follows it; FollowSleep appears as FollowAuto.
type Followed struct {
	Group store.Group
	Theme store.Theme
	State string
}

// Following gives the themes of a person's groups that they may read, without archived ones, group by group.
func (o *Org) Following(ctx context.Context, host string, who jid.JID) ([]Followed, error) {
	gs, err := o.GroupsOf(ctx, host, who)
	if err != nil {
		return nil, err
	}
	var out []Followed
	for _, g := range gs {
		ts, err := o.Themes(ctx, host, g.ID, who)
		if fault.Is(err, fault.NotFound) { // deleted meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, t := range ts {
			if a, err := o.Access(ctx, host, g.ID, t.Key, who); err != nil {
				return nil, err
			} else if !a.Read {
				continue
			}
			state, _, err := o.st.Follow(ctx, host, t.Key, who.Local())
			if err != nil {
				return nil, err
			}
			if state == store.FollowSleep {
				state = store.FollowAuto
			}
			out = append(out, Followed{g, t, state})
		}
	}
	return out, nil
}
