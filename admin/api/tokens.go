package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"parley/store"
)

// Token is an API token without its secret.
type Token struct {
	ID           string    `json:"id"`
	Owner        string    `json:"owner" doc:"name of the account that it acts for"`
	OwnerAddress string    `json:"owner_address"`
	Name         string    `json:"name"`
	Scopes       string    `json:"scopes"`
	Created      time.Time `json:"created"`
	Expires      time.Time `json:"expires"`
	Used         time.Time `json:"used,omitzero"`
	Secret       string    `json:"secret,omitempty" doc:"the token itself; only in the answer that creates it"`
}

// FindTokens chooses tokens.
type FindTokens struct {
	Part
	All bool `query:"all" doc:"everybody's tokens; for administrators"`
}

// InToken is the token in a path.
type InToken struct {
	ID    string `path:"id" maxLength:"64"`
	Owner string `query:"owner" maxLength:"1023" doc:"account name of the owner; none: the caller"`
}

// NewToken is a token to be made.
type NewToken struct {
	Owner  string   `json:"owner" maxLength:"1023" doc:"name of the account that it acts for"`
	Name   string   `json:"name" maxLength:"100"`
	Scopes []string `json:"scopes" maxItems:"20"`
	Valid  string   `json:"valid" maxLength:"20" doc:"like 90d"`
}

// Operations on API tokens. Only the operator of the machine creates them here: a token must not create another token
// that may do more or lasts longer.
var (
	ListTokens = op[FindTokens, []Token](
		"list-tokens", http.MethodGet, "/tokens", "tokens:read",
		"API tokens: the caller's, or all",
	)
	RevokeToken = op[InToken, None](
		"revoke-token", http.MethodDelete, "/tokens/{id}", "tokens:write",
		"Revoke an API token",
	)
	CreateToken = machine[Body[NewToken], Token](
		"create-token", http.MethodPost, "/tokens",
		"Create a token for a program that acts for an account",
	)
)

func (s *Server) tokens(d *doors) {
	list(s, d, ListTokens, tokensOf, func(ctx context.Context, c caller,
		in *FindTokens) (out []Token, total int, err error) {
		var ts []store.APIToken
		if in.All {
			ts, total, err = c.p.Tokens(ctx, c.actor, in.Offset, in.Limit)
		} else if ts, err = s.Store.APITokensOf(ctx, c.host(), c.me.Name); err == nil {
			total = len(ts)
			from, to := in.cutTo(total)
			ts = ts[from:to]
		}
		for _, t := range ts {
			out = append(out, showToken(t))
		}
		return out, total, err
	})
	act(s, d, RevokeToken, endsToken, func(ctx context.Context, c caller, in *InToken) error {
		owner := in.Owner
		if owner == "" {
			owner = c.me.Name
		}
		return c.p.RevokeToken(ctx, c.actor, owner, in.ID)
	})
	serve(s, d, CreateToken, nil, func(ctx context.Context, c caller, in *Body[NewToken]) (Token, error) {
		keep, err := validity(0, in.Body.Valid)
		if err != nil {
			return Token{}, err
		}
		secret, t, err := c.p.CreateToken(ctx, c.actor, in.Body.Owner, in.Body.Name, in.Body.Scopes, keep)
		out := showToken(t)
		out.Secret = secret
		return out, err
	})
}

func showToken(t store.APIToken) Token {
	return Token{
		ID:           t.Hash,
		Owner:        t.Owner,
		OwnerAddress: t.Owner + "@" + t.Host,
		Name:         t.Name,
		Scopes:       strings.Join(strings.Fields(t.Scopes), " "),
		Created:      t.Created,
		Expires:      t.Expires,
		Used:         t.Used,
	}
}
