package org

import (
	"context"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// A group appears as a space (XEP-0503): a publish-subscribe node whose name is the group's id.

// SpacesDomain gives the domain of a host's spaces service. Movim looks for exactly this label.
func SpacesDomain(host string) string { return "spaces." + host }

// SpaceIRI gives the IRI of a group's space, as its rooms advertise it (XEP-0503, section 5.5).
func SpaceIRI(host, group string) string { return "xmpp:" + SpacesDomain(host) + "?;node=" + group }

// VisibleGroups gives the existing groups that a person may know of, in order of slug, at most limit.
func (o *Org) VisibleGroups(ctx context.Context, host string, who jid.JID, limit int) ([]store.Group, error) {
	gs, _, err := o.FindGroups(ctx, host, who, store.GroupFilter{Limit: limit})
	return gs, err
}

// Find gives the store's query for messages with text in everything that a person may read.
func (o *Org) Find(host string, who jid.JID, text string) store.Find {
	return store.Find{Host: host, Rooms: o.RoomDomain(host), Asker: who.Bare().String(), Text: text, Apart: o.cfg.Apart}
}

// GroupsOf gives the groups that a person is a member of, in order of slug.
func (o *Org) GroupsOf(ctx context.Context, host string, who jid.JID) ([]store.Group, error) {
	return o.st.GroupsOf(ctx, host, who.Bare().String())
}

// RoleOf gives a person's role in a group; "" if they are not in it.
func (o *Org) RoleOf(ctx context.Context, host, group string, who jid.JID) (string, error) {
	s, err := o.state(ctx, host, group)
	if err != nil {
		return "", err
	}
	return s.members[who.Bare()], nil
}

// Join makes an actor a member of a group, as entering its room does; joined is false if somebody has to approve it
// first. NotFound if the actor may not know of the group.
func (o *Org) Join(ctx context.Context, by acts.Actor, host, group string) (joined bool, err error) {
	role, err := o.RoleOf(ctx, host, group, by.Who)
	if err != nil {
		return false, err
	}
	if inGroup(role) {
		return true, nil
	}
	if ok, err := o.Visible(ctx, host, group, "", by.Who); err != nil || !ok {
		if err == nil {
			err = fault.New(fault.NotFound, "", "no such group")
		}
		return false, err
	}
	a, err := o.Enter(ctx, by, host, group, "")
	if err != nil || !a.Read { // somebody has to approve it
		return false, err
	}
	// an administrator may enter without being a member
	if role, err = o.RoleOf(ctx, host, group, by.Who); err == nil && role == "" {
		err = o.join(ctx, by, host, group)
	}
	return err == nil, err
}
