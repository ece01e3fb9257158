package admin

import (
	"context"
	"net/http"
	"time"
)

// AppPasswords are passwords of one program each, which clients sign in with.
type AppPasswords interface {
	AppPasswords(ctx context.Context, address string) ([]AppPassword, error)
	// AddAppPassword makes one; only this answer has the password itself.
	AddAppPassword(ctx context.Context, address, name string) (AppPassword, error)
	// RevokeAppPassword ends one and what has signed in with it.
	RevokeAppPassword(ctx context.Context, address, id string) error
	// FactorOff ends an account's second step, for who has lost what it needs.
	FactorOff(ctx context.Context, address string) error
}

// AppPassword is one of an account's.
type AppPassword struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Password string    `json:"password,omitempty"` // when it is made
	Created  time.Time `json:"created"`
	Used     time.Time `json:"used,omitzero"`
}

type named struct {
	Name string `json:"name"`
}

func (c *control) appPasswords(op AppPasswords) {
	c.handle("GET /v1/users/{address}/app-passwords", func(r *http.Request) (any, error) {
		return op.AppPasswords(r.Context(), r.PathValue("address"))
	})
	c.handle("POST /v1/users/{address}/app-passwords", func(r *http.Request) (any, error) {
		n, err := read[named](r)
		if err != nil {
			return nil, err
		}
		return op.AddAppPassword(r.Context(), r.PathValue("address"), n.Name)
	})
	c.handle("DELETE /v1/users/{address}/app-passwords/{id}", func(r *http.Request) (any, error) {
		return nil, op.RevokeAppPassword(r.Context(), r.PathValue("address"), r.PathValue("id"))
	})
	c.handle("DELETE /v1/users/{address}/factor", func(r *http.Request) (any, error) {
		return nil, op.FactorOff(r.Context(), r.PathValue("address"))
	})
}

func (c *Client) AppPasswords(ctx context.Context, address string) (v []AppPassword, err error) {
	return v, c.do(ctx, "GET", []string{"users", address, "app-passwords"}, nil, nil, &v)
}

func (c *Client) AddAppPassword(ctx context.Context, address, name string) (v AppPassword, err error) {
	return v, c.do(ctx, "POST", []string{"users", address, "app-passwords"}, nil, named{name}, &v)
}

func (c *Client) RevokeAppPassword(ctx context.Context, address, id string) error {
	return c.do(ctx, "DELETE", []string{"users", address, "app-passwords", id}, nil, nil, nil)
}

func (c *Client) FactorOff(ctx context.Context, address string) error {
	return c.do(ctx, "DELETE", []string{"users", address, "factor"}, nil, nil, nil)
}
