package admin

import (
	"context"
	"net/http"
	"time"
)

// Teams are named sets of accounts. A team is named by its slug, its people by their address or localpart.
type Teams interface {
	CreateTeam(ctx context.Context, t NewTeam) (Team, error)
	Teams(ctx context.Context, host string) ([]Team, error)
	// Team gives it with its people and groups.
	Team(ctx context.Context, host, slug string) (Team, error)
	ChangeTeam(ctx context.Context, host, slug string, c TeamChange) (Team, error)
	// SetTeamPeople has people in a team, and others not any more.
	SetTeamPeople(ctx context.Context, host, slug string, in, out []string) error
	DeleteTeam(ctx context.Context, host, slug string) error
}

// Team is a team as administrators see it.
type Team struct {
	Host        string       `json:"host"`
	Slug        string       `json:"slug"`
	Name        string       `json:"name"`
	Emoji       string       `json:"emoji,omitempty"`
	Description string       `json:"description,omitempty"`
	MentionBy   string       `json:"mention_by"` // everyone, members, nobody
	Created     time.Time    `json:"created"`
	Size        int          `json:"size"`
	People      []TeamPerson `json:"people,omitempty"`
	Groups      []string     `json:"groups,omitempty"`   // slugs of those it is in as one
	Defaults    []string     `json:"defaults,omitempty"` // slugs of those its new people are members of
}

// TeamPerson is somebody in a team.
type TeamPerson struct {
	Address string    `json:"address"`
	Name    string    `json:"name,omitempty"`
	Since   time.Time `json:"since"`
}

// NewTeam is a team to be made.
type NewTeam struct {
	Host        string   `json:"host,omitempty"`
	Slug        string   `json:"slug"`
	Name        string   `json:"name,omitempty"` // "": the slug
	Emoji       string   `json:"emoji,omitempty"`
	Description string   `json:"description,omitempty"`
	People      []string `json:"people,omitempty"`
}

// TeamChange changes what is not nil.
type TeamChange struct {
	Name        *string   `json:"name,omitempty"`
	Emoji       *string   `json:"emoji,omitempty"`
	Description *string   `json:"description,omitempty"`
	MentionBy   *string   `json:"mention_by,omitempty"`
	Defaults    *[]string `json:"defaults,omitempty"`
}

type teamPeople struct {
	In  []string `json:"in,omitempty"`
	Out []string `json:"out,omitempty"`
}

func (c *control) teams(op Teams) {
	c.handle("POST /v1/teams", func(r *http.Request) (any, error) {
		t, err := read[NewTeam](r)
		if err != nil {
			return nil, err
		}
		return op.CreateTeam(r.Context(), t)
	})
	c.handle("GET /v1/teams", func(r *http.Request) (any, error) { return op.Teams(r.Context(), r.FormValue("host")) })
	c.handle("GET /v1/teams/{slug}", func(r *http.Request) (any, error) {
		return op.Team(r.Context(), r.FormValue("host"), r.PathValue("slug"))
	})
	c.handle("PATCH /v1/teams/{slug}", func(r *http.Request) (any, error) {
		ch, err := read[TeamChange](r)
		if err != nil {
			return nil, err
		}
		return op.ChangeTeam(r.Context(), r.FormValue("host"), r.PathValue("slug"), ch)
	})
	c.handle("PUT /v1/teams/{slug}/people", func(r *http.Request) (any, error) {
		p, err := read[teamPeople](r)
		if err != nil {
			return nil, err
		}
		return nil, op.SetTeamPeople(r.Context(), r.FormValue("host"), r.PathValue("slug"), p.In, p.Out)
	})
	c.handle("DELETE /v1/teams/{slug}", func(r *http.Request) (any, error) {
		return nil, op.DeleteTeam(r.Context(), r.FormValue("host"), r.PathValue("slug"))
	})
}

func (c *Client) CreateTeam(ctx context.Context, t NewTeam) (v Team, err error) {
	return v, c.do(ctx, "POST", []string{"teams"}, nil, t, &v)
}

func (c *Client) Teams(ctx context.Context, h string) (v []Team, err error) {
	return v, c.do(ctx, "GET", []string{"teams"}, host(h), nil, &v)
}

func (c *Client) Team(ctx context.Context, h, slug string) (v Team, err error) {
	return v, c.do(ctx, "GET", []string{"teams", slug}, host(h), nil, &v)
}

func (c *Client) ChangeTeam(ctx context.Context, h, slug string, ch TeamChange) (v Team, err error) {
	return v, c.do(ctx, "PATCH", []string{"teams", slug}, host(h), ch, &v)
}

func (c *Client) SetTeamPeople(ctx context.Context, h, slug string, in, out []string) error {
	return c.do(ctx, "PUT", []string{"teams", slug, "people"}, host(h), teamPeople{in, out}, nil)
}

func (c *Client) DeleteTeam(ctx context.Context, h, slug string) error {
	return c.do(ctx, "DELETE", []string{"teams", slug}, host(h), nil, nil)
}
