package org

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/internal/shape"
	"parley/store"
	"parley/wire/jid"
)

// The acts of teams.

// NewTeam describes a team to be made. A field that is set in Settings takes precedence over the fields from Name to
// MentionBy.
type NewTeam struct {
	Slug        string // "": made from the name
	Settings    TeamFields
	Name        string
	Emoji       string
	Description string
	MentionBy   string // "everyone" (the default), "members" or "nobody"
	People      []string
}

// CreateTeam makes a team. Administrators may do this.
func (o *Org) CreateTeam(ctx context.Context, by acts.Actor, host string, n NewTeam) (t store.Team, err error) {
	err = o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		if err := o.mustRun(ctx, host, by); err != nil {
			return err
		}
		t, err = o.createTeam(ctx, c, host, n)
		return err
	})
	return t, err
}

func (o *Org) createTeam(ctx context.Context, c *change, host string, n NewTeam) (store.Team, error) {
	t := store.Team{
		Host:        host,
		ID:          token(10),
		Name:        n.Name,
		Emoji:       n.Emoji,
		Description: n.Description,
		MentionBy:   n.MentionBy,
		Created:     o.now(),
	}
	shape.Apply(TeamSettings(&t), n.Settings)
	var err error
	if t.Name, err = checkName("name", t.Name); err != nil {
		return store.Team{}, err
	}
	if t.Slug, err = checkSlug(n.Slug, t.Name); err != nil {
		return t, err
	}
	if err := checkTeam(&t); err != nil {
		return t, err
	}
	if len(n.People) > o.cfg.MaxTeam {
		return t, o.teamFull()
	}
	if err := o.accounts(ctx, host, n.People); err != nil {
		return t, err
	}
	if _, err := c.turn(ctx, versionTeams, host, ""); err != nil {
		return t, err
	}
	err = o.st.ChangeOrg(ctx, store.OrgChange{Host: host, Team: &t, TeamID: t.ID, In: n.People})
	if errors.Is(err, store.ErrExists) {
		return t, fault.At(fault.Exists, "slug", "a team of this name exists, or has existed")
	}
	if err != nil {
		return t, err
	}
	c.Note(acts.TeamCreate, t.Slug, acts.Detail{"name": t.Name, "members": len(n.People)})
	c.Changed(changes.Teams, "")
	c.tell(Event{Kind: TeamChanged, Host: host, Team: TeamEvent{Is: t, Now: n.People}})
	return t, nil
}

func (o *Org) teamFull() error {
	return fault.At(fault.Limit, "people", fmt.Sprintf("a team has at most %d people", o.cfg.MaxTeam))
}

// accounts checks that all names are accounts of the host.
func (o *Org) accounts(ctx context.Context, host string, names []string) error {
	for _, name := range names {
		if _, err := o.st.User(ctx, host, name); err != nil {
			return notFound(err, "there is no account "+name+"@"+host)
		}
	}
	return nil
}

// UpdateTeam changes a team. Administrators may do this.
func (o *Org) UpdateTeam(ctx context.Context, by acts.Actor, host, id string, ch TeamChange) (t store.Team, err error) {
	err = o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		if err := o.mustRun(ctx, host, by); err != nil {
			return err
		}
		_, was, err := c.team(ctx, host, id)
		if err != nil {
			return err
		}
		t = was.Team
		return o.updateTeam(ctx, c, was, &t, ch)
	})
	return t, err
}

// team gives a host's teams and one of them, locked until the act is over.
func (c *change) team(ctx context.Context, host, id string) (*teams, *team, error) {
	v, err := c.turn(ctx, versionTeams, host, "")
	if err != nil {
		return nil, nil, err
	}
	c.o.mu.RLock()
	tv := c.o.teams[host]
	c.o.mu.RUnlock()
	if tv == nil || tv.version != v-1 {
		if tv, err = c.o.readTeams(ctx, host); err != nil {
			return nil, nil, err
		}
	}
	t := tv.byID[id]
	if t == nil {
		return nil, nil, fault.New(fault.NotFound, "", "no such team")
	}
	c.Changed(changes.Teams, "")
	return tv, t, nil
}

func (o *Org) updateTeam(ctx context.Context, c *change, was *team, t *store.Team, ch TeamChange) (err error) {
	if err := ch.apply(t); err != nil {
		return err
	}
	d := teamDifferences(was.Team, *t)
	x := store.OrgChange{Host: t.Host, Team: t, TeamID: t.ID}
	if ch.Defaults != nil {
		if x.Defaults, err = o.defaults(ctx, t.Host, t.ID, *ch.Defaults, d); err != nil {
			return err
		}
	}
	if len(d) == 0 {
		return nil
	}
	if err := o.st.ChangeOrg(ctx, x); err != nil {
		return err
	}
	c.Note(acts.TeamChange, t.Slug, d)
	c.tell(Event{
		Kind: TeamChanged,
		Host: t.Host,
		Team: TeamEvent{Was: was.Team, Is: *t, Before: was.names(), Now: was.names()},
	})
	return nil
}

// defaults gives the ids of the groups that new people of a team become members of, and notes in d what changes.
func (o *Org) defaults(ctx context.Context, host, team string, slugs []string, d acts.Detail) ([]string, error) {
	had, err := o.TeamDefaults(ctx, host, team)
	if err != nil {
		return nil, err
	}
	before, now, ids := []string{}, []string{}, []string{}
	for _, g := range had {
		before = append(before, g.Slug)
	}
	for _, slug := range slugs {
		g, err := o.Group(ctx, host, slug)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, g.ID) {
			ids, now = append(ids, g.ID), append(now, g.Slug)
		}
	}
	slices.Sort(before)
	if slices.Sort(now); !slices.Equal(before, now) {
		d["defaults"] = [][]string{before, now}
	}
	return ids, nil
}

// SetTeamPeople adds accounts to a team and removes others. People who join the team join its groups; people who leave
// it leave groups that they are in only through the team. Administrators may do this.
func (o *Org) SetTeamPeople(ctx context.Context, by acts.Actor, host, id string, in, out []string) error {
	return o.SetTeamPeopleIf(ctx, by, host, id, in, out, nil)
}

// SetTeamPeopleIf does what SetTeamPeople does, and is open also to actors for whom may returns nil.
func (o *Org) SetTeamPeopleIf(ctx context.Context, by acts.Actor, host, id string, in, out []string,
	may func(ctx context.Context) error) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		err := o.mustRun(ctx, host, by)
		if err != nil && may != nil {
			err = may(ctx)
		}
		if err != nil {
			return err
		}
		tv, t, err := c.team(ctx, host, id)
		if err != nil {
			return err
		}
		in := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(in))), t.has)
		out := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(out))), func(n string) bool {
			return !t.has(n) || slices.Contains(in, n)
		})
		// people can leave a team that is too large
		if len(in) > len(out) && len(t.people)+len(in)-len(out) > o.cfg.MaxTeam {
			return o.teamFull()
		}
		if err := o.accounts(ctx, host, in); err != nil {
			return err
		}
		if len(in)+len(out) == 0 {
			return nil
		}
		c.Note(acts.TeamPeople, t.Slug, acts.Detail{"members": in, "removed": out})
		return o.changeTeam(ctx, c, tv, t, t.Team, in, out)
	})
}

// DeleteTeam deletes a team. Messages and shared things stay; people who were in a group by the team alone leave it.
// Administrators may do this.
func (o *Org) DeleteTeam(ctx context.Context, by acts.Actor, host, id string) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		if err := o.mustRun(ctx, host, by); err != nil {
			return err
		}
		tv, t, err := c.team(ctx, host, id)
		if err != nil {
			return err
		}
		gone := t.Team
		gone.Deleted = o.now()
		c.Note(acts.TeamDelete, t.Slug, acts.Detail{"name": t.Name, "members": len(t.people)})
		return o.changeTeam(ctx, c, tv, t, gone, nil, t.names())
	})
}

// changeTeam changes a team's people and thereby the members of its groups.
func (o *Org) changeTeam(ctx context.Context, c *change, tv *teams, t *team, is store.Team, in, out []string) error {
	host := t.Host
	after := tv.with(t, in, out)
	gts, err := o.st.TeamGroups(ctx, host, t.ID)
	if err != nil {
		return err
	}
	x := store.OrgChange{Host: host, Team: &is, TeamID: t.ID, In: in, Out: out}
	var cs []*memberChange
	for _, gt := range gts {
		s, err := c.lock(ctx, host, gt.Group)
		if fault.Is(err, fault.NotFound) { // the group is deleted; it will be restored without the team
			continue
		}
		if err != nil {
			return err
		}
		mc := &memberChange{s: s, now: o.cfg.Now}
		for _, name := range slices.Concat(in, out) {
			j, err := jid.New(name, host, "")
			if err != nil {
				return err
			}
			mc.set(j, s.ownRole(j), s.teamRoles(after, j))
		}
		if !is.Deleted.IsZero() {
			x.GroupTeams = append(x.GroupTeams, store.GroupTeam{Group: gt.Group, Team: t.ID})
		}
		cs = append(cs, mc)
	}
	if cs, err = o.addDefaults(ctx, c, cs, after, t.Team, in); err != nil {
		return err
	}
	if err := c.changeMembers(ctx, x, cs...); err != nil {
		return err
	}
	if !is.Deleted.IsZero() {
		if err := o.mandatoryNoMore(ctx, c, host, t.ID, gts); err != nil {
			return err
		}
	}
	e := TeamEvent{Was: t.Team, Is: is, Before: t.names(), Now: after.byID[t.ID].names()}
	if !is.Deleted.IsZero() {
		e.Is = store.Team{}
	}
	c.tell(Event{Kind: TeamChanged, Host: host, Team: e})
	return nil
}

// mandatoryNoMore makes the groups that are mandatory for a deleted team no longer mandatory.
func (o *Org) mandatoryNoMore(ctx context.Context, c *change, host, id string, gts []store.GroupTeam) error {
	for _, gt := range gts {
		s, err := c.lock(ctx, host, gt.Group)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if g := s.group; g.Mandatory == id {
			g.Mandatory = ""
			if err := o.st.UpdateGroup(ctx, g); err != nil {
				return err
			}
			c.drop(host, g.ID)
		}
	}
	return nil
}

// addDefaults makes new people of a team members of its default groups.
func (o *Org) addDefaults(ctx context.Context, c *change, cs []*memberChange, after *teams, t store.Team,
	in []string) ([]*memberChange, error) {
	if len(in) == 0 {
		return cs, nil
	}
	ids, err := o.st.TeamDefaults(ctx, t.Host, t.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if slices.ContainsFunc(cs, func(c *memberChange) bool { return c.s.group.ID == id }) {
			continue // the team itself is in the group
		}
		s, err := c.lock(ctx, t.Host, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		mc := &memberChange{s: s, now: o.cfg.Now}
		for _, name := range in {
			j, err := jid.New(name, t.Host, "")
			if err != nil {
				return nil, err
			}
			if s.ownRole(j) == "" {
				mc.set(j, store.RoleMember, s.teamRoles(after, j))
			}
		}
		cs = append(cs, mc)
	}
	return cs, nil
}

// with gives the teams as they are after a change of one team.
func (tv *teams) with(t *team, in, out []string) *teams {
	n := &team{Team: t.Team}
	for _, p := range t.people {
		if !slices.Contains(out, p.Name) {
			n.people = append(n.people, p)
		}
	}
	for _, name := range in {
		n.people = append(n.people, store.TeamMember{Team: t.ID, Name: name})
	}
	slices.SortFunc(n.people, func(a, b store.TeamMember) int { return strings.Compare(a.Name, b.Name) })
	c := &teams{byID: make(map[string]*team, len(tv.byID))}
	for id, x := range tv.byID {
		c.byID[id] = x
	}
	c.byID[t.ID] = n
	return c
}
