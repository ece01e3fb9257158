package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"parley/admin"
)

func (a *app) sessionCommand() *cobra.Command {
	return a.noun("session", "Who is signed in: list, kick", a.sessionList(), a.sessionKick())
}

func (a *app) sessionList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list [ADDRESS]", Short: "List the sessions of the host, or of one account", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			address := ""
			if len(args) == 1 {
				address = args[0]
			}
			return a.with(func(cl *admin.Client) error {
				sessions, err := cl.Sessions(c.Context(), host, address)
				if err != nil {
					return err
				}
				a.show(sessions, func(w io.Writer) {
					var rows [][]string
					for _, s := range sessions {
						rows = append(rows, []string{s.Address, stamp(s.Since), s.Transport, s.Mechanism, s.Remote, flags(when(s.Available, fmt.Sprintf("available, %d", s.Priority)))})
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
		Use: "kick ADDRESS...", Short: "Close a session (ADDRESS/RESOURCE) or all of an account", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				return a.each(args, "closed", func(address string) error {
					n, err := cl.Kick(c.Context(), address)
					if err == nil && n == 0 {
						err = admin.NotFound("address", "no such session")
					}
					return err
				})
			})
		},
	}
}

func (a *app) statusCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "status", Short: "Say how the running server is", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *admin.Client) error {
				i, err := cl.Info(c.Context())
				if err != nil {
					return err
				}
				a.show(i, func(w io.Writer) {
					fmt.Fprintf(w, "version  %s (%s)\nstarted  %s\nstore    %s\n\n", i.Version, i.Go, stamp(i.Started), i.Store)
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
