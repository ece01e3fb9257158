package org

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"parley/store"
	"parley/wire/jid"
)

const (
	maxName        = 100  // characters of a group's or theme's name
	maxDescription = 2000 // bytes
	maxSlug        = 48
)

// NewGroup is what a group is made of.
type NewGroup struct {
	Slug        string // "": made from the name
	Name        string
	Description string
	Private     bool
	ThemesBy    string // "members" (the default) or "moderators"
	Owner       jid.JID
	Members     []jid.JID
}

// CreateGroup makes a group with its main room, its owner and first members, and their bookmarks.
func (o *Org) CreateGroup(ctx context.Context, host string, n NewGroup) (store.Group, error) {
	name, err := checkName("name", n.Name)
	if err != nil {
		return store.Group{}, err
	}
	if len(n.Description) > maxDescription {
		return store.Group{}, &Error{Invalid, "description", "is too long: at most 2000 bytes"}
	}
	if n.ThemesBy == "" {
		n.ThemesBy = "members"
	}
	if n.ThemesBy != "members" && n.ThemesBy != "moderators" {
		return store.Group{}, &Error{Invalid, "themes_by", `is "members" or "moderators"`}
	}
	if n.Owner.IsZero() || n.Owner.Local() == "" {
		return store.Group{}, &Error{Invalid, "owner", "a group needs an owner"}
	}
	g := store.Group{Host: host, ID: token(10), Name: name, Description: n.Description, Private: n.Private, ThemesBy: n.ThemesBy, Created: time.Now().UTC()}
	if g.Slug, err = checkSlug(n.Slug, name); err != nil {
		return store.Group{}, err
	}
	ms := []store.Member{{JID: n.Owner.Bare().String(), Role: store.RoleOwner, Since: g.Created}}
	for _, j := range n.Members {
		if j.Bare() != n.Owner.Bare() {
			ms = append(ms, store.Member{JID: j.Bare().String(), Role: store.RoleMember, Since: g.Created})
		}
	}
	if err := o.people(ctx, host, ms); err != nil {
		return store.Group{}, err
	}
	o.change.Lock()
	defer o.change.Unlock()
	g.Room = g.Slug
	if g.Private { // its name is not to be read from its address
		g.Room = token(12)
	}
	err = o.st.CreateGroup(ctx, g, o.room(g, "", g.Room), ms, o.bookmark(host, g.Room, g.Name))
	if errors.Is(err, store.ErrExists) {
		return store.Group{}, &Error{Exists, "slug", "a group or room of this name exists, or has existed"}
	}
	if err != nil {
		return store.Group{}, err
	}
	o.tell(Event{Kind: GroupCreated, Host: host, Group: g, Members: ms, Rooms: []jid.JID{o.RoomJID(host, g.Room)}, Joined: locals(host, ms)})
	return g, nil
}

func (o *Org) room(g store.Group, theme, local string) store.Room {
	return store.Room{Host: o.RoomDomain(g.Host), Name: local, Group: g.ID, Theme: theme, Created: time.Now().UTC()}
}

func (o *Org) bookmark(host, room, name string) store.Bookmark {
	return store.Bookmark{Room: o.RoomJID(host, room).String(), Name: name, Autojoin: true, Updated: time.Now().UTC()}
}

// people checks that members of this host exist.
func (o *Org) people(ctx context.Context, host string, ms []store.Member) error {
	for _, m := range ms {
		j, err := jid.Parse(m.JID)
		if err != nil || j.Local() == "" {
			return &Error{Invalid, "member", m.JID + " is no address of a person"}
		}
		if j.Domain() != host {
			continue
		}
		if _, err := o.st.User(ctx, host, j.Local()); err != nil {
			return notFound(err, "there is no account "+m.JID)
		}
	}
	return nil
}

func locals(host string, ms []store.Member) (users []string) {
	for _, m := range ms {
		if j, err := jid.Parse(m.JID); err == nil && j.Domain() == host {
			users = append(users, j.Local())
		}
	}
	return users
}

func checkName(field, s string) (string, error) {
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	switch {
	case s == "":
		return "", &Error{Invalid, field, "is missing"}
	case utf8.RuneCountInString(s) > maxName:
		return "", &Error{Invalid, field, "is too long: at most 100 characters"}
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return "", &Error{Invalid, field, "has characters that cannot be shown"}
		}
	}
	return s, nil
}

// checkSlug takes a slug, or makes one of the name.
func checkSlug(slug, name string) (string, error) {
	if slug == "" {
		if slug = Slug(name); slug == "" {
			slug = "group-" + token(6)
		}
		return slug, nil
	}
	if slug != Slug(slug) {
		return "", &Error{Invalid, "slug", "is made of a-z, 0-9 and single hyphens, at most 48: " + Slug(slug)}
	}
	return slug, nil
}

// Slug makes a part of an address of a name: lower-case ASCII letters and digits with hyphens between.
func Slug(name string) string {
	var b strings.Builder
	hyphen := false
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			if hyphen && b.Len() > 0 {
				b.WriteByte('-')
			}
			hyphen = false
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		default:
			hyphen = true
		}
		if b.Len() >= maxSlug {
			break
		}
	}
	return b.String()
}

// token gives n characters of base32 that nobody can guess.
func token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))[:n]
}

// Group finds a living group by its slug.
func (o *Org) Group(ctx context.Context, host, slug string) (store.Group, error) {
	g, err := o.st.GroupBySlug(ctx, host, slug)
	return g, notFound(err, "there is no group "+slug)
}

// GroupByID finds a living group by its id.
func (o *Org) GroupByID(ctx context.Context, host, id string) (store.Group, error) {
	s, err := o.state(ctx, host, id)
	if err != nil {
		return store.Group{}, err
	}
	return s.group, nil
}

// Groups lists living groups in order of slug.
func (o *Org) Groups(ctx context.Context, host, after string, limit int) ([]store.Group, error) {
	return o.st.Groups(ctx, host, after, limit)
}

// Members lists who is in a group or banned from it, in order of address.
func (o *Org) Members(ctx context.Context, host, id string) ([]store.Member, error) {
	return o.st.Members(ctx, host, id)
}

// Update changes a group's name, description and who may create themes; empty values of name and themesBy stay.
func (o *Org) Update(ctx context.Context, host, id, name string, description *string, themesBy string) (store.Group, error) {
	o.change.Lock()
	defer o.change.Unlock()
	s, err := o.state(ctx, host, id)
	if err != nil {
		return store.Group{}, err
	}
	g := s.group
	if name != "" {
		if g.Name, err = checkName("name", name); err != nil {
			return g, err
		}
	}
	if description != nil {
		if len(*description) > maxDescription {
			return g, &Error{Invalid, "description", "is too long: at most 2000 bytes"}
		}
		g.Description = *description
	}
	if themesBy == "members" || themesBy == "moderators" {
		g.ThemesBy = themesBy
	} else if themesBy != "" {
		return g, &Error{Invalid, "themes_by", `is "members" or "moderators"`}
	}
	if err := o.st.UpdateGroup(ctx, g); err != nil {
		return g, err
	}
	o.drop(host, id)
	o.tell(Event{Kind: GroupChanged, Host: host, Group: g, Rooms: []jid.JID{o.RoomJID(host, g.Room)}})
	return g, nil
}

// SetMember adds a person to a group or changes their role; role "" takes them out, store.RoleBanned keeps them out. The
// last owner stays.
func (o *Org) SetMember(ctx context.Context, host, id string, who jid.JID, role string) error {
	return o.SetMembers(ctx, host, id, []store.Member{{JID: who.Bare().String(), Role: role}})
}

// SetMembers does that for many, in one transaction.
func (o *Org) SetMembers(ctx context.Context, host, id string, ms []store.Member) error {
	o.change.Lock()
	defer o.change.Unlock()
	s, err := o.state(ctx, host, id)
	if err != nil {
		return err
	}
	e := Event{Kind: MembersChanged, Host: host, Group: s.group}
	owners, size := 0, len(s.members)
	for _, r := range s.members {
		if r == store.RoleOwner {
			owners++
		}
	}
	in := func(role string) bool { return role != "" && role != store.RoleBanned }
	for _, m := range ms {
		switch m.Role {
		case "", store.RoleMember, store.RoleModerator, store.RoleOwner, store.RoleBanned:
		default:
			return &Error{Invalid, "role", "is member, moderator, owner or banned"}
		}
		j, err := jid.Parse(m.JID)
		if err != nil || j.Local() == "" {
			return &Error{Invalid, "member", m.JID + " is no address of a person"}
		}
		was := s.members[j]
		if was == m.Role {
			continue
		}
		if was == store.RoleOwner {
			owners--
		}
		if m.Role == store.RoleOwner {
			owners++
		}
		if was == "" {
			size++
		}
		if in(m.Role) && !in(was) {
			if err := o.people(ctx, host, []store.Member{m}); err != nil {
				return err
			}
			e.Joined = append(e.Joined, locals(host, []store.Member{m})...)
		} else if in(was) && !in(m.Role) {
			e.Left = append(e.Left, locals(host, []store.Member{m})...)
		}
		e.Members = append(e.Members, store.Member{JID: j.String(), Role: m.Role, Since: time.Now().UTC()})
	}
	if len(e.Members) == 0 {
		return nil
	}
	if owners == 0 {
		return &Error{Forbidden, "role", "the last owner stays: name another owner first"}
	}
	if size > o.cfg.MaxGroup {
		return &Error{Forbidden, "member", "the group is full"}
	}
	bs := o.bookmarksOf(s)
	if err := o.st.SetMembers(ctx, host, id, e.Members, bs); err != nil {
		return err
	}
	o.drop(host, id)
	for _, b := range bs {
		e.Rooms = append(e.Rooms, jid.MustParse(b.Room))
	}
	for _, key := range s.order {
		if t := s.themes[key]; !t.Closed.IsZero() && !t.Restricted { // newcomers do not get those, who leaves may have them
			e.Rooms = append(e.Rooms, o.RoomJID(host, t.Room))
		}
	}
	o.tell(e)
	o.tellRestricted(s, e.Left)
	return nil
}

// tellRestricted tells those who have left of the restricted themes that they were in; the others are not to learn that
// there are any.
func (o *Org) tellRestricted(s *state, left []string) {
	for _, key := range s.order {
		t := s.themes[key]
		var who []string
		for _, name := range left {
			if j, err := jid.New(name, s.group.Host, ""); err == nil && t.Restricted && t.people[j] != "" {
				who = append(who, name)
			}
		}
		if len(who) > 0 {
			o.tell(Event{Kind: BookmarksGone, Host: s.group.Host, Group: s.group, Theme: &t.Theme, Rooms: []jid.JID{o.RoomJID(s.group.Host, t.Room)}, Left: who})
		}
	}
}

// bookmarksOf gives the bookmarks a new member gets: the group's room, and in small groups its open themes.
func (o *Org) bookmarksOf(s *state) []store.Bookmark {
	bs := []store.Bookmark{o.bookmark(s.group.Host, s.group.Room, s.group.Name)}
	for _, key := range s.order {
		t := s.themes[key]
		if t.Closed.IsZero() && !t.Restricted {
			b := o.bookmark(s.group.Host, t.Room, s.group.Name+" › "+t.Name)
			b.Autojoin = len(s.members) <= o.cfg.MaxFollow
			bs = append(bs, b)
		}
	}
	return bs
}

// DeleteGroup ends a group: its rooms are closed, their history is kept, its addresses are never used again.
func (o *Org) DeleteGroup(ctx context.Context, host, id string) error {
	o.change.Lock()
	defer o.change.Unlock()
	s, err := o.state(ctx, host, id)
	if err != nil {
		return err
	}
	if err := o.st.DeleteGroup(ctx, host, id, time.Now()); err != nil {
		return notFound(err, "no such group")
	}
	o.drop(host, id)
	e := Event{Kind: GroupDeleted, Host: host, Group: s.group, Rooms: []jid.JID{o.RoomJID(host, s.group.Room)}}
	for _, key := range s.order {
		e.Rooms = append(e.Rooms, o.RoomJID(host, s.themes[key].Room))
	}
	for j := range s.members {
		if j.Domain() == host {
			e.Left = append(e.Left, j.Local())
		}
	}
	o.tell(e)
	return nil
}
