package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"parley/admin"
)

func (a *app) userCommand() *cobra.Command {
	return a.noun("user", "Accounts: add, list, show, disable, enable, delete, passwd, app-password, factor-off, admin, retention, export, import",
		a.userAdd(), a.userList(), a.userShow(), a.userDisable(true), a.userDisable(false), a.userAdmin(), a.userRetention(), a.userDelete(), a.userPasswd(), a.userAppPassword(), a.userFactorOff(),
		a.userExport(), a.userImport())
}

func passwordFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "password-file", "", "read the password from the first line of `file`; - for standard input")
}

func (a *app) userAdd() *cobra.Command {
	var u admin.NewUser
	var file string
	c := &cobra.Command{
		Use: "add ADDRESS", Short: "Make an account; the password is asked for", Args: cobra.ExactArgs(1),
		Example: "  parley user add alice@example.org --name 'Alice Martin'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) (err error) {
				if _, err = cl.Info(c.Context()); err != nil { // before asking for a password in vain
					return err
				}
				u.Address = args[0]
				if u.Password, err = a.readPassword(c.Context(), file, u.Address); err != nil {
					return err
				}
				added, err := cl.AddUser(c.Context(), u)
				if err != nil {
					return err
				}
				a.done(added, "%s: added", added.Address)
				return nil
			})
		},
	}
	c.Flags().StringVar(&u.Name, "name", "", "full name")
	c.Flags().BoolVar(&u.Admin, "admin", false, "may administer the host")
	passwordFlag(c, &file)
	return c
}

func (a *app) userList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list", Short: "List accounts", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *admin.Client) error {
				users, err := pages(func(after string, limit int) ([]admin.User, error) {
					return cl.Users(c.Context(), host, after, limit)
				}, localpart)
				if err != nil {
					return err
				}
				a.show(users, func(w io.Writer) {
					var rows [][]string
					for _, u := range users {
						rows = append(rows, []string{u.Address, u.Name, userFlags(u), fmt.Sprint(u.Sessions), stamp(u.LastSeen)})
					}
					table(w, "There are no accounts yet: parley user add ADDRESS", "ADDRESS\tNAME\tSTATE\tSESSIONS\tLAST SEEN", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func hostFlag(c *cobra.Command, host *string) {
	c.Flags().StringVar(host, "host", "", "hosted `domain`; needed where there are several")
}

func userFlags(u admin.User) string {
	return flags(when(u.Admin, "admin"), when(u.Disabled, "disabled"), when(!u.Password, "no password"))
}

func (a *app) userShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ADDRESS", Short: "Show an account", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				u, err := cl.User(c.Context(), args[0])
				if err != nil {
					return err
				}
				a.show(u, func(w io.Writer) {
					fmt.Fprintf(w, "address    %s\nname       %s\nstate      %s\ncreated    %s\nlast seen  %s\nsessions   %d\nmessages   %s\n",
						u.Address, printable(u.Name), userFlags(u), stamp(u.Created), stamp(u.LastSeen), u.Sessions, kept(u))
				})
				return nil
			})
		},
	}
}

func (a *app) userDisable(disable bool) *cobra.Command {
	name, short, done := "enable", "Let accounts sign in again", "enabled"
	if disable {
		name, short, done = "disable", "Close accounts without deleting anything", "disabled"
	}
	return &cobra.Command{
		Use: name + " ADDRESS...", Short: short, Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				return a.each(args, done, func(address string) error {
					_, err := cl.ChangeUser(c.Context(), address, admin.UserChange{Disabled: &disable})
					return err
				})
			})
		},
	}
}

func (a *app) userAdmin() *cobra.Command {
	return &cobra.Command{
		Use: "admin ADDRESS on|off", Short: "Say whether an account may administer its host", Args: cobra.ExactArgs(2),
		ValidArgs: []string{"on", "off"},
		RunE: func(c *cobra.Command, args []string) error {
			on := args[1] == "on"
			if !on && args[1] != "off" {
				return usage("%q is neither on nor off", args[1])
			}
			return a.with(func(cl *admin.Client) error {
				u, err := cl.ChangeUser(c.Context(), args[0], admin.UserChange{Admin: &on})
				if err == nil {
					a.done(u, "%s: %s", u.Address, map[bool]string{true: "may administer the host", false: "may no longer administer the host"}[on])
				}
				return err
			})
		},
	}
}

// kept says how long an account's messages are kept, and by whose decision.
func kept(u admin.User) string {
	by := map[string]string{"administrator": ", as an administrator has said", "person": ", as the person has said"}[u.RetentionBy]
	if u.Retention == "forever" {
		return "kept for ever" + by
	}
	return "kept for " + u.Retention + by
}

func (a *app) userRetention() *cobra.Command {
	return &cobra.Command{
		Use: "retention ADDRESS DURATION|forever|host", Short: "Say how long an account's messages are kept", Args: cobra.ExactArgs(2),
		Long: "Says how long the messages of an account are kept, in place of what holds for its host: for a time, be it shorter or\n" +
			"longer, or forever. host takes that back. What is older is removed within the hour.",
		Example: "  parley user retention alice@example.org 90d",
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				u, err := cl.ChangeUser(c.Context(), args[0], admin.UserChange{Retention: &args[1]})
				if err == nil {
					a.done(u, "%s: messages are %s", u.Address, kept(u))
				}
				return err
			})
		},
	}
}

func (a *app) userDelete() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "delete ADDRESS...", Short: "Delete accounts with their contacts and messages", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.confirm(yes, "Deletes "+printable(strings.Join(args, ", "))+": contacts, archive, memberships. `parley user disable` keeps them.", args[0]); err != nil {
				return err
			}
			return a.with(func(cl *admin.Client) error {
				return a.each(args, "deleted", func(address string) error { return cl.DeleteUser(c.Context(), address) })
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

func (a *app) userPasswd() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "passwd ADDRESS", Short: "Set an account's password and close its sessions", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				u, err := cl.User(c.Context(), args[0]) // before asking for a password in vain
				if err != nil {
					return err
				}
				pw, err := a.readPassword(c.Context(), file, u.Address)
				if err != nil {
					return err
				}
				if err := cl.SetPassword(c.Context(), u.Address, pw); err != nil {
					return err
				}
				a.done(map[string]string{"address": u.Address}, "%s: password set", u.Address)
				return nil
			})
		},
	}
	passwordFlag(c, &file)
	return c
}
