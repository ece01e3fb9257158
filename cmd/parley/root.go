package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"parley/admin/api"
	"parley/config"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3 // some of several things were done
)

type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// app is the state that all commands share.
type app struct {
	stdio
	json   bool
	socket string
	config string

	takeOver bool
}

// usageError is a mistake in the command line.
type usageError struct{ text string }

// Error returns the text of the mistake.
func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// errPartial is returned if some things failed, which has been reported, and others were done.
var errPartial = errors.New("part of it failed")

// errSaid is returned if the error has been reported.
var errSaid = errors.New("said already")

// run executes a command line and returns its exit code.
func run(ctx context.Context, args []string, std stdio) int {
	a := &app{stdio: std}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var bad *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errPartial):
		return exitPartial
	case errors.Is(err, errSaid):
		return exitFailed
	case errors.As(err, &bad):
		a.complain(err)
		return exitUsage
	}
	a.complain(err)
	return exitFailed
}

// complaint is an error for --json.
type complaint struct {
	Text  string `json:"error"`
	Field string `json:"field,omitempty"` // the argument that the error is about
}

// complain prints an error and what to do, on one line for each error.
func (a *app) complain(err error) {
	text := strings.TrimSpace(err.Error())
	if a.json {
		c := complaint{Text: text}
		if refused := (*api.Error)(nil); errors.As(err, &refused) {
			c.Field = refused.Field
		}
		a.encode(a.err, c)
		return
	}
	fmt.Fprintln(a.err, "parley: "+text)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "parley",
		Short: "A chat server for organizations, speaking XMPP",
		Long: `A chat server for organizations, speaking XMPP.

  parley dev       try it: no questions, loopback only, data in ./parley-data
  parley setup     prepare it: a configuration and a unit for a domain, and the DNS records to publish
  parley serve     run it: from a configuration file (parley config sample)

The other commands speak to the running server over its control socket.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done in part.`,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:              cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("%v: `%s --help` shows what it takes", err, c.CommandPath())
	})
	p := root.PersistentFlags()
	p.BoolVar(&a.json, "json", false, "answer in JSON")
	p.StringVar(&a.config, "config", os.Getenv("PARLEY_CONFIG"),
		"configuration `file` (default ./parley.yaml or /etc/parley/parley.yaml)")
	root.AddCommand(a.devCommand(), a.serveCommand(), a.userCommand(), a.inviteCommand(), a.tokenCommand(),
		a.groupCommand(), a.themeCommand(), a.teamCommand(), a.webhookCommand(), a.actionCommand(), a.sessionCommand(),
		a.reportCommand(), a.federationCommand(), a.statusCommand(), a.setupCommand(), a.doctorCommand(),
		a.dnsCommand(), a.checkCommand(), a.backupCommand(), a.restoreCommand(), a.configCommand(), a.migrateCommand(),
		a.versionCommand())
	strict(root)
	return root
}

// strict makes a wrong number of arguments a usage error, and makes a noun without a verb show its help.
func strict(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				if c.HasSubCommands() {
					return usage("%v: `%s --help` shows those there are", err, c.CommandPath())
				}
				return usage("%v: %s", err, c.UseLine())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		strict(sub)
	}
}

// noun returns the parent of commands that talk to the running server.
func (a *app) noun(name, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.PersistentFlags().StringVar(&a.socket, "socket", os.Getenv("PARLEY_SOCKET"), "control `socket` of the server")
	c.AddCommand(verbs...)
	return c
}

// defaultFiles are the configuration files to look for without --config.
var defaultFiles = []string{"parley.yaml", "/etc/parley/parley.yaml"}

// devSocket is where the server of `parley dev` in this directory listens.
const devSocket = "parley-data/parley.sock"

// configFile returns the configuration file in force; "" if there is no file.
func (a *app) configFile() string {
	if a.config != "" {
		return a.config
	}
	for _, f := range defaultFiles {
		if _, err := os.Stat(f); err == nil {
			return f
		}
	}
	return ""
}

// client returns the client of the running server. The nearest socket wins: --socket, --config, ./parley.yaml,
// ./parley-data, /etc/parley/parley.yaml, and last the default of the configuration.
func (a *app) client() (*api.Client, error) {
	if a.socket != "" {
		return api.NewClient(a.socket), nil
	}
	file := a.configFile()
	if file != defaultFiles[0] && a.config == "" {
		if _, err := os.Stat(devSocket); err == nil {
			return api.NewClient(devSocket), nil
		}
	}
	path, err := config.ControlPath(file)
	if err != nil {
		return nil, err
	}
	return api.NewClient(path), nil
}

// with calls f with the running server.
func (a *app) with(f func(c *api.Client) error) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	defer c.Close()
	return f(c)
}

func (a *app) encode(w io.Writer, v any) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		fmt.Fprintln(a.err, "parley:", err)
	}
}
