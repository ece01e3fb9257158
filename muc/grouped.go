package muc

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"parley/acts"
	"parley/internal/limit"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// grouped keeps a group's room or a theme's room: package org has its people and its rules.
type grouped struct {
	r            *Room
	org          *org.Org
	host         string
	group, theme string // the group's id; the theme's key, "" in the group's own room

	rules   org.Rules // of the group
	closed  bool      // a closed theme: nobody writes
	dormant bool      // people sleep in this theme: the next message wakes them
	calls   *limit.Keyed[jid.JID]
}

// groupRules are the rules of the product, in their order. Those of mentions are for free rooms too.
var groupRules = []Rule{textRule, closedRule, reactingRule, readersRule, hatRule, spaceRule, mentionRule, followRule, saidRule}

func closedRule(r *Room) Hooks {
	k, ok := r.keeper.(*grouped)
	if !ok {
		return Hooks{}
	}
	return Hooks{
		Role: func(_, role string) string {
			if k.closed && role == "participant" {
				return "visitor"
			}
			return role
		},
		Receive: func(_ context.Context, _ *Occupant, st *wire.Stanza) (*wire.Stanza, error) {
			if k.closed { // moderators neither: it is there to be read
				return nil, server.WithText(server.Forbidden, "this theme is closed")
			}
			return st, nil
		},
		Voice: func(*Occupant) error {
			if k.closed {
				return errVoice
			}
			return nil
		},
	}
}

func hatRule(r *Room) Hooks {
	k, ok := r.keeper.(*grouped)
	if !ok || r.s.cfg.Hats == nil {
		return Hooks{}
	}
	return Hooks{Hats: func(ctx context.Context, who jid.JID) []Hat { return r.s.cfg.Hats(ctx, k.group, who) }}
}

func saidRule(r *Room) Hooks {
	k, ok := r.keeper.(*grouped)
	if !ok || r.s.cfg.Said == nil {
		return Hooks{}
	}
	return Hooks{Shown: func(m *Message) {
		if m.entry != nil {
			r.s.cfg.Said(k.group, k.theme, m.entry)
		}
	}}
}

// How often one person may call many in one room.
const (
	callingRate  = 1.0 / 30
	callingBurst = 3
)

// groupKeepers finds them.
type groupKeepers struct{ s *Service }

func (g groupKeepers) Keeps(row store.Room) bool { return row.Group != "" }

func (g groupKeepers) Keeper(_ context.Context, r *Room, row store.Room) (Keeper, error) {
	return &grouped{r: r, org: g.s.cfg.Org, host: g.s.host.Domain, group: row.Group, theme: row.Theme, calls: limit.New[jid.JID](callingRate, callingBurst, limit.Most)}, nil
}

// Listed leaves themes out: they are items of their group's room.
func (g groupKeepers) Listed(ctx context.Context, row store.Room, who jid.JID) (c RoomConfig, ok bool, err error) {
	o, host := g.s.cfg.Org, g.s.host.Domain
	if row.Theme != "" {
		return c, false, nil
	}
	ok, err = o.Visible(ctx, host, row.Group, "", who)
	if err != nil || !ok {
		return c, false, ignoreGone(err)
	}
	group, err := o.GroupByID(ctx, host, row.Group)
	if err != nil {
		return c, false, ignoreGone(err)
	}
	return groupConfig(group), true, nil
}

// Create makes a theme of a room whose name looks like that of a theme.
func (g groupKeepers) Create(ctx context.Context, st *wire.Stanza) (taken bool, err error) {
	slug, theme, ok := strings.Cut(st.To.Local(), ".")
	if !ok {
		return false, nil
	}
	row, err := g.s.st.Room(ctx, g.s.cfg.Domain, slug)
	if err != nil || row.Group == "" {
		return false, nil
	}
	return true, g.s.makeTheme(ctx, st, row.Group, theme)
}

func (g groupKeepers) Commands() []server.Command { return g.s.commands() }

// Config follows from the group. The language and the rules of mentions are the room's own.
func (k *grouped) Config(ctx context.Context, kept RoomConfig) (RoomConfig, error) {
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

func (k *grouped) themeConfig(ctx context.Context, g store.Group, c RoomConfig) (RoomConfig, error) {
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

// ConfigForm has no more fields than every room has: the others follow from the group.
func (k *grouped) ConfigForm() *form.Form { return k.r.Described() }

// Configure changes the group's name and description. The group's event does the rest.
func (k *grouped) Configure(ctx context.Context, st *wire.Stanza, f form.Form) error {
	was := k.r.cfg
	now := was
	if err := now.Apply(f, true); err != nil {
		return err
	}
	if k.theme != "" {
		if now.Name != was.Name || now.Description != was.Description {
			return server.WithText(server.NotAllowed, "a theme is renamed by its group")
		}
		return nil
	}
	_, err := k.org.Update(ctx, k.r.s.by(st.From), k.host, k.group, org.GroupChange{Name: &now.Name, Description: &now.Description})
	return err
}

// Destroy refuses: groups and themes end by their own commands, and their history is kept.
func (k *grouped) Destroy(context.Context, *wire.Element) error {
	return server.WithText(server.NotAllowed, "this room belongs to a group: delete the group, or close the theme")
}

func (k *grouped) Affiliation(ctx context.Context, who jid.JID) (string, error) {
	return k.org.Affiliation(ctx, k.host, k.group, k.theme, who)
}

func (k *grouped) Affiliations(ctx context.Context) (map[jid.JID]string, error) {
	return k.org.AffiliationsOf(ctx, k.host, k.group, k.theme)
}

func (k *grouped) List(ctx context.Context, affiliation string) (as []store.Affiliation, err error) {
	all, err := k.Affiliations(ctx)
	for j, a := range all {
		if a == affiliation {
			as = append(as, store.Affiliation{JID: j.String(), Affiliation: a})
		}
	}
	return as, err
}

// Since is false for people of a kind of group that is open to others than its members.
func (k *grouped) Since(ctx context.Context, who jid.JID) (time.Time, bool, error) {
	m, err := k.r.s.st.Member(ctx, k.host, k.group, who.Bare().String())
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, false, nil
	}
	return m.Since, err == nil, err
}

// groupRoles are those of a group's members by their affiliations.
var groupRoles = map[string]string{
	Owner:   store.RoleOwner,
	Admin:   store.RoleModerator,
	Member:  store.RoleMember,
	Outcast: store.RoleBanned,
	None:    "",
}

// Affiliate changes the members of the group, or the people of the theme. The group's event shows them.
func (k *grouped) Affiliate(ctx context.Context, by acts.Actor, cs []Change) ([]Change, error) {
	mine, err := k.Affiliation(ctx, by.Who)
	if err != nil {
		return nil, err
	}
	if !AtLeast(mine, Admin) { // an inviter; muc#admin has been refused already
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
		if k.theme != "" && (high || AtLeast(now, Admin)) {
			return nil, server.WithText(server.NotAllowed, "moderators and owners of a theme are those of its group")
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
func (k *grouped) setThemePeople(ctx context.Context, by acts.Actor, ms []store.Member) error {
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
		if m.Role != "" || a != Member || t.Restricted {
			continue
		}
		if role, err := k.org.RoleOf(ctx, k.host, k.group, who); err != nil || role != "" {
			return server.WithText(server.NotAllowed, "who is in a theme follows from its group")
		}
	}
	return k.org.SetThemePeople(ctx, by, k.host, k.theme, ms)
}

func (k *grouped) Register(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	return k.r.groupRegistration(ctx, st, q)
}

func (k *grouped) Answer(ctx context.Context, _ *Occupant, st *wire.Stanza, f form.Form) error {
	return k.r.answerGroupRequest(ctx, st, f)
}

// Nick is the localpart for people of this host: clients that ask do so to enter without asking the person.
func (k *grouped) Nick(who jid.JID) string {
	if who.Domain() != k.host {
		return ""
	}
	return who.Name()
}

// Reserved is false: groups have no reserved nicks.
func (k *grouped) Reserved(string, jid.JID) bool { return false }

// Enter makes people members where the kind of group has it so. org says how many people a group has: all of them have a
// seat.
func (k *grouped) Enter(ctx context.Context, who jid.JID) (affiliation string, seat bool, err error) {
	a, err := k.org.Enter(ctx, k.r.s.by(who), k.host, k.group, k.theme)
	switch {
	case err != nil || a.Read || a.Affiliation == Outcast:
		return a.Affiliation, a.Affiliation != None, err
	case k.r.cfg.MembersOnly:
		return a.Affiliation, false, errNoMember
	}
	return a.Affiliation, false, server.WithText(server.Forbidden, "this room is for people of "+k.host)
}

func (k *grouped) access(ctx context.Context, who jid.JID) (org.Access, error) {
	return k.org.Access(ctx, k.host, k.group, k.theme, who.Bare())
}

func (k *grouped) Knows(ctx context.Context, who jid.JID, banned bool) error {
	a, err := k.access(ctx, who)
	if err == nil && !a.Know && !(banned && a.Affiliation == Outcast) {
		return server.ItemNotFound
	}
	return err
}

func (k *grouped) Reads(ctx context.Context, who jid.JID, _ string) error {
	a, err := k.access(ctx, who)
	switch {
	case err != nil:
		return err
	case !a.Know && a.Affiliation != Outcast:
		return server.ItemNotFound
	case !a.Read:
		return server.Forbidden
	}
	return nil
}

func (k *grouped) Visits(ctx context.Context, who jid.JID) bool {
	role, err := k.org.RoleOf(ctx, k.host, k.group, who)
	if err != nil || role != "" {
		return false
	}
	a, err := k.access(ctx, who)
	return err == nil && a.Read && !AtLeast(a.Affiliation, Admin)
}

// Items are the themes that the asker may know of.
func (k *grouped) Items(ctx context.Context, who jid.JID) (items []server.Item, err error) {
	if k.theme != "" {
		return nil, nil
	}
	ts, err := k.org.Themes(ctx, k.host, k.group, who)
	name := k.r.config().Name
	for _, t := range ts {
		items = append(items, server.Item{JID: k.org.RoomJID(k.host, t.Room), Name: name + " › " + t.Name})
	}
	return items, err
}

func (k *grouped) Commands() []server.Command { return k.r.commands() }

// Picture is the group's photo or its emoji.
func (k *grouped) Picture(ctx context.Context) (*wire.Element, error) {
	card := wire.E(nsVCard, "vCard")
	if len(k.r.config().Avatars) == 0 {
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
func (k *grouped) SetPicture(ctx context.Context, st *wire.Stanza, card *wire.Element) error {
	if k.theme != "" {
		return server.WithText(server.NotAllowed, "a theme shows its group's photo")
	}
	_, photos, err := ReadPhotos(card)
	if err != nil {
		return err
	}
	var photo []byte
	if len(photos) > 0 {
		photo = photos[0]
	}
	return k.org.SetPhoto(ctx, k.r.s.by(st.From), k.host, k.group, photo)
}
