package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"parley/config"
	"parley/store/sqlstore"
)

func (a *app) migrateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "migrate",
		Short: "The database's schema: up, status",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.migrateUp(), a.migrateStatus())
	return c
}

// schema is where the database's schema stands.
type schema struct {
	Current int64 `json:"current"`
	Newest  int64 `json:"newest"`
}

func (a *app) migrateUp() *cobra.Command {
	c := &cobra.Command{
		Use: "up", Short: "Update the schema; safe to repeat", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withStore(c, func(ctx context.Context, st *sqlstore.Store) error {
				before, _, err := st.MigrationStatus(ctx)
				if err != nil {
					return err
				}
				if err := st.Migrate(ctx); err != nil {
					return err
				}
				current, newest, err := st.MigrationStatus(ctx)
				if err == nil {
					a.done(schema{current, newest}, "schema: from version %d to %d", before, current)
				}
				return err
			})
		},
	}
	config.Flags(c.Flags())
	return c
}

func (a *app) migrateStatus() *cobra.Command {
	c := &cobra.Command{
		Use: "status", Short: "Show the schema's version and the version this program needs", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withStore(c, func(ctx context.Context, st *sqlstore.Store) error {
				current, newest, err := st.MigrationStatus(ctx)
				if err != nil {
					return err
				}
				s, todo := schema{current, newest}, "it is up to date"
				if current < newest {
					todo = "`parley migrate up` brings it up to date"
				} else if current > newest {
					todo = "a newer parley has updated it: use that version"
				}
				a.done(s, "schema: version %d of %d, %s", current, newest, todo)
				return nil
			})
		},
	}
	config.Flags(c.Flags())
	return c
}

// withStore opens the database of the configuration itself: the server need not run. It takes no place there, so the
// fence is not up (sqlstore.Store.Hold): f only reads, or migrates the schema, which may be done twice at once.
func (a *app) withStore(c *cobra.Command, f func(ctx context.Context, st *sqlstore.Store) error) error {
	cfg, err := a.load(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	ctx, cancel := context.WithTimeout(c.Context(), 10*time.Minute)
	defer cancel()
	st, err := sqlstore.Open(ctx, cfg.Store.DSN,
		sqlstore.Options{Log: newLogger(cfg.Log, a.err), MaxConnections: cfg.Store.MaxConnections, Inspect: true})
	if err != nil {
		return err
	}
	if err := f(ctx, st); err != nil {
		st.Close()
		return err
	}
	return st.Close()
}
