package org

import (
	"context"
	"errors"

	"parley/store"
	"parley/wire/jid"
)

// A group seen as a space (XEP-0503): a node of publish-subscribe whose name is the group's id.

// SpacesDomain gives the domain of a host's spaces service. Movim looks for just this label.
func SpacesDomain(host string) string { return "spaces." + host }

// SpaceIRI names a group's space, as its rooms advertise it (XEP-0503, section 5.5).
func SpaceIRI(host, group string) string { return "xmpp:" + SpacesDomain(host) + "?;node=" + group }

// VisibleGroups lists the living groups that a person may know of, in order of slug, at most limit.
func (o *Org) VisibleGroups(ctx context.Context, host string, who jid.JID, limit int) ([]store.Group, error) {
	var out []store.Group
	after := ""
	for {
		gs, err := o.st.Groups(ctx, host, after, 200)
		if err != nil {
			return nil, err
		}
		for _, g := range gs {
			after = g.Slug
			ok, err := o.Visible(ctx, host, g.ID, "", who)
			if isNotFound(err) { // deleted meanwhile
				continue
			}
			if err != nil {
				return nil, err
			}
			if ok {
				if out = append(out, g); len(out) >= limit {
					return out, nil
				}
			}
		}
		if len(gs) < 200 {
			return out, nil
		}
	}
}

// Find begins a search for messages in all that a person may read.
func (o *Org) Find(host string, who jid.JID, text string) store.Find {
	return store.Find{Host: host, Rooms: o.RoomDomain(host), Asker: who.Bare().String(), Text: text, Apart: o.cfg.Apart}
}

// GroupsOf lists the groups that a person is a member of, in order of slug.
func (o *Org) GroupsOf(ctx context.Context, host string, who jid.JID) ([]store.Group, error) {
	return o.st.GroupsOf(ctx, host, who.Bare().String())
}

// RoleOf gives a person's role in a group, "" for who is not in it.
func (o *Org) RoleOf(ctx context.Context, host, group string, who jid.JID) (string, error) {
	s, err := o.state(ctx, host, group)
	if err != nil {
		return "", err
	}
	return s.members[who.Bare()], nil
}

// Join makes a person a member of a group, as entering its room does; joined is false where somebody has to let them in
// first. NotFound where they may not know of the group.
func (o *Org) Join(ctx context.Context, host, group string, who jid.JID) (joined bool, err error) {
	role, err := o.RoleOf(ctx, host, group, who)
	if err != nil {
		return false, err
	}
	if role != "" && role != store.RoleBanned {
		return true, nil
	}
	if ok, err := o.Visible(ctx, host, group, "", who); err != nil || !ok {
		if err == nil {
			err = &Error{NotFound, "", "no such group"}
		}
		return false, err
	}
	a, err := o.Enter(ctx, host, group, "", who)
	if err != nil || !a.Read { // somebody has to say yes first
		return false, err
	}
	if role, err = o.RoleOf(ctx, host, group, who); err == nil && role == "" { // an administrator, who comes in without being a member
		err = o.SetMember(ctx, host, group, who, store.RoleMember)
	}
	return err == nil, err
}

func isNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == NotFound
}
