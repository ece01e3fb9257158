package main

import (
	"context"
	"io"
	"strings"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

func (a *app) themeCommand() *cobra.Command {
	return a.noun("theme", "Themes of a group: create, list, rename, close, reopen, archive, add, remove",
		a.themeCreate(), a.themeList(), a.themeRename(),
		a.themeState("close", "closed", "Close a theme; its messages stay", "closed"),
		a.themeState("reopen", "open", "Reopen a theme", "reopened"), a.themeState("archive", "archived",
			"Close a theme and hide it from everyone's list; its messages stay", "archived"),
		a.themePeople("add", "member", "Add people to a restricted theme, or guests to any theme", "added"),
		a.themePeople("remove", "", "Remove people from a theme", "removed"))
}

func (a *app) themeCreate() *cobra.Command {
	var host string
	var t api.NewTheme
	c := &cobra.Command{
		Use: "create GROUP NAME", Short: "Start a theme; its members' clients join it", Args: cobra.ExactArgs(2),
		Example: "  parley theme create engineering 'Q4 launch'",
		RunE: func(c *cobra.Command, args []string) error {
			t.Name = args[1]
			return a.with(func(cl *api.Client) error {
				made, err := api.CreateTheme.Do(c.Context(), cl.On(host),
					api.NewThemeInput{InGroup: api.InGroup{Slug: args[0]}, Body: t})
				if err == nil {
					a.done(made, "%s: created, its room is %s", printable(made.Name), made.Room)
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&t.Restricted, "restricted", false,
		"only for its creator, those named with --person, and moderators")
	c.Flags().StringSliceVar(&t.People, "person", nil, "`address` of somebody in a restricted theme (may be repeated)")
	c.Flags().StringVar(&t.Creator, "creator", "", "`address` of the member who starts it (default: the administrator)")
	hostFlag(c, &host)
	return c
}

func (a *app) themeList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list GROUP", Short: "List the themes of a group", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				g, err := api.GetGroup.Do(c.Context(), cl.On(host), api.InGroup{Slug: args[0]})
				if err != nil {
					return err
				}
				if g.Themes == nil {
					g.Themes = []api.Theme{}
				}
				a.show(g.Themes, func(w io.Writer) { printThemes(w, g.Themes) })
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func changeTheme(ctx context.Context, cl *api.Client, slug, theme string, ch api.ThemeChange) (api.Theme, error) {
	at, err := findTheme(ctx, cl, slug, theme)
	if err != nil {
		return api.Theme{}, err
	}
	return api.ChangeTheme.Do(ctx, cl, api.ChangeThemeInput{InTheme: at, Body: ch})
}

// findTheme finds a theme by its key, or by its slug if only one open theme has it, or only one theme at all.
func findTheme(ctx context.Context, cl *api.Client, slug, theme string) (api.InTheme, error) {
	at := api.InTheme{InGroup: api.InGroup{Slug: slug}, Theme: theme}
	g, err := api.GetGroup.Do(ctx, cl, at.InGroup)
	if err != nil {
		return at, err
	}
	var open, all []string
	for _, t := range g.Themes {
		if t.Key == theme {
			return at, nil
		}
		if t.Slug == theme {
			if all = append(all, t.Key); t.State == "open" {
				open = append(open, t.Key)
			}
		}
	}
	if len(open) > 0 {
		all = open
	}
	switch len(all) {
	case 0:
		return at, wrong("theme", "there is no theme %s in the group %s", theme, slug)
	case 1:
		at.Theme = all[0]
		return at, nil
	}
	return at, wrong("theme", "there are several themes %s: use one of their keys, %s", theme, strings.Join(all, ", "))
}

func printThemes(w io.Writer, themes []api.Theme) {
	var rows [][]string
	for _, t := range themes {
		rows = append(rows, []string{
			t.Key, t.Name, flags(when(t.Restricted, "restricted"), when(t.State != "open", t.State)), t.Creator, t.Room,
		})
	}
	table(w, "no themes", "THEME\tNAME\tSTATE\tCREATOR\tROOM", rows)
}
