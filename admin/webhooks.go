package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Webhooks join rooms of groups with programs elsewhere. One is named by its id.
type Webhooks interface {
	// CreateWebhook gives it with its secret, this once.
	CreateWebhook(ctx context.Context, w NewWebhook) (Webhook, error)
	// Webhooks gives those of a group, or with "" of the host.
	Webhooks(ctx context.Context, host, group string) ([]Webhook, error)
	SetWebhookDisabled(ctx context.Context, host, id string, disabled bool) error
	DeleteWebhook(ctx context.Context, host, id string) error
	// Deliveries gives the newest of one that goes out, the newest first; state "waiting", "done", "dead" or "" for any.
	Deliveries(ctx context.Context, host, id, state string, limit int) ([]Delivery, error)
	// Redeliver has what was given up tried again, and says how much that is.
	Redeliver(ctx context.Context, host, id string) (int, error)
}

// Webhook as administrators see it.
type Webhook struct {
	Host      string    `json:"host"`
	ID        string    `json:"id"`
	Direction string    `json:"direction"` // "in": a program posts; "out": it is posted to
	Name      string    `json:"name"`
	Group     string    `json:"group"` // slug; "": the group is no more
	Theme     string    `json:"theme,omitempty"`
	URL       string    `json:"url,omitempty"`    // out: where to. In: where programs post to, told when it is made only
	Secret    string    `json:"secret,omitempty"` // out: what requests are signed with, told when it is made only
	Events    []string  `json:"events,omitempty"`
	Creator   string    `json:"creator,omitempty"`
	Created   time.Time `json:"created"`
	Disabled  bool      `json:"disabled"`
}

// NewWebhook is one to be made: with a URL it goes out, else it comes in.
type NewWebhook struct {
	Host   string   `json:"host,omitempty"`
	Group  string   `json:"group"` // slug
	Name   string   `json:"name"`
	Theme  string   `json:"theme,omitempty"` // key
	URL    string   `json:"url,omitempty"`
	Events []string `json:"events,omitempty"` // message, theme, member, group; none: message
}

// Delivery is one event on its way, or that was.
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

func (c *control) webhooks(op Webhooks) {
	c.handle("POST /v1/webhooks", func(r *http.Request) (any, error) {
		w, err := read[NewWebhook](r)
		if err != nil {
			return nil, err
		}
		return op.CreateWebhook(r.Context(), w)
	})
	c.handle("GET /v1/webhooks", func(r *http.Request) (any, error) {
		return op.Webhooks(r.Context(), r.FormValue("host"), r.FormValue("group"))
	})
	c.handle("DELETE /v1/webhooks/{id}", func(r *http.Request) (any, error) {
		return nil, op.DeleteWebhook(r.Context(), r.FormValue("host"), r.PathValue("id"))
	})
	for state, disabled := range map[string]bool{"enable": false, "disable": true} {
		c.handle("POST /v1/webhooks/{id}/"+state, func(r *http.Request) (any, error) {
			return nil, op.SetWebhookDisabled(r.Context(), r.URL.Query().Get("host"), r.PathValue("id"), disabled)
		})
	}
	c.handle("GET /v1/webhooks/{id}/deliveries", func(r *http.Request) (any, error) {
		_, limit, err := page(r)
		if err != nil {
			return nil, err
		}
		return op.Deliveries(r.Context(), r.FormValue("host"), r.PathValue("id"), r.FormValue("state"), limit)
	})
	c.handle("POST /v1/webhooks/{id}/redeliver", func(r *http.Request) (any, error) {
		return op.Redeliver(r.Context(), r.URL.Query().Get("host"), r.PathValue("id"))
	})
}

func (c *Client) CreateWebhook(ctx context.Context, w NewWebhook) (v Webhook, err error) {
	return v, c.do(ctx, "POST", []string{"webhooks"}, nil, w, &v)
}

func (c *Client) Webhooks(ctx context.Context, h, group string) (v []Webhook, err error) {
	return v, c.do(ctx, "GET", []string{"webhooks"}, url.Values{"host": {h}, "group": {group}}, nil, &v)
}

func (c *Client) SetWebhookDisabled(ctx context.Context, h, id string, disabled bool) error {
	state := "enable"
	if disabled {
		state = "disable"
	}
	return c.do(ctx, "POST", []string{"webhooks", id, state}, host(h), nil, nil)
}

func (c *Client) DeleteWebhook(ctx context.Context, h, id string) error {
	return c.do(ctx, "DELETE", []string{"webhooks", id}, host(h), nil, nil)
}

func (c *Client) Deliveries(ctx context.Context, h, id, state string, limit int) (v []Delivery, err error) {
	return v, c.do(ctx, "GET", []string{"webhooks", id, "deliveries"}, url.Values{"host": {h}, "state": {state}, "limit": {strconv.Itoa(limit)}}, nil, &v)
}

func (c *Client) Redeliver(ctx context.Context, h, id string) (n int, err error) {
	return n, c.do(ctx, "POST", []string{"webhooks", id, "redeliver"}, host(h), nil, &n)
}
