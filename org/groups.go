package org

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"parley/acts"
	"parley/internal/fault"
	"parley/internal/shape"
	"parley/store"
	"parley/wire/jid"
)

// MaxName is the maximum length of the name of a group, theme, team or shared contact, in characters.
var MaxName = shape.Named(GroupChange{}, "name").Max

const maxSlug = 48

// NewGroup describes a group to be made. A field that is set in Settings takes precedence over the fields from Name to
// Emoji. Empty fields get their defaults.
type NewGroup struct {
	Slug        string // "": made from the name
	Settings    GroupChange
	Name        string
	Description string
	Kind        string // "": public, or private
	Private     bool   // if Kind is "": make it private; of an announcement: do not list it
	ThemesBy    string // "members" or "moderators"; "": Config.ThemesBy
	MentionBy   string // "members" (the default), "moderators" or "nobody"
	Guests      bool
	Emoji       string
	Owner       jid.JID
	Members     []jid.JID
}

// CreateGroup makes a group with its main room, its owner and first members, and their bookmarks. Administrators may,
// for any owner; other people may for themselves, if the policy lets them.
func (o *Org) CreateGroup(ctx context.Context, by acts.Actor, host string, n NewGroup) (g store.Group, err error) {
	err = o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		if err := o.mayCreate(ctx, by, host, n.Owner); err != nil {
			return err
		}
		g, err = o.createGroup(ctx, c, host, n)
		return err
	})
	return g, err
}

// CreateFirstGroup makes an organization's first group, with one theme. It refuses where there is a group already.
// People who may create groups may do this.
func (o *Org) CreateFirstGroup(ctx context.Context, by acts.Actor, host string, n NewGroup,
	theme string) (g store.Group, err error) {
	if theme, err = checkName("theme", theme); err != nil {
		return g, err
	}
	err = o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		if err := o.mayCreate(ctx, by, host, n.Owner); err != nil {
			return err
		}
		if there, err := o.CountGroups(ctx, host); err != nil {
			return err
		} else if there > 0 {
			return fault.New(fault.Exists, "", "There is a group already")
		}
		if g, err = o.createGroup(ctx, c, host, n); err != nil {
			return err
		}
		_, err = o.createTheme(ctx, c, host, g.ID, NewTheme{Name: theme, Creator: n.Owner})
		return err
	})
	return g, err
}

// group gives the group that n describes, with defaults filled in.
func (n NewGroup) group(themesBy string) (store.Group, error) {
	g := store.Group{
		Name:        n.Name,
		Description: n.Description,
		ThemesBy:    n.ThemesBy,
		Private:     n.Private,
		GroupSettings: store.GroupSettings{
			Kind:      n.Kind,
			MentionBy: n.MentionBy,
			Guests:    n.Guests,
			Emoji:     n.Emoji,
		},
	}
	c := n.Settings
	if c.Name == nil { // checked like any other name
		c.Name = &n.Name
	}
	if c.Kind != nil && *c.Kind == "" { // a form sends "" if no kind is chosen
		c.Kind = nil
	}
	if err := c.fill(&g); err != nil {
		return g, err
	}
	if n.Owner.IsZero() || n.Owner.Local() == "" {
		return g, fault.At(fault.Invalid, "owner", "a group needs an owner")
	}
	g.ThemesBy = cmp.Or(g.ThemesBy, themesBy)
	err := checkSettings(&g)
	if err == nil {
		g.Slug, err = checkSlug(n.Slug, g.Name)
	}
	return g, err
}

// MayCreateGroup says whether an actor may make a group of their own.
func (o *Org) MayCreateGroup(ctx context.Context, by acts.Actor, host string) bool {
	return o.mayCreate(ctx, by, host, by.Who) == nil
}

func (o *Org) mayCreate(ctx context.Context, by acts.Actor, host string, owner jid.JID) error {
	ok, err := o.runs(ctx, host, by)
	switch {
	case err != nil || ok:
		return err
	case !o.cfg.MembersCreate, by.Who.Domain() != host:
		return fault.New(fault.NotAllowed, "", "you may not create groups here")
	case owner.Bare() != by.Who.Bare():
		return fault.At(fault.Forbidden, "owner", "you can only create groups that you own")
	}
	return nil
}

func (o *Org) createGroup(ctx context.Context, c *change, host string, n NewGroup) (store.Group, error) {
	g, err := n.group(o.cfg.ThemesBy)
	if err != nil {
		return store.Group{}, err
	}
	g.Host, g.ID, g.Created = host, token(10), o.now()
	ms := []store.Member{{JID: n.Owner.Bare().String(), Role: store.RoleOwner, Since: g.Created}}
	for _, j := range n.Members {
		if j.Bare() != n.Owner.Bare() {
			ms = append(ms, store.Member{JID: j.Bare().String(), Role: store.RoleMember, Since: g.Created})
		}
	}
	if len(ms) > o.cfg.MaxGroup {
		return store.Group{}, fault.At(fault.Limit, "member",
			fmt.Sprintf("a group has at most %d people", o.cfg.MaxGroup))
	}
	if err := o.people(ctx, g, ms); err != nil {
		return store.Group{}, err
	}
	// Groups that can be restored count; otherwise deleting would circumvent the limit.
	owned, err := o.st.OwnedGroups(ctx, host, ms[0].JID, g.Created.Add(-Restorable))
	if err != nil {
		return store.Group{}, err
	}
	if owned >= o.cfg.MaxOwned {
		return store.Group{}, fault.New(fault.Limit, "", "this person owns as many groups as allowed")
	}
	g.Room = g.Slug
	if g.Private { // the address must not show the name, whatever the group becomes later
		g.Room = token(12)
	}
	err = o.st.CreateGroup(ctx, g, o.room(g, "", g.Room), ms, o.bookmark(host, g.Room, g.Name))
	if errors.Is(err, store.ErrExists) {
		return store.Group{}, fault.At(fault.Exists, "slug", "a group or room of this name exists, or has existed")
	}
	if err != nil {
		return store.Group{}, err
	}
	c.Note(acts.GroupCreate, g.Slug, acts.Detail{"kind": RulesOf(g).Kind, "members": len(ms)})
	rooms := []jid.JID{o.RoomJID(host, g.Room)}
	c.tell(Event{
		Kind:    GroupCreated,
		Host:    host,
		Group:   g,
		Members: ms,
		Rooms:   rooms,
		Joined:  locals(host, ms),
		Guests:  guests(host, ms),
		Open:    rooms,
	})
	return g, nil
}

func (o *Org) room(g store.Group, theme, local string) store.Room {
	return store.Room{Host: o.RoomDomain(g.Host), Name: local, Group: g.ID, Theme: theme, Created: o.now()}
}

func (o *Org) bookmark(host, room, name string) store.Bookmark {
	return store.Bookmark{Room: o.RoomJID(host, room).String(), Name: name, Autojoin: true, Updated: o.now()}
}

// tooLong says how long a text may be.
func tooLong(most int) string { return fmt.Sprintf("is too long: at most %d characters", most) }

func checkName(field, s string) (string, error) {
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	switch {
	case s == "":
		return "", fault.At(fault.Invalid, field, "is missing")
	case utf8.RuneCountInString(s) > MaxName:
		return "", fault.At(fault.Invalid, field, tooLong(MaxName))
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return "", fault.At(fault.Invalid, field, "has characters that cannot be shown")
		}
	}
	return s, nil
}

// checkSlug checks a slug, or makes one from the name.
func checkSlug(slug, name string) (string, error) {
	if slug == "" {
		if slug = Slug(name); slug == "" {
			slug = "group-" + token(6)
		}
		return slug, nil
	}
	if slug != Slug(slug) {
		return "", fault.At(fault.Invalid, "slug", "is made of a-z, 0-9 and single hyphens, at most 48: "+Slug(slug))
	}
	return slug, nil
}

// Slug makes a part of an address from a name: lower-case ASCII letters and digits with hyphens between them.
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

// token gives n random characters of base32.
func token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))[:n]
}

// Group returns an existing group by its slug; a NotFound error if it does not exist.
func (o *Org) Group(ctx context.Context, host, slug string) (store.Group, error) {
	g, err := o.st.GroupBySlug(ctx, host, slug)
	return g, notFound(err, "there is no group "+slug)
}

// GroupByID returns an existing group by its id; a NotFound error if it does not exist.
func (o *Org) GroupByID(ctx context.Context, host, id string) (store.Group, error) {
	s, err := o.state(ctx, host, id)
	if err != nil {
		return store.Group{}, err
	}
	return s.group, nil
}

// Groups gives existing groups in order of slug, at most limit, beginning behind after.
func (o *Org) Groups(ctx context.Context, host, after string, limit int) ([]store.Group, error) {
	return o.st.Groups(ctx, host, after, limit)
}

// Update changes a group. Its owners may do this.
func (o *Org) Update(ctx context.Context, by acts.Actor, host, id string, ch GroupChange) (g store.Group, err error) {
	err = o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, id)
		if err != nil {
			return err
		}
		g = s.group
		if err := o.mustOwn(ctx, by, host, id); err != nil {
			return err
		}
		if g, err = s.changed(ch); err != nil || g == s.group {
			return err
		}
		if err := o.st.UpdateGroup(ctx, g); err != nil {
			return err
		}
		c.drop(host, id)
		c.Note(acts.GroupChange, g.Slug, differences(s.group, g))
		e := Event{Kind: GroupChanged, Host: host, Group: g, Rooms: []jid.JID{o.RoomJID(host, g.Room)}}
		if g.Name == s.group.Name {
			c.tell(e)
			return nil
		}
		if err := c.renamed(ctx, e, s.group.Name, g.Name); err != nil {
			return err
		}
		for _, key := range s.order {
			t := &s.themes[key].Theme
			room := []jid.JID{o.RoomJID(host, t.Room)}
			if err := c.renamed(ctx, Event{Kind: BookmarksNamed, Host: host, Group: g, Theme: t, Rooms: room},
				themeName(s.group, t.Name), themeName(g, t.Name)); err != nil {
				return err
			}
		}
		return nil
	})
	return g, err
}
