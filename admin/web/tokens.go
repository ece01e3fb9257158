package web

import (
	"net/http"
	"time"

	"parley/people"
)

func (s *Server) tokens() {
	s.handle("GET /me/tokens", member, (*request).tokenPage)
	s.handle("POST /me/tokens", member, (*request).makeToken)
	s.handle("POST /me/tokens/revoke", member, (*request).revokeToken)
}

func (c *request) tokenData() (map[string]any, error) {
	ts, err := c.s.Store.APITokensOf(c.r.Context(), c.host(), c.Me.Name)
	return map[string]any{"Tokens": ts, "Scopes": people.Scopes}, err
}

func (c *request) tokenPage() error {
	d, err := c.tokenData()
	if err != nil {
		return err
	}
	return c.show("tokens", c.T("API tokens"), d)
}

// makeToken shows the token in the answer itself: this once.
func (c *request) makeToken() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	refuse := func(err error) error {
		d, derr := c.tokenData()
		if derr != nil {
			return derr
		}
		text, field, ok := c.explain(err)
		if !ok {
			return err
		}
		d["Error"], d["Field"] = text, field
		return c.page(http.StatusUnprocessableEntity, "tokens", c.T("API tokens"), d)
	}
	keep, ok := map[string]time.Duration{"30": 30 * 24 * time.Hour, "90": 90 * 24 * time.Hour, "365": 365 * 24 *
		time.Hour}[c.form("days")]
	if !ok {
		return badForm
	}
	token, _, err := c.P.CreateToken(c.r.Context(), c.Actor, c.Me.Name, c.form("name"), c.r.Form["scope"], keep)
	if err != nil {
		return refuse(err)
	}
	d, err := c.tokenData()
	if err != nil {
		return err
	}
	d["Made"] = token
	return c.show("tokens", c.T("API tokens"), d)
}

func (c *request) revokeToken() error {
	if err := c.P.RevokeToken(c.r.Context(), c.Actor, c.Me.Name, c.form("token")); err != nil {
		return c.oops("/me/tokens", err)
	}
	return c.done("/me/tokens", "The token no longer works")
}
