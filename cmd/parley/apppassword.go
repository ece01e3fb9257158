package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"parley/admin"
)

func (a *app) userAppPassword() *cobra.Command {
	c := &cobra.Command{Use: "app-password", Short: "Passwords of one program each: add, list, revoke", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.appPasswordAdd(), a.appPasswordList(), a.appPasswordRevoke())
	return c
}

func (a *app) appPasswordAdd() *cobra.Command {
	return &cobra.Command{
		Use: "add ADDRESS NAME", Short: "Make a password for a program, and print it this once", Args: cobra.ExactArgs(2),
		Example: "  parley user app-password add alice@example.org 'her telephone'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				made, err := cl.AddAppPassword(c.Context(), args[0], args[1])
				if err != nil {
					return err
				}
				a.show(made, func(w io.Writer) { fmt.Fprintln(w, made.Password) })
				return nil
			})
		},
	}
}

func (a *app) appPasswordList() *cobra.Command {
	return &cobra.Command{
		Use: "list ADDRESS", Short: "List an account's app passwords", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				as, err := cl.AppPasswords(c.Context(), args[0])
				if err != nil {
					return err
				}
				a.show(as, func(w io.Writer) {
					var rows [][]string
					for _, p := range as {
						rows = append(rows, []string{p.ID, p.Name, stamp(p.Created), stamp(p.Used)})
					}
					table(w, "There are no app passwords: parley user app-password add ADDRESS NAME", "ID\tNAME\tCREATED\tUSED", rows)
				})
				return nil
			})
		},
	}
}

func (a *app) appPasswordRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ADDRESS ID...", Short: "End app passwords, and what has signed in with them", Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				return a.each(args[1:], "revoked", func(id string) error { return cl.RevokeAppPassword(c.Context(), args[0], id) })
			})
		},
	}
}

func (a *app) userFactorOff() *cobra.Command {
	return &cobra.Command{
		Use: "factor-off ADDRESS...", Short: "Turn the second step off, for who has lost the authenticator and the recovery codes", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				return a.each(args, "the second step is off", func(address string) error { return cl.FactorOff(c.Context(), address) })
			})
		},
	}
}
