package org

import (
	"context"

	"parley/acts"
	"parley/store"
	"parley/wire/jid"
)

// What a change comes to, told before it is made: by the same rules that make it.

// Plan is what a change of a group's people comes to. Who is not named stays as they are.
type Plan struct {
	Added   []store.Member
	Removed []store.Member    // also those who are kept out from now on: their role says so
	Changed []store.Member    // in it before and after, with another role
	Freed   []store.Member    // not kept out any more, and not in it either
	Was     map[string]string // the roles of all of them before, by address
}

// None says that nothing changes.
func (p Plan) None() bool { return len(p.Added)+len(p.Removed)+len(p.Changed)+len(p.Freed) == 0 }

// PlanMembers says what SetMembers would do.
func (o *Org) PlanMembers(ctx context.Context, by acts.Actor, host, group string, ms []store.Member) (Plan, error) {
	s, err := o.state(ctx, host, group)
	if err != nil {
		return Plan{}, err
	}
	if err := o.maySet(ctx, by, s, ms); err != nil {
		return Plan{}, err
	}
	c, err := o.planMembers(ctx, s, ms)
	if err != nil {
		return Plan{}, err
	}
	return c.plan(), nil
}

func (c *memberChange) plan() Plan {
	p := Plan{Was: make(map[string]string)}
	for _, m := range c.changed {
		was := c.s.members[jid.MustParse(m.JID)]
		p.Was[m.JID] = was
		switch now := m.Role; {
		case inGroup(now) && !inGroup(was):
			p.Added = append(p.Added, m)
		case !inGroup(now) && inGroup(was), now == store.RoleBanned:
			p.Removed = append(p.Removed, m)
		case inGroup(now):
			p.Changed = append(p.Changed, m)
		default:
			p.Freed = append(p.Freed, m)
		}
	}
	return p
}

// PlanUpdate says what Update would make of a group.
func (o *Org) PlanUpdate(ctx context.Context, host, id string, c GroupChange) (was, is store.Group, err error) {
	s, err := o.state(ctx, host, id)
	if err != nil {
		return was, is, err
	}
	is, err = s.changed(c)
	return s.group, is, err
}

// PlanMandatory counts who of the organization would be added to a group that everyone is in.
func (o *Org) PlanMandatory(ctx context.Context, host, id string) (int, error) {
	return o.st.CountOutside(ctx, host, id)
}
