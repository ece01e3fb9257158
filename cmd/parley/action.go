package main

import (
	"io"
	"reflect"
	"strings"

	"parley/admin/api"
	"parley/people"

	"github.com/spf13/cobra"
)

func (a *app) actionCommand() *cobra.Command {
	return a.noun("action",
		"What people can have programs do with messages: create, list, set, renew, delete",
		a.actionCreate(), a.actionList(), a.actionSet(), a.actionRenew(), a.actionDelete())
}

func (a *app) actionCreate() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use:     "create NAME",
		Short:   "Define an action on messages; prints the secret that signs its requests, once",
		Args:    cobra.ExactArgs(1),
		Example: "  parley action create 'Create a ticket' --url https://tickets.example.org/new --icon ticket --comment",
	}
	actionFlags(c)
	hostFlag(c, &host)
	c.RunE = func(c *cobra.Command, args []string) error {
		var n people.ActionChange
		if err := readAction(c, &n); err != nil {
			return err
		}
		n.Name = &args[0]
		return a.with(func(cl *api.Client) error {
			made, err := api.CreateAction.Do(c.Context(), cl.On(host), api.With(n))
			if err == nil {
				a.done(made, "%s: created; requests are signed with\n%s", made.ID, made.Secret)
			}
			return err
		})
	}
	if err := c.Flags().MarkHidden("name"); err != nil { // it is the argument
		panic(err)
	}
	return c
}

func (a *app) actionList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the actions on messages",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				as, err := api.ListActions.Do(c.Context(), cl.On(host), api.None{})
				if err != nil {
					return err
				}
				a.show(as, func(w io.Writer) {
					var rows [][]string
					for _, x := range as {
						where := strings.Join(x.Groups, ",")
						if x.All {
							where = "everywhere"
						}
						rows = append(rows, []string{
							x.ID, x.Name, where, strings.Join(append(x.Roles, x.Teams...), ","),
							strings.Join(x.Tells, ",") + when(x.Comment, " comment"), x.URL,
						})
					}
					table(w, "no actions", "ID\tNAME\tWHERE\tFOR\tTOLD\tPROGRAM", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) actionSet() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use:     "set ID",
		Short:   "Change an action on messages; omitted values stay",
		Args:    cobra.ExactArgs(1),
		Example: "  parley action set 0rsvprne79yj6 --teams desk,sales --groups '' --place 1",
	}
	actionFlags(c)
	hostFlag(c, &host)
	c.RunE = func(c *cobra.Command, args []string) error {
		in := api.ChangeActionInput{InAction: api.InAction{Action: args[0]}}
		if err := readAction(c, &in.Body); err != nil {
			return err
		}
		if reflect.ValueOf(in.Body).IsZero() {
			return usage("nothing to change: see parley action set --help")
		}
		return a.with(func(cl *api.Client) error {
			x, err := api.ChangeAction.Do(c.Context(), cl.On(host), in)
			if err == nil {
				a.done(x, "%s: changed", x.ID)
			}
			return err
		})
	}
	return c
}

// actionFlags adds the flags of an action.
func actionFlags(c *cobra.Command) {
	shapeFlags(c, people.ActionChange{})
	c.Flags().Int("place", 0, "its place among the actions, from 1")
}

// readAction reads the flags of an action that are given. Lists are separated by commas.
func readAction(c *cobra.Command, ch *people.ActionChange) error {
	if err := readFlags(c, ch); err != nil {
		return usage("%v", err)
	}
	for _, list := range []*[]string{ch.Roles, ch.Teams, ch.Groups, ch.Tells} {
		if list == nil {
			continue
		}
		*list = strings.FieldsFunc(strings.Join(*list, ","), func(r rune) bool { return r == ',' || r == ' ' })
	}
	if c.Flags().Changed("place") {
		place, err := c.Flags().GetInt("place")
		if err != nil {
			return usage("%v", err)
		}
		ch.Place = &place
	}
	return nil
}

func (a *app) actionRenew() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use:   "renew ID",
		Short: "Give an action a new secret, and print it once; the old one is void",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				x, err := api.RenewActionSecret.Do(c.Context(), cl.On(host), api.InAction{Action: args[0]})
				if err == nil {
					a.done(x, "%s: requests are signed with\n%s", x.ID, x.Secret)
				}
				return err
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) actionDelete() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "delete ID...", Short: "Delete actions on messages", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, "deleted", func(id string) error {
					_, err := api.DeleteAction.Do(c.Context(), cl.On(host), api.InAction{Action: id})
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}
