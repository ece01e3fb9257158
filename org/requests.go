package org

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

const (
	maxRequests = 500  // per group
	maxReason   = 1000 // bytes
)

// Request keeps an actor's request to become a member of a group that is joined by request; NotAllowed if the group
// takes none, NotFound if the actor may not know of the group.
func (o *Org) Request(ctx context.Context, by acts.Actor, host, group string, reason string) error {
	reason = strings.TrimSpace(reason)
	if len(reason) > maxReason {
		return fault.At(fault.Invalid, "reason", "is too long: at most 1000 bytes")
	}
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, group)
		if err != nil {
			return err
		}
		if err := o.mayAsk(ctx, by, host, group); err != nil {
			return err
		}
		r := store.GroupRequest{JID: by.Who.Bare().String(), Reason: reason, Since: o.now()}
		if err := o.st.PutGroupRequest(ctx, host, group, r, maxRequests); err != nil {
			if errors.Is(err, store.ErrLimit) {
				return fault.New(fault.Limit, "", "too many requests are waiting already")
			}
			return err
		}
		c.keeps(s)
		c.Note(acts.GroupAsk, s.group.Slug, acts.Detail{"reason": reason})
		c.tell(Event{
			Kind:   MembershipAsked,
			Host:   host,
			Group:  s.group,
			Rooms:  []jid.JID{o.RoomJID(host, s.group.Room)},
			Actor:  by.Who.Bare(),
			Reason: reason,
		})
		return nil
	})
}

func (o *Org) mayAsk(ctx context.Context, by acts.Actor, host, group string) error {
	a, err := o.Access(ctx, host, group, "", by.Who)
	switch {
	case err != nil:
		return err
	case a.Affiliation == Outcast:
		return fault.New(fault.Forbidden, "", "you are banned from this group")
	case !a.Know:
		return fault.New(fault.NotFound, "", "no such group")
	case a.Affiliation != None:
		return fault.New(fault.Exists, "", "you are already in this group")
	case !a.Ask:
		return fault.New(fault.NotAllowed, "", "this group takes no requests to join")
	}
	return nil
}

// Requests gives the requests of a group, in order of time.
func (o *Org) Requests(ctx context.Context, host, group string) ([]store.GroupRequest, error) {
	return o.st.GroupRequests(ctx, host, group)
}

// AnswerRequest makes the person who asked a member, or refuses; the person is told. Moderators may do this.
func (o *Org) AnswerRequest(ctx context.Context, by acts.Actor, host, group string, who jid.JID, yes bool) error {
	who = who.Bare()
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, group)
		if err != nil {
			return err
		}
		if a, err := o.standing(ctx, by, host, group, ""); err != nil {
			return err
		} else if a != Owner && a != Admin {
			return fault.New(fault.Forbidden, "", "only moderators answer requests")
		}
		rs, err := o.Requests(ctx, host, group)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(rs, func(r store.GroupRequest) bool { return r.JID == who.String() }) {
			return fault.At(fault.NotFound, "member", who.String()+" has not asked")
		}
		kind := MembershipDenied
		if yes {
			kind = MembershipGranted
			mc, err := o.planMembers(ctx, s, []store.Member{{JID: who.String(), Role: store.RoleMember}})
			if err == nil {
				err = c.changeMembers(ctx, store.OrgChange{Host: host}, mc)
			}
			if err != nil {
				return err
			}
		} else {
			c.keeps(s)
		}
		if err := o.st.DropGroupRequest(ctx, host, group, who.String()); err != nil &&
			!(yes && errors.Is(err, store.ErrNotFound)) {
			return notFound(err, who.String()+" has not asked")
		}
		c.Note(acts.GroupRequest, s.group.Slug, acts.Detail{"members": []string{who.String()}, "accepted": yes})
		c.tell(Event{
			Kind:    kind,
			Host:    host,
			Group:   s.group,
			Rooms:   []jid.JID{o.RoomJID(host, s.group.Room)},
			Members: []store.Member{{JID: who.String()}},
			Actor:   creator(by),
		})
		return nil
	})
}

// Withdraw removes an actor's own request; NotFound if the actor has made none.
func (o *Org) Withdraw(ctx context.Context, by acts.Actor, host, group string) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, group)
		if err != nil {
			return err
		}
		if err := o.st.DropGroupRequest(ctx, host, group, by.Who.Bare().String()); err != nil {
			return notFound(err, "you have not asked")
		}
		c.keeps(s)
		c.Note(acts.GroupWithdraw, s.group.Slug, nil)
		return nil
	})
}

// Leave removes an actor from a group at their own wish.
func (o *Org) Leave(ctx context.Context, by acts.Actor, host, group string) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, group)
		if err != nil {
			return err
		}
		switch role := s.members[by.Who.Bare()]; {
		case !inGroup(role):
			return fault.New(fault.NotFound, "", "you are not in this group")
		case s.group.Mandatory == Everyone && by.Who.Domain() == host:
			return fault.New(fault.NotAllowed, "", "everyone of "+host+" is in this group")
		}
		c.Note(acts.GroupLeave, s.group.Slug, nil)
		return o.setOwn(ctx, c, s, "")
	})
}

// setOwn makes the actor a member of a group, or removes them.
func (o *Org) setOwn(ctx context.Context, c *change, s *state, role string) error {
	mc, err := o.planMembers(ctx, s, []store.Member{{JID: c.By.Who.Bare().String(), Role: role}})
	if err != nil {
		return err
	}
	return c.changeMembers(ctx, store.OrgChange{Host: s.group.Host}, mc)
}

// Everyone as a group's Mandatory makes the group mandatory for all accounts of the host.
const Everyone = "everyone"
