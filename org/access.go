package org

import (
	"context"
	"errors"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Owner and the others are the affiliations of XEP-0045 that follow from a group.
const (
	Owner   = wire.AffiliationOwner
	Admin   = wire.AffiliationAdmin
	Member  = wire.AffiliationMember
	None    = wire.AffiliationNone
	Outcast = wire.AffiliationOutcast
)

// Access is what a person may do in a group's room or in a theme.
type Access struct {
	Affiliation string // effective affiliation
	Know        bool   // learn that it exists, its name and its picture
	Read        bool   // read messages, and enter
	Write       bool   // as a participant or more
	Join        bool   // not a member yet, and becomes one by entering
	Ask         bool   // not a member, and may ask to become one
}

// Access says what a person is and may do in a group's room or, with a theme's key, in that theme. It is the only
// function that decides this; every door asks it: entering, sending, discovery, member lists, archives, search, pages.
// For members it runs no SQL.
func (o *Org) Access(ctx context.Context, host, group, theme string, who jid.JID) (Access, error) {
	s, err := o.state(ctx, host, group)
	if err != nil {
		return Access{Affiliation: None}, err
	}
	who = who.Bare()
	a, ok := s.affiliation(theme, who)
	if !ok && who.Domain() == host && !o.cfg.Apart {
		if admin, err := o.administers(ctx, host, who); err != nil {
			return Access{Affiliation: None}, err
		} else if admin { // by policy, administrators of the organization own its groups
			a = Owner
		}
	}
	return s.access(theme, who, a), nil
}

func (o *Org) administers(ctx context.Context, host string, who jid.JID) (bool, error) {
	u, err := o.st.User(ctx, host, who.Local())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && u.Admin && !u.Disabled, err
}

// access derives the rights from an affiliation and the kind of the group.
func (s *state) access(theme string, who jid.JID, affiliation string) Access {
	a := Access{Affiliation: affiliation}
	r := RulesOf(s.group)
	open := true
	if theme != "" {
		t := s.themes[theme]
		if t == nil {
			return a
		}
		open = !t.Restricted
		a.Write = t.Closed.IsZero()
	} else {
		a.Write = true
	}
	switch affiliation {
	case Outcast:
		a.Write = false
	case Owner, Admin:
		a.Know, a.Read = true, true
	case Member:
		a.Know, a.Read, a.Write = true, true, a.Write && !r.Moderated
	default:
		ours := who.Domain() == s.group.Host
		a.Know = ours && r.Listed && open
		a.Read = a.Know && !r.MembersOnly
		a.Write = a.Write && a.Read && !r.Moderated
		a.Join = a.Know && r.Joins
		a.Ask = a.Know && r.Asks
	}
	return a
}

// affiliation looks only at the rows of the group; ok is false for people without one.
func (s *state) affiliation(theme string, who jid.JID) (a string, ok bool) {
	role := s.members[who]
	var t *themeState
	if theme != "" {
		if t = s.themes[theme]; t == nil {
			return None, true
		}
	}
	switch {
	case role == store.RoleBanned || t != nil && t.people[who] == store.RoleBanned:
		return Outcast, true
	case role == store.RoleOwner:
		return Owner, true
	case role == store.RoleModerator:
		return Admin, true
	case t != nil && t.people[who] == store.RoleGuest:
		return Member, true
	case role == "":
		return None, false
	case t == nil || !t.Restricted || t.people[who] != "":
		return Member, true
	}
	return None, true
}

// Affiliation gives the affiliation of Access.
func (o *Org) Affiliation(ctx context.Context, host, group, theme string, who jid.JID) (string, error) {
	a, err := o.Access(ctx, host, group, theme, who)
	return a.Affiliation, err
}

// AffiliationsOf gives everybody with an affiliation in a group's room or, with a theme's key, in that theme: the
// content of member lists.
func (o *Org) AffiliationsOf(ctx context.Context, host, group, theme string) (map[jid.JID]string, error) {
	s, err := o.state(ctx, host, group)
	if err != nil {
		return nil, err
	}
	all := make(map[jid.JID]string, len(s.members))
	for j := range s.members {
		if a, _ := s.affiliation(theme, j); a != None {
			all[j] = a
		}
	}
	if t := s.themes[theme]; t != nil {
		for j := range t.people {
			if a, _ := s.affiliation(theme, j); a != None {
				all[j] = a
			}
		}
	}
	return all, nil
}

// Visible says whether a person may know of a group, or of a theme in it.
func (o *Org) Visible(ctx context.Context, host, group, theme string, who jid.JID) (bool, error) {
	a, err := o.Access(ctx, host, group, theme, who)
	return a.Know, err
}

// Enter is Access for an actor who wants to enter. If the kind of group says so, it makes people of the organization
// members.
func (o *Org) Enter(ctx context.Context, by acts.Actor, host, group, theme string) (Access, error) {
	a, err := o.Access(ctx, host, group, theme, by.Who)
	if err != nil || !a.Join {
		return a, err
	}
	if err := o.join(ctx, by, host, group); err != nil {
		return Access{Affiliation: None}, err
	}
	return o.Access(ctx, host, group, theme, by.Who)
}

// join makes an actor a member if the actor may enter.
func (o *Org) join(ctx context.Context, by acts.Actor, host, group string) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, group)
		if err != nil {
			return err
		}
		if inGroup(s.members[by.Who.Bare()]) { // another client joined meanwhile
			c.keeps(s)
			return nil
		}
		if a, err := o.Access(ctx, host, group, "", by.Who); err != nil {
			return err
		} else if !a.Read && !a.Join {
			return fault.New(fault.Forbidden, "", "you may not join this group")
		}
		c.Note(acts.GroupJoin, s.group.Slug, nil)
		return o.setOwn(ctx, c, s, store.RoleMember)
	})
}

// MayMention says whether a person may mention everyone in a group ("@all"), by the group's policy.
func (o *Org) MayMention(ctx context.Context, host, group, theme string, who jid.JID) (bool, error) {
	s, err := o.state(ctx, host, group)
	if err != nil {
		return false, err
	}
	a, err := o.Access(ctx, host, group, theme, who)
	switch {
	case err != nil || !a.Write:
		return false, err
	case s.group.MentionBy == "nobody":
		return false, nil
	case s.group.MentionBy == "moderators":
		return a.Affiliation == Owner || a.Affiliation == Admin, nil
	}
	return true, nil
}
