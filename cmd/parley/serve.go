package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"parley/config"
	"parley/node"
)

func (a *app) serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "serve", Short: "Run the server, from a configuration file", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(c)
			if err != nil {
				return err
			}
			ready := func(ctx context.Context, n *node.Node) error {
				a.firstOwner(ctx, n, cfg)
				return nil
			}
			return a.run(c.Context(), cfg, ready,
				"give that listener another address in the configuration, or stop the other program")
		},
	}
	config.Flags(c.Flags())
	a.takeOverFlag(c)
	return c
}

func (a *app) takeOverFlag(c *cobra.Command) {
	c.Flags().BoolVar(&a.takeOver, "take-over", false,
		"do not wait for the lease of a server that holds the database but is known to be down")
}

// nodeOptions are options for every node.
var nodeOptions []node.Option

// run runs a node until the context ends. ready is called when it listens, with a context that ends with the node; an
// error of ready ends the node. portTaken says what to do about a port that is in use.
func (a *app) run(ctx context.Context, cfg *config.Config, ready func(ctx context.Context, n *node.Node) error,
	portTaken string) error {
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("%w: make it for the server's user, or name another in data_dir", err)
	}
	log := newLogger(cfg.Log, a.err)
	more := nodeOptions
	if a.takeOver {
		more = append(slices.Clone(more), node.TakeOver())
	}
	n, err := node.New(ctx, cfg, log, more...)
	if err != nil {
		return explainListen(err, portTaken)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	told := make(chan error, 1)
	go func() {
		defer close(told)
		select {
		case <-n.Ready():
			if ready != nil {
				// stopped in the middle of it, it has nothing to say
				if err := ready(ctx, n); err != nil && ctx.Err() == nil {
					told <- err
					cancel()
				}
			}
		case <-ctx.Done():
		}
	}()
	err = n.Run(ctx)
	cancel()
	if errors.Is(err, node.ErrRestart) {
		<-told
		return again()
	}
	return errors.Join(explainListen(err, portTaken), <-told)
}

// again replaces this process with a new run of the program. That closes everything the process has kept open.
func again() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return fmt.Errorf("restart: %w", syscall.Exec(exe, os.Args, os.Environ()))
}

// explainListen names the listener that could not be opened, and says what to do.
func explainListen(err error, portTaken string) error {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "listen" {
		return err
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%v is in use by another program: %s", op.Addr, portTaken)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%v needs rights that this user lacks: use a port above 1023, or give the program "+
			"cap_net_bind_service", op.Addr)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%v is not an address of this machine: name one that is in the configuration", op.Addr)
	}
	return err
}

func newLogger(l config.Log, w io.Writer) *slog.Logger {
	level := map[string]slog.Level{
		"debug": slog.LevelDebug,
		"info":  slog.LevelInfo,
		"warn":  slog.LevelWarn,
		"error": slog.LevelError,
	}[l.Level]
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
