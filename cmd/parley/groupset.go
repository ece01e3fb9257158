package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"parley/admin"
)

const kinds = "private, public, large, request, announcement or federated"

func (a *app) groupSet() *cobra.Command {
	var host string
	var v struct {
		name, description, kind, themesBy, mentionBy, emoji string
		hidden, guests                                      bool
	}
	c := &cobra.Command{
		Use: "set GROUP", Short: "Change a group: what is not given stays", Args: cobra.ExactArgs(1),
		Example: "  parley group set engineering --kind request --mentions-by moderators",
	}
	f := c.Flags()
	f.StringVar(&v.name, "name", "", "name that people see")
	f.StringVar(&v.description, "description", "", "what it is about")
	f.StringVar(&v.kind, "kind", "", kinds)
	f.StringVar(&v.themesBy, "themes-by", "", "who creates themes: members or moderators")
	f.StringVar(&v.mentionBy, "mentions-by", "", "who may mention everyone: members, moderators or nobody")
	f.StringVar(&v.emoji, "emoji", "", "an emoji for it")
	f.BoolVar(&v.hidden, "hidden", false, "of an announcement: people do not find it by themselves")
	f.BoolVar(&v.guests, "guests", false, "themes may have people who are not in the group")
	f.Bool("since-join", false, "members read only what was said since they were added")
	hostFlag(c, &host)
	c.RunE = func(c *cobra.Command, args []string) error {
		var ch admin.GroupChange
		any := false
		for name, to := range map[string]**string{"name": &ch.Name, "description": &ch.Description, "kind": &ch.Kind, "themes-by": &ch.ThemesBy,
			"mentions-by": &ch.MentionBy, "emoji": &ch.Emoji} {
			if f.Changed(name) {
				s, _ := f.GetString(name)
				*to, any = &s, true
			}
		}
		for name, to := range map[string]**bool{"hidden": &ch.Hidden, "guests": &ch.Guests, "since-join": &ch.SinceJoin} {
			if f.Changed(name) {
				b, _ := f.GetBool(name)
				*to, any = &b, true
			}
		}
		if !any {
			return usage("nothing is to be changed: see parley group set --help")
		}
		return a.with(func(cl *admin.Client) error {
			g, err := cl.ChangeGroup(c.Context(), host, args[0], ch)
			if err == nil {
				a.done(g, "%s: changed", g.Slug)
			}
			return err
		})
	}
	return c
}

func (a *app) groupPhoto() *cobra.Command {
	var host string
	var remove bool
	c := &cobra.Command{
		Use: "photo GROUP [FILE]", Short: "Give a group a photo: PNG, JPEG or GIF, at most 100 KiB", Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if remove == (len(args) == 2) {
				return usage("give a file, or --remove")
			}
			var image []byte
			if !remove {
				f, err := os.Open(args[1])
				if err != nil {
					return err
				}
				defer f.Close()
				if image, err = io.ReadAll(io.LimitReader(f, 101<<10)); err != nil {
					return err
				}
				if len(image) == 0 {
					return usage("%s is empty", args[1])
				}
			}
			return a.with(func(cl *admin.Client) error {
				return a.each(args[:1], "changed", func(slug string) error { return cl.SetPhoto(c.Context(), host, slug, image) })
			})
		},
	}
	c.Flags().BoolVar(&remove, "remove", false, "take the photo away")
	hostFlag(c, &host)
	return c
}

func (a *app) groupRestore() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "restore [GROUP]", Short: "Bring back a group that was deleted in the last 30 days; without GROUP list them", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				if len(args) == 1 {
					g, err := cl.RestoreGroup(c.Context(), host, args[0])
					if err == nil {
						a.done(g, "%s: restored, its room is %s", g.Slug, g.Room)
					}
					return err
				}
				gs, err := cl.DeletedGroups(c.Context(), host)
				if err != nil {
					return err
				}
				a.show(gs, func(w io.Writer) {
					var rows [][]string
					for _, g := range gs {
						rows = append(rows, []string{g.Slug, g.Name, stamp(g.Deleted)})
					}
					table(w, "No group was deleted in the last 30 days", "GROUP\tNAME\tDELETED", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}
