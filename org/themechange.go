package org

import (
	"context"
	"slices"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// inTheme says whether a person (zero: nobody) is in a restricted theme.
func (s *state) inTheme(t *themeState, who jid.JID) bool {
	a, _ := s.affiliation(t.Key, who.Bare())
	return a != None && a != Outcast
}

// theme finds a theme and its group.
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
		return nil, nil, fault.New(fault.NotFound, "", "there is no theme "+key)
	}
	return s, s.themes[key], nil
}

// theme is Org.theme with the group locked.
func (c *change) theme(ctx context.Context, host, key string) (*state, *themeState, error) {
	t, err := c.o.st.Theme(ctx, host, key)
	if err != nil {
		return nil, nil, notFound(err, "there is no theme "+key)
	}
	if _, err := c.lock(ctx, host, t.Group); err != nil {
		return nil, nil, err
	}
	return c.o.theme(ctx, host, key)
}

// mustManageTheme is MayManageTheme for an actor; NotFound if the actor may not know of the theme.
func (o *Org) mustManageTheme(ctx context.Context, by acts.Actor, s *state, key string) error {
	if _, err := o.standing(ctx, by, s.group.Host, s.group.ID, key); err != nil || by.Machine() {
		return err
	}
	return o.MayManageTheme(ctx, s.group.Host, key, by.Who)
}

// MayManageTheme returns nil if a person may close, open and rename a theme: moderators, and the creator as long as
// they may write in it.
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
	case a == Member && t.Creator == who.Bare().String() && !RulesOf(s.group).Moderated:
		return nil
	}
	return fault.New(fault.Forbidden, "", "only moderators and the theme's creator may do this")
}

// ThemeOpen, ThemeClosed and ThemeArchived are the states of a theme.
const (
	ThemeOpen     = "open"
	ThemeClosed   = "closed"   // people can read it, and nobody can write
	ThemeArchived = "archived" // closed, and not listed any more
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

// ThemeChange is a change of a theme; nil: unchanged. API and pages are made of it.
type ThemeChange struct {
	Name *string `json:"name,omitempty" label:"Name" maxLength:"100"`
	// ThemeOpen, ThemeClosed or ThemeArchived
	State *string `json:"state,omitempty" label:"State" enum:"open,closed,archived"`
}

// ChangeTheme is RenameTheme and SetThemeState in one act: both happen, or none.
func (o *Org) ChangeTheme(ctx context.Context, by acts.Actor, host, key string,
	ch ThemeChange) (t store.Theme, err error) {
	err = o.act(ctx, host, by, func(ctx context.Context, _ *change) error {
		if ch.Name != nil {
			if _, err := o.RenameTheme(ctx, by, host, key, *ch.Name); err != nil {
				return err
			}
		}
		if ch.State != nil {
			if err := o.SetThemeState(ctx, by, host, key, *ch.State); err != nil {
				return err
			}
		}
		t, err = o.Theme(ctx, host, key)
		return err
	})
	return t, err
}

// SetThemeState opens, closes or archives a theme. A closed theme can be read by the same people, but not written in.
// Moderators and the creator may; only moderators may archive.
func (o *Org) SetThemeState(ctx context.Context, by acts.Actor, host, key, to string) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, was, err := c.theme(ctx, host, key)
		if err != nil {
			return err
		}
		if err := o.mustManageTheme(ctx, by, s, key); err != nil {
			return err
		}
		t := was.Theme
		if StateOf(t) == to {
			c.keeps(s)
			return nil
		}
		switch to {
		case ThemeOpen:
			t.Closed, t.Archived = time.Time{}, false
		case ThemeClosed, ThemeArchived:
			if t.Closed.IsZero() {
				t.Closed = o.now()
			}
			t.Archived = to == ThemeArchived
		default:
			return fault.At(fault.Invalid, "state", "is open, closed or archived")
		}
		return o.setThemeState(ctx, c, s, was.Theme, t)
	})
}

func (o *Org) setThemeState(ctx context.Context, c *change, s *state, was, t store.Theme) error {
	if t.Archived || was.Archived {
		if err := o.mustManage(ctx, c.By, t.Host, t.Group, t.Key); err != nil {
			return err
		}
	}
	if err := o.st.UpdateTheme(ctx, t); err != nil {
		return err
	}
	c.drop(t.Host, t.Group)
	d := make(acts.Detail)
	acts.Was(d, "state", StateOf(was), StateOf(t))
	c.Note(acts.ThemeState, s.group.Slug+"/"+t.Key, d)
	room := o.RoomJID(t.Host, t.Room)
	c.tell(Event{
		Kind:  ThemeChanged,
		Host:  t.Host,
		Group: s.group,
		Theme: &t,
		Rooms: []jid.JID{room},
		Actor: creator(c.By),
	})
	if t.Archived {
		users, err := o.st.DropBookmarks(ctx, t.Host, room.String())
		if err != nil {
			return err
		}
		c.tell(Event{Kind: BookmarksGone, Host: t.Host, Group: s.group, Theme: &t, Rooms: []jid.JID{room}, Left: users})
	}
	return nil
}

// RenameTheme renames a theme, also in the bookmarks of people who have not renamed them. Moderators and the creator
// may do this.
func (o *Org) RenameTheme(ctx context.Context, by acts.Actor, host, key, name string) (t store.Theme, err error) {
	if name, err = checkName("name", name); err != nil {
		return t, err
	}
	err = o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, was, err := c.theme(ctx, host, key)
		if err != nil {
			return err
		}
		t = was.Theme
		if err := o.mustManageTheme(ctx, by, s, key); err != nil {
			return err
		}
		if t.Name == name {
			c.keeps(s)
			return nil
		}
		for _, x := range s.themes {
			if x.Name == name && x.Closed.IsZero() && (!x.Restricted || s.inTheme(x, by.Who)) {
				return fault.At(fault.Exists, "name",
					"there is a theme of this name: "+o.RoomJID(host, x.Room).String())
			}
		}
		t.Name = name
		if err := o.st.UpdateTheme(ctx, t); err != nil {
			return err
		}
		c.drop(host, t.Group)
		d := make(acts.Detail)
		acts.Was(d, "name", was.Name, name)
		c.Note(acts.ThemeRename, s.group.Slug+"/"+t.Key, d)
		named := t
		return c.renamed(ctx, Event{
			Kind:  ThemeChanged,
			Host:  host,
			Group: s.group,
			Theme: &named,
			Rooms: []jid.JID{o.RoomJID(host, t.Room)},
			Actor: creator(by),
		}, themeName(s.group, was.Name), themeName(s.group, name))
	})
	return t, err
}

// renamedAtOnce is how many bookmarks are renamed in the act itself; the others are renamed after its commit.
const renamedAtOnce = 1000

// renamed renames the bookmarks of the event's only room for people who may know of it, and tells everyone, as former
// members may have bookmarks too.
func (c *change) renamed(ctx context.Context, e Event, old, name string) error {
	o := c.o
	theme := ""
	if e.Theme != nil {
		theme = e.Theme.Key
	}
	users, err := o.st.Bookmarkers(ctx, e.Host, e.Rooms[0].String(), old)
	if err != nil {
		return err
	}
	if users, err = o.knowing(ctx, e.Host, e.Group.ID, theme, users); err != nil {
		return err
	}
	now := users[:min(len(users), renamedAtOnce)]
	if e.Renamed, err = o.renameBookmarks(ctx, e, old, name, now); err != nil {
		return err
	}
	c.tell(e)
	if len(now) == len(users) {
		return nil
	}
	c.After(func(ctx context.Context) {
		e := e
		// after a failure only some bookmarks keep the old name
		e.Renamed, _ = o.renameBookmarks(ctx, e, old, name, users[len(now):])
		e.Kind = BookmarksNamed
		o.tell(e)
	})
	return nil
}

func (o *Org) renameBookmarks(ctx context.Context, e Event, old, name string,
	users []string) (all []string, err error) {
	for some := range slices.Chunk(users, 500) {
		done, err := o.st.RenameBookmarks(ctx, e.Host, e.Rooms[0].String(), old, name, some)
		all = append(all, done...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// knowing gives those of the accounts that may know of a group, or of a theme in it.
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

// ThemePeople gives the people with a role in a theme of its own: the list of a restricted theme, guests, and banned
// people.
func (o *Org) ThemePeople(ctx context.Context, host, key string) ([]store.Member, error) {
	return o.st.ThemeList(ctx, host, key)
}

// SetThemePeople changes the list of a restricted theme (member), the theme's guests if the group allows guests, and
// the people banned from the theme. Role "" removes a person. Moderators may do this.
func (o *Org) SetThemePeople(ctx context.Context, by acts.Actor, host, key string, ms []store.Member) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, t, err := c.theme(ctx, host, key)
		if err != nil {
			return err
		}
		if err := o.mustManage(ctx, by, host, s.group.ID, key); err != nil {
			return err
		}
		e := Event{
			Kind:  ThemePeople,
			Host:  host,
			Group: s.group,
			Theme: &t.Theme,
			Rooms: []jid.JID{o.RoomJID(host, t.Room)},
		}
		if err := o.themePeople(ctx, s, t, ms, &e); err != nil {
			return err
		}
		if len(e.Members) == 0 {
			c.keeps(s)
			return nil
		}
		b := o.bookmark(host, t.Room, themeName(s.group, t.Name))
		if err := o.st.ChangeThemeList(ctx, host, key, e.Members, e.Joined, e.Left, b); err != nil {
			return err
		}
		c.drop(host, s.group.ID)
		c.Note(acts.ThemePeople, s.group.Slug+"/"+t.Key, t.detail(e.Members))
		c.tell(e)
		return nil
	})
}

// detail gives, for the audit log, the people who get a role in a theme, with their roles before.
func (t *themeState) detail(changed []store.Member) acts.Detail {
	roles, before := make(map[string]string), make(map[string]string)
	for _, m := range changed[:min(len(changed), 100)] {
		roles[m.JID] = m.Role
		if was := t.people[jid.MustParse(m.JID)]; was != "" {
			before[m.JID] = was
		}
	}
	d := acts.Detail{"members": roles, "count": len(changed)}
	if len(before) > 0 {
		d["before"] = before
	}
	return d
}

// themePeople adds the changes of a theme's people to an event.
func (o *Org) themePeople(ctx context.Context, s *state, t *themeState, ms []store.Member, e *Event) error {
	for _, m := range ms {
		j, err := jid.Parse(m.JID)
		if err != nil || j.Local() == "" {
			return fault.At(fault.Invalid, "member", m.JID+" is not the address of a person")
		}
		role, err := o.themeRole(ctx, s, t, j, m.Role)
		if err != nil {
			return err
		}
		if t.people[j] == role {
			continue
		}
		was := s.inTheme(t, j)
		e.Members = append(e.Members, store.Member{JID: j.String(), Role: role, Since: o.cfg.Now().UTC()})
		now := role == store.RoleMember || role == store.RoleGuest ||
			role == "" && !t.Restricted && inGroup(s.members[j])
		if j.Domain() == e.Host && now && !was {
			e.Joined = append(e.Joined, j.Local())
		} else if j.Domain() == e.Host && was && !now {
			e.Left = append(e.Left, j.Local())
		}
	}
	return nil
}

func inGroup(role string) bool { return role != "" && role != store.RoleBanned }

// themeRole gives the role for a person's row in a theme's list.
func (o *Org) themeRole(ctx context.Context, s *state, t *themeState, who jid.JID, role string) (string, error) {
	mine := s.members[who]
	switch role {
	case "":
		return "", nil
	case store.RoleBanned:
		if mine == store.RoleOwner || mine == store.RoleModerator {
			return "", fault.At(fault.NotAllowed, "member", "moderators and owners of the group are in all its themes")
		}
		return role, nil
	case store.RoleMember, store.RoleGuest:
	default:
		return "", fault.At(fault.Invalid, "role", "is member or banned")
	}
	switch {
	case mine == store.RoleBanned:
		return "", fault.At(fault.NotAllowed, "member", who.String()+" is banned from the group")
	case mine != "" && !t.Restricted:
		return "", nil // the group makes them a member
	case mine != "":
		return store.RoleMember, nil
	case !s.group.Guests:
		return "", fault.At(fault.NotAllowed, "member",
			who.String()+" is not in the group, and its themes have no guests")
	}
	return store.RoleGuest, o.people(ctx, s.group, []store.Member{{JID: who.String()}})
}
