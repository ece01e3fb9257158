package org

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/store"
	"parley/wire/jid"
)

// Teams: named sets of accounts. Their people see each other in their contact lists and when they are there, wear the
// team's name in rooms, and are in groups as one.

// teams are a host's, as they are remembered. They are shared and not changed: a change drops them.
type teams struct {
	all  []*team // in order of slug
	byID map[string]*team
	of   map[string][]*team // by localpart
}

type team struct {
	store.Team
	people []store.TeamMember // in order of name
}

func (t *team) has(name string) bool {
	_, ok := slices.BinarySearchFunc(t.people, name, func(m store.TeamMember, n string) int { return strings.Compare(m.Name, n) })
	return ok
}

func (o *Org) teamsOf(ctx context.Context, host string) (*teams, error) {
	o.mu.RLock()
	tv, seen := o.teams[host], o.changes
	o.mu.RUnlock()
	if tv != nil {
		return tv, nil
	}
	ts, err := o.st.Teams(ctx, host)
	if err != nil {
		return nil, err
	}
	ms, err := o.st.TeamMembers(ctx, host)
	if err != nil {
		return nil, err
	}
	tv = &teams{byID: make(map[string]*team), of: make(map[string][]*team)}
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
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changes == seen { // else it may have been read before the change
		o.teams[host] = tv
	}
	return tv, nil
}

// PersonChanged forgets what is remembered of a host's teams.
func (o *Org) PersonChanged(host string) {
	o.mu.Lock()
	delete(o.teams, host)
	o.changes++
	o.mu.Unlock()
}

// TeamEvent is what has become of a team.
type TeamEvent struct {
	Was, Is     store.Team // the zero value: there was none, there is none
	Before, Now []string   // its people, localparts
	Person      string     // who has another name now, "" if it is not about that
}

// PersonRenamed has those who see a person in their contact lists by a team see the new name.
func (o *Org) PersonRenamed(ctx context.Context, host, name string) error {
	o.change.Lock()
	defer o.change.Unlock()
	o.PersonChanged(host)
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return err
	}
	for _, t := range tv.of[name] {
		o.tell(Event{Kind: TeamChanged, Host: host, Team: TeamEvent{Was: t.Team, Is: t.Team, Before: t.names(), Now: t.names(), Person: name}})
	}
	return nil
}

// NewTeam is what a team is made of.
type NewTeam struct {
	Slug        string // "": made from the name
	Name        string
	Emoji       string
	Description string
	MentionBy   string // "everyone" (the default) of the organization, "members" of it, "nobody"
	People      []string
}

// CreateTeam makes a team.
func (o *Org) CreateTeam(ctx context.Context, host string, n NewTeam) (store.Team, error) {
	name, err := checkName("name", n.Name)
	if err != nil {
		return store.Team{}, err
	}
	t := store.Team{Host: host, ID: token(10), Name: name, Emoji: n.Emoji, Description: n.Description, MentionBy: n.MentionBy, Created: time.Now().UTC()}
	if t.Slug, err = checkSlug(n.Slug, name); err != nil {
		return t, err
	}
	if err := checkTeam(&t); err != nil {
		return t, err
	}
	o.change.Lock()
	defer o.change.Unlock()
	if err := o.accounts(ctx, host, n.People); err != nil {
		return t, err
	}
	err = o.st.ChangeOrg(ctx, store.OrgChange{Host: host, Team: &t, TeamID: t.ID, In: n.People})
	if errors.Is(err, store.ErrExists) {
		return t, &Error{Exists, "slug", "a team of this name exists, or has existed"}
	}
	if err != nil {
		return t, err
	}
	o.PersonChanged(host)
	o.tell(Event{Kind: TeamChanged, Host: host, Team: TeamEvent{Is: t, Now: n.People}})
	return t, nil
}

func checkTeam(t *store.Team) error {
	if t.MentionBy == "" {
		t.MentionBy = Everyone
	}
	switch {
	case len(t.Description) > maxDescription:
		return &Error{Invalid, "description", "is too long: at most 2000 bytes"}
	case t.MentionBy != Everyone && t.MentionBy != "members" && t.MentionBy != "nobody":
		return &Error{Invalid, "mention_by", `is "everyone", "members" or "nobody"`}
	case t.Emoji != "" && !isEmoji(t.Emoji):
		return &Error{Invalid, "emoji", "is one emoji"}
	}
	return nil
}

func (o *Org) teamFull() error {
	return &Error{Forbidden, "people", fmt.Sprintf("a team has at most %d people", o.cfg.MaxTeam)}
}

// accounts checks that these are accounts of the host.
func (o *Org) accounts(ctx context.Context, host string, names []string) error {
	if len(names) > o.cfg.MaxTeam {
		return o.teamFull()
	}
	for _, name := range names {
		if _, err := o.st.User(ctx, host, name); err != nil {
			return notFound(err, "there is no account "+name+"@"+host)
		}
	}
	return nil
}

// Teams lists a host's teams in order of slug.
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

// Team finds a team by its slug.
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
	return store.Team{}, &Error{NotFound, "", "there is no team " + slug}
}

// TeamPeople lists who is in a team, in order of name.
func (o *Org) TeamPeople(ctx context.Context, host, id string) ([]store.TeamMember, error) {
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return nil, err
	}
	if tv.byID[id] == nil {
		return nil, &Error{NotFound, "", "no such team"}
	}
	return tv.byID[id].people, nil
}

// TeamsOf lists the teams of an account, in order of slug.
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

// Mate is somebody who is in a contact list because of a team.
type Mate struct {
	Name     string   // localpart
	FullName string   // "" if not known
	Teams    []string // names, as groups of the contact list
}

// Mates gives who is in an account's contact list because of its teams, in order of name, and a version, which is ""
// where there are none and another one whenever they are others.
func (o *Org) Mates(ctx context.Context, host, name string) (ms []Mate, version string, err error) {
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
				ms = append(ms, Mate{Name: p.Name, FullName: p.FullName})
			}
			ms[i].Teams = append(ms[i].Teams, TeamLabel(t.Team))
		}
	}
	if len(ms) == 0 {
		return nil, "", nil
	}
	slices.SortFunc(ms, func(a, b Mate) int { return strings.Compare(a.Name, b.Name) })
	sum := sha256.New()
	for _, m := range ms {
		slices.Sort(m.Teams)
		sum.Write([]byte(m.Name + "\x00" + m.FullName + "\x00" + strings.Join(m.Teams, "\x00") + "\x01"))
	}
	return ms, base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:9]), nil
}

// TeamLabel is a team's name as lists show it, with its emoji.
func TeamLabel(t store.Team) string { return strings.TrimSpace(t.Emoji + " " + t.Name) }

// TeamChange is what is to be changed of a team; nil stays.
type TeamChange struct {
	Name, Emoji, Description, MentionBy *string
	Defaults                            *[]string // slugs of the groups that its new people are members of
}

// UpdateTeam changes a team.
func (o *Org) UpdateTeam(ctx context.Context, host, id string, c TeamChange) (store.Team, error) {
	o.change.Lock()
	defer o.change.Unlock()
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return store.Team{}, err
	}
	was := tv.byID[id]
	if was == nil {
		return store.Team{}, &Error{NotFound, "", "no such team"}
	}
	t := was.Team
	if c.Name != nil {
		if t.Name, err = checkName("name", *c.Name); err != nil {
			return was.Team, err
		}
	}
	for to, from := range map[*string]*string{&t.Emoji: c.Emoji, &t.Description: c.Description, &t.MentionBy: c.MentionBy} {
		if from != nil {
			*to = *from
		}
	}
	if err := checkTeam(&t); err != nil {
		return was.Team, err
	}
	x := store.OrgChange{Host: host, Team: &t, TeamID: id}
	if c.Defaults != nil {
		x.Defaults = []string{}
		for _, slug := range *c.Defaults {
			g, err := o.Group(ctx, host, slug)
			if err != nil {
				return was.Team, err
			}
			if !slices.Contains(x.Defaults, g.ID) {
				x.Defaults = append(x.Defaults, g.ID)
			}
		}
	}
	if err := o.st.ChangeOrg(ctx, x); err != nil {
		return was.Team, err
	}
	o.PersonChanged(host)
	o.tell(Event{Kind: TeamChanged, Host: host, Team: TeamEvent{Was: was.Team, Is: t, Before: was.names(), Now: was.names()}})
	return t, nil
}

func (t *team) names() []string {
	ns := make([]string, len(t.people))
	for i, p := range t.people {
		ns[i] = p.Name
	}
	return ns
}

// TeamDefaults lists the groups that a team's new people are members of.
func (o *Org) TeamDefaults(ctx context.Context, host, id string) ([]store.Group, error) {
	ids, err := o.st.TeamDefaults(ctx, host, id)
	if err != nil {
		return nil, err
	}
	return o.living(ctx, host, ids)
}

// TeamGroups lists the groups that a team is in as one.
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
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		gs = append(gs, s.group)
	}
	return gs, nil
}

// SetTeamPeople has accounts in a team from now on, and others not any more; they come into its groups and go with it.
func (o *Org) SetTeamPeople(ctx context.Context, host, id string, in, out []string) error {
	o.change.Lock()
	defer o.change.Unlock()
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return err
	}
	t := tv.byID[id]
	if t == nil {
		return &Error{NotFound, "", "no such team"}
	}
	in = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(in))), t.has)
	out = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(out))), func(n string) bool { return !t.has(n) || slices.Contains(in, n) })
	if err := o.accounts(ctx, host, in); err != nil {
		return err
	}
	if len(t.people)+len(in)-len(out) > o.cfg.MaxTeam {
		return o.teamFull()
	}
	if len(in)+len(out) == 0 {
		return nil
	}
	return o.changeTeam(ctx, tv, t, t.Team, in, out)
}

// DeleteTeam ends a team. What its people have said and shared stays; who was in a group by the team alone leaves it.
func (o *Org) DeleteTeam(ctx context.Context, host, id string) error {
	o.change.Lock()
	defer o.change.Unlock()
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return err
	}
	t := tv.byID[id]
	if t == nil {
		return &Error{NotFound, "", "no such team"}
	}
	gone := t.Team
	gone.Deleted = time.Now().UTC()
	return o.changeTeam(ctx, tv, t, gone, nil, t.names())
}

// changeTeam changes a team's people, and with them who is in its groups.
func (o *Org) changeTeam(ctx context.Context, tv *teams, t *team, is store.Team, in, out []string) error {
	host := t.Host
	after := tv.with(t, in, out)
	gts, err := o.st.TeamGroups(ctx, host, t.ID)
	if err != nil {
		return err
	}
	x := store.OrgChange{Host: host, Team: &is, TeamID: t.ID, In: in, Out: out}
	var cs []*memberChange
	for _, gt := range gts {
		s, err := o.state(ctx, host, gt.Group)
		if err != nil {
			return err
		}
		c := &memberChange{s: s}
		for _, name := range slices.Concat(in, out) {
			j, err := jid.New(name, host, "")
			if err != nil {
				return err
			}
			c.set(j, s.ownRole(j), s.teamRoles(after, j))
		}
		if !is.Deleted.IsZero() {
			x.GroupTeams = append(x.GroupTeams, store.GroupTeam{Group: gt.Group, Team: t.ID})
		}
		cs = append(cs, c)
	}
	if cs, err = o.addDefaults(ctx, cs, after, t.Team, in); err != nil {
		return err
	}
	if err := o.changeMembers(ctx, x, cs...); err != nil {
		return err
	}
	o.PersonChanged(host)
	if !is.Deleted.IsZero() {
		if err := o.mandatoryNoMore(ctx, host, t.ID, gts); err != nil {
			return err
		}
	}
	e := TeamEvent{Was: t.Team, Is: is, Before: t.names(), Now: after.byID[t.ID].names()}
	if !is.Deleted.IsZero() {
		e.Is = store.Team{}
	}
	o.tell(Event{Kind: TeamChanged, Host: host, Team: e})
	return nil
}

// mandatoryNoMore: a team that is gone is in no group that all of it has to be in.
func (o *Org) mandatoryNoMore(ctx context.Context, host, id string, gts []store.GroupTeam) error {
	for _, gt := range gts {
		s, err := o.state(ctx, host, gt.Group)
		if err != nil {
			return err
		}
		if g := s.group; g.Mandatory == id {
			g.Mandatory = ""
			if err := o.st.UpdateGroup(ctx, g); err != nil {
				return err
			}
			o.drop(host, g.ID)
		}
	}
	return nil
}

// addDefaults has a team's new people in its default groups, each as a member of their own.
func (o *Org) addDefaults(ctx context.Context, cs []*memberChange, after *teams, t store.Team, in []string) ([]*memberChange, error) {
	if len(in) == 0 {
		return cs, nil
	}
	ids, err := o.st.TeamDefaults(ctx, t.Host, t.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if slices.ContainsFunc(cs, func(c *memberChange) bool { return c.s.group.ID == id }) {
			continue // the team is in it as one
		}
		s, err := o.state(ctx, t.Host, id)
		if err != nil {
			return nil, err
		}
		c := &memberChange{s: s}
		for _, name := range in {
			j, err := jid.New(name, t.Host, "")
			if err != nil {
				return nil, err
			}
			if s.ownRole(j) == "" {
				c.set(j, store.RoleMember, s.teamRoles(after, j))
			}
		}
		cs = append(cs, c)
	}
	return cs, nil
}

// with is the teams as they are after a change of one.
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
