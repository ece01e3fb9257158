package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"parley/admin"
)

func (a *app) inviteCommand() *cobra.Command {
	return a.noun("invite", "Invitations: create, list, resend, extend, revoke", a.inviteCreate(), a.inviteList(), a.inviteResend(), a.inviteExtend(), a.inviteRevoke())
}

func (a *app) inviteCreate() *cobra.Command {
	var n admin.NewInvitation
	c := &cobra.Command{
		Use: "create [ADDRESS]", Short: "Make a link: for an account, or for whoever comes by it", Args: cobra.MaximumNArgs(1),
		Long: `Makes a link by which somebody gets an account. With an address it is for that account, which is made if there is none; otherwise who
comes chooses an address. The link is as good as a password.`,
		Example: "  parley invite create alice --name 'Alice Martin' --email alice@work.example --send\n  parley invite create --uses 20 --valid 3d",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				n.Address = args[0]
			}
			return a.with(func(cl *admin.Client) error {
				i, err := cl.Invite(c.Context(), n)
				if err != nil {
					return err
				}
				a.showLink(i)
				return nil
			})
		},
	}
	hostFlag(c, &n.Host)
	f := c.Flags()
	f.StringVar(&n.Name, "name", "", "full `name`, of a new account")
	f.StringVar(&n.Email, "email", "", "work e-mail `address`, of a new account")
	f.StringVar(&n.Role, "role", "", "`role` of a new account: member, supervisor, admin, owner")
	f.StringSliceVar(&n.Groups, "group", nil, "`group` that a new account is in (may be repeated)")
	f.StringVar(&n.Lang, "lang", "", "en or fr")
	f.StringVar(&n.Valid, "valid", "", "how long the link is good, like 12h or 7d (default as the settings say)")
	f.IntVar(&n.MaxUses, "uses", 1, "how many people may use a link without address")
	f.StringVar(&n.Note, "note", "", "a personal word")
	f.BoolVar(&n.Send, "send", false, "send it by e-mail")
	return c
}

// showLink shows an invitation by its link.
func (a *app) showLink(i admin.Invitation) {
	a.show(i, func(w io.Writer) {
		fmt.Fprintln(w, i.Link)
		sent := ""
		if i.Email != "" {
			sent = ", sent to " + printable(i.Email)
		}
		fmt.Fprintf(w, "invitation %s, good until %s%s\n", i.ID, stamp(i.Expires), sent)
	})
}

func (a *app) inviteList() *cobra.Command {
	var host string
	var all bool
	c := &cobra.Command{
		Use: "list", Short: "List invitations that are open, the newest first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *admin.Client) error {
				const limit = 500
				is := []admin.Invitation{}
				for skip := 0; ; skip += limit {
					page, err := cl.Invitations(c.Context(), host, skip, limit)
					if err != nil {
						return err
					}
					for _, i := range page {
						if all || i.State == "open" {
							is = append(is, i)
						}
					}
					if len(page) < limit {
						break
					}
				}
				a.show(is, func(w io.Writer) {
					var rows [][]string
					for _, i := range is {
						whom, by := i.Address, i.By
						if whom == "" {
							whom = fmt.Sprintf("whoever comes (%d of %d)", i.Uses, i.MaxUses)
						}
						if by == "" {
							by = "-"
						}
						rows = append(rows, []string{i.ID, i.Kind, whom, i.State, by, stamp(i.Expires), i.Link})
					}
					table(w, "There are no invitations.", "ID\tKIND\tFOR\tSTATE\tBY\tGOOD UNTIL\tLINK", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	c.Flags().BoolVar(&all, "all", false, "those that are over, too")
	return c
}

func (a *app) inviteResend() *cobra.Command {
	var host string
	var send bool
	c := &cobra.Command{
		Use: "resend ID", Short: "Make a new link in place of the old one, which is good for nothing then", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				i, err := cl.ResendInvitation(c.Context(), host, args[0], send)
				if err != nil {
					return err
				}
				a.showLink(i)
				return nil
			})
		},
	}
	hostFlag(c, &host)
	c.Flags().BoolVar(&send, "send", false, "send it by e-mail")
	return c
}

func (a *app) inviteExtend() *cobra.Command {
	var host, valid string
	c := &cobra.Command{
		Use: "extend ID...", Short: "Let links be good for longer, from now", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				return a.each(args, "extended", func(id string) error {
					_, err := cl.ExtendInvitation(c.Context(), host, id, valid)
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	c.Flags().StringVar(&valid, "valid", "", "for how long, like 12h or 7d (default as the settings say)")
	return c
}

func (a *app) inviteRevoke() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "revoke ID...", Short: "End links", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				return a.each(args, "revoked", func(id string) error {
					_, err := cl.RevokeInvitation(c.Context(), host, id)
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) tokenCommand() *cobra.Command {
	return a.noun("token", "Tokens of the API: create, list, revoke", a.tokenCreate(), a.tokenList(), a.tokenRevoke())
}

func (a *app) tokenCreate() *cobra.Command {
	n := admin.NewToken{}
	c := &cobra.Command{
		Use: "create OWNER NAME", Short: "Make a token for a program that acts for an account; it is shown this once", Args: cobra.ExactArgs(2),
		Example: "  parley token create alice@example.org backup-robot --scope people:read --valid 90d",
		RunE: func(c *cobra.Command, args []string) error {
			n.Owner, n.Name = args[0], args[1]
			if len(n.Scopes) == 0 {
				return usage("say what it may do with --scope: `%s --help`", c.CommandPath())
			}
			return a.with(func(cl *admin.Client) error {
				t, err := cl.CreateToken(c.Context(), n)
				if err != nil {
					return err
				}
				a.show(t, func(w io.Writer) {
					fmt.Fprintln(w, t.Secret)
					fmt.Fprintf(a.err, "token %s of %s, good until %s: it is shown this once\n", t.ID, t.Owner, stamp(t.Expires))
				})
				return nil
			})
		},
	}
	c.Flags().StringSliceVar(&n.Scopes, "scope", nil, "what it may do: people:read, people:write, groups:read, groups:write, messages:read, messages:write, audit:read (may be repeated)")
	c.Flags().StringVar(&n.Valid, "valid", "90d", "how long it is good")
	return c
}

func (a *app) tokenList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list", Short: "List the tokens of a host, without what they are used by", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *admin.Client) error {
				ts, err := cl.Tokens(c.Context(), host)
				if err != nil {
					return err
				}
				a.show(ts, func(w io.Writer) {
					var rows [][]string
					for _, t := range ts {
						rows = append(rows, []string{t.ID, t.Owner, t.Name, strings.Join(t.Scopes, " "), stamp(t.Used), stamp(t.Expires)})
					}
					table(w, "There are no tokens.", "ID\tOWNER\tNAME\tSCOPES\tUSED\tGOOD UNTIL", rows)
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
		Use: "revoke ID...", Short: "End tokens", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				return a.each(args, "revoked", func(id string) error { return cl.RevokeToken(c.Context(), host, id) })
			})
		},
	}
	hostFlag(c, &host)
	return c
}
