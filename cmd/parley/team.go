package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"parley/admin/api"
	"parley/org"

	"github.com/spf13/cobra"
)

func (a *app) teamCommand() *cobra.Command {
	return a.noun("team", "Teams of people: create, list, show, set, add, remove, delete; snippets, contacts",
		a.teamCreate(), a.teamList(), a.teamShow(), a.teamSet(), a.teamPeople("add"), a.teamPeople("remove"),
		a.teamDelete(), a.teamSnippets(), a.teamContacts())
}

func (a *app) teamCreate() *cobra.Command {
	var t api.NewTeam
	var host string
	c := &cobra.Command{
		Use:     "create SLUG",
		Short:   "Create a team; SLUG is its short name in links and mentions",
		Args:    cobra.ExactArgs(1),
		Example: "  parley team create sales --name Sales --emoji 📞 --member alice --member bob",
		RunE: func(c *cobra.Command, args []string) error {
			t.Slug = args[0]
			if err := readNew(c, &t.TeamFields); err != nil {
				return usage("%v", err)
			}
			if t.Name == nil {
				t.Name = &t.Slug
			}
			return a.with(func(cl *api.Client) error {
				made, err := api.CreateTeam.Do(c.Context(), cl.On(host), api.With(t))
				if err == nil {
					a.done(made, "%s: created", made.Slug)
				}
				return err
			})
		},
	}
	shapeFlags(c, org.TeamFields{})
	f := c.Flags()
	f.Lookup("name").Usage = "display name (default: the slug)"
	f.StringSliceVar(&t.People, "member", nil, "`address` of a member (may be repeated)")
	hostFlag(c, &host)
	return c
}

func (a *app) teamList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list", Short: "List teams", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				ts, err := api.All(c.Context(), cl.On(host), api.ListTeams, api.Part{})
				if err != nil {
					return err
				}
				a.show(ts, func(w io.Writer) {
					var rows [][]string
					for _, t := range ts {
						rows = append(rows, []string{
							t.Slug, strings.TrimSpace(t.Emoji + " " + t.Name), strconv.Itoa(t.Size), t.Description,
						})
					}
					table(w, "There are no teams yet: parley team create SLUG", "TEAM\tNAME\tPEOPLE\tDESCRIPTION", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) teamShow() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "show TEAM", Short: "Show a team with its people and groups", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				t, err := api.GetTeam.Do(c.Context(), cl.On(host), api.InTeam{Team: args[0]})
				if err == nil {
					a.show(t, func(w io.Writer) { printTeam(w, t) })
				}
				return err
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func printTeam(w io.Writer, t api.Team) {
	list := func(s []string) string {
		if len(s) == 0 {
			return "-"
		}
		return strings.Join(s, ", ")
	}
	fmt.Fprintf(w,
		"team            %s\nname            %s\ndescription     %s\nmentioned by    %s\nin groups       %s\n"+
			"default groups  %s\ncreated         %s\n\n", t.Slug, printable(strings.TrimSpace(t.Emoji+" "+t.Name)),
		printable(t.Description), t.MentionBy, list(t.Groups), list(t.Defaults), stamp(t.Created))
	var rows [][]string
	for _, p := range t.People {
		rows = append(rows, []string{p.Address, p.Name, stamp(p.Since)})
	}
	table(w, "the team has no members", "ADDRESS\tNAME\tSINCE", rows)
}

func (a *app) teamSet() *cobra.Command {
	var host string
	var defaults []string
	c := &cobra.Command{
		Use: "set TEAM", Short: "Change a team; omitted values stay", Args: cobra.ExactArgs(1),
		Example: "  parley team set sales --default-group announcements --default-group lobby",
	}
	shapeFlags(c, api.TeamChange{})
	f := c.Flags()
	f.StringSliceVar(&defaults, "default-group", nil,
		"`group` that new members of the team join (may be repeated; '' for none)")
	hostFlag(c, &host)
	c.RunE = func(c *cobra.Command, args []string) error {
		var ch api.TeamChange
		if err := readFlags(c, &ch); err != nil {
			return usage("%v", err)
		}
		if f.Changed("default-group") {
			ds := []string{}
			for _, d := range defaults {
				if d != "" {
					ds = append(ds, d)
				}
			}
			ch.Defaults = &ds
		}
		if ch == (api.TeamChange{}) {
			return usage("nothing to change: see parley team set --help")
		}
		return a.with(func(cl *api.Client) error {
			t, err := api.ChangeTeam.Do(c.Context(), cl.On(host),
				api.ChangeTeamInput{InTeam: api.InTeam{Team: args[0]}, Body: ch})
			if err == nil {
				a.done(t, "%s: changed", t.Slug)
			}
			return err
		})
	}
	return c
}

// teamPeople is add or remove.
func (a *app) teamPeople(verb string) *cobra.Command {
	var host string
	short, done := "Add people to a team; they join its groups", "added"
	if verb == "remove" {
		short, done = "Remove people from a team", "removed"
	}
	c := &cobra.Command{
		Use: verb + " TEAM ADDRESS...", Short: short, Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args[1:], done, func(address string) error {
					in := api.SetTeamPeopleInput{InTeam: api.InTeam{Team: args[0]}}
					if verb == "remove" {
						in.Body.Out = []string{address}
					} else {
						in.Body.In = []string{address}
					}
					_, err := api.SetTeamPeople.Do(c.Context(), cl.On(host), in)
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) teamDelete() *cobra.Command {
	var host string
	var yes bool
	c := &cobra.Command{
		Use: "delete TEAM", Short: "Delete a team; messages and shared things stay", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.confirm(yes, "Deletes the team "+printable(args[0])+
				": people who are in a group only through it leave the group.", args[0]); err != nil {
				return err
			}
			return a.with(func(cl *api.Client) error {
				return a.each(args, "deleted", func(slug string) error {
					_, err := api.DeleteTeam.Do(c.Context(), cl.On(host), api.InTeam{Team: slug})
					return err
				})
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	hostFlag(c, &host)
	return c
}
