package org

import (
	"context"
	"slices"

	"parley/store"
	"parley/wire/jid"
)

// SetGroupTeam has a team in a group as one, with a role (member or moderator); "" takes it out. The people of a large team
// are added in the background: see Progress.
func (o *Org) SetGroupTeam(ctx context.Context, host, group, id, role string) error {
	o.change.Lock()
	defer o.change.Unlock()
	return o.setGroupTeam(ctx, host, group, id, role, nil)
}

// setGroupTeam may write the group itself in the same transaction, by after.
func (o *Org) setGroupTeam(ctx context.Context, host, group, id, role string, after func() error) error {
	if role != "" && role != store.RoleMember && role != store.RoleModerator {
		return &Error{Invalid, "role", "of a team is member or moderator"}
	}
	s, err := o.state(ctx, host, group)
	if err != nil {
		return err
	}
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return err
	}
	t := tv.byID[id]
	switch {
	case t == nil:
		return &Error{NotFound, "team", "no such team"}
	case role == "" && s.group.Mandatory == id && after == nil:
		return &Error{Forbidden, "team", "everyone of this team is in this group"}
	}
	next := *s
	next.teams = slices.DeleteFunc(slices.Clone(s.teams), func(gt store.GroupTeam) bool { return gt.Team == id })
	if role != "" {
		next.teams = append(next.teams, store.GroupTeam{Group: group, Team: id, Role: role})
	}
	c := &memberChange{s: s}
	for _, name := range t.names() {
		j, err := jid.New(name, host, "")
		if err != nil {
			return err
		}
		c.set(j, s.ownRole(j), next.teamRoles(tv, j))
	}
	if len(s.members)+c.fresh > o.cfg.MaxGroup {
		return &Error{Forbidden, "team", "the group would be too full"}
	}
	if after != nil {
		if err := after(); err != nil {
			return err
		}
	}
	x := store.OrgChange{Host: host, GroupTeams: []store.GroupTeam{{Group: group, Team: id, Role: role}}}
	if len(s.teams) == len(next.teams) || role == "" || len(c.members) <= batch { // it was in it, or there are few
		return o.changeMembers(ctx, x, c)
	}
	x.Fill = group // too many for one transaction: they come some at a time
	if err := o.st.ChangeOrg(ctx, x); err != nil {
		return err
	}
	o.drop(host, group)
	o.fill(host, group)
	return nil
}

// GroupTeams lists the teams that are in a group as one, with their roles.
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
