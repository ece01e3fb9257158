package org

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// NewTheme describes a theme to be made.
type NewTheme struct {
	Name       string
	Restricted bool      // only for its creator and People
	Creator    jid.JID   // zero: an administrator, whom the policy does not bind
	People     []jid.JID // of a restricted theme
	Source     store.Source
	Slug       string // its room is at <group's room>.<slug>; "": at <group's room>.<key>
	// Begin gives the first message of the theme's room, written together with it. May be nil.
	Begin func(t store.Theme) *store.RoomEntry
}

// CreateTheme makes a theme with its room and the bookmarks of its followers: everyone in a small group, otherwise its
// creator. The group's policy says who may do this. The acting person is the creator.
func (o *Org) CreateTheme(ctx context.Context, by acts.Actor, host, group string,
	n NewTheme) (t store.Theme, err error) {
	if !by.Machine() {
		n.Creator = by.Who.Bare()
	}
	if n.Name, err = checkName("name", n.Name); err != nil {
		return t, err
	}
	err = o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		t, err = o.createTheme(ctx, c, host, group, n)
		return err
	})
	return t, err
}

func (o *Org) createTheme(ctx context.Context, c *change, host, group string, n NewTheme) (store.Theme, error) {
	s, err := c.lock(ctx, host, group)
	if err != nil {
		return store.Theme{}, err
	}
	if err := o.checkNewTheme(ctx, c, s, n); err != nil {
		return store.Theme{}, err
	}
	t := store.Theme{
		Host:       host,
		Group:      group,
		Name:       n.Name,
		Slug:       Slug(n.Name),
		Restricted: n.Restricted,
		Creator:    n.Creator.Bare().String(),
		Created:    o.now(),
		Source:     n.Source,
	}
	followers, list := o.firstInTheme(s, t, n)
	if err := o.keepTheme(ctx, s, &t, n, followers, list); err != nil {
		return t, err
	}
	if who := n.Creator; who.Domain() == host {
		if err := o.st.SetFollow(ctx, host, t.Key, who.Local(), store.FollowYes); err != nil {
			return t, err
		}
	}
	c.drop(host, group)
	c.Note(acts.ThemeCreate, s.group.Slug+"/"+t.Key, acts.Detail{"name": t.Name, "restricted": t.Restricted})
	ms := make([]store.Member, 0, len(followers))
	for _, f := range followers {
		ms = append(ms, store.Member{JID: f, Role: store.RoleMember})
	}
	c.tell(Event{
		Kind:    ThemeCreated,
		Host:    host,
		Group:   s.group,
		Theme:   &t,
		Rooms:   []jid.JID{o.RoomJID(host, t.Room)},
		Joined:  locals(host, ms),
		Members: ms,
		Actor:   n.Creator,
	})
	return t, nil
}

// checkNewTheme refuses a theme that the creator may not make, one too many, a name that is taken among the themes that
// the creator sees, and a creator who makes themes too fast.
func (o *Org) checkNewTheme(ctx context.Context, c *change, s *state, n NewTheme) error {
	host, group := s.group.Host, s.group.ID
	if _, err := o.standing(ctx, c.By, host, group, ""); err != nil {
		return err
	}
	if !n.Creator.IsZero() {
		if err := o.MayCreateTheme(ctx, host, group, n.Creator); err != nil {
			return err
		}
	}
	if len(s.themes) >= o.cfg.MaxThemes {
		return fault.New(fault.Limit, "", fmt.Sprintf("the group has %d themes, as many as it may have", len(s.themes)))
	}
	for _, t := range s.themes {
		if t.Name == n.Name && t.Closed.IsZero() && (!t.Restricted || s.inTheme(t, n.Creator)) {
			return fault.At(fault.Exists, "name", "there is a theme of this name: "+o.RoomJID(host, t.Room).String())
		}
	}
	if !n.Creator.IsZero() && !o.starts.Allow(n.Creator.Bare(), time.Time{}) {
		return fault.New(fault.Limit, "",
			fmt.Sprintf("you have started %d themes within an hour: wait a while before the next", o.cfg.ThemePace))
	}
	return nil
}

// firstInTheme gives who follows a new theme from its beginning, and the people of a restricted one. In a small group
// everybody who may be in the theme follows it; in a large group only its creator and the people it is made with.
func (o *Org) firstInTheme(s *state, t store.Theme, n NewTheme) (followers []string, list []store.Member) {
	people := map[jid.JID]bool{n.Creator.Bare(): true}
	for _, j := range n.People {
		people[j.Bare()] = true
	}
	for j, role := range s.members {
		if role == store.RoleBanned || t.Restricted && !people[j] {
			continue
		}
		if len(s.members) <= o.cfg.MaxFollow || people[j] {
			followers = append(followers, j.String())
		}
	}
	if !t.Restricted {
		return followers, nil
	}
	for j := range people {
		if !j.IsZero() {
			list = append(list, store.Member{JID: j.String(), Role: store.RoleMember, Since: t.Created})
		}
	}
	return followers, list
}

// keepTheme writes the theme under a free key.
func (o *Org) keepTheme(ctx context.Context, s *state, t *store.Theme, n NewTheme, followers []string,
	list []store.Member) error {
	slug := n.Slug
	for range 5 {
		t.Key = token(7)
		t.Room = s.group.Room + "." + t.Key
		if slug != "" {
			t.Room = s.group.Room + "." + slug
		}
		if n.Begin != nil {
			t.First = n.Begin(*t)
		}
		err := o.st.CreateTheme(ctx, *t, o.room(s.group, t.Key, t.Room), followers,
			o.bookmark(t.Host, t.Room, themeName(s.group, t.Name)), list...)
		if errors.Is(err, store.ErrExists) && slug != "" {
			return fault.At(fault.Exists, "slug", "this address has been used and is kept from reuse")
		}
		if !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	return errors.New("org: no free key for a theme")
}

// themeName is a theme's name outside its group, in lists of rooms and bookmarks.
func themeName(g store.Group, name string) string { return g.Name + " › " + name }

// MayCreateTheme returns nil if a person may make themes in a group, by its policy.
func (o *Org) MayCreateTheme(ctx context.Context, host, group string, who jid.JID) error {
	a, err := o.Affiliation(ctx, host, group, "", who)
	if err != nil {
		return err
	}
	s, err := o.state(ctx, host, group)
	if err != nil {
		return err
	}
	switch {
	case a == Owner || a == Admin:
		return nil
	case a == Member && RulesOf(s.group).ThemesBy == "members":
		return nil
	case a == Member:
		return fault.New(fault.NotAllowed, "", "only moderators create themes in this group")
	}
	return fault.New(fault.NotAllowed, "", "only members create themes")
}

// Theme returns a theme by its key; NotFound if it does not exist.
func (o *Org) Theme(ctx context.Context, host, key string) (store.Theme, error) {
	t, err := o.st.Theme(ctx, host, key)
	return t, notFound(err, "there is no theme "+key)
}

// Themes gives a group's themes in order of creation. With a viewer, it gives only those that the viewer may know of,
// without archived ones.
func (o *Org) Themes(ctx context.Context, host, group string, viewer jid.JID) ([]store.Theme, error) {
	s, err := o.state(ctx, host, group)
	if err != nil {
		return nil, err
	}
	var ts []store.Theme
	for _, key := range s.order {
		if !viewer.IsZero() {
			if s.themes[key].Archived {
				continue
			}
			if ok, err := o.Visible(ctx, host, group, key, viewer); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		ts = append(ts, s.themes[key].Theme)
	}
	return ts, nil
}
