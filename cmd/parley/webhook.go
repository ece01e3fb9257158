package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

func (a *app) webhookCommand() *cobra.Command {
	return a.noun("webhook",
		"Programs that post to groups or receive their events: create, list, log, retry, disable, enable, delete",
		a.webhookCreate(), a.webhookList(), a.webhookLog(), a.webhookRetry(),
		a.webhookSwitch("disable", "Disable webhooks", true),
		a.webhookSwitch("enable", "Enable webhooks again, from now on", false), a.webhookDelete())
}

func (a *app) webhookCreate() *cobra.Command {
	var w api.NewWebhook
	var host string
	c := &cobra.Command{
		Use:   "create GROUP NAME",
		Short: "Let a program post to a group, or with --to send it the group's events",
		Args:  cobra.ExactArgs(2),
		Long: "Without --to: prints the address to post to; posts appear in the group's room under NAME.\n" +
			"With --to: events in the group are posted there, signed with a secret. Both are shown only once.",
		Example: "  parley webhook create engineering CI\n  parley webhook create engineering Log --to " +
			"https://log.example.org/in --event message --event theme",
		RunE: func(c *cobra.Command, args []string) error {
			w.Group, w.Name = args[0], args[1]
			return a.with(func(cl *api.Client) error {
				made, err := api.CreateWebhook.Do(c.Context(), cl.On(host), api.With(w))
				if err != nil {
					return err
				}
				if made.Direction == "in" {
					a.done(made, "%s: created; programs post to\n%s", made.ID, made.URL)
				} else {
					a.done(made, "%s: created; requests are signed with\n%s", made.ID, made.Secret)
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&w.Theme, "theme", "",
		"`key` of the theme it is for (default: the group's room; going out, all of the group)")
	c.Flags().StringVar(&w.URL, "to", "", "`URL` that events are posted to")
	c.Flags().StringSliceVar(&w.Events, "event", nil,
		"which `events` go there: message, theme, member, group (default message)")
	hostFlag(c, &host)
	return c
}

func (a *app) webhookList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list [GROUP]", Short: "List the webhooks of a group, or all webhooks", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				group := strings.Join(args, "")
				ws, err := api.All(c.Context(), cl.On(host), api.ListWebhooks, api.FindWebhooks{Group: group})
				if err != nil {
					return err
				}
				a.show(ws, func(w io.Writer) {
					var rows [][]string
					for _, h := range ws {
						rows = append(rows, []string{
							h.ID, h.Direction, h.Name, h.Group, h.Theme, flags(when(h.Disabled, "disabled")),
							strings.Join(h.Events, ","), h.URL,
						})
					}
					table(w, "no webhooks", "ID\tDIRECTION\tNAME\tGROUP\tTHEME\tSTATE\tEVENTS\tTO", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) webhookLog() *cobra.Command {
	var host, state, before string
	var limit int
	c := &cobra.Command{
		Use: "log ID", Short: "Show deliveries: done, waiting and failed", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				ds, err := api.ListDeliveries.Do(c.Context(), cl.On(host), api.FindDeliveries{
					InWebhook: api.InWebhook{ID: args[0]},
					State:     state,
					Before:    before,
					Limit:     limit,
				})
				if err != nil {
					return err
				}
				a.show(ds, func(w io.Writer) {
					var rows [][]string
					for _, d := range ds {
						rows = append(rows, []string{
							d.Updated.Local().Format("2006-01-02 15:04:05"), d.Event, d.State, strconv.Itoa(d.Attempts),
							printable(d.Error), d.Room,
						})
					}
					table(w, "no deliveries", "WHEN\tEVENT\tSTATE\tATTEMPTS\tERROR\tROOM", rows)
					if len(ds) == limit {
						fmt.Fprintf(w, "These are the newest %d. The older ones: --before %s\n",
							limit, ds[len(ds)-1].ID)
					}
				})
				return nil
			})
		},
	}
	c.Flags().StringVar(&state, "state", "", "only those: `waiting`, done or dead")
	c.Flags().IntVar(&limit, "limit", 50, "how many of the newest, at most 1000")
	c.Flags().StringVar(&before, "before", "", "only those older than the one with this `id`")
	hostFlag(c, &host)
	return c
}

func (a *app) webhookRetry() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "retry ID", Short: "Retry failed deliveries", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				again, err := api.Redeliver.Do(c.Context(), cl.On(host), api.InWebhook{ID: args[0]})
				if err == nil {
					a.done(map[string]int{"deliveries": again.Count}, "trying %d deliveries again", again.Count)
				}
				return err
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) webhookSwitch(name, short string, disabled bool) *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: name + " ID...", Short: short, Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, name+"d", func(id string) error {
					in := api.ChangeWebhookInput{InWebhook: api.InWebhook{ID: id}}
					in.Body.Disabled = disabled
					_, err := api.ChangeWebhook.Do(c.Context(), cl.On(host), in)
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) webhookDelete() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "delete ID...", Short: "Delete webhooks with their log", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, "deleted", func(id string) error {
					_, err := api.DeleteWebhook.Do(c.Context(), cl.On(host), api.InWebhook{ID: id})
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}
