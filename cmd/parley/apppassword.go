package main

import (
	"fmt"
	"io"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

func (a *app) userAppPassword() *cobra.Command {
	c := &cobra.Command{
		Use:   "app-password",
		Short: "App passwords, one for each program: add, list, revoke",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.appPasswordAdd(), a.appPasswordList(), a.appPasswordRevoke())
	return c
}

func (a *app) appPasswordAdd() *cobra.Command {
	return &cobra.Command{
		Use: "add ADDRESS NAME", Short: "Create a password for a program, and print it once", Args: cobra.ExactArgs(2),
		Example: "  parley user app-password add alice@example.org 'her telephone'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				host, name, err := account(args[0])
				if err != nil {
					return err
				}
				in := api.NewAppPasswordInput{InPerson: api.InPerson{Name: name}}
				in.Body.Name = args[1]
				made, err := api.CreateAppPassword.Do(c.Context(), cl.On(host), in)
				if err != nil {
					return ofAccount(err)
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
			return a.with(func(cl *api.Client) error {
				host, name, err := account(args[0])
				if err != nil {
					return err
				}
				as, err := api.ListAppPasswords.Do(c.Context(), cl.On(host), api.InPerson{Name: name})
				if err != nil {
					return ofAccount(err)
				}
				a.show(as, func(w io.Writer) {
					var rows [][]string
					for _, p := range as {
						rows = append(rows, []string{p.ID, p.Name, stamp(p.Created), stamp(p.Used)})
					}
					table(w, "There are no app passwords: parley user app-password add ADDRESS NAME",
						"ID\tNAME\tCREATED\tUSED", rows)
				})
				return nil
			})
		},
	}
}

func (a *app) appPasswordRevoke() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ADDRESS ID...",
		Short: "Revoke app passwords, and end the sessions that use them",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			host, name, err := account(args[0])
			if err != nil {
				return err
			}
			return a.with(func(cl *api.Client) error {
				return a.each(args[1:], "revoked", func(id string) error {
					in := api.InAppPassword{InPerson: api.InPerson{Name: name}, ID: id}
					_, err := api.RevokeAppPassword.Do(c.Context(), cl.On(host), in)
					return ofAccount(err)
				})
			})
		},
	}
}

func (a *app) userFactorOff() *cobra.Command {
	return &cobra.Command{
		Use:   "factor-off ADDRESS...",
		Short: "Turn the second step off for somebody who has lost the authenticator and the recovery codes",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, "the second step is off", func(address string) error {
					host, name, err := account(address)
					if err != nil {
						return err
					}
					_, err = api.TurnFactorOff.Do(c.Context(), cl.On(host), api.InPerson{Name: name})
					return ofAccount(err)
				})
			})
		},
	}
}
