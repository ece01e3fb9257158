package api

import (
	"context"
	"net/http"

	"parley/people"
	"parley/store"
)

// Link is an address that the organization shows to its people, such as that of its ticket system.
type Link struct {
	ID     string   `json:"id"`
	Name   string   `json:"name" doc:"in English"`
	NameFR string   `json:"name_fr" doc:"in French; empty: use the English name"`
	URL    string   `json:"url"`
	Icon   string   `json:"icon"`
	Roles  []string `json:"roles" doc:"roles of people who see it; without roles and teams everybody does"`
	Teams  []string `json:"teams" doc:"slugs of teams whose people see it"`
	Place  int64    `json:"place" doc:"place in the order of links, from 1"`
}

// InLink is the link in a path, by its id.
type InLink struct {
	Link string `path:"link" maxLength:"40"`
}

// ChangeLinkInput changes a link.
type ChangeLinkInput struct {
	InLink
	Body people.LinkChange
}

// Operations on the organization's links.
var (
	ListLinks = op[None, []Link](
		"list-links", http.MethodGet, "/links", "system:read",
		"The links that the organization shows to its people, in order",
	)
	CreateLink = creates[Body[people.LinkChange], Link](
		"create-link", "/links", "system:write",
		"Define a link that people see at home and in the chat",
	)
	ChangeLink = op[ChangeLinkInput, Link](
		"change-link", http.MethodPatch, "/links/{link}", "system:write",
		"Change a link; omitted values stay",
	)
	DeleteLink = op[InLink, None](
		"delete-link", http.MethodDelete, "/links/{link}", "system:write",
		"Delete a link",
	)
)

func (s *Server) links(d *doors) {
	serve(s, d, ListLinks, runsIt, func(ctx context.Context, c caller, _ *None) ([]Link, error) {
		ls, err := c.p.Links(ctx, c.actor)
		out := []Link{}
		for _, l := range ls {
			shown, err := c.showLink(ctx, l)
			if err != nil {
				return nil, err
			}
			out = append(out, shown)
		}
		return out, err
	})
	serve(s, d, CreateLink, runsIt, func(ctx context.Context, c caller, in *Body[people.LinkChange]) (Link, error) {
		l, err := c.p.CreateLink(ctx, c.actor, in.Body)
		if err != nil {
			return Link{}, err
		}
		return c.showLink(ctx, l)
	})
	serve(s, d, ChangeLink, runsIt, func(ctx context.Context, c caller, in *ChangeLinkInput) (Link, error) {
		l, err := c.p.ChangeLink(ctx, c.actor, in.Link, in.Body)
		if err != nil {
			return Link{}, err
		}
		return c.showLink(ctx, l)
	})
	act(s, d, DeleteLink, runsIt, func(ctx context.Context, c caller, in *InLink) error {
		return c.p.DeleteLink(ctx, c.actor, in.Link)
	})
}

func (c caller) showLink(ctx context.Context, l store.Link) (Link, error) {
	as, err := c.p.LinkAs(ctx, l)
	if err != nil {
		return Link{}, err
	}
	return Link{
		ID:     l.ID,
		Name:   l.Name,
		NameFR: l.NameFR,
		URL:    l.URL,
		Icon:   l.Icon,
		Roles:  *as.Roles,
		Teams:  *as.Teams,
		Place:  l.Place,
	}, nil
}
