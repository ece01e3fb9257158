package org

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley/store"
	"parley/wire/jid"
)

const (
	maxRequests = 500  // of one group
	maxReason   = 1000 // bytes
)

// Request keeps a person's wish to be a member of a group that is joined by request; Forbidden where one does not ask,
// NotFound where one may not know of the group.
func (o *Org) Request(ctx context.Context, host, group string, who jid.JID, reason string) error {
	reason = strings.TrimSpace(reason)
	if len(reason) > maxReason {
		return &Error{Invalid, "reason", "is too long: at most 1000 bytes"}
	}
	o.change.Lock()
	defer o.change.Unlock()
	a, err := o.Access(ctx, host, group, "", who)
	if err != nil {
		return err
	}
	switch {
	case a.Affiliation == Outcast:
		return &Error{Forbidden, "", "you are banned from this group"}
	case !a.Know:
		return &Error{NotFound, "", "no such group"}
	case a.Affiliation != None:
		return &Error{Exists, "", "you are in this group already"}
	case !a.Ask:
		return &Error{Forbidden, "", "one does not ask to be in this group"}
	}
	r := store.GroupRequest{JID: who.Bare().String(), Reason: reason, Since: time.Now().UTC()}
	if err := o.st.PutGroupRequest(ctx, host, group, r, maxRequests); err != nil {
		if errors.Is(err, store.ErrLimit) {
			return &Error{Forbidden, "", "too many wait for an answer already"}
		}
		return err
	}
	s, err := o.state(ctx, host, group)
	if err != nil {
		return err
	}
	o.tell(Event{Kind: MembershipAsked, Host: host, Group: s.group, Rooms: []jid.JID{o.RoomJID(host, s.group.Room)}, Actor: who.Bare(), Reason: reason})
	return nil
}

// Requests lists who waits, in order of time.
func (o *Org) Requests(ctx context.Context, host, group string) ([]store.GroupRequest, error) {
	return o.st.GroupRequests(ctx, host, group)
}

// AnswerRequest makes a member of who has asked, or turns them down; they are told.
func (o *Org) AnswerRequest(ctx context.Context, host, group string, who jid.JID, yes bool, actor jid.JID) error {
	who = who.Bare()
	if !actor.IsZero() {
		if a, err := o.Affiliation(ctx, host, group, "", actor); err != nil {
			return err
		} else if a != Owner && a != Admin {
			return &Error{Forbidden, "", "only moderators answer requests"}
		}
	}
	rs, err := o.Requests(ctx, host, group)
	if err != nil {
		return err
	}
	asked := false
	for _, r := range rs {
		asked = asked || r.JID == who.String()
	}
	if !asked {
		return &Error{NotFound, "member", who.String() + " has not asked"}
	}
	if yes {
		if err := o.SetMember(ctx, host, group, who, store.RoleMember); err != nil {
			return err
		}
	}
	o.change.Lock()
	defer o.change.Unlock()
	if err := o.st.DropGroupRequest(ctx, host, group, who.String()); err != nil && !(yes && errors.Is(err, store.ErrNotFound)) {
		return notFound(err, who.String()+" has not asked")
	}
	s, err := o.state(ctx, host, group)
	if err != nil {
		return err
	}
	kind := MembershipDenied
	if yes {
		kind = MembershipGranted
	}
	o.tell(Event{Kind: kind, Host: host, Group: s.group, Rooms: []jid.JID{o.RoomJID(host, s.group.Room)}, Members: []store.Member{{JID: who.String()}}, Actor: actor})
	return nil
}

// Leave takes a person out of a group by their own wish.
func (o *Org) Leave(ctx context.Context, host, group string, who jid.JID) error {
	s, err := o.state(ctx, host, group)
	if err != nil {
		return err
	}
	switch role := s.members[who.Bare()]; {
	case !inGroup(role):
		return &Error{NotFound, "", "you are not in this group"}
	case s.group.Mandatory == Everyone:
		return &Error{Forbidden, "", "everyone of " + host + " is in this group"}
	}
	return o.SetMember(ctx, host, group, who, "")
}

// SetMemberAs is SetMember by somebody's wish: moderators add, remove and ban members, owners change every role.
func (o *Org) SetMemberAs(ctx context.Context, host, group string, actor, who jid.JID, role string) error {
	return o.SetMembersAs(ctx, host, group, actor, []jid.JID{who}, role)
}

// SetMembersAs does that for many, in one transaction.
func (o *Org) SetMembersAs(ctx context.Context, host, group string, actor jid.JID, people []jid.JID, role string) error {
	ms, err := o.asked(ctx, host, group, actor, people, role)
	if err != nil {
		return err
	}
	return o.SetMembers(ctx, host, group, ms)
}

// asked says whether somebody may give people of a group a role.
func (o *Org) asked(ctx context.Context, host, group string, actor jid.JID, people []jid.JID, role string) ([]store.Member, error) {
	a, err := o.Affiliation(ctx, host, group, "", actor)
	if err != nil {
		return nil, err
	}
	s, err := o.state(ctx, host, group)
	if err != nil {
		return nil, err
	}
	high := func(role string) bool { return role == store.RoleModerator || role == store.RoleOwner }
	if a != Owner && a != Admin {
		return nil, &Error{Forbidden, "", "only moderators change who is in this group"}
	}
	var ms []store.Member
	for _, who := range people {
		if a == Admin && (high(role) || high(s.members[who.Bare()])) {
			return nil, &Error{Forbidden, "role", "only owners make moderators and owners, and unmake them"}
		}
		ms = append(ms, store.Member{JID: who.Bare().String(), Role: role})
	}
	return ms, nil
}

// Everyone is the value of a mandatory group that all accounts of the host are in.
const Everyone = "everyone"
