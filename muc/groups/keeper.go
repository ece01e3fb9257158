package groups

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"parley/acts"
	"parley/internal/limit"
	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// keeper keeps a group's room or a theme's room: package org has its people and its rules. The room's goroutine owns
// what changes of it.
type keeper struct {
	s            *Service
	r            *muc.Room
	org          *org.Org
	host         string
	group, theme string // the group's id; the theme's key, "" in the group's own room

	rules   org.Rules // of the group
	closed  bool      // a closed theme: nobody writes
	dormant bool      // people sleep in this theme: the next message wakes them
	calls   *limit.Keyed[jid.JID]
}

const nsVCard = "vcard-temp"

// keeperOf gives the keeper of a room; nil if the room is free.
func keeperOf(r *muc.Room) *keeper {
	k, _ := r.Keeper().(*keeper)
	return k
}

// place says what kind of room this is.
func (k *keeper) place() place {
	if k.theme == "" {
		return inGroup
	}
	return inTheme
}

// Config follows from the group. The language and the rules of mentions are the room's own.
func (k *keeper) Config(ctx context.Context, kept muc.RoomConfig) (muc.RoomConfig, error) {
	g, err := k.org.GroupByID(ctx, k.host, k.group)
	if err != nil {
		return kept, err
	}
	k.rules = org.RulesOf(g)
	c := groupConfig(g)
	hash, err := k.org.PictureHash(g)
	if err != nil {
		return kept, err
	}
	if hash != "" {
		c.Avatars = []string{hash}
	}
	if k.theme != "" {
		if c, err = k.themeConfig(ctx, g, c); err != nil {
			return kept, err
		}
	}
	c.Lang, c.Mentions = kept.Lang, kept.Mentions
	return c, nil
}

func (k *keeper) themeConfig(ctx context.Context, g store.Group, c muc.RoomConfig) (muc.RoomConfig, error) {
	t, err := k.org.Theme(ctx, k.host, k.theme)
	if err != nil {
		return c, err
	}
	c.Name = g.Name + " › " + t.Name
	k.closed = !t.Closed.IsZero()
	if t.Restricted {
		c.Public, c.MembersOnly = false, true
	}
	k.dormant, err = k.org.Dormant(ctx, k.host, k.theme)
	return c, err
}

// ConfigForm has only the fields of every room: the other settings follow from the group.
func (k *keeper) ConfigForm() *form.Form { return k.r.Described() }

// Configure changes the group's name and description. The group's event does the rest.
func (k *keeper) Configure(ctx context.Context, st *wire.Stanza, f form.Form) error {
	was := *k.r.Now()
	now := was
	if err := now.Apply(f, true); err != nil {
		return err
	}
	if k.theme != "" {
		if now.Name != was.Name || now.Description != was.Description {
			return server.WithText(server.NotAllowed, "rename the theme in its group")
		}
		return nil
	}
	c := org.GroupChange{Name: &now.Name, Description: &now.Description}
	_, err := k.org.Update(ctx, k.s.by(st.From), k.host, k.group, c)
	return err
}

// Destroy refuses: groups and themes end by their own commands, and their history is kept.
func (k *keeper) Destroy(context.Context, *wire.Element) error {
	return server.WithText(server.NotAllowed, "this room belongs to a group: delete the group, or close the theme")
}

func (k *keeper) Affiliation(ctx context.Context, who jid.JID) (string, error) {
	return k.org.Affiliation(ctx, k.host, k.group, k.theme, who)
}

func (k *keeper) Affiliations(ctx context.Context) (map[jid.JID]string, error) {
	return k.org.AffiliationsOf(ctx, k.host, k.group, k.theme)
}

func (k *keeper) List(ctx context.Context, affiliation string) (as []store.Affiliation, err error) {
	all, err := k.Affiliations(ctx)
	for j, a := range all {
		if a == affiliation {
			as = append(as, store.Affiliation{JID: j.String(), Affiliation: a})
		}
	}
	return as, err
}

// Since is false for people of a kind of group that is open to others than its members.
func (k *keeper) Since(ctx context.Context, who jid.JID) (time.Time, bool, error) {
	m, err := k.s.st.Member(ctx, k.host, k.group, who.Bare().String())
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, false, nil
	}
	return m.Since, err == nil, err
}

// groupRoles are those of a group's members by their affiliations.
var groupRoles = map[string]string{
	muc.Owner:   store.RoleOwner,
	muc.Admin:   store.RoleModerator,
	muc.Member:  store.RoleMember,
	muc.Outcast: store.RoleBanned,
	muc.None:    "",
}

// Affiliate changes the members of the group, or the people of the theme. The group's event shows them.
func (k *keeper) Affiliate(ctx context.Context, by acts.Actor, cs []muc.Change) ([]muc.Change, error) {
	mine, err := k.Affiliation(ctx, by.Who)
	if err != nil {
		return nil, err
	}
	if !muc.AtLeast(mine, muc.Admin) { // an inviter; muc#admin has been refused already
		return nil, server.Forbidden
	}
	var ms []store.Member
	for _, c := range cs {
		now, err := k.Affiliation(ctx, c.Who)
		if err != nil {
			return nil, err
		}
		if now == c.Affiliation {
			continue // some clients copy affiliations to rooms where they hold already
		}
		role := groupRoles[c.Affiliation]
		high := role == store.RoleOwner || role == store.RoleModerator
		if k.theme != "" && (high || muc.AtLeast(now, muc.Admin)) {
			return nil, server.WithText(server.NotAllowed, "a theme has the moderators and owners of its group")
		}
		ms = append(ms, store.Member{JID: c.Who.String(), Role: role})
	}
	if len(ms) == 0 {
		return nil, nil
	}
	if k.theme != "" {
		return nil, k.setThemePeople(ctx, by, ms)
	}
	return nil, k.org.SetMembers(ctx, by, k.host, k.group, ms)
}

// setThemePeople refuses to take a member of the group out of an open theme. org would find nothing to do.
func (k *keeper) setThemePeople(ctx context.Context, by acts.Actor, ms []store.Member) error {
	t, err := k.org.Theme(ctx, k.host, k.theme)
	if err != nil {
		return err
	}
	for _, m := range ms {
		who := jid.MustParse(m.JID)
		a, err := k.Affiliation(ctx, who)
		if err != nil {
			return err
		}
		if m.Role != "" || a != muc.Member || t.Restricted {
			continue
		}
		if role, err := k.org.RoleOf(ctx, k.host, k.group, who); err != nil || role != "" {
			return server.WithText(server.NotAllowed, "membership of a theme follows from its group")
		}
	}
	return k.org.SetThemePeople(ctx, by, k.host, k.theme, ms)
}

// Nick is the localpart for people of this host: clients that ask do so to enter without asking the person.
func (k *keeper) Nick(who jid.JID) string {
	if who.Domain() != k.host {
		return ""
	}
	return who.Name()
}

// Reserved is false: groups have no reserved nicks.
func (k *keeper) Reserved(string, jid.JID) bool { return false }

// Enter makes people members if the kind of group lets them join. org says how many people a group has: all of them
// have a seat.
func (k *keeper) Enter(ctx context.Context, who jid.JID) (affiliation string, seat bool, err error) {
	a, err := k.org.Enter(ctx, k.s.by(who), k.host, k.group, k.theme)
	switch {
	case err != nil || a.Read || a.Affiliation == muc.Outcast:
		return a.Affiliation, a.Affiliation != muc.None, err
	case k.r.Now().MembersOnly:
		return a.Affiliation, false, muc.ErrNoMember
	}
	return a.Affiliation, false, server.WithText(server.Forbidden, "this room is for people of "+k.host)
}

func (k *keeper) access(ctx context.Context, who jid.JID) (org.Access, error) {
	return k.org.Access(ctx, k.host, k.group, k.theme, who.Bare())
}

func (k *keeper) Knows(ctx context.Context, who jid.JID, banned bool) error {
	a, err := k.access(ctx, who)
	if err == nil && !a.Know && !(banned && a.Affiliation == muc.Outcast) {
		return server.ItemNotFound
	}
	return err
}

func (k *keeper) Reads(ctx context.Context, who jid.JID, _ string) error {
	a, err := k.access(ctx, who)
	switch {
	case err != nil:
		return err
	case !a.Know && a.Affiliation != muc.Outcast:
		return server.ItemNotFound
	case !a.Read:
		return server.Forbidden
	}
	return nil
}

func (k *keeper) Visits(ctx context.Context, who jid.JID) bool {
	role, err := k.org.RoleOf(ctx, k.host, k.group, who)
	if err != nil || role != "" {
		return false
	}
	a, err := k.access(ctx, who)
	return err == nil && a.Read && !muc.AtLeast(a.Affiliation, muc.Admin)
}

// Items are the themes that the asker may know of.
func (k *keeper) Items(ctx context.Context, who jid.JID) (items []server.Item, err error) {
	if k.theme != "" {
		return nil, nil
	}
	ts, err := k.org.Themes(ctx, k.host, k.group, who)
	name := k.r.Config().Name
	for _, t := range ts {
		items = append(items, server.Item{JID: k.org.RoomJID(k.host, t.Room), Name: name + " › " + t.Name})
	}
	return items, err
}

// Picture is the group's photo or its emoji.
func (k *keeper) Picture(ctx context.Context) (*wire.Element, error) {
	card := wire.E(nsVCard, "vCard")
	if len(k.r.Config().Avatars) == 0 {
		return card, nil
	}
	p, err := k.org.Picture(ctx, k.host, k.group)
	if err != nil {
		return nil, err
	}
	photo := wire.T(nsVCard, "BINVAL", base64.StdEncoding.EncodeToString(p.Data))
	return card.Add(wire.E(nsVCard, "PHOTO", wire.T(nsVCard, "TYPE", p.Type), photo)), nil
}

// SetPicture makes the first picture of the card the group's photo.
func (k *keeper) SetPicture(ctx context.Context, st *wire.Stanza, card *wire.Element) error {
	if k.theme != "" {
		return server.WithText(server.NotAllowed, "a theme shows its group's photo")
	}
	_, photos, err := muc.ReadPhotos(card)
	if err != nil {
		return err
	}
	var photo []byte
	if len(photos) > 0 {
		photo = photos[0]
	}
	return k.org.SetPhoto(ctx, k.s.by(st.From), k.host, k.group, photo)
}
