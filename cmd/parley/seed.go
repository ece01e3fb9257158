package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"parley/node"
	"parley/node/demo"
)

// seed creates demo accounts and prints their passwords once.
func (a *app) seed(ctx context.Context, n *node.Node, host string) error {
	accounts, err := demo.Seed(ctx, demo.Server{Host: n.Host(host), People: n.People(host), Org: n.Org})
	if errors.Is(err, demo.ErrSeeded) {
		a.done(map[string]bool{"seeded": false},
			"%v; `%s user passwd alice@%s` sets a new password.\n", err, program(), host)
		return nil
	}
	if err != nil {
		return err
	}
	a.show(map[string]any{"seeded": true, "accounts": accounts}, func(w io.Writer) {
		fmt.Fprintf(w, "Demo accounts, with a group, a theme and some messages. The passwords are shown this once:\n\n")
		t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		for _, d := range accounts {
			fmt.Fprintf(t, "  %s\t%s\n", d.Address, d.Password)
		}
		t.Flush()
		fmt.Fprintln(w)
	})
	return nil
}
