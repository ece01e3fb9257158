package groups

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire/form"
	"parley/wire/jid"
)

// Ad-hoc commands for administrators of the organization: teams, mandatory groups and deleted groups.

const (
	nodeNewTeam      = "https://parley.im/commands#new-team"
	nodeTeamPeople   = "https://parley.im/commands#team-people"
	nodeDeleteTeam   = "https://parley.im/commands#delete-team"
	nodeRestoreGroup = "https://parley.im/commands#restore-group"
	nodeGroupTeams   = "https://parley.im/commands#group-teams"
	nodeMandatory    = "https://parley.im/commands#mandatory"
)

// adminCommands gives the commands of the service.
func (s *Service) adminCommands() []server.Command {
	return []server.Command{
		{Node: nodeNewTeam, Name: "New team", Allowed: s.IsAdmin, Form: newTeamForm, Do: s.newTeam},
		{
			Node:    nodeTeamPeople,
			Name:    "Change the people of a team",
			Allowed: s.IsAdmin,
			Form:    s.teamPeopleForm,
			Do:      s.changeTeam,
		},
		{Node: nodeDeleteTeam, Name: "Delete a team", Allowed: s.IsAdmin, Form: s.deleteTeamForm, Do: s.deleteTeam},
		{
			Node:    nodeRestoreGroup,
			Name:    "Restore a deleted group",
			Allowed: s.IsAdmin,
			Form:    s.restoreForm,
			Do:      s.restore,
		},
	}
}

func newTeamForm(context.Context, jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodeNewTeam)
	f.Title = "New team"
	f.Instructions = "Its people are in each other's contact lists, and the whole team can be added to groups."
	addFields(f, org.TeamChange{}, "name", "emoji", "description")
	f.Field("name").Required = true
	f.Add("people", form.JIDMulti, "People")
	return f, nil
}

// accounts reads a field with addresses of people of this host, and gives their localparts.
func (s *Service) accounts(f form.Form, field string) ([]string, error) {
	js, err := f.JIDs(field)
	if err != nil {
		return nil, server.NotAcceptable
	}
	var names []string
	for _, j := range js {
		if j.Domain() != s.host.Domain || j.Local() == "" {
			return nil, server.WithText(server.NotAcceptable, j.String()+" is not an account of "+s.host.Domain)
		}
		names = append(names, j.Local())
	}
	return names, nil
}

func (s *Service) newTeam(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	people, err := s.accounts(f, "people")
	if err != nil {
		return "", nil, err
	}
	t, err := s.cfg.Org.CreateTeam(
		ctx,
		s.by(who),
		s.host.Domain,
		org.NewTeam{Name: f.Get("name"), Emoji: f.Get("emoji"), Description: f.Text("description"), People: people},
	)
	return "The team " + org.TeamLabel(t) + " is made.", nil, err
}

// addTeams adds a field to a form that asks for one of the teams.
func (s *Service) addTeams(ctx context.Context, f *form.Form) error {
	ts, err := s.cfg.Org.Teams(ctx, s.host.Domain)
	if err != nil {
		return err
	}
	var os []form.Option
	for _, t := range ts {
		os = append(os, form.Option{Label: org.TeamLabel(t), Value: t.Slug})
	}
	f.AddList("team", "Team", "", os...).Required()
	return nil
}

func (s *Service) teamPeopleForm(ctx context.Context, _ jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodeTeamPeople)
	f.Title = "People of a team"
	err := s.addTeams(ctx, f)
	f.Add("in", form.JIDMulti, "People to add").Add("out", form.JIDMulti, "People to remove")
	return f, err
}

func (s *Service) changeTeam(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	t, err := s.cfg.Org.Team(ctx, s.host.Domain, f.Get("team"))
	if err != nil {
		return "", nil, err
	}
	in, err := s.accounts(f, "in")
	if err != nil {
		return "", nil, err
	}
	out, err := s.accounts(f, "out")
	if err != nil {
		return "", nil, err
	}
	if err := s.cfg.Org.SetTeamPeople(ctx, s.by(who), s.host.Domain, t.ID, in, out); err != nil {
		return "", nil, err
	}
	ps, err := s.cfg.Org.TeamPeople(ctx, s.host.Domain, t.ID)
	var names []string
	for _, p := range ps {
		names = append(names, p.Name)
	}
	return "In the team " + org.TeamLabel(t) + " are " + strings.Join(cut(names), ", ") + ".", nil, err
}

func (s *Service) deleteTeamForm(ctx context.Context, _ jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodeDeleteTeam)
	f.Title = "Delete a team"
	f.Instructions = "Messages and shared things stay. People who are in a group only through the team leave it."
	return f, s.addTeams(ctx, f)
}

func (s *Service) deleteTeam(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	t, err := s.cfg.Org.Team(ctx, s.host.Domain, f.Get("team"))
	if err != nil {
		return "", nil, err
	}
	return "The team is deleted.", nil, s.cfg.Org.DeleteTeam(ctx, s.by(who), s.host.Domain, t.ID)
}

func (s *Service) restoreForm(ctx context.Context, _ jid.JID) (*form.Form, error) {
	gs, err := s.cfg.Org.DeletedGroups(ctx, s.host.Domain)
	if err != nil {
		return nil, err
	}
	f := form.New(form.Ask, nodeRestoreGroup)
	f.Title = "Restore a deleted group"
	f.Instructions = "Groups that were deleted in the last 30 days come back with members, themes and history."
	var os []form.Option
	for _, g := range gs {
		os = append(os, form.Option{Label: g.Name + " (" + g.Slug + ")", Value: g.Slug})
	}
	f.AddList("group", "Group", "", os...).Required()
	return f, nil
}

func (s *Service) restore(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	g, err := s.cfg.Org.RestoreGroup(ctx, s.by(who), s.host.Domain, f.Get("group"))
	if err != nil {
		return "", nil, err
	}
	return "The group " + g.Name + " is at " + s.cfg.Org.RoomJID(s.host.Domain, g.Room).String() + ".", nil, nil
}

// teamCommands returns the commands of a group's room for teams: which teams are members of the group, and who must be
// a member.
func (k *keeper) teamCommands() []server.Command {
	return []server.Command{
		{
			Node:    nodeGroupTeams,
			Name:    "Teams in this group",
			Allowed: k.ranked(muc.Owner),
			Form:    k.groupTeamsForm,
			Do:      k.setGroupTeams,
		},
		{
			Node:    nodeMandatory,
			Name:    "Mandatory members of this group",
			Allowed: k.s.IsAdmin,
			Form:    k.mandatoryForm,
			Do:      k.setMandatory,
		},
	}
}

func (k *keeper) groupTeamsForm(ctx context.Context, _ jid.JID) (*form.Form, error) {
	o, host := k.org, k.host
	in, err := o.GroupTeams(ctx, host, k.group)
	if err != nil {
		return nil, err
	}
	ts, err := o.Teams(ctx, host)
	if err != nil {
		return nil, err
	}
	fd := form.Field{Var: "teams", Type: form.ListMulti, Label: "Teams whose people are members"}
	for _, t := range ts {
		fd.Options = append(fd.Options, form.Option{Label: org.TeamLabel(t), Value: t.Slug})
		if slices.ContainsFunc(in, func(gt store.GroupTeam) bool { return gt.Team == t.ID }) {
			fd.Values = append(fd.Values, t.Slug)
		}
	}
	f := form.New(form.Ask, nodeGroupTeams)
	f.Title, f.Instructions = "Teams in this group",
		"People of these teams are in this group for as long as they are in the team."
	f.Fields = append(f.Fields, fd)
	return f, nil
}

// setGroupTeams makes the teams of the form the group's teams. A team of moderators stays that.
func (k *keeper) setGroupTeams(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	o, host := k.org, k.host
	var ids []string
	for _, slug := range f.Values("teams") {
		t, err := o.Team(ctx, host, slug)
		if err != nil {
			return "", nil, err
		}
		ids = append(ids, t.ID)
	}
	return "Done.", nil, o.SetGroupTeams(ctx, k.s.by(who), host, k.group, ids)
}

func (k *keeper) mandatoryForm(ctx context.Context, _ jid.JID) (*form.Form, error) {
	o, host := k.org, k.host
	g, err := o.GroupByID(ctx, host, k.group)
	if err != nil {
		return nil, err
	}
	ts, err := o.Teams(ctx, host)
	if err != nil {
		return nil, err
	}
	f := form.New(form.Ask, nodeMandatory)
	f.Title, f.Instructions = "Mandatory members of this group", "They are added now and in future, and cannot leave."
	if done, total := o.Progress(host, k.group); total > 0 {
		f.Instructions += "\nEveryone is being added: " + strconv.Itoa(done) + " of " + strconv.Itoa(total) + "."
	}
	os, now := []form.Option{
		{Label: "Nobody", Value: "nobody"},
		{Label: "Everyone of " + host, Value: org.Everyone},
	}, "nobody"
	if g.Mandatory == org.Everyone {
		now = org.Everyone
	}
	for _, t := range ts {
		os = append(os, form.Option{Label: "Everyone of " + org.TeamLabel(t), Value: "team:" + t.Slug})
		if t.ID == g.Mandatory {
			now = "team:" + t.Slug
		}
	}
	f.AddList("whom", "Who", now, os...).Required()
	return f, nil
}

func (k *keeper) setMandatory(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	o, host := k.org, k.host
	whom := f.Get("whom")
	if slug, ok := strings.CutPrefix(whom, "team:"); ok {
		t, err := o.Team(ctx, host, slug)
		if err != nil {
			return "", nil, err
		}
		whom = t.ID
	} else if whom == "nobody" {
		whom = ""
	} else if whom != org.Everyone {
		return "", nil, server.NotAcceptable
	}
	return "Done: people who are not in it yet are added in the background.", nil, o.SetMandatory(
		ctx,
		k.s.by(who),
		host,
		k.group,
		whom,
	)
}
