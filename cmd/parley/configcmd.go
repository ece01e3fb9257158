package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley/config"
	"parley/node/doctor"
)

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "The configuration: check, show, sample",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.configCheck(), a.configShow(), a.configSample())
	return c
}

// load reads the configuration in force, for a command with config.Flags.
func (a *app) load(c *cobra.Command) (*config.Config, error) {
	file := a.configFile()
	cfg, err := config.Load(file, c.Flags())
	if err != nil && file == "" {
		return nil, fmt.Errorf("%w\nno configuration file was found (./parley.yaml, /etc/parley/parley.yaml): name "+
			"one with --config; `parley config sample` shows one", err)
	}
	return cfg, err
}

func (a *app) configCheck() *cobra.Command {
	c := &cobra.Command{
		Use: "check", Short: "Check the configuration and report mistakes", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(c)
			if err != nil {
				return err
			}
			wrong, advice := doctor.Check(cfg, time.Now())
			if len(wrong) > 0 {
				return wrong
			}
			warnings, text := []string{}, ""
			for _, p := range advice {
				warnings = append(warnings, p.String())
				text += "\n  warning: " + p.String()
			}
			a.done(map[string]any{"ok": true, "file": a.configFile(), "warnings": warnings},
				"%s: good%s", a.configFile(), text)
			return nil
		},
	}
	config.Flags(c.Flags())
	return c
}

func (a *app) configShow() *cobra.Command {
	c := &cobra.Command{
		Use: "show", Short: "Show the configuration in force: file, environment, flags, defaults", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(c)
			if err != nil {
				return err
			}
			entries := cfg.Entries()
			a.show(entries, func(w io.Writer) {
				for _, e := range entries {
					fmt.Fprintf(w, "%s: %s\n", e.Key, value(e.Value))
				}
			})
			return nil
		},
	}
	config.Flags(c.Flags())
	return c
}

func value(v any) string {
	switch v := v.(type) {
	case string:
		return printable(v)
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	case []config.Host:
		var domains []string
		for _, h := range v {
			domains = append(domains, h.Domain)
		}
		return "[" + strings.Join(domains, ", ") + "]"
	}
	return fmt.Sprint(v)
}

func (a *app) configSample() *cobra.Command {
	return &cobra.Command{
		Use:   "sample",
		Short: "Print a configuration file with every key, its default and what it is for",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(config.Sample)
			return err
		},
	}
}
