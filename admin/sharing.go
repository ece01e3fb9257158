package admin

import (
	"context"
	"net/http"
	"time"
)

// Kinds of what a team shares.
const (
	Snippets = "snippets" // saved replies
	Contacts = "contacts"
)

// Sharing is what the people of a team have in common.
type Sharing interface {
	// TeamShares gives what a team shares of a kind, Snippets or Contacts, in order of name.
	TeamShares(ctx context.Context, host, slug, kind string) ([]Share, error)
	// SetTeamShare shares something, or something else under the same name.
	SetTeamShare(ctx context.Context, host, slug, kind string, s Share) error
	DeleteTeamShare(ctx context.Context, host, slug, kind, name string) error
}

// Share is a saved reply or a contact.
type Share struct {
	Name    string    `json:"name"`              // what the reply is called, or the contact's address
	Text    string    `json:"text"`              // what the reply says, or what the contact is called
	Creator string    `json:"creator,omitempty"` // "": an administrator
	Updated time.Time `json:"updated,omitzero"`
}

func (c *control) sharing(op Sharing) {
	kind := func(r *http.Request) (string, error) {
		k := r.PathValue("kind")
		if k != Snippets && k != Contacts {
			return "", NotFound("", "a team shares snippets and contacts, no %s", k)
		}
		return k, nil
	}
	c.handle("GET /v1/teams/{slug}/{kind}", func(r *http.Request) (any, error) {
		k, err := kind(r)
		if err != nil {
			return nil, err
		}
		return op.TeamShares(r.Context(), r.FormValue("host"), r.PathValue("slug"), k)
	})
	c.handle("POST /v1/teams/{slug}/{kind}", func(r *http.Request) (any, error) {
		k, err := kind(r)
		if err != nil {
			return nil, err
		}
		s, err := read[Share](r)
		if err != nil {
			return nil, err
		}
		return nil, op.SetTeamShare(r.Context(), r.FormValue("host"), r.PathValue("slug"), k, s)
	})
	c.handle("DELETE /v1/teams/{slug}/{kind}/{name}", func(r *http.Request) (any, error) {
		k, err := kind(r)
		if err != nil {
			return nil, err
		}
		return nil, op.DeleteTeamShare(r.Context(), r.FormValue("host"), r.PathValue("slug"), k, r.PathValue("name"))
	})
}

func (c *Client) TeamShares(ctx context.Context, h, slug, kind string) (v []Share, err error) {
	return v, c.do(ctx, "GET", []string{"teams", slug, kind}, host(h), nil, &v)
}

func (c *Client) SetTeamShare(ctx context.Context, h, slug, kind string, s Share) error {
	return c.do(ctx, "POST", []string{"teams", slug, kind}, host(h), s, nil)
}

func (c *Client) DeleteTeamShare(ctx context.Context, h, slug, kind, name string) error {
	return c.do(ctx, "DELETE", []string{"teams", slug, kind, name}, host(h), nil, nil)
}
