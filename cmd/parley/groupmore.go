package main

import (
	"io"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

func (a *app) groupMandatory() *cobra.Command {
	var host, team string
	var off bool
	c := &cobra.Command{
		Use: "mandatory GROUP", Short: "Make a group mandatory for everyone, or for a team", Args: cobra.ExactArgs(1),
		Example: "  parley group mandatory announcements\n  parley group mandatory sales-room --team sales",
		RunE: func(c *cobra.Command, args []string) error {
			whom := "everyone"
			switch {
			case off && team != "":
				return usage("use --team or --off, not both")
			case off:
				whom = ""
			case team != "":
				whom = team
			}
			return a.with(func(cl *api.Client) error {
				return a.each(args, "changed", func(slug string) error {
					in := api.SetMandatoryInput{InGroup: api.InGroup{Slug: slug}}
					in.Body.Whom = whom
					_, err := api.SetMandatory.Do(c.Context(), cl.On(host), in)
					return err
				})
			})
		},
	}
	c.Flags().StringVar(&team, "team", "", "only for the members of this `team`")
	c.Flags().BoolVar(&off, "off", false, "make it optional: its members stay")
	hostFlag(c, &host)
	return c
}

func (a *app) groupTeam() *cobra.Command {
	var host, role string
	var remove bool
	c := &cobra.Command{
		Use:   "team GROUP TEAM...",
		Short: "Add whole teams to a group: everyone in the team is in the group",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			done := role
			if remove {
				done = "removed"
			}
			return a.with(func(cl *api.Client) error {
				return a.each(args[1:], done, func(team string) error {
					in := api.InGroupTeam{InGroup: api.InGroup{Slug: args[0]}, Team: team}
					if remove {
						_, err := api.RemoveGroupTeam.Do(c.Context(), cl.On(host), in)
						return err
					}
					set := api.SetGroupTeamInput{InGroupTeam: in}
					set.Body.Role = role
					_, err := api.SetGroupTeam.Do(c.Context(), cl.On(host), set)
					return err
				})
			})
		},
	}
	c.Flags().StringVar(&role, "role", "member", "member or moderator")
	c.Flags().BoolVar(&remove, "remove", false, "remove them")
	hostFlag(c, &host)
	return c
}

func (a *app) groupRequests() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "requests GROUP", Short: "List requests to join", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				rs, err := api.All(c.Context(), cl.On(host), api.ListRequests,
					api.PartOfGroup{InGroup: api.InGroup{Slug: args[0]}})
				if err != nil {
					return err
				}
				a.show(rs, func(w io.Writer) {
					var rows [][]string
					for _, r := range rs {
						rows = append(rows, []string{r.Address, stamp(r.Since), r.Reason})
					}
					table(w, "nobody asks", "ADDRESS\tSINCE\tREASON", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

// groupAnswer is approve or deny.
func (a *app) groupAnswer(verb, short, done string) *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: verb + " GROUP ADDRESS...", Short: short, Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args[1:], done, func(address string) error {
					in := api.AnswerRequestInput{
						InMember: api.InMember{InGroup: api.InGroup{Slug: args[0]}, Address: address},
					}
					in.Body.Yes = verb == "approve"
					_, err := api.AnswerRequest.Do(c.Context(), cl.On(host), in)
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}

// themeState is close, reopen or archive.
func (a *app) themeState(verb, state, short, done string) *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: verb + " GROUP THEME...", Short: short, Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args[1:], done, func(theme string) error {
					_, err := changeTheme(c.Context(), cl.On(host), args[0], theme, api.ThemeChange{State: &state})
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) themeRename() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "rename GROUP THEME NAME", Short: "Rename a theme; its address stays", Args: cobra.ExactArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				t, err := changeTheme(c.Context(), cl.On(host), args[0], args[1], api.ThemeChange{Name: &args[2]})
				if err == nil {
					a.done(t, "%s: renamed", printable(t.Name))
				}
				return err
			})
		},
	}
	hostFlag(c, &host)
	return c
}

// themePeople is add or remove.
func (a *app) themePeople(verb, role, short, done string) *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: verb + " GROUP THEME ADDRESS...", Short: short, Args: cobra.MinimumNArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args[2:], done, func(address string) error {
					at, err := findTheme(c.Context(), cl.On(host), args[0], args[1])
					if err != nil {
						return err
					}
					in := api.InThemePerson{InTheme: at, Address: address}
					if role == "" {
						_, err = api.RemoveThemePerson.Do(c.Context(), cl.On(host), in)
						return err
					}
					set := api.SetThemePersonInput{InThemePerson: in}
					set.Body.Role = role
					_, err = api.SetThemePerson.Do(c.Context(), cl.On(host), set)
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}
