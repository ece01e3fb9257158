package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"parley/admin"
)

func (a *app) groupCommand() *cobra.Command {
	return a.noun("group", "Groups: create, list, show, set, photo, add, remove, team, mandatory, requests, delete, restore",
		a.groupCreate(), a.groupList(), a.groupShow(), a.groupSet(), a.groupPhoto(), a.groupAdd(), a.groupRemove(),
		a.groupTeam(), a.groupMandatory(), a.groupRequests(), a.groupAnswer("approve", "Make members of who asks", "is a member"), a.groupAnswer("deny", "Turn down who asks", "turned down"),
		a.groupDelete(), a.groupRestore())
}

func (a *app) groupCreate() *cobra.Command {
	var g admin.NewGroup
	var members []string
	c := &cobra.Command{
		Use: "create SLUG --owner ADDRESS", Short: "Make a group; SLUG is its short name in addresses and links", Args: cobra.ExactArgs(1),
		Example: "  parley group create engineering --name Engineering --owner alice@example.org --member bob@example.org",
		RunE: func(c *cobra.Command, args []string) error {
			if g.Slug = args[0]; g.Owner == "" {
				return usage("a group needs an owner: give one with --owner ADDRESS")
			}
			return a.with(func(cl *admin.Client) error {
				made, err := cl.CreateGroup(c.Context(), g)
				if err != nil {
					return err
				}
				var failed error
				for _, m := range members {
					if _, err := cl.SetMember(c.Context(), made.Host, made.Slug, m, "member"); err != nil {
						a.complain(fmt.Errorf("%s is not a member: %w", m, err))
						failed = errPartial
					}
				}
				a.done(made, "%s: created, its room is %s", made.Slug, made.Room)
				return failed
			})
		},
	}
	f := c.Flags()
	f.StringVar(&g.Owner, "owner", "", "`address` of its first owner")
	f.StringVar(&g.Name, "name", "", "name that people see (default: the slug)")
	f.StringVar(&g.Description, "description", "", "what it is about")
	f.StringVar(&g.Kind, "kind", "", kinds)
	f.BoolVar(&g.Private, "private", false, "only members can find it: the kind private, or an announcement that is not listed")
	f.StringVar(&g.Emoji, "emoji", "", "an emoji for it")
	f.StringSliceVar(&members, "member", nil, "`address` of a member (may be repeated)")
	hostFlag(c, &g.Host)
	return c
}

func (a *app) groupList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list", Short: "List groups", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *admin.Client) error {
				groups, err := pages(func(after string, limit int) ([]admin.Group, error) {
					return cl.Groups(c.Context(), host, after, limit)
				}, func(g admin.Group) string { return g.Slug })
				if err != nil {
					return err
				}
				a.show(groups, func(w io.Writer) {
					var rows [][]string
					for _, g := range groups {
						rows = append(rows, []string{g.Slug, strings.TrimSpace(g.Emoji + " " + g.Name), g.Kind, visibility(g), g.Room})
					}
					table(w, "There are no groups yet: parley group create SLUG --owner ADDRESS", "GROUP\tNAME\tKIND\tSEEN BY\tROOM", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func visibility(g admin.Group) string {
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
			return a.with(func(cl *admin.Client) error {
				g, err := cl.Group(c.Context(), host, args[0])
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

func printGroup(w io.Writer, g admin.Group) {
	fmt.Fprintf(w, "group        %s\nname         %s\ndescription  %s\nkind         %s\nseen by      %s\nthemes by    %s\nmentions by  %s\nroom         %s\ncreated      %s\n\n",
		g.Slug, printable(strings.TrimSpace(g.Emoji+" "+g.Name)), printable(g.Description), g.Kind, visibility(g), g.ThemesBy, g.MentionBy, g.Room, stamp(g.Created))
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
			return a.with(func(cl *admin.Client) error {
				return a.each(args[1:], role, func(address string) error {
					_, err := cl.SetMember(c.Context(), host, args[0], address, role)
					return err
				})
			})
		},
	}
	c.Flags().StringVar(&role, "role", "member", "member, moderator, owner, or banned")
	hostFlag(c, &host)
	return c
}

func (a *app) groupRemove() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "remove GROUP ADDRESS...", Short: "Remove members from a group", Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				return a.each(args[1:], "removed", func(address string) error { return cl.RemoveMember(c.Context(), host, args[0], address) })
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
			if err := a.confirm(yes, "Deletes the group "+printable(args[0])+": everyone leaves its rooms and themes. For 30 days parley group restore brings it back.", args[0]); err != nil {
				return err
			}
			return a.with(func(cl *admin.Client) error {
				return a.each(args, "deleted", func(slug string) error { return cl.DeleteGroup(c.Context(), host, slug) })
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	hostFlag(c, &host)
	return c
}
