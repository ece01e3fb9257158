package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Invitation is a link that makes an account, or gives one its first or a new password.
type Invitation struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`              // "invite", "reset"
	Address string    `json:"address,omitempty"` // of the account; "" for who comes chooses
	Email   string    `json:"email,omitempty"`   // where it was sent
	State   string    `json:"state"`             // open, accepted, declined, revoked, expired
	Uses    int       `json:"uses"`
	MaxUses int       `json:"max_uses"`
	By      string    `json:"by,omitempty"` // localpart; "" is the command line
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Link    string    `json:"link,omitempty"` // "" where it is not good any more
	URI     string    `json:"uri,omitempty"`  // the same for apps
}

// NewInvitation says what is to be made.
type NewInvitation struct {
	Host    string   `json:"host,omitempty"`
	Address string   `json:"address,omitempty"` // an account without a password; it is made if there is none. "": who comes chooses
	Name    string   `json:"name,omitempty"`    // these are of an account that is made
	Email   string   `json:"email,omitempty"`
	Role    string   `json:"role,omitempty"`
	Groups  []string `json:"groups,omitempty"`
	Lang    string   `json:"lang,omitempty"`
	Valid   string   `json:"valid,omitempty"` // "7d"; "": as the settings say
	MaxUses int      `json:"max_uses,omitempty"`
	Note    string   `json:"note,omitempty"`
	Send    bool     `json:"send,omitempty"` // by e-mail
}

// Invitations are links.
type Invitations interface {
	// Invitations gives those of a host, the newest first, after leaving out skip.
	Invitations(ctx context.Context, host string, skip, limit int) ([]Invitation, error)
	Invite(ctx context.Context, n NewInvitation) (Invitation, error)
	// ResendInvitation makes a new link; the old one is none any more.
	ResendInvitation(ctx context.Context, host, id string, send bool) (Invitation, error)
	RevokeInvitation(ctx context.Context, host, id string) (Invitation, error)
	// ExtendInvitation lets one be good for a time from now ("7d").
	ExtendInvitation(ctx context.Context, host, id, valid string) (Invitation, error)
}

// Token is an API token, without what it is used by.
type Token struct {
	ID      string    `json:"id"`
	Owner   string    `json:"owner"` // address
	Name    string    `json:"name"`
	Scopes  []string  `json:"scopes"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Used    time.Time `json:"used,omitzero"`
	Secret  string    `json:"secret,omitempty"` // the token itself: only where it was just made
}

// NewToken says what is to be made.
type NewToken struct {
	Owner  string   `json:"owner"`
	Name   string   `json:"name"`
	Scopes []string `json:"scopes"`
	Valid  string   `json:"valid"` // "90d"
}

// Tokens are those of the API.
type Tokens interface {
	Tokens(ctx context.Context, host string) ([]Token, error)
	CreateToken(ctx context.Context, n NewToken) (Token, error)
	// RevokeToken ends one by its id.
	RevokeToken(ctx context.Context, host, id string) error
}

type sending struct {
	Send bool `json:"send"`
}

type validity struct {
	Valid string `json:"valid"`
}

func (c *control) invitations(op Invitations) {
	c.handle("GET /v1/invitations", func(r *http.Request) (any, error) {
		_, limit, err := page(r)
		if err != nil {
			return nil, err
		}
		skip := 0
		if s := r.FormValue("skip"); s != "" {
			if skip, err = strconv.Atoi(s); err != nil || skip < 0 {
				return nil, Invalid("skip", "%q is no number", s)
			}
		}
		return op.Invitations(r.Context(), r.FormValue("host"), skip, limit)
	})
	c.handle("POST /v1/invitations", func(r *http.Request) (any, error) {
		n, err := read[NewInvitation](r)
		if err != nil {
			return nil, err
		}
		return op.Invite(r.Context(), n)
	})
	c.handle("POST /v1/invitations/{id}/resend", func(r *http.Request) (any, error) {
		s, err := read[sending](r)
		if err != nil {
			return nil, err
		}
		return op.ResendInvitation(r.Context(), r.FormValue("host"), r.PathValue("id"), s.Send)
	})
	c.handle("POST /v1/invitations/{id}/extend", func(r *http.Request) (any, error) {
		v, err := read[validity](r)
		if err != nil {
			return nil, err
		}
		return op.ExtendInvitation(r.Context(), r.FormValue("host"), r.PathValue("id"), v.Valid)
	})
	c.handle("DELETE /v1/invitations/{id}", func(r *http.Request) (any, error) {
		return op.RevokeInvitation(r.Context(), r.FormValue("host"), r.PathValue("id"))
	})
}

func (c *control) tokens(op Tokens) {
	c.handle("GET /v1/tokens", func(r *http.Request) (any, error) { return op.Tokens(r.Context(), r.FormValue("host")) })
	c.handle("POST /v1/tokens", func(r *http.Request) (any, error) {
		n, err := read[NewToken](r)
		if err != nil {
			return nil, err
		}
		return op.CreateToken(r.Context(), n)
	})
	c.handle("DELETE /v1/tokens/{id}", func(r *http.Request) (any, error) {
		return nil, op.RevokeToken(r.Context(), r.FormValue("host"), r.PathValue("id"))
	})
}

func (c *Client) Invitations(ctx context.Context, h string, skip, limit int) (v []Invitation, err error) {
	q := url.Values{"host": {h}, "skip": {strconv.Itoa(skip)}, "limit": {strconv.Itoa(limit)}}
	return v, c.do(ctx, "GET", []string{"invitations"}, q, nil, &v)
}

func (c *Client) Invite(ctx context.Context, n NewInvitation) (v Invitation, err error) {
	return v, c.do(ctx, "POST", []string{"invitations"}, nil, n, &v)
}

func (c *Client) ResendInvitation(ctx context.Context, h, id string, send bool) (v Invitation, err error) {
	return v, c.do(ctx, "POST", []string{"invitations", id, "resend"}, host(h), sending{send}, &v)
}

func (c *Client) RevokeInvitation(ctx context.Context, h, id string) (v Invitation, err error) {
	return v, c.do(ctx, "DELETE", []string{"invitations", id}, host(h), nil, &v)
}

func (c *Client) ExtendInvitation(ctx context.Context, h, id, valid string) (v Invitation, err error) {
	return v, c.do(ctx, "POST", []string{"invitations", id, "extend"}, host(h), validity{valid}, &v)
}

func (c *Client) Tokens(ctx context.Context, h string) (v []Token, err error) {
	return v, c.do(ctx, "GET", []string{"tokens"}, host(h), nil, &v)
}

func (c *Client) CreateToken(ctx context.Context, n NewToken) (v Token, err error) {
	return v, c.do(ctx, "POST", []string{"tokens"}, nil, n, &v)
}

func (c *Client) RevokeToken(ctx context.Context, h, id string) error {
	return c.do(ctx, "DELETE", []string{"tokens", id}, host(h), nil, nil)
}
