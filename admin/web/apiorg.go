package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"parley/admin"
	"parley/people"
	"parley/store"
)

// route adds an operation for who needs says; nil: for everybody who has the scope. What f gives is the answer.
func route[I, O any](s *Server, a huma.API, op huma.Operation, needs func(people.Actor) bool, f func(ctx context.Context, c caller, in *I) (O, error)) {
	huma.Register(a, op, func(ctx context.Context, in *I) (*body[O], error) {
		c := who(ctx)
		if needs != nil && !needs(c.actor) {
			return nil, s.apiError(forbidden)
		}
		out, err := f(ctx, c, in)
		if err != nil {
			return nil, s.apiError(err)
		}
		return &body[O]{out}, nil
	})
}

// act is route for what has no answer but that it was done.
func act[I any](s *Server, a huma.API, op huma.Operation, needs func(people.Actor) bool, f func(ctx context.Context, c caller, in *I) error) {
	huma.Register(a, op, func(ctx context.Context, in *I) (*struct{}, error) {
		c := who(ctx)
		if needs != nil && !needs(c.actor) {
			return nil, s.apiError(forbidden)
		}
		return nil, s.apiError(f(ctx, c, in))
	})
}

// created is an operation that makes something.
func created(op huma.Operation) huma.Operation {
	op.DefaultStatus = http.StatusCreated
	return op
}

// some is a list that is no null in JSON.
func some[T any](list []T, err error) ([]T, error) {
	if list == nil {
		list = []T{}
	}
	return list, err
}

type none struct{}

// apiTeams are the teams, by the functions that the pages and the command line use.
func (s *Server) apiTeams(a huma.API) {
	type Named struct {
		Team string `path:"team" maxLength:"100" doc:"slug"`
	}
	runs := people.Actor.Runs
	route(s, a, operation("list-teams", http.MethodGet, "/teams", "groups:read", "Teams"), runs, func(ctx context.Context, c caller, _ *none) ([]admin.Team, error) {
		return some(s.Ops.Teams(ctx, c.me.Host))
	})
	route(s, a, operation("get-team", http.MethodGet, "/teams/{team}", "groups:read", "A team with its people and groups"), runs, func(ctx context.Context, c caller, in *Named) (admin.Team, error) {
		return s.Ops.Team(ctx, c.me.Host, in.Team)
	})
	type NewTeam struct {
		Slug        string   `json:"slug,omitempty" maxLength:"100" doc:"\"\": made from the name"`
		Name        string   `json:"name" maxLength:"200"`
		Emoji       string   `json:"emoji,omitempty" maxLength:"64"`
		Description string   `json:"description,omitempty" maxLength:"2000"`
		People      []string `json:"people,omitempty" maxItems:"5000" doc:"addresses or names"`
	}
	route(s, a, created(operation("create-team", http.MethodPost, "/teams", "groups:write", "Make a team")), runs, func(ctx context.Context, c caller, in *body[NewTeam]) (admin.Team, error) {
		b := in.Body
		t, err := s.Ops.CreateTeam(ctx, admin.NewTeam{Host: c.me.Host, Slug: b.Slug, Name: b.Name, Emoji: b.Emoji, Description: b.Description, People: b.People})
		if err == nil {
			c.p.Audit(ctx, c.actor, "team.create", t.Slug, map[string]any{"name": t.Name})
		}
		return t, err
	})
	type ChangeTeam struct {
		Named
		Body admin.TeamChange
	}
	route(s, a, operation("change-team", http.MethodPatch, "/teams/{team}", "groups:write", "Change what is given"), runs, func(ctx context.Context, c caller, in *ChangeTeam) (admin.Team, error) {
		t, err := s.Ops.ChangeTeam(ctx, c.me.Host, in.Team, in.Body)
		if err == nil {
			c.p.Audit(ctx, c.actor, "team.change", t.Slug, nil)
		}
		return t, err
	})
	type TeamPeople struct {
		Named
		Body struct {
			In  []string `json:"in,omitempty" maxItems:"5000" doc:"from now on in it"`
			Out []string `json:"out,omitempty" maxItems:"5000" doc:"not in it any more"`
		}
	}
	act(s, a, operation("set-team-people", http.MethodPut, "/teams/{team}/people", "groups:write", "Have people in a team, and others not any more"), runs, func(ctx context.Context, c caller, in *TeamPeople) error {
		if err := s.Ops.SetTeamPeople(ctx, c.me.Host, in.Team, in.Body.In, in.Body.Out); err != nil {
			return err
		}
		c.p.Audit(ctx, c.actor, "team.people", in.Team, map[string]any{"members": in.Body.In, "removed": in.Body.Out})
		return nil
	})
	act(s, a, operation("delete-team", http.MethodDelete, "/teams/{team}", "groups:write", "Delete a team; what was said and shared stays"), runs, func(ctx context.Context, c caller, in *Named) error {
		if err := s.Ops.DeleteTeam(ctx, c.me.Host, in.Team); err != nil {
			return err
		}
		c.p.Audit(ctx, c.actor, "team.delete", in.Team, nil)
		return nil
	})
}

// apiShares are the saved replies and the contacts of teams.
func (s *Server) apiShares(a huma.API) {
	type Shares struct {
		Team string `path:"team" maxLength:"100" doc:"slug"`
		Kind string `path:"kind" enum:"snippets,contacts"`
	}
	runs := people.Actor.Runs
	route(s, a, operation("list-team-shares", http.MethodGet, "/teams/{team}/shares/{kind}", "groups:read", "Saved replies or contacts that a team shares"), runs, func(ctx context.Context, c caller, in *Shares) ([]admin.Share, error) {
		return some(s.Ops.TeamShares(ctx, c.me.Host, in.Team, in.Kind))
	})
	type SetShare struct {
		Shares
		Name string `path:"name" maxLength:"1024" doc:"what the reply is called, or the contact's address"`
		Body struct {
			Text string `json:"text" maxLength:"10000" doc:"what the reply says, or what the contact is called"`
		}
	}
	note := func(ctx context.Context, c caller, in Shares, do, name string) {
		c.p.Audit(ctx, c.actor, "team.change", in.Team, map[string]any{"do": do, "kind": in.Kind, "name": name})
	}
	act(s, a, operation("set-team-share", http.MethodPut, "/teams/{team}/shares/{kind}/{name}", "groups:write", "Share something with a team"), runs, func(ctx context.Context, c caller, in *SetShare) error {
		err := s.Ops.SetTeamShare(ctx, c.me.Host, in.Team, in.Kind, admin.Share{Name: in.Name, Text: in.Body.Text, Creator: c.me.Address()})
		if err == nil {
			note(ctx, c, in.Shares, "share", in.Name)
		}
		return err
	})
	type OneShare struct {
		Shares
		Name string `path:"name" maxLength:"1024"`
	}
	act(s, a, operation("delete-team-share", http.MethodDelete, "/teams/{team}/shares/{kind}/{name}", "groups:write", "Not share something any more"), runs, func(ctx context.Context, c caller, in *OneShare) error {
		err := s.Ops.DeleteTeamShare(ctx, c.me.Host, in.Team, in.Kind, in.Name)
		if err == nil {
			note(ctx, c, in.Shares, "remove", in.Name)
		}
		return err
	})
}

// apiTokens are one's own tokens. They are not made here: who has one must not make one that may do more, or lasts longer.
func (s *Server) apiTokens(a huma.API) {
	type Token struct {
		ID      string `json:"id"`
		Owner   string `json:"owner"`
		Name    string `json:"name"`
		Scopes  string `json:"scopes"`
		Created string `json:"created" format:"date-time"`
		Expires string `json:"expires" format:"date-time"`
		Used    string `json:"used,omitempty" format:"date-time"`
	}
	const stamp = "2006-01-02T15:04:05Z07:00"
	show := func(t store.APIToken) Token {
		out := Token{ID: t.Hash, Owner: t.Owner, Name: t.Name, Scopes: t.Scopes, Created: t.Created.Format(stamp), Expires: t.Expires.Format(stamp)}
		if !t.Used.IsZero() {
			out.Used = t.Used.Format(stamp)
		}
		return out
	}
	type Which struct {
		All bool `query:"all" doc:"everybody's, for who runs the organization"`
	}
	route(s, a, operation("list-tokens", http.MethodGet, "/tokens", "tokens:read", "API tokens: one's own, or all"), nil, func(ctx context.Context, c caller, in *Which) ([]Token, error) {
		var ts []store.APIToken
		var err error
		if in.All {
			ts, err = c.p.Tokens(ctx, c.actor)
		} else {
			ts, err = s.Store.APITokensOf(ctx, c.me.Host, c.me.Name)
		}
		out := []Token{}
		for _, t := range ts {
			out = append(out, show(t))
		}
		return out, err
	})
	type One struct {
		ID    string `path:"id" maxLength:"64"`
		Owner string `query:"owner" maxLength:"1023" doc:"whose it is; none: one's own"`
	}
	act(s, a, operation("revoke-token", http.MethodDelete, "/tokens/{id}", "tokens:write", "Revoke an API token"), nil, func(ctx context.Context, c caller, in *One) error {
		owner := in.Owner
		if owner == "" {
			owner = c.me.Name
		}
		return c.p.RevokeToken(ctx, c.actor, owner, in.ID)
	})
}
