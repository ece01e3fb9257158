package main

import (
	"context"
	"io"
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

var actionDefinition = definition[people.ActionChange]{
	among: "actions",
	parts: func(ch *people.ActionChange) (**string, **int) { return &ch.Name, &ch.Place },
	lists: func(ch *people.ActionChange) {
		for _, list := range []*[]string{ch.Roles, ch.Teams, ch.Groups, ch.Tells} {
			if list == nil {
				continue
			}
			*list = strings.FieldsFunc(strings.Join(*list, ","), func(r rune) bool { return r == ',' || r == ' ' })
		}
	},
}

func (a *app) actionCreate() *cobra.Command {
	c := &cobra.Command{
		Use:     "create NAME",
		Short:   "Define an action on messages; prints the secret that signs its requests, once",
		Example: "  parley action create 'Create a ticket' --url https://tickets.example.org/new --icon ticket --comment",
	}
	return actionDefinition.create(a, c, func(ctx context.Context, cl *api.Client, n people.ActionChange) error {
		made, err := api.CreateAction.Do(ctx, cl, api.With(n))
		if err == nil {
			a.done(made, "%s: created; requests are signed with\n%s", made.ID, made.Secret)
		}
		return err
	})
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
	c := &cobra.Command{
		Use:     "set ID",
		Short:   "Change an action on messages; omitted values stay",
		Example: "  parley action set 0rsvprne79yj6 --teams desk,sales --groups '' --place 1",
	}
	return actionDefinition.set(a, c,
		func(ctx context.Context, cl *api.Client, id string, ch people.ActionChange) error {
			in := api.ChangeActionInput{InAction: api.InAction{Action: id}}
			in.Body = ch
			x, err := api.ChangeAction.Do(ctx, cl, in)
			if err == nil {
				a.done(x, "%s: changed", x.ID)
			}
			return err
		})
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
