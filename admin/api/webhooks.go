package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"parley/feature/webhooks"
	"parley/store"
)

// Webhook connects a group with a program elsewhere.
type Webhook struct {
	Host      string    `json:"host"`
	ID        string    `json:"id"`
	Direction string    `json:"direction" doc:"in: a program posts to the group; out: the group's events are posted to a program"`
	Name      string    `json:"name"`
	Group     string    `json:"group" doc:"slug; \"\": the group is deleted"`
	Theme     string    `json:"theme,omitempty"`
	URL       string    `json:"url,omitempty" doc:"out: where events are posted to; in: where programs post to, only in the answer that creates it"`
	Secret    string    `json:"secret,omitempty" doc:"out: secret that signs the requests; only in the answer that creates it"`
	Events    []string  `json:"events,omitempty"`
	Creator   string    `json:"creator,omitempty"`
	Created   time.Time `json:"created"`
	Disabled  bool      `json:"disabled"`
}

// Delivery is an event that parley delivers or has delivered.
type Delivery struct {
	ID       string    `json:"id"`
	Room     string    `json:"room"`
	Event    string    `json:"event"`
	State    string    `json:"state"`
	Attempts int       `json:"attempts"`
	Status   int       `json:"status,omitempty"`
	Error    string    `json:"error,omitempty"`
	Updated  time.Time `json:"updated"`
}

// InWebhook is the webhook in a path.
type InWebhook struct {
	ID string `path:"id" maxLength:"40"`
}

// FindWebhooks chooses webhooks.
type FindWebhooks struct {
	Part
	Group string `query:"group" maxLength:"100" doc:"slug; none: all groups"`
}

// NewWebhook is a webhook to be created.
type NewWebhook struct {
	Group  string   `json:"group" maxLength:"100" doc:"slug"`
	Name   string   `json:"name" maxLength:"50"`
	Theme  string   `json:"theme,omitempty" maxLength:"20" doc:"key"`
	URL    string   `json:"url,omitempty" maxLength:"2048" doc:"with a URL events are posted there; without one a program posts to the group"`
	Events []string `json:"events,omitempty" maxItems:"10" doc:"message, theme, member, group; none: message"`
}

// ChangeWebhookInput turns a webhook off or on.
type ChangeWebhookInput struct {
	InWebhook
	Body struct {
		Disabled bool `json:"disabled"`
	}
}

// FindDeliveries chooses deliveries of a webhook.
type FindDeliveries struct {
	InWebhook
	State  string `query:"state" enum:"waiting,done,dead" doc:"none: any"`
	Before string `query:"before" maxLength:"13" doc:"id of the last entry on the previous page"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// Redelivered is the number of deliveries that parley tries again.
type Redelivered struct {
	Count int `json:"count" doc:"number of deliveries that will be tried again"`
}

// Operations on the webhooks of all groups.
var (
	ListWebhooks = op[FindWebhooks, []Webhook](
		"list-webhooks", http.MethodGet, "/webhooks", "webhooks:read",
		"Webhooks, without their secrets",
	)
	GetWebhook = op[InWebhook, Webhook](
		"get-webhook", http.MethodGet, "/webhooks/{id}", "webhooks:read",
		"One webhook",
	)
	CreateWebhook = creates[Body[NewWebhook], Webhook](
		"create-webhook", "/webhooks", "webhooks:write",
		"Create a webhook; only this answer has its secret or its address",
	)
	ChangeWebhook = op[ChangeWebhookInput, None](
		"change-webhook", http.MethodPatch, "/webhooks/{id}", "webhooks:write",
		"Turn a webhook off or on",
	)
	DeleteWebhook = op[InWebhook, None](
		"delete-webhook", http.MethodDelete, "/webhooks/{id}", "webhooks:write",
		"Delete a webhook",
	)
	ListDeliveries = op[FindDeliveries, []Delivery](
		"list-deliveries", http.MethodGet, "/webhooks/{id}/deliveries", "webhooks:read",
		"Deliveries of an outgoing webhook, newest first",
	)
	Redeliver = op[InWebhook, Redelivered](
		"redeliver", http.MethodPost, "/webhooks/{id}/redeliver", "webhooks:write",
		"Retry failed deliveries",
	)
)

func (s *Server) webhooks(d *doors) {
	listAll(s, d, ListWebhooks, runsIt, func(ctx context.Context, c caller,
		in *FindWebhooks) (out []Webhook, err error) {
		hs, err := s.Hooks[c.host()].List(ctx, in.Group)
		for _, h := range hs {
			out = append(out, showWebhook(h))
		}
		return out, err
	})
	serve(s, d, GetWebhook, runsIt, func(ctx context.Context, c caller, in *InWebhook) (Webhook, error) {
		h, err := s.Hooks[c.host()].Find(ctx, in.ID)
		return showWebhook(h), err
	})
	serve(s, d, CreateWebhook, runsIt, func(ctx context.Context, c caller, in *Body[NewWebhook]) (Webhook, error) {
		h, err := s.Hooks[c.host()].Make(ctx, c.actor, in.Body.Group, webhooks.NewHook{
			Name:   in.Body.Name,
			Theme:  in.Body.Theme,
			URL:    in.Body.URL,
			Events: in.Body.Events,
		})
		return showWebhook(h), err
	})
	act(s, d, ChangeWebhook, runsIt, func(ctx context.Context, c caller, in *ChangeWebhookInput) error {
		return s.Hooks[c.host()].SetDisabled(ctx, c.actor, in.ID, in.Body.Disabled)
	})
	act(s, d, DeleteWebhook, runsIt, func(ctx context.Context, c caller, in *InWebhook) error {
		return s.Hooks[c.host()].Delete(ctx, c.actor, in.ID)
	})
	serve(s, d, ListDeliveries, runsIt, s.listDeliveries)
	serve(s, d, Redeliver, runsIt, func(ctx context.Context, c caller, in *InWebhook) (Redelivered, error) {
		n, err := s.Hooks[c.host()].Redeliver(ctx, c.actor, in.ID)
		return Redelivered{n}, err
	})
}

func showWebhook(h webhooks.Hook) Webhook {
	return Webhook{
		Host:      h.Host,
		ID:        h.ID,
		Direction: h.Direction,
		Name:      h.Name,
		Group:     h.Slug,
		Theme:     h.Theme,
		URL:       h.URL,
		Secret:    h.Secret,
		Events:    strings.Fields(h.Events),
		Creator:   h.Creator,
		Created:   h.Created,
		Disabled:  h.Disabled,
	}
}

func (s *Server) listDeliveries(ctx context.Context, c caller, in *FindDeliveries) ([]Delivery, error) {
	var older store.ID
	if in.Before != "" {
		var err error
		if older, err = store.ParseID(in.Before); err != nil {
			return nil, invalid("before", "before: {{.ID}} is not the id of a delivery", "ID", in.Before)
		}
	}
	ds, err := s.Hooks[c.host()].Log(ctx, in.ID, in.State, older, in.Limit)
	out := []Delivery{}
	for _, d := range ds {
		out = append(out, Delivery{
			ID:       d.ID.String(),
			Room:     s.Org.RoomJID(c.host(), d.Room).String(),
			Event:    d.Event,
			State:    d.State,
			Attempts: d.Attempts,
			Status:   d.Status,
			Error:    d.Error,
			Updated:  d.Updated,
		})
	}
	return out, err
}
