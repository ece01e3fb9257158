package main

import (
	"context"
	"io"
	"os"
	"strings"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

// maxText is how many bytes of a saved reply are read; the server accepts fewer.
const maxText = 64 << 10

func (a *app) teamSnippets() *cobra.Command {
	return a.noun("snippets", "Saved replies of a team: list, set, remove",
		a.shareList(api.Snippets, "List saved replies of a team", "NAME\tTEXT\tBY\tCHANGED",
			"This team has no saved replies: parley team snippets set TEAM NAME"),
		a.snippetSet(), a.shareRemove(api.Snippets, "remove TEAM NAME...", "Remove saved replies of a team"))
}

func (a *app) teamContacts() *cobra.Command {
	return a.noun("contacts", "Contacts that a team shares: list, add, remove",
		a.shareList(api.Contacts, "List contacts that a team shares", "ADDRESS\tNAME\tBY\tCHANGED",
			"This team shares no contacts: parley team contacts add TEAM ADDRESS"),
		a.contactAdd(), a.shareRemove(api.Contacts, "remove TEAM ADDRESS...",
			"Stop sharing contacts; the team's members are told"))
}

func (a *app) shareList(kind, short, head, none string) *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list TEAM", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				xs, err := api.ListShares.Do(c.Context(), cl.On(host), sharesOf(args[0], kind))
				if err != nil {
					return err
				}
				a.show(xs, func(w io.Writer) {
					var rows [][]string
					for _, x := range xs {
						first, _, more := strings.Cut(x.Text, "\n")
						if more {
							first += " …"
						}
						rows = append(rows, []string{x.Name, first, x.Creator, stamp(x.Updated)})
					}
					table(w, none, head, rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func sharesOf(team, kind string) api.InShares {
	return api.InShares{InTeam: api.InTeam{Team: team}, Kind: kind}
}

// share shares something with a team and returns it.
func share(ctx context.Context, cl *api.Client, with api.InShares, name, text string) (api.Share, error) {
	in := api.SetShareInput{InShare: api.InShare{InShares: with, Name: name}}
	in.Body.Text = text
	_, err := api.SetShare.Do(ctx, cl, in)
	return api.Share{Name: name, Text: text}, err
}

func (a *app) snippetSet() *cobra.Command {
	var host, text, file string
	c := &cobra.Command{
		Use:   "set TEAM NAME",
		Short: "Save a reply or change its text; without --text and --file, read it from standard input",
		Args:  cobra.ExactArgs(2),
		Example: "  parley team snippets set sales offer --text 'Thank you, here is our offer:'\n" +
			"  parley team snippets set sales terms < terms.txt",
		RunE: func(c *cobra.Command, args []string) error {
			f := c.Flags()
			switch {
			case f.Changed("text") && f.Changed("file"):
				return usage("the text is from --text or from --file, not both")
			case !f.Changed("text"):
				var err error
				if text, err = a.readText(file); err != nil {
					return err
				}
			}
			return a.with(func(cl *api.Client) error {
				s, err := share(c.Context(), cl.On(host), sharesOf(args[0], api.Snippets), args[1], text)
				if err == nil {
					a.done(s, "%s: kept", args[1])
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&text, "text", "", "its text")
	c.Flags().StringVar(&file, "file", "", "`file` with its text")
	hostFlag(c, &host)
	return c
}

// readText reads a file, or standard input.
func (a *app) readText(file string) (string, error) {
	in := a.in
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxText))
	return string(b), err
}

func (a *app) contactAdd() *cobra.Command {
	var host, name string
	c := &cobra.Command{
		Use:     "add TEAM ADDRESS",
		Short:   "Share a contact with a team, whose members can add it to their lists",
		Args:    cobra.ExactArgs(2),
		Example: "  parley team contacts add sales escalus@partner.example --name 'Prince Escalus'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				s, err := share(c.Context(), cl.On(host), sharesOf(args[0], api.Contacts), args[1], name)
				if err == nil {
					a.done(s, "%s: shared", args[1])
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&name, "name", "", "the contact's name")
	hostFlag(c, &host)
	return c
}

func (a *app) shareRemove(kind, use, short string) *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: use, Short: short, Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args[1:], "removed", func(name string) error {
					in := api.InShare{InShares: sharesOf(args[0], kind), Name: name}
					_, err := api.DeleteShare.Do(c.Context(), cl.On(host), in)
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}
