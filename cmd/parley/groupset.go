package main

import (
	"io"
	"os"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

func (a *app) groupSet() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use:     "set GROUP",
		Short:   "Change a group; omitted values stay",
		Args:    cobra.ExactArgs(1),
		Example: "  parley group set engineering --kind request --mentions-by moderators",
	}
	shapeFlags(c, api.GroupChange{})
	hostFlag(c, &host)
	c.RunE = func(c *cobra.Command, args []string) error {
		var ch api.GroupChange
		if err := readFlags(c, &ch); err != nil {
			return usage("%v", err)
		}
		if ch == (api.GroupChange{}) {
			return usage("nothing to change: see parley group set --help")
		}
		return a.with(func(cl *api.Client) error {
			in := api.ChangeGroupInput{InGroup: api.InGroup{Slug: args[0]}, Body: ch}
			g, err := api.ChangeGroup.Do(c.Context(), cl.On(host), in)
			if err == nil {
				a.done(g, "%s: changed", g.Slug)
			}
			return err
		})
	}
	return c
}

const maxPhoto = 8 << 20

func (a *app) groupPhoto() *cobra.Command {
	var host string
	var remove bool
	c := &cobra.Command{
		Use:   "photo GROUP [FILE]",
		Short: "Set a group's photo: PNG, JPEG, GIF or WebP, at most 8 MB",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if remove == (len(args) == 2) {
				return usage("name a file, or use --remove")
			}
			var image []byte
			if !remove {
				f, err := os.Open(args[1])
				if err != nil {
					return err
				}
				defer f.Close()
				if image, err = io.ReadAll(io.LimitReader(f, maxPhoto+1)); err != nil {
					return err
				}
				switch {
				case len(image) == 0:
					return usage("%s is empty", args[1])
				case len(image) > maxPhoto:
					return usage("%s is larger than 8 MB", args[1])
				}
			}
			return a.with(func(cl *api.Client) error {
				return a.each(args[:1], "changed", func(slug string) error {
					group := api.InGroup{Slug: slug}
					if remove {
						_, err := api.RemoveGroupPhoto.Do(c.Context(), cl.On(host), group)
						return err
					}
					in := api.SetGroupPhotoInput{InGroup: group}
					in.Body.Image = image
					_, err := api.SetGroupPhoto.Do(c.Context(), cl.On(host), in)
					return err
				})
			})
		},
	}
	c.Flags().BoolVar(&remove, "remove", false, "remove the photo")
	hostFlag(c, &host)
	return c
}

func (a *app) groupRestore() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use:   "restore [GROUP]",
		Short: "Restore a group deleted in the last 30 days; without GROUP, list them",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				if len(args) == 1 {
					g, err := api.RestoreGroup.Do(c.Context(), cl.On(host), api.InGroup{Slug: args[0]})
					if err == nil {
						a.done(g, "%s: restored, its room is %s", g.Slug, g.Room)
					}
					return err
				}
				gs, err := api.All(c.Context(), cl.On(host), api.ListDeletedGroups, api.Part{})
				if err != nil {
					return err
				}
				a.show(gs, func(w io.Writer) {
					var rows [][]string
					for _, g := range gs {
						rows = append(rows, []string{g.Slug, given(g.Name), stamp(g.Deleted)})
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
