package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"parley/admin"
)

func (a *app) teamCommand() *cobra.Command {
	return a.noun("team", "Teams of people: create, list, show, set, add, remove, delete; snippets, contacts",
		a.teamCreate(), a.teamList(), a.teamShow(), a.teamSet(), a.teamPeople("add"), a.teamPeople("remove"), a.teamDelete(), a.teamSnippets(), a.teamContacts())
}

func (a *app) teamCreate() *cobra.Command {
	var t admin.NewTeam
	c := &cobra.Command{
		Use: "create SLUG", Short: "Make a team; SLUG is its short name in links and mentions", Args: cobra.ExactArgs(1),
		Example: "  parley team create sales --name Sales --emoji 📞 --member alice --member bob",
		RunE: func(c *cobra.Command, args []string) error {
			t.Slug = args[0]
			return a.with(func(cl *admin.Client) error {
				made, err := cl.CreateTeam(c.Context(), t)
				if err == nil {
					a.done(made, "%s: created", made.Slug)
				}
				return err
			})
		},
	}
	f := c.Flags()
	f.StringVar(&t.Name, "name", "", "name that people see (default: the slug)")
	f.StringVar(&t.Emoji, "emoji", "", "an emoji for it")
	f.StringVar(&t.Description, "description", "", "what it does")
	f.StringSliceVar(&t.People, "member", nil, "`address` of somebody in it (may be repeated)")
	hostFlag(c, &t.Host)
	return c
}

func (a *app) teamList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list", Short: "List teams", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *admin.Client) error {
				ts, err := cl.Teams(c.Context(), host)
				if err != nil {
					return err
				}
				a.show(ts, func(w io.Writer) {
					var rows [][]string
					for _, t := range ts {
						rows = append(rows, []string{t.Slug, strings.TrimSpace(t.Emoji + " " + t.Name), strconv.Itoa(t.Size), t.Description})
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
			return a.with(func(cl *admin.Client) error {
				t, err := cl.Team(c.Context(), host, args[0])
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

func printTeam(w io.Writer, t admin.Team) {
	list := func(s []string) string {
		if len(s) == 0 {
			return "-"
		}
		return strings.Join(s, ", ")
	}
	fmt.Fprintf(w, "team            %s\nname            %s\ndescription     %s\nmentioned by    %s\nin groups       %s\ndefault groups  %s\ncreated         %s\n\n",
		t.Slug, printable(strings.TrimSpace(t.Emoji+" "+t.Name)), printable(t.Description), t.MentionBy, list(t.Groups), list(t.Defaults), stamp(t.Created))
	var rows [][]string
	for _, p := range t.People {
		rows = append(rows, []string{p.Address, p.Name, stamp(p.Since)})
	}
	table(w, "nobody is in it", "ADDRESS\tNAME\tSINCE", rows)
}

func (a *app) teamSet() *cobra.Command {
	var host string
	var v struct {
		name, description, emoji, mentionBy string
		defaults                            []string
	}
	c := &cobra.Command{
		Use: "set TEAM", Short: "Change a team: what is not given stays", Args: cobra.ExactArgs(1),
		Example: "  parley team set sales --default-group announcements --default-group lobby",
	}
	f := c.Flags()
	f.StringVar(&v.name, "name", "", "name that people see")
	f.StringVar(&v.description, "description", "", "what it does")
	f.StringVar(&v.emoji, "emoji", "", "an emoji for it")
	f.StringVar(&v.mentionBy, "mentions-by", "", "who may mention it: everyone, members or nobody")
	f.StringSliceVar(&v.defaults, "default-group", nil, "`group` that new people of it are members of (may be repeated; '' for none)")
	hostFlag(c, &host)
	c.RunE = func(c *cobra.Command, args []string) error {
		var ch admin.TeamChange
		for name, to := range map[string]**string{"name": &ch.Name, "description": &ch.Description, "emoji": &ch.Emoji, "mentions-by": &ch.MentionBy} {
			if f.Changed(name) {
				s, _ := f.GetString(name)
				*to = &s
			}
		}
		if f.Changed("default-group") {
			ds := []string{}
			for _, d := range v.defaults {
				if d != "" {
					ds = append(ds, d)
				}
			}
			ch.Defaults = &ds
		}
		if ch == (admin.TeamChange{}) {
			return usage("nothing is to be changed: see parley team set --help")
		}
		return a.with(func(cl *admin.Client) error {
			t, err := cl.ChangeTeam(c.Context(), host, args[0], ch)
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
	short, done := "Have people in a team: they come into its groups", "added"
	if verb == "remove" {
		short, done = "Take people out of a team", "removed"
	}
	c := &cobra.Command{
		Use: verb + " TEAM ADDRESS...", Short: short, Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				return a.each(args[1:], done, func(address string) error {
					if verb == "remove" {
						return cl.SetTeamPeople(c.Context(), host, args[0], nil, []string{address})
					}
					return cl.SetTeamPeople(c.Context(), host, args[0], []string{address}, nil)
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
		Use: "delete TEAM", Short: "Delete a team; what its people have said and shared stays", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.confirm(yes, "Deletes the team "+printable(args[0])+": who is in a group by it alone leaves the group.", args[0]); err != nil {
				return err
			}
			return a.with(func(cl *admin.Client) error {
				return a.each(args, "deleted", func(slug string) error { return cl.DeleteTeam(c.Context(), host, slug) })
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	hostFlag(c, &host)
	return c
}
