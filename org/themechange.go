package org

import (
	"context"
	"slices"
	"time"

	"parley/store"
	"parley/wire/jid"
)

// inTheme says that a person, who may be nobody, is in a restricted theme.
func (s *state) inTheme(t *themeState, who jid.JID) bool {
	a, _ := s.affiliation(t.Key, who.Bare())
	return a != None && a != Outcast
}

// theme finds a theme and its group; called with change held.
func (o *Org) theme(ctx context.Context, host, key string) (*state, *themeState, error) {
	t, err := o.st.Theme(ctx, host, key)
	if err != nil {
		return nil, nil, notFound(err, "there is no theme "+key)
	}
	s, err := o.state(ctx, host, t.Group)
	if err != nil {
		return nil, nil, err
	}
	if s.themes[key] == nil {
		return nil, nil, &Error{NotFound, "", "there is no theme " + key}
	}
	return s, s.themes[key], nil
}

// MayManageTheme says whether a person may close, open and rename a theme: moderators, and who has created it as long
// as they are in it.
func (o *Org) MayManageTheme(ctx context.Context, host, key string, who jid.JID) error {
	s, t, err := o.theme(ctx, host, key)
	if err != nil {
		return err
	}
	a, err := o.Affiliation(ctx, host, s.group.ID, key, who)
	switch {
	case err != nil:
		return err
	case a == Owner || a == Admin:
		return nil
	case a == Member && t.Creator == who.Bare().String():
		return nil
	}
	return &Error{Forbidden, "", "only moderators, and who has created it, may do this"}
}

// States of a theme.
const (
	ThemeOpen     = "open"
	ThemeClosed   = "closed"   // can be read, and nobody writes
	ThemeArchived = "archived" // closed, and in nobody's list any more
)

// StateOf gives a theme's state.
func StateOf(t store.Theme) string {
	switch {
	case t.Archived:
		return ThemeArchived
	case !t.Closed.IsZero():
		return ThemeClosed
	}
	return ThemeOpen
}

// CloseTheme ends the conversation: nobody writes there any more, everybody who could read it can. With open it goes on.
func (o *Org) CloseTheme(ctx context.Context, host, key string, open bool) error {
	if open {
		return o.SetThemeState(ctx, host, key, ThemeOpen, jid.JID{})
	}
	return o.SetThemeState(ctx, host, key, ThemeClosed, jid.JID{})
}

// SetThemeState opens, closes or archives a theme; actor is told of as who did it and may be nobody.
func (o *Org) SetThemeState(ctx context.Context, host, key, to string, actor jid.JID) error {
	o.change.Lock()
	defer o.change.Unlock()
	s, was, err := o.theme(ctx, host, key)
	if err != nil {
		return err
	}
	t := was.Theme
	if StateOf(t) == to {
		return nil
	}
	switch to {
	case ThemeOpen:
		t.Closed, t.Archived = time.Time{}, false
	case ThemeClosed, ThemeArchived:
		if t.Closed.IsZero() {
			t.Closed = time.Now().UTC()
		}
		t.Archived = to == ThemeArchived
	default:
		return &Error{Invalid, "state", "is open, closed or archived"}
	}
	if err := o.st.UpdateTheme(ctx, t); err != nil {
		return err
	}
	o.drop(host, t.Group)
	room := o.RoomJID(host, t.Room)
	o.tell(Event{Kind: ThemeChanged, Host: host, Group: s.group, Theme: &t, Rooms: []jid.JID{room}, Actor: actor})
	if t.Archived {
		users, err := o.st.DropBookmarks(ctx, host, room.String())
		if err != nil {
			return err
		}
		o.tell(Event{Kind: BookmarksGone, Host: host, Group: s.group, Theme: &t, Rooms: []jid.JID{room}, Left: users})
	}
	return nil
}

// RenameTheme gives a theme another name, in the bookmarks of those too who have not named it themselves.
func (o *Org) RenameTheme(ctx context.Context, host, key, name string, actor jid.JID) (store.Theme, error) {
	name, err := checkName("name", name)
	if err != nil {
		return store.Theme{}, err
	}
	o.change.Lock()
	defer o.change.Unlock()
	s, was, err := o.theme(ctx, host, key)
	if err != nil {
		return store.Theme{}, err
	}
	t := was.Theme
	if t.Name == name {
		return t, nil
	}
	for _, x := range s.themes {
		if x.Name == name && x.Closed.IsZero() && (!x.Restricted || s.inTheme(x, actor)) {
			return t, &Error{Exists, "name", "there is a theme of this name: " + o.RoomJID(host, x.Room).String()}
		}
	}
	t.Name = name
	if err := o.st.UpdateTheme(ctx, t); err != nil {
		return t, err
	}
	o.drop(host, t.Group)
	return t, o.renamed(ctx, Event{Kind: ThemeChanged, Host: host, Group: s.group, Theme: &t, Rooms: []jid.JID{o.RoomJID(host, t.Room)}, Actor: actor},
		themeName(s.group, was.Name), themeName(s.group, name))
}

// renamed writes the new name into bookmarks of the event's one room, of those who may know of it, and tells everyone: a
// bookmark may be of somebody who is in the group no more.
func (o *Org) renamed(ctx context.Context, e Event, old, name string) error {
	room, theme := e.Rooms[0].String(), ""
	if e.Theme != nil {
		theme = e.Theme.Key
	}
	users, err := o.st.Bookmarkers(ctx, e.Host, room, old)
	if err == nil {
		users, err = o.knowing(ctx, e.Host, e.Group.ID, theme, users)
	}
	for some := range slices.Chunk(users, 500) {
		if err != nil {
			break
		}
		var done []string
		done, err = o.st.RenameBookmarks(ctx, e.Host, room, old, name, some)
		e.Renamed = append(e.Renamed, done...)
	}
	o.tell(e)
	return err
}

// knowing gives those of some accounts that may know of a group, or of a theme in it.
func (o *Org) knowing(ctx context.Context, host, group, theme string, users []string) (some []string, err error) {
	for _, u := range users {
		j, err := jid.New(u, host, "")
		if err != nil {
			continue
		}
		if ok, err := o.Visible(ctx, host, group, theme, j); err != nil {
			return nil, err
		} else if ok {
			some = append(some, u)
		}
	}
	return some, nil
}

// ThemePeople lists who is in a theme by more than its group: of a restricted one the list, guests, who is banned in it.
func (o *Org) ThemePeople(ctx context.Context, host, key string) ([]store.Member, error) {
	return o.st.ThemeList(ctx, host, key)
}

// SetThemePeople changes who is in a theme beyond what its group says: of a restricted one the list (member), in any
// guests of outside where the group has them, who is banned in it. Role "" takes a person off.
func (o *Org) SetThemePeople(ctx context.Context, host, key string, ms []store.Member) error {
	o.change.Lock()
	defer o.change.Unlock()
	s, t, err := o.theme(ctx, host, key)
	if err != nil {
		return err
	}
	e := Event{Kind: ThemePeople, Host: host, Group: s.group, Theme: &t.Theme, Rooms: []jid.JID{o.RoomJID(host, t.Room)}}
	for _, m := range ms {
		j, err := jid.Parse(m.JID)
		if err != nil || j.Local() == "" {
			return &Error{Invalid, "member", m.JID + " is no address of a person"}
		}
		role, err := o.themeRole(ctx, s, t, j, m.Role)
		if err != nil {
			return err
		}
		if t.people[j] == role {
			continue
		}
		was := s.inTheme(t, j)
		m = store.Member{JID: j.String(), Role: role, Since: time.Now().UTC()}
		e.Members = append(e.Members, m)
		now := role == store.RoleMember || role == store.RoleGuest || role == "" && !t.Restricted && inGroup(s.members[j])
		if j.Domain() == host && now && !was {
			e.Joined = append(e.Joined, j.Local())
		} else if j.Domain() == host && was && !now {
			e.Left = append(e.Left, j.Local())
		}
	}
	if len(e.Members) == 0 {
		return nil
	}
	b := o.bookmark(host, t.Room, themeName(s.group, t.Name))
	if err := o.st.ChangeThemeList(ctx, host, key, e.Members, e.Joined, e.Left, b); err != nil {
		return err
	}
	o.drop(host, s.group.ID)
	o.tell(e)
	return nil
}

func inGroup(role string) bool { return role != "" && role != store.RoleBanned }

// themeRole says what a person's row in a theme's list is to be.
func (o *Org) themeRole(ctx context.Context, s *state, t *themeState, who jid.JID, role string) (string, error) {
	mine := s.members[who]
	switch role {
	case "":
		return "", nil
	case store.RoleBanned:
		if mine == store.RoleOwner || mine == store.RoleModerator {
			return "", &Error{Forbidden, "member", "moderators and owners of the group are in all its themes"}
		}
		return role, nil
	case store.RoleMember, store.RoleGuest:
	default:
		return "", &Error{Invalid, "role", "is member or banned"}
	}
	switch {
	case mine == store.RoleBanned:
		return "", &Error{Forbidden, "member", who.String() + " is banned from the group"}
	case mine != "" && !t.Restricted:
		return "", nil // is in it by the group
	case mine != "":
		return store.RoleMember, nil
	case !s.group.Guests:
		return "", &Error{Forbidden, "member", who.String() + " is not in the group, and its themes have no guests"}
	}
	return store.RoleGuest, o.people(ctx, s.group, []store.Member{{JID: who.String()}})
}
