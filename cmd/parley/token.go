package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley/admin/api"
)

func (a *app) tokenCommand() *cobra.Command {
	return a.noun("token", "Tokens of the API: create, list, revoke", a.tokenCreate(), a.tokenList(), a.tokenRevoke())
}

func (a *app) tokenCreate() *cobra.Command {
	n := api.NewToken{}
	c := &cobra.Command{
		Use:     "create OWNER NAME",
		Short:   "Create a token for a program that acts for an account; it is shown once",
		Args:    cobra.ExactArgs(2),
		Example: "  parley token create alice@example.org backup-robot --scope people:read --valid 90d",
		RunE: func(c *cobra.Command, args []string) error {
			host, owner, err := account(args[0])
			if err != nil {
				return err
			}
			n.Owner, n.Name = owner, args[1]
			if len(n.Scopes) == 0 {
				return usage("name what it can do with --scope: `%s --help`", c.CommandPath())
			}
			return a.with(func(cl *api.Client) error {
				made, err := api.CreateToken.Do(c.Context(), cl.On(host), api.With(n))
				if err != nil {
					return ofAccount(err)
				}
				t := shownToken(made)
				a.show(t, func(w io.Writer) {
					fmt.Fprintln(w, t.Secret)
					fmt.Fprintf(a.err, "token %s of %s, valid until %s: it is shown only once\n",
						t.ID, t.Owner, stamp(t.Expires))
				})
				return nil
			})
		},
	}
	c.Flags().StringSliceVar(&n.Scopes, "scope", nil,
		"what it may do: people:read, people:write, groups:read, groups:write, messages:read, messages:write, "+
			"audit:read (may be repeated)")
	c.Flags().StringVar(&n.Valid, "valid", "90d", "how long it is valid")
	return c
}

func (a *app) tokenList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list", Short: "List the tokens of a host, without their secrets", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				all, err := allTokens(c.Context(), cl.On(host))
				if err != nil {
					return err
				}
				ts := []token{}
				for _, t := range all {
					ts = append(ts, shownToken(t))
				}
				a.show(ts, func(w io.Writer) {
					var rows [][]string
					for _, t := range ts {
						rows = append(rows, []string{
							t.ID, t.Owner, t.Name, strings.Join(t.Scopes, " "), stamp(t.Used), stamp(t.Expires),
						})
					}
					table(w, "There are no tokens.", "ID\tOWNER\tNAME\tSCOPES\tUSED\tVALID UNTIL", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) tokenRevoke() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "revoke ID...", Short: "Revoke tokens", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, "revoked", func(id string) error {
					all, err := allTokens(c.Context(), cl.On(host))
					if err != nil {
						return err
					}
					for _, t := range all {
						if shownToken(t).ID == id {
							_, err := api.RevokeToken.Do(c.Context(), cl.On(host),
								api.InToken{ID: t.ID, Owner: t.Owner})
							return err
						}
					}
					return wrong("id", "there is no token %s: `parley token list` shows those there are", id)
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}

// token is an API token in the output.
type token struct {
	ID      string    `json:"id"`
	Owner   string    `json:"owner"` // address
	Name    string    `json:"name"`
	Scopes  []string  `json:"scopes"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Used    time.Time `json:"used,omitzero"`
	Secret  string    `json:"secret,omitempty"` // the secret, only of a new token
}

// tokenID is the beginning of a token's ID in the output, which is enough to name it.
const tokenID = 12

func shownToken(t api.Token) token {
	return token{
		ID:      t.ID[:min(tokenID, len(t.ID))],
		Owner:   t.OwnerAddress,
		Name:    t.Name,
		Scopes:  strings.Fields(t.Scopes),
		Created: t.Created,
		Expires: t.Expires,
		Used:    t.Used,
		Secret:  t.Secret,
	}
}

func allTokens(ctx context.Context, cl *api.Client) ([]api.Token, error) {
	return api.All(ctx, cl, api.ListTokens, api.FindTokens{All: true})
}
