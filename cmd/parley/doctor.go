package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"parley/admin"
	"parley/admin/api"
	"parley/config"
	"parley/node/doctor"
)

func (a *app) doctorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check configuration, certificates, DNS, ports, storage, clock and e-mail",
		Args:  cobra.NoArgs,
		Long: `Asks the running server. If no server runs, it checks by itself what the configuration names. The exit code is 1 if something
does not work. If something works but may not be intended, it prints a warning.`,
		RunE: func(c *cobra.Command, _ []string) error {
			fs, err := a.findings(c)
			if err != nil {
				return err
			}
			a.show(fs, func(w io.Writer) { showFindings(w, fs) })
			if failed(fs) {
				return errSaid
			}
			return nil
		},
	}
	config.Flags(c.Flags())
	c.Flags().StringVar(&a.socket, "socket", os.Getenv("PARLEY_SOCKET"), "control `socket` of the server")
	return c
}

// findings come from the running server, or are found here.
func (a *app) findings(c *cobra.Command) (fs []admin.Finding, err error) {
	err = a.with(func(cl *api.Client) error {
		fs, err = api.ListFindings.Do(c.Context(), cl, api.None{})
		return err
	})
	if !errors.Is(err, api.ErrNoServer) {
		return fs, err
	}
	none := admin.Finding{Area: "server", What: "control socket", State: admin.Warning, Text: err.Error()}
	cfg, err := a.load(c)
	var ps config.Problems
	if errors.As(err, &ps) {
		for _, p := range ps {
			fs = append(fs, admin.Finding{
				Area:  "configuration",
				What:  p.Key,
				State: admin.Failed,
				Text:  p.String(),
				Todo:  "mend it: `parley check`",
			})
		}
		return append([]admin.Finding{none}, fs...), nil
	}
	if err != nil {
		return nil, err
	}
	return append([]admin.Finding{none}, doctor.Diagnose(c.Context(), cfg, nil)...), nil
}

var marks = map[string]string{admin.OK: "ok", admin.Warning: "WARNING", admin.Failed: "FAILED"}

func showFindings(w io.Writer, fs []admin.Finding) {
	area := ""
	for _, f := range fs {
		if f.Area != area {
			area = f.Area
			fmt.Fprintln(w, area)
		}
		fmt.Fprintf(w, "  %-8s %s: %s\n", marks[f.State], printable(f.What), printable(f.Text))
		if f.Todo != "" {
			fmt.Fprintf(w, "           %s\n", printable(f.Todo))
		}
	}
}

func failed(fs []admin.Finding) bool {
	for _, f := range fs {
		if f.State == admin.Failed {
			return true
		}
	}
	return false
}

func (a *app) dnsCommand() *cobra.Command {
	var host, machine string
	var quiet bool
	c := &cobra.Command{
		Use:   "dns",
		Short: "Show the DNS records you need, and which are published",
		Args:  cobra.NoArgs,
		Long: `Shows the records of a hosted domain, and asks DNS for each. The exit code is 1 if a necessary record is missing.
If the domain itself points to another machine (a web site), --machine names the machine that parley runs on.`,
		RunE: func(c *cobra.Command, _ []string) error {
			rs, err := a.dnsRecords(c, host, machine, !quiet)
			if err != nil {
				return err
			}
			a.show(rs, func(w io.Writer) { showRecords(w, rs) })
			for _, r := range rs {
				if r.Must && r.State == admin.Failed {
					return errSaid
				}
			}
			return nil
		},
	}
	config.Flags(c.Flags())
	hostFlag(c, &host)
	c.Flags().StringVar(&a.socket, "socket", os.Getenv("PARLEY_SOCKET"), "control `socket` of the server")
	c.Flags().StringVar(&machine, "machine", "",
		"`name` of the machine that parley runs on, where it is not the domain's")
	c.Flags().BoolVar(&quiet, "no-lookup", false, "only show them")
	return c
}

// dnsRecords asks the running server, or the configuration where none runs or another machine is meant.
func (a *app) dnsRecords(c *cobra.Command, host, machine string, look bool) (rs []admin.DNSRecord, err error) {
	if machine == "" {
		err = a.with(func(cl *api.Client) error {
			rs, err = api.ListRecords.Do(c.Context(), cl.On(host), api.LookUp{Look: look})
			return err
		})
		if !errors.Is(err, api.ErrNoServer) {
			return rs, err
		}
	}
	cfg, err := a.load(c)
	if err != nil {
		return nil, err
	}
	for _, h := range cfg.Hosts {
		if host == "" || h.Domain == host {
			rs = append(rs, doctor.Records(cfg, h.Domain, machine)...)
		}
	}
	if len(rs) == 0 {
		return nil, fmt.Errorf("%s is not in hosts", host)
	}
	if look {
		doctor.LookUp(c.Context(), cfg, rs)
	}
	return rs, nil
}

func showRecords(w io.Writer, rs []admin.DNSRecord) {
	var rows [][]string
	for _, r := range rs {
		value, state := r.Value, marks[r.State]
		if value == "" {
			value = "(its address)"
		}
		if r.State == admin.Failed && !r.Must {
			state = "-"
		}
		rows = append(rows, []string{r.Name, r.Type, value, state, r.Found, r.Why})
	}
	table(w, "", "NAME\tTYPE\tVALUE\tSTATE\tPUBLISHED\tFOR", rows)
}

// checkCommand is `parley config check` under a name that is easier to find.
func (a *app) checkCommand() *cobra.Command {
	c := a.configCheck()
	c.Short = "Check the configuration and report mistakes, like `config check`"
	return c
}
