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
	Kind        string // "": public, or private
	Private     bool   // without a kind: private; of an announcement: people do not find it by themselves
	ThemesBy    string // "members" (the default) or "moderators"
	MentionBy   string // "members" (the default), "moderators" or "nobody"
	Guests      bool
	Emoji       string
	Owner       jid.JID
	Members     []jid.JID
}

// CreateGroup makes a group with its main room, its owner and first members, and their bookmarks.
func (o *Org) CreateGroup(ctx context.Context, host string, n NewGroup) (store.Group, error) {
	name, err := checkName("name", n.Name)
	if err != nil {
		return store.Group{}, err
	}
	if n.Owner.IsZero() || n.Owner.Local() == "" {
		return store.Group{}, &Error{Invalid, "owner", "a group needs an owner"}
	}
	g := store.Group{Host: host, ID: token(10), Name: name, Description: n.Description, ThemesBy: n.ThemesBy, Created: time.Now().UTC(),
		GroupSettings: store.GroupSettings{MentionBy: n.MentionBy, Guests: n.Guests, Emoji: n.Emoji}}
	if n.Kind == "" {
		n.Kind = kindOf(store.Group{Private: n.Private})
	}
	if err := setKind(&g, n.Kind, n.Private); err != nil {
		return g, err
	}
	if err := checkSettings(&g); err != nil {
		return g, err
	}
	if g.Slug, err = checkSlug(n.Slug, name); err != nil {
		return store.Group{}, err
	}
	ms := []store.Member{{JID: n.Owner.Bare().String(), Role: store.RoleOwner, Since: g.Created}}
	for _, j := range n.Members {
		if j.Bare() != n.Owner.Bare() {
			ms = append(ms, store.Member{JID: j.Bare().String(), Role: store.RoleMember, Since: g.Created})
		}
	}
	if err := o.people(ctx, g, ms); err != nil {
		return store.Group{}, err
	}
	o.change.Lock()
	defer o.change.Unlock()
	// Those that can be restored count, or deleting would be a way around the limit.
	owned, err := o.st.OwnedGroups(ctx, host, ms[0].JID, g.Created.Add(-Restorable))
	if err != nil {
		return store.Group{}, err
	}
	if owned >= o.cfg.MaxOwned {
		return store.Group{}, &Error{Forbidden, "", "this person owns as many groups as one may"}
	}
	g.Room = g.Slug
	if g.Private { // its name is not to be read from its address; it stays so, whatever becomes of the group
		g.Room = token(12)
	}
	err = o.st.CreateGroup(ctx, g, o.room(g, "", g.Room), ms, o.bookmark(host, g.Room, g.Name))
	if errors.Is(err, store.ErrExists) {
		return store.Group{}, &Error{Exists, "slug", "a group or room of this name exists, or has existed"}
	}
	if err != nil {
		return store.Group{}, err
	}
	rooms := []jid.JID{o.RoomJID(host, g.Room)}
	o.tell(Event{Kind: GroupCreated, Host: host, Group: g, Members: ms, Rooms: rooms, Joined: locals(host, ms), Guests: guests(host, ms), Open: rooms})
	return g, nil
}

func (o *Org) room(g store.Group, theme, local string) store.Room {
	return store.Room{Host: o.RoomDomain(g.Host), Name: local, Group: g.ID, Theme: theme, Created: time.Now().UTC()}
}

func (o *Org) bookmark(host, room, name string) store.Bookmark {
	return store.Bookmark{Room: o.RoomJID(host, room).String(), Name: name, Autojoin: true, Updated: time.Now().UTC()}
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

// GroupChange is what is to be changed of a group; nil stays.
type GroupChange struct {
	Name, Description, Kind, ThemesBy, MentionBy, Emoji *string
	Hidden                                              *bool // of an announcement: people do not find it by themselves
	Guests                                              *bool
	SinceJoin                                           *bool // members read only what was said since they were added
}

// Update changes a group.
func (o *Org) Update(ctx context.Context, host, id string, c GroupChange) (store.Group, error) {
	o.change.Lock()
	defer o.change.Unlock()
	s, g, err := o.changed(ctx, host, id, c)
	if err != nil || g == s.group {
		return g, err
	}
	if err := o.st.UpdateGroup(ctx, g); err != nil {
		return s.group, err
	}
	o.drop(host, id)
	e := Event{Kind: GroupChanged, Host: host, Group: g, Rooms: []jid.JID{o.RoomJID(host, g.Room)}}
	if g.Name == s.group.Name {
		o.tell(e)
		return g, nil
	}
	if err := o.renamed(ctx, e, s.group.Name, g.Name); err != nil {
		return g, err
	}
	for _, key := range s.order {
		t := &s.themes[key].Theme
		room := []jid.JID{o.RoomJID(host, t.Room)}
		if err := o.renamed(ctx, Event{Kind: BookmarksNamed, Host: host, Group: g, Theme: t, Rooms: room}, themeName(s.group, t.Name), themeName(g, t.Name)); err != nil {
			return g, err
		}
	}
	return g, nil
}

// changed says what a group is after a change, or why it cannot be that.
func (o *Org) changed(ctx context.Context, host, id string, c GroupChange) (*state, store.Group, error) {
	s, err := o.state(ctx, host, id)
	if err != nil {
		return nil, store.Group{}, err
	}
	g := s.group
	if err := c.apply(&g); err != nil {
		return s, s.group, err
	}
	if g == s.group || RulesOf(g).Remote {
		return s, g, nil
	}
	for j, role := range s.members {
		if j.Domain() != host && role != store.RoleBanned {
			return s, s.group, &Error{Forbidden, "kind", j.String() + " is of another server: only a federated group has such members"}
		}
	}
	return s, g, nil
}

func (c *GroupChange) apply(g *store.Group) (err error) {
	if c.Name != nil {
		if g.Name, err = checkName("name", *c.Name); err != nil {
			return err
		}
	}
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&g.Description, c.Description)
	set(&g.ThemesBy, c.ThemesBy)
	set(&g.MentionBy, c.MentionBy)
	set(&g.Emoji, c.Emoji)
	if c.Guests != nil {
		g.Guests = *c.Guests
	}
	if c.SinceJoin != nil {
		g.SinceJoin = *c.SinceJoin
	}
	kind, hidden := kindOf(*g), g.Private
	set(&kind, c.Kind)
	if c.Hidden != nil {
		hidden = *c.Hidden
	}
	if err := setKind(g, kind, hidden); err != nil {
		return err
	}
	return checkSettings(g)
}

// checkSettings sets what is missing and says what cannot be.
func checkSettings(g *store.Group) error {
	if g.ThemesBy == "" {
		g.ThemesBy = "members"
	}
	if g.MentionBy == "" {
		g.MentionBy = "members"
	}
	switch {
	case len(g.Description) > maxDescription:
		return &Error{Invalid, "description", "is too long: at most 2000 bytes"}
	case g.ThemesBy != "members" && g.ThemesBy != "moderators":
		return &Error{Invalid, "themes_by", `is "members" or "moderators"`}
	case g.MentionBy != "members" && g.MentionBy != "moderators" && g.MentionBy != "nobody":
		return &Error{Invalid, "mention_by", `is "members", "moderators" or "nobody"`}
	case g.Emoji != "" && !isEmoji(g.Emoji):
		return &Error{Invalid, "emoji", "is one emoji"}
	}
	return nil
}

// isEmoji takes what may be one: a few characters, none of them a letter, digit, space or control.
func isEmoji(s string) bool {
	n := 0
	for _, r := range s {
		n++
		if r < 0x203c && r != 0xa9 && r != 0xae || unicode.IsLetter(r) || unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError {
			return false
		}
	}
	return n <= 10
}
