package api

import (
	"context"
	"net/http"

	"parley/org"
	"parley/store"
)

// SavedReply is a text that one of the caller's teams uses often.
type SavedReply struct {
	Name     string `json:"name"`
	Text     string `json:"text"`
	Team     string `json:"team" doc:"slug"`
	TeamName string `json:"team_name"`
}

// SharedContact is an address that one of the caller's teams needs.
type SharedContact struct {
	Address  string `json:"address"`
	Name     string `json:"name,omitempty"`
	Team     string `json:"team" doc:"slug"`
	TeamName string `json:"team_name"`
}

// Operations on what the caller's teams share.
var (
	ListSavedReplies = chats[None, []SavedReply](
		"list-saved-replies", http.MethodGet, "/me/snippets", "groups:read",
		"Saved replies of the caller's teams, in order of team and name",
	)
	ListSharedContacts = chats[None, []SharedContact](
		"list-shared-contacts", http.MethodGet, "/me/contacts", "groups:read",
		"Contacts that the caller's teams share, in order of team and address",
	)
)

func (s *Server) saved(d *doors) {
	of := func(ctx context.Context, c caller, kind string) ([]org.SharedWith, error) {
		return s.Org.SharedOf(ctx, c.host(), kind, c.actor.Who)
	}
	serve(s, d, ListSavedReplies, nil, func(ctx context.Context, c caller, _ *None) ([]SavedReply, error) {
		xs, err := of(ctx, c, store.SharedSnippet)
		out := []SavedReply{}
		for _, x := range xs {
			out = append(out, SavedReply{x.Name, x.Text, x.Team.Slug, x.Team.Name})
		}
		return out, err
	})
	serve(s, d, ListSharedContacts, nil, func(ctx context.Context, c caller, _ *None) ([]SharedContact, error) {
		xs, err := of(ctx, c, store.SharedContact)
		out := []SharedContact{}
		for _, x := range xs {
			out = append(out, SharedContact{x.Name, x.Text, x.Team.Slug, x.Team.Name})
		}
		return out, err
	})
}
