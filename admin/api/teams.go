package api

import (
	"context"
	"net/http"
	"time"

	"parley/org"
	"parley/store"
	"parley/wire/jid"

	"github.com/danielgtaylor/huma/v2"
)

// Team is a named set of people.
type Team struct {
	Host        string       `json:"host"`
	Slug        string       `json:"slug"`
	Name        string       `json:"name"`
	Emoji       string       `json:"emoji,omitempty"`
	Description string       `json:"description,omitempty"`
	MentionBy   string       `json:"mention_by" doc:"everyone, members, nobody"`
	Created     time.Time    `json:"created"`
	Size        int          `json:"size"`
	People      []TeamPerson `json:"people,omitempty"`
	Groups      []string     `json:"groups,omitempty" doc:"slugs of groups that the whole team is a member of"`
	Defaults    []string     `json:"defaults,omitempty" doc:"slugs of groups that new people of the team join"`
}

// TeamPerson is a member of a team.
type TeamPerson struct {
	Address string    `json:"address"`
	Name    string    `json:"name,omitempty"`
	Since   time.Time `json:"since"`
}

// InTeam is the team in a path.
type InTeam struct {
	Team string `path:"team" maxLength:"100" doc:"slug"`
}

// NewTeam is a team to be created.
type NewTeam struct {
	Slug string `json:"slug,omitempty" maxLength:"100" doc:"\"\": made from the name"`
	org.TeamFields
	People []string `json:"people,omitempty" maxItems:"5000" doc:"addresses or names"`
}

// TransformSchema makes the name required.
func (NewTeam) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Required = append(s.Required, "name")
	return s
}

// TeamChange changes a team. Fields that are nil stay.
type TeamChange = org.TeamChange

// ChangeTeamInput changes a team.
type ChangeTeamInput struct {
	InTeam
	Body TeamChange
}

// SetTeamPeopleInput adds people to a team and removes others.
type SetTeamPeopleInput struct {
	InTeam
	Body struct {
		In  []string `json:"in,omitempty" maxItems:"5000" doc:"people to add"`
		Out []string `json:"out,omitempty" maxItems:"5000" doc:"people to remove"`
	}
}

// Operations on teams.
var (
	ListTeams = op[Part, []Team](
		"list-teams", http.MethodGet, "/teams", "groups:read",
		"Teams",
	)
	GetTeam = op[InTeam, Team](
		"get-team", http.MethodGet, "/teams/{team}", "groups:read",
		"A team with its people and groups",
	)
	CreateTeam = creates[Body[NewTeam], Team](
		"create-team", "/teams", "groups:write",
		"Create a team",
	)
	ChangeTeam = op[ChangeTeamInput, Team](
		"change-team", http.MethodPatch, "/teams/{team}", "groups:write",
		"Change a team; omitted values stay",
	)
	SetTeamPeople = op[SetTeamPeopleInput, None](
		"set-team-people", http.MethodPut, "/teams/{team}/people", "groups:write",
		"Add people to a team and remove others",
	)
	DeleteTeam = op[InTeam, None](
		"delete-team", http.MethodDelete, "/teams/{team}", "groups:write",
		"Delete a team; messages and shared things stay",
	)
)

func (s *Server) teams(d *doors) {
	listAll(s, d, ListTeams, runsIt, func(ctx context.Context, c caller, _ *Part) (out []Team, err error) {
		ts, err := s.Org.Teams(ctx, c.host())
		for _, t := range ts {
			v, err := s.showTeam(ctx, t)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, err
	})
	serve(s, d, GetTeam, runsIt, func(ctx context.Context, c caller, in *InTeam) (Team, error) {
		t, err := s.Org.Team(ctx, c.host(), in.Team)
		if err != nil {
			return Team{}, err
		}
		return s.wholeTeam(ctx, t)
	})
	serve(s, d, CreateTeam, runsIt, func(ctx context.Context, c caller, in *Body[NewTeam]) (Team, error) {
		people, err := c.names(in.Body.People)
		if err != nil {
			return Team{}, err
		}
		t, err := s.Org.CreateTeam(ctx, c.actor, c.host(), org.NewTeam{
			Slug:     in.Body.Slug,
			Settings: in.Body.TeamFields,
			People:   people,
		})
		if err != nil {
			return Team{}, err
		}
		return s.wholeTeam(ctx, t)
	})
	serve(s, d, ChangeTeam, runsIt, func(ctx context.Context, c caller, in *ChangeTeamInput) (Team, error) {
		t, err := s.Org.Team(ctx, c.host(), in.Team)
		if err != nil {
			return Team{}, err
		}
		t, err = s.Org.UpdateTeam(ctx, c.actor, t.Host, t.ID, in.Body)
		if err != nil {
			return Team{}, err
		}
		return s.wholeTeam(ctx, t)
	})
	act(s, d, SetTeamPeople, runsIt, func(ctx context.Context, c caller, in *SetTeamPeopleInput) error {
		t, err := s.Org.Team(ctx, c.host(), in.Team)
		if err != nil {
			return err
		}
		come, err := c.names(in.Body.In)
		if err != nil {
			return err
		}
		gone, err := c.names(in.Body.Out)
		if err != nil {
			return err
		}
		return s.Org.SetTeamPeople(ctx, c.actor, t.Host, t.ID, come, gone)
	})
	act(s, d, DeleteTeam, runsIt, func(ctx context.Context, c caller, in *InTeam) error {
		t, err := s.Org.Team(ctx, c.host(), in.Team)
		if err != nil {
			return err
		}
		return s.Org.DeleteTeam(ctx, c.actor, t.Host, t.ID)
	})
}

// names reads addresses of accounts of the caller's host.
func (c caller) names(addresses []string) ([]string, error) {
	var out []string
	for _, a := range addresses {
		j, err := jid.Parse(a)
		if err == nil && j.Local() == "" { // a name alone
			j, err = jid.New(a, c.host(), "")
		}
		switch {
		case err != nil:
			return nil, invalid("people", "{{.Address}} is not the address of a person", "Address", a)
		case j.Domain() != c.host():
			return nil, invalid("people", "{{.Address}} is not of {{.Host}}: a team is of one organization",
				"Address", a, "Host", c.host())
		}
		out = append(out, j.Local())
	}
	return out, nil
}

func (s *Server) showTeam(ctx context.Context, t store.Team) (Team, error) {
	out := Team{
		Host:        t.Host,
		Slug:        t.Slug,
		Name:        t.Name,
		Emoji:       t.Emoji,
		Description: t.Description,
		MentionBy:   t.MentionBy,
		Created:     t.Created,
	}
	ps, err := s.Org.TeamPeople(ctx, t.Host, t.ID)
	out.Size = len(ps)
	return out, err
}

// wholeTeam is showTeam with people and groups.
func (s *Server) wholeTeam(ctx context.Context, t store.Team) (Team, error) {
	out, err := s.showTeam(ctx, t)
	if err != nil {
		return out, err
	}
	ps, err := s.Org.TeamPeople(ctx, t.Host, t.ID)
	if err != nil {
		return out, err
	}
	for _, p := range ps {
		out.People = append(out.People, TeamPerson{p.Name + "@" + t.Host, p.FullName, p.Since})
	}
	gs, err := s.Org.TeamGroups(ctx, t.Host, t.ID)
	if err != nil {
		return out, err
	}
	ds, err := s.Org.TeamDefaults(ctx, t.Host, t.ID)
	out.Groups, out.Defaults = org.Slugs(gs), org.Slugs(ds)
	return out, err
}
