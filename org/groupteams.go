package org

import (
	"context"
	"slices"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// SetGroupTeam adds a team to a group with a role (member or moderator); "" removes it. The people of a large team are
// added in the background: see Progress. The group's owners may do this.
func (o *Org) SetGroupTeam(ctx context.Context, by acts.Actor, host, group, id, role string) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, group)
		if err != nil {
			return err
		}
		if err := o.mustOwn(ctx, by, host, group); err != nil {
			return err
		}
		if role == "" && s.group.Mandatory == id && id != "" {
			return fault.At(fault.NotAllowed, "team", "the group is mandatory for this team")
		}
		team, err := o.whom(ctx, host, id)
		if err != nil {
			return err
		}
		was := ""
		for _, gt := range s.teams {
			if gt.Team == id {
				was = gt.Role
			}
		}
		if err := o.setGroupTeam(ctx, c, s, id, role); err != nil {
			return err
		}
		d := acts.Detail{"team": team}
		acts.Was(d, "role", was, role)
		c.Note(acts.GroupTeam, s.group.Slug, d)
		return nil
	})
}

// SetGroupTeams makes these the teams of a group: teams that were in it keep their role, new ones become members.
// Either all of it is done or nothing. The group's owners may do this.
func (o *Org) SetGroupTeams(ctx context.Context, by acts.Actor, host, group string, teams []string) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, group)
		if err != nil {
			return err
		}
		if err := o.mustOwn(ctx, by, host, group); err != nil {
			return err
		}
		was := make(map[string]bool)
		for _, gt := range s.teams {
			if was[gt.Team] = true; slices.Contains(teams, gt.Team) {
				continue
			}
			if err := o.SetGroupTeam(ctx, by, host, group, gt.Team, ""); err != nil {
				return err
			}
		}
		for _, id := range teams {
			if was[id] {
				continue
			}
			if err := o.SetGroupTeam(ctx, by, host, group, id, store.RoleMember); err != nil {
				return err
			}
		}
		return nil
	})
}

func (o *Org) setGroupTeam(ctx context.Context, c *change, s *state, id, role string) error {
	if role != "" && role != store.RoleMember && role != store.RoleModerator {
		return fault.At(fault.Invalid, "role", "of a team is member or moderator")
	}
	host, group := s.group.Host, s.group.ID
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return err
	}
	t := tv.byID[id]
	if t == nil {
		return fault.At(fault.NotFound, "team", "no such team")
	}
	next := *s
	next.teams = slices.DeleteFunc(slices.Clone(s.teams), func(gt store.GroupTeam) bool { return gt.Team == id })
	if role != "" {
		next.teams = append(next.teams, store.GroupTeam{Group: group, Team: id, Role: role})
	}
	mc := &memberChange{s: s, now: o.cfg.Now}
	for _, name := range t.names() {
		j, err := jid.New(name, host, "")
		if err != nil {
			return err
		}
		mc.set(j, s.ownRole(j), next.teamRoles(tv, j))
	}
	if err := o.fits("team", mc); err != nil {
		return err
	}
	x := store.OrgChange{Host: host, GroupTeams: []store.GroupTeam{{Group: group, Team: id, Role: role}}}
	// the team was in the group already, or it is small
	if len(s.teams) == len(next.teams) || role == "" || len(mc.members) <= batch {
		return c.changeMembers(ctx, x, mc)
	}
	x.Fill = group // too many for one transaction: they are added in batches
	if err := o.st.ChangeOrg(ctx, x); err != nil {
		return err
	}
	c.drop(host, group)
	c.After(func(context.Context) { o.fill(host, group) })
	return nil
}

// GroupTeams gives the teams of a group, with their roles.
func (o *Org) GroupTeams(ctx context.Context, host, group string) ([]store.GroupTeam, error) {
	return o.st.GroupTeams(ctx, host, group)
}

// MayMentionTeam says whether a person may mention a team, by the team's policy.
func (o *Org) MayMentionTeam(ctx context.Context, host, id string, who jid.JID) (bool, error) {
	tv, err := o.teamsOf(ctx, host)
	if err != nil || tv.byID[id] == nil || who.Domain() != host {
		return false, err
	}
	switch tv.byID[id].MentionBy {
	case "nobody":
		return false, nil
	case "members":
		return tv.byID[id].has(who.Local()), nil
	}
	return true, nil
}
