package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/admin/api"
	"parley/people"

	"github.com/spf13/cobra"
)

func (a *app) userCommand() *cobra.Command {
	return a.noun("user", "Accounts: add, list, show, set, field, disable, enable, delete, passwd, app-password, "+
		"factor-off, admin, retention, export, import",
		a.userAdd(), a.userList(), a.userShow(), a.userSet(), a.userField(), a.userDisable(true), a.userDisable(false),
		a.userAdmin(), a.userRetention(), a.userDelete(), a.userPasswd(), a.userAppPassword(), a.userFactorOff(),
		a.userExport(), a.userImport())
}

func passwordFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "password-file", "",
		"read the password from the first line of `file`; - for standard input")
}

// userRecord is an account in the output.
type userRecord struct {
	Address  string    `json:"address"`
	Name     string    `json:"name,omitempty"`
	Admin    bool      `json:"admin"`
	Disabled bool      `json:"disabled"`
	Password bool      `json:"password"` // the account has a password
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"last_seen,omitzero"`
	Sessions int       `json:"sessions"`
	// Retention is how long its messages are kept: "90d", "forever". Only of one account, not in lists.
	Retention string `json:"retention,omitempty"`
	// RetentionBy says who has set it: "host", "administrator" or "person".
	RetentionBy string `json:"retention_by,omitempty"`
	// Fields are the values of profile fields by key.
	Fields map[string]string `json:"fields,omitempty"`
}

func shownUser(p api.Person) userRecord {
	return userRecord{
		Address:     p.Address,
		Name:        p.FullName,
		Admin:       isAdmin(p),
		Disabled:    p.State == "disabled" || p.State == "archived",
		Password:    p.HasPassword,
		Created:     p.Created,
		LastSeen:    p.LastSeen,
		Sessions:    p.Sessions,
		Retention:   p.Retention,
		RetentionBy: p.RetentionBy,
		Fields:      p.Fields,
	}
}

func isAdmin(p api.Person) bool { return p.Role == "admin" || p.Role == "owner" }

func (a *app) userAdd() *cobra.Command {
	var n api.NewPerson
	var file, full string
	var admin bool
	c := &cobra.Command{
		Use: "add ADDRESS", Short: "Create an account; parley asks for the password", Args: cobra.ExactArgs(1),
		Example: "  parley user add alice@example.org --name 'Alice Martin'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				// Before asking for a password in vain.
				if _, err := api.GetServer.Do(c.Context(), cl, api.None{}); err != nil {
					return err
				}
				password, err := a.readPassword(c.Context(), file, args[0])
				if err != nil {
					return err
				}
				if password == "" {
					return wrong("password", "the password is empty")
				}
				host, name, err := account(args[0])
				if err != nil {
					return err
				}
				n.Name, n.Password = name, password
				n.FullName = told(full)
				if admin {
					n.Role = told("admin")
				}
				added, err := api.CreatePerson.Do(c.Context(), cl.On(host), api.With(n))
				if err != nil {
					return ofAccount(err)
				}
				a.done(shownUser(added), "%s: added", added.Address)
				return nil
			})
		},
	}
	c.Flags().StringVar(&full, "name", "", "full name")
	c.Flags().BoolVar(&admin, "admin", false, "can administer the host")
	c.Flags().BoolVar(&n.ReuseName, "reuse-name", false, "reuse the name of an account that was deleted recently")
	passwordFlag(c, &file)
	return c
}

func (a *app) userList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list", Short: "List accounts", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				people, err := parts(500, func(skip, limit int) ([]api.Person, error) {
					p, err := api.ListPeople.Do(c.Context(), cl.On(host), api.FindPeople{Offset: skip, Limit: limit})
					return p.People, err
				})
				if err != nil {
					return err
				}
				users := []userRecord{}
				for _, p := range people {
					users = append(users, shownUser(p))
				}
				a.show(users, func(w io.Writer) {
					var rows [][]string
					for _, u := range users {
						rows = append(rows, []string{
							u.Address, u.Name, userFlags(u), fmt.Sprint(u.Sessions), stamp(u.LastSeen),
						})
					}
					table(w, "There are no accounts yet: parley user add ADDRESS",
						"ADDRESS\tNAME\tSTATE\tSESSIONS\tLAST SEEN", rows)
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

func userFlags(u userRecord) string {
	return flags(when(u.Admin, "admin"), when(u.Disabled, "disabled"), when(!u.Password, "no password"))
}

func (a *app) userShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ADDRESS", Short: "Show an account", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				u, err := showUser(c.Context(), cl, args[0])
				if err != nil {
					return err
				}
				a.show(u, func(w io.Writer) {
					fmt.Fprintf(w,
						"address    %s\nname       %s\nstate      %s\ncreated    %s\nlast seen  %s\nsessions   %d\n"+
							"messages   %s\n", u.Address, printable(u.Name), userFlags(u), stamp(u.Created),
						stamp(u.LastSeen), u.Sessions, kept(u))
					for _, key := range slices.Sorted(maps.Keys(u.Fields)) {
						fmt.Fprintf(w, "%-10s %s\n", key, printable(u.Fields[key]))
					}
				})
				return nil
			})
		},
	}
}

func showUser(ctx context.Context, cl *api.Client, address string) (userRecord, error) {
	host, name, err := account(address)
	if err != nil {
		return userRecord{}, err
	}
	p, err := api.GetPerson.Do(ctx, cl.On(host), api.InPerson{Name: name})
	return shownUser(p), ofAccount(err)
}

func changeUser(ctx context.Context, cl *api.Client, address string, ch api.PersonChange) (userRecord, error) {
	host, name, err := account(address)
	if err != nil {
		return userRecord{}, err
	}
	p, err := api.ChangePerson.Do(ctx, cl.On(host), api.ChangePersonInput{InPerson: api.InPerson{Name: name}, Body: ch})
	return shownUser(p), ofAccount(err)
}

// setAdmin gives somebody the role of an administrator or a member. An owner is an administrator too.
func setAdmin(ctx context.Context, cl *api.Client, address string, on bool) (userRecord, error) {
	u, err := showUser(ctx, cl, address)
	if err != nil || u.Admin == on {
		return u, err
	}
	role := "member"
	if on {
		role = "admin"
	}
	return changeUser(ctx, cl, address, api.PersonChange{Profile: people.Profile{Role: &role}})
}

func (a *app) userDisable(disable bool) *cobra.Command {
	name, short, done := "enable", "Enable accounts again", "enabled"
	if disable {
		name, short, done = "disable", "Disable accounts without deleting anything", "disabled"
	}
	return &cobra.Command{
		Use: name + " ADDRESS...", Short: short, Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, done, func(address string) error {
					_, err := changeUser(c.Context(), cl, address, api.PersonChange{Disabled: &disable})
					return err
				})
			})
		},
	}
}

func (a *app) userAdmin() *cobra.Command {
	return &cobra.Command{
		Use: "admin ADDRESS on|off", Short: "Let an account administer its host, or not", Args: cobra.ExactArgs(2),
		ValidArgs: []string{"on", "off"},
		RunE: func(c *cobra.Command, args []string) error {
			on := args[1] == "on"
			if !on && args[1] != "off" {
				return usage("%q is neither on nor off", args[1])
			}
			return a.with(func(cl *api.Client) error {
				u, err := setAdmin(c.Context(), cl, args[0], on)
				if err == nil {
					a.done(u, "%s: %s", u.Address, map[bool]string{
						true:  "can administer the host",
						false: "can no longer administer the host",
					}[on])
				}
				return err
			})
		},
	}
}

// kept says how long an account's messages are kept, and who has set it.
func kept(u userRecord) string {
	by := map[string]string{
		"administrator": ", set by an administrator",
		"person":        ", set by the person",
	}[u.RetentionBy]
	if u.Retention == "forever" {
		return "kept forever" + by
	}
	return "kept for " + u.Retention + by
}

func (a *app) userRetention() *cobra.Command {
	return &cobra.Command{
		Use:   "retention ADDRESS DURATION|forever|host",
		Short: "Set how long an account's messages are kept",
		Args:  cobra.ExactArgs(2),
		Long: "Sets how long the messages of an account are kept, in place of its host's setting: " +
			"for a time, shorter or\n" +
			"longer, or forever. host goes back to the host's setting. Older messages are removed within the hour.",
		Example: "  parley user retention alice@example.org 90d",
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				u, err := changeUser(c.Context(), cl, args[0], api.PersonChange{Retention: &args[1]})
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
		Use:   "delete ADDRESS...",
		Short: "Delete accounts with their contacts and messages",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.confirm(yes, "Deletes "+printable(strings.Join(args, ", "))+
				": contacts, archive, memberships. `parley user disable` keeps them.", args[0]); err != nil {
				return err
			}
			return a.with(func(cl *api.Client) error {
				return a.each(args, "deleted", func(address string) error {
					host, name, err := account(address)
					if err != nil {
						return err
					}
					_, err = api.DeletePerson.Do(c.Context(), cl.On(host), api.InPerson{Name: name})
					return ofAccount(err)
				})
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
			return a.with(func(cl *api.Client) error {
				u, err := showUser(c.Context(), cl, args[0]) // before asking for a password in vain
				if err != nil {
					return err
				}
				pw, err := a.readPassword(c.Context(), file, u.Address)
				if err != nil {
					return err
				}
				host, name, err := account(u.Address)
				if err != nil {
					return err
				}
				in := api.SetPasswordInput{InPerson: api.InPerson{Name: name}}
				in.Body.Password = pw
				if _, err := api.SetPassword.Do(c.Context(), cl.On(host), in); err != nil {
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
