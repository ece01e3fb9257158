package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

func (a *app) groupCommand() *cobra.Command {
	return a.noun("group",
		"Groups: create, list, show, set, photo, add, remove, team, mandatory, requests, delete, restore",
		a.groupCreate(), a.groupList(), a.groupShow(), a.groupSet(), a.groupPhoto(), a.groupAdd(), a.groupRemove(),
		a.groupTeam(), a.groupMandatory(), a.groupRequests(),
		a.groupAnswer("approve", "Approve requests to join", "is a member"),
		a.groupAnswer("deny", "Decline requests to join", "declined"), a.groupDelete(), a.groupRestore())
}

func (a *app) groupCreate() *cobra.Command {
	var g api.NewGroup
	var host string
	var members []string
	c := &cobra.Command{
		Use:   "create SLUG --owner ADDRESS",
		Short: "Create a group; SLUG is its short name in addresses and links",
		Args:  cobra.ExactArgs(1),
		Example: "  parley group create engineering --name Engineering --owner alice@example.org " +
			"--member bob@example.org",
		RunE: func(c *cobra.Command, args []string) error {
			if g.Slug = args[0]; g.Owner == "" {
				return usage("a group needs an owner: name one with --owner ADDRESS")
			}
			if err := readNew(c, &g.GroupChange); err != nil {
				return usage("%v", err)
			}
			if g.Name == nil {
				g.Name = &g.Slug
			}
			return a.with(func(cl *api.Client) error {
				made, err := api.CreateGroup.Do(c.Context(), cl.On(host), api.With(g))
				if err != nil {
					return err
				}
				var failed error
				for _, m := range members {
					if err := setMember(c.Context(), cl.On(made.Host), made.Slug, m, "member"); err != nil {
						a.complain(fmt.Errorf("%s is not a member: %w", m, err))
						failed = errPartial
					}
				}
				a.done(made, "%s: created, its room is %s", made.Slug, made.Room)
				return failed
			})
		},
	}
	shapeFlags(c, api.GroupChange{})
	f := c.Flags()
	f.Lookup("name").Usage = "display name (default: the slug)"
	f.StringVar(&g.Owner, "owner", "", "`address` of its first owner")
	f.BoolVar(&g.Private, "private", false,
		"only members can find it: the kind private, or an announcement that is not listed")
	f.StringSliceVar(&members, "member", nil, "`address` of a member (may be repeated)")
	hostFlag(c, &host)
	return c
}

func (a *app) groupList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list", Short: "List groups", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				groups, err := api.All(c.Context(), cl.On(host), api.ListGroups, api.FindGroups{})
				if err != nil {
					return err
				}
				a.show(groups, func(w io.Writer) {
					var rows [][]string
					for _, g := range groups {
						name := strings.TrimSpace(given(g.Emoji) + " " + given(g.Name))
						rows = append(rows, []string{g.Slug, name, given(g.Kind), visibility(g), g.Room})
					}
					table(w, "There are no groups yet: parley group create SLUG --owner ADDRESS",
						"GROUP\tNAME\tKIND\tSEEN BY\tROOM", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func visibility(g api.Group) string {
	if g.Private {
		return "members"
	}
	return "everyone"
}

func (a *app) groupShow() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "show GROUP", Short: "Show a group with its members and themes", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				g, err := api.GetGroup.Do(c.Context(), cl.On(host), api.InGroup{Slug: args[0]})
				if err == nil {
					a.show(g, func(w io.Writer) { printGroup(w, g) })
				}
				return err
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func printGroup(w io.Writer, g api.Group) {
	printLine(w, "group", g.Slug)
	printShape(w, g)
	printLine(w, "seen by", visibility(g))
	printLine(w, "room", g.Room)
	printLine(w, "created", stamp(g.Created))
	fmt.Fprintln(w)
	if g.Mandatory != "" {
		fmt.Fprintf(w, "mandatory for %s\n\n", g.Mandatory)
	}
	if p := g.Adding; p != nil {
		fmt.Fprintf(w, "adding everyone: %d of %d\n\n", p.Done, p.Total)
	}
	for _, t := range g.Teams {
		fmt.Fprintf(w, "team %s: %s\n\n", t.Slug, t.Role)
	}
	var rows [][]string
	for _, m := range g.Members {
		rows = append(rows, []string{m.Address, m.Role, stamp(m.Since)})
	}
	table(w, "no members", "MEMBER\tROLE\tSINCE", rows)
	fmt.Fprintln(w)
	printThemes(w, g.Themes)
}

func (a *app) groupAdd() *cobra.Command {
	var host, role string
	c := &cobra.Command{
		Use: "add GROUP ADDRESS...", Short: "Add members to a group, or change their role", Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args[1:], role, func(address string) error {
					return setMember(c.Context(), cl.On(host), args[0], address, role)
				})
			})
		},
	}
	c.Flags().StringVar(&role, "role", "member", "member, moderator, owner, or banned")
	hostFlag(c, &host)
	return c
}

func setMember(ctx context.Context, cl *api.Client, slug, address, role string) error {
	in := api.SetMemberInput{InMember: api.InMember{InGroup: api.InGroup{Slug: slug}, Address: address}}
	in.Body.Role = role
	_, err := api.SetMember.Do(ctx, cl, in)
	return err
}

func (a *app) groupRemove() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "remove GROUP ADDRESS...", Short: "Remove members from a group", Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args[1:], "removed", func(address string) error {
					in := api.InMember{InGroup: api.InGroup{Slug: args[0]}, Address: address}
					_, err := api.RemoveMember.Do(c.Context(), cl.On(host), in)
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) groupDelete() *cobra.Command {
	var host string
	var yes bool
	c := &cobra.Command{
		Use: "delete GROUP", Short: "Delete a group with its themes", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.confirm(yes, "Deletes the group "+printable(args[0])+
				": everyone leaves its rooms and themes. For 30 days parley group restore brings it back.",
				args[0]); err != nil {
				return err
			}
			return a.with(func(cl *api.Client) error {
				return a.each(args, "deleted", func(slug string) error {
					_, err := api.DeleteGroup.Do(c.Context(), cl.On(host), api.InGroup{Slug: slug})
					return err
				})
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	hostFlag(c, &host)
	return c
}
