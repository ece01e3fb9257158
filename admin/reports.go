package admin

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Reports are what people have said of those they have blocked (XEP-0377).
type Reports interface {
	// Reports gives the newest first, at most limit, those before an id ("": the newest).
	Reports(ctx context.Context, host, before string, limit int) ([]Report, error)
	DeleteReport(ctx context.Context, host, id string) error
}

// Report is one of them.
type Report struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Whom     string    `json:"whom"`
	Reason   string    `json:"reason"`
	Text     string    `json:"text,omitempty"`
	Messages []string  `json:"messages,omitempty"` // what the messages said that it names
}

func (c *control) reports(op Reports) {
	c.handle("GET /v1/reports", func(r *http.Request) (any, error) {
		before, limit, err := page(r)
		if err != nil {
			return nil, err
		}
		return op.Reports(r.Context(), r.FormValue("host"), before, limit)
	})
	c.handle("DELETE /v1/reports/{id}", func(r *http.Request) (any, error) {
		return nil, op.DeleteReport(r.Context(), r.FormValue("host"), r.PathValue("id"))
	})
}

func (c *Client) Reports(ctx context.Context, h, before string, limit int) (v []Report, err error) {
	q := list(h, before, limit)
	q.Set("limit", strconv.Itoa(limit))
	return v, c.do(ctx, "GET", []string{"reports"}, q, nil, &v)
}

func (c *Client) DeleteReport(ctx context.Context, h, id string) error {
	return c.do(ctx, "DELETE", []string{"reports", id}, host(h), nil, nil)
}
