package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"parley/admin"
	"parley/people"
)

// apiWebhooks are the webhooks of all groups with their deliveries, for who runs the organization.
func (s *Server) apiWebhooks(a huma.API) {
	type Named struct {
		ID string `path:"id" maxLength:"40"`
	}
	runs := people.Actor.Runs
	find := func(ctx context.Context, c caller, id string) (admin.Webhook, error) {
		ws, err := s.Ops.Webhooks(ctx, c.me.Host, "")
		for _, w := range ws {
			if w.ID == id {
				return w, nil
			}
		}
		if err == nil {
			err = notFound
		}
		return admin.Webhook{}, err
	}
	note := func(ctx context.Context, c caller, w admin.Webhook, do string) {
		c.p.Audit(ctx, c.actor, "system.webhook", w.ID, map[string]any{"do": do, "name": w.Name})
	}
	type OfGroup struct {
		Group string `query:"group" maxLength:"100" doc:"slug; none: of all"`
	}
	route(s, a, operation("list-webhooks", http.MethodGet, "/webhooks", "webhooks:read", "Webhooks, without their secrets"), runs, func(ctx context.Context, c caller, in *OfGroup) ([]admin.Webhook, error) {
		return some(s.Ops.Webhooks(ctx, c.me.Host, in.Group))
	})
	route(s, a, operation("get-webhook", http.MethodGet, "/webhooks/{id}", "webhooks:read", "One webhook"), runs, func(ctx context.Context, c caller, in *Named) (admin.Webhook, error) {
		return find(ctx, c, in.ID)
	})
	type NewWebhook struct {
		Group  string   `json:"group" maxLength:"100" doc:"slug"`
		Name   string   `json:"name" maxLength:"200"`
		Theme  string   `json:"theme,omitempty" maxLength:"20" doc:"key"`
		URL    string   `json:"url,omitempty" maxLength:"2048" doc:"with one it goes out, else it comes in"`
		Events []string `json:"events,omitempty" maxItems:"10" doc:"message, theme, member, group; none: message"`
	}
	route(s, a, created(operation("create-webhook", http.MethodPost, "/webhooks", "webhooks:write", "Make a webhook; its secret, or the address to post to, is in this answer only")), runs, func(ctx context.Context, c caller, in *body[NewWebhook]) (admin.Webhook, error) {
		b := in.Body
		w, err := s.Ops.CreateWebhook(ctx, admin.NewWebhook{Host: c.me.Host, Group: b.Group, Name: b.Name, Theme: b.Theme, URL: b.URL, Events: b.Events})
		if err == nil {
			c.p.Audit(ctx, c.actor, "system.webhook", w.ID, map[string]any{"name": w.Name, "direction": w.Direction, "group": w.Group})
		}
		return w, err
	})
	type ChangeWebhook struct {
		Named
		Body struct {
			Disabled bool `json:"disabled"`
		}
	}
	act(s, a, operation("change-webhook", http.MethodPatch, "/webhooks/{id}", "webhooks:write", "Turn a webhook off or on"), runs, func(ctx context.Context, c caller, in *ChangeWebhook) error {
		w, err := find(ctx, c, in.ID)
		if err == nil {
			err = s.Ops.SetWebhookDisabled(ctx, c.me.Host, w.ID, in.Body.Disabled)
		}
		if err == nil {
			note(ctx, c, w, map[bool]string{true: "disable", false: "enable"}[in.Body.Disabled])
		}
		return err
	})
	act(s, a, operation("delete-webhook", http.MethodDelete, "/webhooks/{id}", "webhooks:write", "Delete a webhook"), runs, func(ctx context.Context, c caller, in *Named) error {
		w, err := find(ctx, c, in.ID)
		if err == nil {
			err = s.Ops.DeleteWebhook(ctx, c.me.Host, w.ID)
		}
		if err == nil {
			note(ctx, c, w, "delete")
		}
		return err
	})
	type Listed struct {
		Named
		State string `query:"state" enum:"waiting,done,dead" doc:"none: any"`
		Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}
	route(s, a, operation("list-deliveries", http.MethodGet, "/webhooks/{id}/deliveries", "webhooks:read", "What a webhook that goes out has delivered, or tries to: the newest first"), runs, func(ctx context.Context, c caller, in *Listed) ([]admin.Delivery, error) {
		if _, err := find(ctx, c, in.ID); err != nil {
			return nil, err
		}
		return some(s.Ops.Deliveries(ctx, c.me.Host, in.ID, in.State, in.Limit))
	})
	type Redelivered struct {
		Count int `json:"count" doc:"deliveries that are tried again"`
	}
	route(s, a, operation("redeliver", http.MethodPost, "/webhooks/{id}/redeliver", "webhooks:write", "Have tried again what was given up"), runs, func(ctx context.Context, c caller, in *Named) (Redelivered, error) {
		w, err := find(ctx, c, in.ID)
		if err != nil {
			return Redelivered{}, err
		}
		n, err := s.Ops.Redeliver(ctx, c.me.Host, w.ID)
		if err == nil {
			note(ctx, c, w, "redeliver")
		}
		return Redelivered{n}, err
	})
}
