package api

import (
	"context"
	"net/http"
	"time"

	"parley/store"
	"parley/wire/jid"
)

// Kinds of what a team shares, in paths.
const (
	Snippets = "snippets" // saved replies
	Contacts = "contacts"
)

var sharedKind = map[string]string{
	Snippets: store.SharedSnippet,
	Contacts: store.SharedContact,
}

// Share is a saved reply or a contact of a team.
type Share struct {
	Name    string    `json:"name" doc:"name of the reply, or address of the contact"`
	Text    string    `json:"text" doc:"text of the reply, or name of the contact"`
	Creator string    `json:"creator,omitempty" doc:"missing if an administrator shared it"`
	Updated time.Time `json:"updated,omitzero"`
}

// InShares is what a team shares of a kind, in a path.
type InShares struct {
	InTeam
	Kind string `path:"kind" enum:"snippets,contacts"`
}

// InShare is one thing that a team shares, in a path.
type InShare struct {
	InShares
	Name string `path:"name" maxLength:"1024" doc:"name of the reply, or address of the contact"`
}

// SetShareInput shares something.
type SetShareInput struct {
	InShare
	Body struct {
		Text string `json:"text" maxLength:"10000" doc:"text of the reply, or name of the contact"`
	}
}

// Operations on what teams share.
var (
	ListShares = op[InShares, []Share](
		"list-team-shares", http.MethodGet, "/teams/{team}/shares/{kind}", "groups:read",
		"Saved replies or contacts that a team shares",
	)
	SetShare = op[SetShareInput, None](
		"set-team-share", http.MethodPut, "/teams/{team}/shares/{kind}/{name}", "groups:write",
		"Share something with a team: administrators with any team, others with their own",
	)
	DeleteShare = op[InShare, None](
		"delete-team-share", http.MethodDelete, "/teams/{team}/shares/{kind}/{name}", "groups:write",
		"Stop sharing something",
	)
)

func (s *Server) shares(d *doors) {
	serve(s, d, ListShares, runsIt, func(ctx context.Context, c caller, in *InShares) ([]Share, error) {
		t, err := s.Org.Team(ctx, c.host(), in.Team)
		if err != nil {
			return nil, err
		}
		xs, err := s.Org.TeamShares(ctx, t.Host, t.ID, sharedKind[in.Kind])
		out := []Share{}
		for _, x := range xs {
			out = append(out, Share{x.Name, x.Text, x.Creator, x.Updated})
		}
		return out, err
	})
	act(s, d, SetShare, s.sharer, func(ctx context.Context, c caller, in *SetShareInput) error {
		if in.Kind == Snippets {
			return s.Org.PutSnippet(ctx, c.actor, c.host(), in.Team, in.Name, in.Body.Text)
		}
		contact, err := jid.Parse(in.Name)
		if err != nil {
			return invalid("name", "{{.Address}} is not the address of a person", "Address", in.Name)
		}
		return s.Org.PutContact(ctx, c.actor, c.host(), in.Team, contact, in.Body.Text)
	})
	act(s, d, DeleteShare, s.sharer, func(ctx context.Context, c caller, in *InShare) error {
		name := in.Name
		if j, err := jid.Parse(name); in.Kind == Contacts && err == nil {
			name = j.Bare().String()
		}
		return s.Org.Unshare(ctx, c.actor, c.host(), in.Team, sharedKind[in.Kind], name)
	})
}
