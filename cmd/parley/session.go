package main

import (
	"fmt"
	"io"
	"strings"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

func (a *app) sessionCommand() *cobra.Command {
	return a.noun("session", "Signed-in clients: list, kick", a.sessionList(), a.sessionKick())
}

func (a *app) sessionList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list [ADDRESS]", Short: "List the sessions of the host or of one account", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			in := api.FindSessions{}
			if len(args) == 1 {
				var err error
				if host, in.Name, err = account(args[0]); err != nil {
					return err
				}
			}
			return a.with(func(cl *api.Client) error {
				sessions, err := api.All(c.Context(), cl.On(host), api.ListSessions, in)
				if err != nil {
					return ofAccount(err)
				}
				a.show(sessions, func(w io.Writer) {
					var rows [][]string
					for _, s := range sessions {
						rows = append(rows, []string{
							s.Address, stamp(s.Since), s.Transport, s.Mechanism, s.Remote,
							flags(when(s.Available, fmt.Sprintf("available, %d", s.Priority))),
						})
					}
					table(w, "Nobody is signed in.", "SESSION\tSINCE\tBY\tMECHANISM\tFROM\tPRESENCE", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) sessionKick() *cobra.Command {
	return &cobra.Command{
		Use:   "kick ADDRESS...",
		Short: "Close a session (ADDRESS/RESOURCE) or all of an account",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, "closed", func(address string) error {
					bare, resource, _ := strings.Cut(address, "/")
					host, name, err := account(bare)
					if err != nil {
						return err
					}
					in := api.EndSessionsInput{InPerson: api.InPerson{Name: name}, Resource: resource}
					ended, err := api.EndSessions.Do(c.Context(), cl.On(host), in)
					if err == nil && ended.Closed == 0 {
						err = wrong("address", "no such session")
					}
					return ofAccount(err)
				})
			})
		},
	}
}

func (a *app) statusCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "status", Short: "Show the state of the running server", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				i, err := api.GetServer.Do(c.Context(), cl, api.None{})
				if err != nil {
					return err
				}
				a.show(i, func(w io.Writer) {
					fmt.Fprintf(w, "version  %s (%s)\nstarted  %s\nstore    %s\n\n",
						i.Version, i.Go, stamp(i.Started), i.Store)
					var rows [][]string
					for _, h := range i.Hosts {
						rows = append(rows, []string{h.Domain, h.Title, fmt.Sprint(h.Users), fmt.Sprint(h.Sessions)})
					}
					table(w, "no hosts", "HOST\tTITLE\tACCOUNTS\tSESSIONS", rows)
				})
				return nil
			})
		},
	}
	c.Flags().StringVar(&a.socket, "socket", a.socket, "control `socket` of the server")
	return c
}
