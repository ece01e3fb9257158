package org

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/store"
)

// Teams are named sets of accounts. People of a team see each other in their contact lists with presence, show the
// team's name in rooms, and can be added to groups together.

// teams are a host's teams in the cache. They are shared and never changed: a change drops them.
type teams struct {
	version int64
	all     []*team // in order of slug
	byID    map[string]*team
	of      map[string][]*team // by localpart
}

type team struct {
	store.Team
	people []store.TeamMember // in order of name
}

func (t *team) has(name string) bool {
	_, ok := slices.BinarySearchFunc(t.people,
		name, func(m store.TeamMember, n string) int { return strings.Compare(m.Name, n) })
	return ok
}

func (o *Org) teamsOf(ctx context.Context, host string) (*teams, error) {
	o.mu.RLock()
	tv, seen := o.teams[host], o.changes
	o.mu.RUnlock()
	if tv != nil && !acts.Under(ctx) {
		return tv, nil
	}
	v, err := o.st.Version(ctx, host, versionTeams, "")
	if err != nil {
		return nil, err
	}
	if tv != nil && tv.version == v {
		return tv, nil
	}
	if tv, err = o.readTeams(ctx, host); err != nil {
		return nil, err
	}
	tv.version = v
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changes == seen && !acts.Under(ctx) { // otherwise it may be older than a change, or not committed yet
		o.teams[host] = tv
	}
	return tv, nil
}

func (o *Org) readTeams(ctx context.Context, host string) (*teams, error) {
	ts, err := o.st.Teams(ctx, host)
	if err != nil {
		return nil, err
	}
	ms, err := o.st.TeamMembers(ctx, host)
	if err != nil {
		return nil, err
	}
	tv := &teams{byID: make(map[string]*team), of: make(map[string][]*team)}
	for _, t := range ts {
		x := &team{Team: t}
		tv.all = append(tv.all, x)
		tv.byID[t.ID] = x
	}
	for _, m := range ms {
		if t := tv.byID[m.Team]; t != nil {
			t.people = append(t.people, m)
			tv.of[m.Name] = append(tv.of[m.Name], t)
		}
	}
	return tv, nil
}

// TeamEvent is a change of a team.
type TeamEvent struct {
	Was, Is     store.Team // zero: the team did not exist before, or does not exist now
	Before, Now []string   // localparts of its people
	Person      string     // the person whose name changed; "" for other events
}

// PersonRenamed tells the people who have a person in their contact lists by a team the person's new name.
func (o *Org) PersonRenamed(ctx context.Context, host, name string) error {
	tv, err := o.teamsOf(ctx, host)
	if err != nil || len(tv.of[name]) == 0 {
		return err
	}
	// contact lists have the names of the people of teams
	if err := o.cfg.Acts.Changes().Tell(ctx, changes.Teams, changes.Key(host, "")); err != nil {
		return err
	}
	for _, t := range tv.of[name] {
		o.tell(Event{
			Kind: TeamChanged,
			Host: host,
			Team: TeamEvent{Was: t.Team, Is: t.Team, Before: t.names(), Now: t.names(), Person: name},
		})
	}
	return nil
}

// Teams gives a host's teams in order of slug.
func (o *Org) Teams(ctx context.Context, host string) ([]store.Team, error) {
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return nil, err
	}
	ts := make([]store.Team, len(tv.all))
	for i, t := range tv.all {
		ts[i] = t.Team
	}
	return ts, nil
}

// Team returns a team by its slug; NotFound if it does not exist.
func (o *Org) Team(ctx context.Context, host, slug string) (store.Team, error) {
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return store.Team{}, err
	}
	for _, t := range tv.all {
		if t.Slug == slug {
			return t.Team, nil
		}
	}
	return store.Team{}, fault.New(fault.NotFound, "", "there is no team "+slug)
}

// TeamPeople gives a team's people in order of name.
func (o *Org) TeamPeople(ctx context.Context, host, id string) ([]store.TeamMember, error) {
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return nil, err
	}
	if tv.byID[id] == nil {
		return nil, fault.New(fault.NotFound, "", "no such team")
	}
	return tv.byID[id].people, nil
}

// TeamsOf gives the teams of an account, in order of slug.
func (o *Org) TeamsOf(ctx context.Context, host, name string) ([]store.Team, error) {
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return nil, err
	}
	var ts []store.Team
	for _, t := range tv.all {
		if slices.Contains(tv.of[name], t) {
			ts = append(ts, t.Team)
		}
	}
	return ts, nil
}

// Teammate is a person in a contact list because of a team.
type Teammate struct {
	Name     string   // localpart
	FullName string   // "" if not known
	Teams    []string // names of the common teams, as groups of the contact list
}

// Teammates gives the people in an account's contact list because of its teams, in order of name, and a version: "" for
// an empty list, and another text whenever the list changes.
func (o *Org) Teammates(ctx context.Context, host, name string) (ms []Teammate, version string, err error) {
	tv, err := o.teamsOf(ctx, host)
	if err != nil || len(tv.of[name]) == 0 {
		return nil, "", err
	}
	at := make(map[string]int)
	for _, t := range tv.of[name] {
		if len(t.people) > o.cfg.MaxRoster {
			continue
		}
		for _, p := range t.people {
			if p.Name == name {
				continue
			}
			i, ok := at[p.Name]
			if !ok {
				i = len(ms)
				at[p.Name] = i
				ms = append(ms, Teammate{Name: p.Name, FullName: p.FullName})
			}
			ms[i].Teams = append(ms[i].Teams, TeamLabel(t.Team))
		}
	}
	if len(ms) == 0 {
		return nil, "", nil
	}
	slices.SortFunc(ms, func(a, b Teammate) int { return strings.Compare(a.Name, b.Name) })
	sum := sha256.New()
	for _, m := range ms {
		slices.Sort(m.Teams)
		sum.Write([]byte(m.Name + "\x00" + m.FullName + "\x00" + strings.Join(m.Teams, "\x00") + "\x01"))
	}
	return ms, base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:9]), nil
}

// TeamLabel gives a team's name with its emoji, as lists show it.
func TeamLabel(t store.Team) string { return strings.TrimSpace(t.Emoji + " " + t.Name) }

func (t *team) names() []string {
	ns := make([]string, len(t.people))
	for i, p := range t.people {
		ns[i] = p.Name
	}
	return ns
}

// TeamDefaults gives the groups that new people of a team become members of.
func (o *Org) TeamDefaults(ctx context.Context, host, id string) ([]store.Group, error) {
	ids, err := o.st.TeamDefaults(ctx, host, id)
	if err != nil {
		return nil, err
	}
	return o.living(ctx, host, ids)
}

// TeamGroups gives the groups that a team is in.
func (o *Org) TeamGroups(ctx context.Context, host, id string) ([]store.Group, error) {
	gts, err := o.st.TeamGroups(ctx, host, id)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(gts))
	for i, gt := range gts {
		ids[i] = gt.Group
	}
	return o.living(ctx, host, ids)
}

func (o *Org) living(ctx context.Context, host string, ids []string) (gs []store.Group, err error) {
	for _, id := range ids {
		s, err := o.state(ctx, host, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		gs = append(gs, s.group)
	}
	return gs, nil
}
