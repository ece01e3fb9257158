package org

import (
	"context"

	"parley/acts"
	"parley/store"
	"parley/wire/jid"
)

// A plan tells the effect of a change before it is made, by the same rules that make it.

// Plan is the effect of a change of a group's people. People who are not named stay as they are.
type Plan struct {
	Added   []store.Member
	Removed []store.Member    // also newly banned people: their role says so
	Changed []store.Member    // members before and after, with another role
	Freed   []store.Member    // banned before, and neither banned nor members after
	Was     map[string]string // all roles before, by address
}

// None says whether nothing changes.
func (p Plan) None() bool { return len(p.Added)+len(p.Removed)+len(p.Changed)+len(p.Freed) == 0 }

// PlanMembers gives what SetMembers would do.
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

// PlanUpdate gives a group before and after an Update.
func (o *Org) PlanUpdate(ctx context.Context, host, id string, c GroupChange) (was, is store.Group, err error) {
	s, err := o.state(ctx, host, id)
	if err != nil {
		return was, is, err
	}
	is, err = s.changed(c)
	return s.group, is, err
}

// PlanMandatory counts the people of the organization who would be added to a group if it were mandatory for everyone.
func (o *Org) PlanMandatory(ctx context.Context, host, id string) (int, error) {
	return o.st.CountOutside(ctx, host, id)
}
