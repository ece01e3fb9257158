package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley/admin/api"
	"parley/config"
	"parley/node"
	"parley/node/plan"
	"parley/store/sqlstore"
	"parley/transfer/backup"
)

func (a *app) backupCommand() *cobra.Command {
	var stopped bool
	c := &cobra.Command{
		Use:   "backup FILE|DIR",
		Short: "Write a backup of the database (SQLite), uploaded files and keys, even while the server runs",
		Args:  cobra.ExactArgs(1),
		Long: `Writes a backup to a new file; in a directory, the command chooses the file's name. A backup has the SQLite database with
everything acknowledged until then, uploaded files, and the keys of certificates. A name that ends in .gz means compression; - is
standard output.
PostgreSQL and CockroachDB have their own tools for backups: then the exit code is 3, and the output says what is missing.
The configuration file is not included. Anybody who gets a backup can read all data: keep it as safe as the server.`,
		Example: "  parley backup /backup/\n  parley backup - | ssh elsewhere 'cat > parley.tar'\n" +
			"  parley backup --stopped parley.tar.gz",
		RunE: func(c *cobra.Command, args []string) error {
			make := func(ctx context.Context, w io.Writer) error {
				return a.with(func(cl *api.Client) error { return api.Save(ctx, cl, api.Backup, api.None{}, w) })
			}
			if stopped {
				make = func(ctx context.Context, w io.Writer) error { return a.backupStopped(c, w) }
			}
			return a.writeBackup(c.Context(), args[0], make)
		},
	}
	config.Flags(c.Flags())
	c.Flags().StringVar(&a.socket, "socket", os.Getenv("PARLEY_SOCKET"), "control `socket` of the server")
	c.Flags().BoolVar(&stopped, "stopped", false,
		"the server does not run: read the files that the configuration names")
	return c
}

// backupStopped opens the store itself: with SQLite that fails while a server has it. It takes no place at the database
// and writes nothing there.
func (a *app) backupStopped(c *cobra.Command, w io.Writer) error {
	cfg, err := a.load(c)
	if err != nil {
		return err
	}
	if p, ok := strings.CutPrefix(cfg.Store.DSN, "sqlite:"); ok { // opening would create a database
		if _, err := os.Stat(p); err != nil {
			return fmt.Errorf("there is nothing to back up: %w", err)
		}
	}
	st, err := sqlstore.Open(c.Context(), cfg.Store.DSN,
		sqlstore.Options{Log: newLogger(cfg.Log, a.err), MaxConnections: cfg.Store.MaxConnections})
	if err != nil {
		return err
	}
	_, err = backup.Write(c.Context(), plan.Backup(cfg, node.Version()), st, time.Now(), w)
	return errors.Join(err, st.Close())
}

func (a *app) writeBackup(ctx context.Context, to string, make func(context.Context, io.Writer) error) error {
	if to == "-" {
		if a.json {
			return usage("the backup itself goes to standard output: name a file to get an answer in JSON")
		}
		return make(ctx, a.out)
	}
	if i, err := os.Stat(to); err == nil && i.IsDir() {
		to = filepath.Join(to, "parley-"+time.Now().UTC().Format("20060102-150405")+".tar")
	}
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	var b backup.Contents
	if err = write(ctx, f, strings.HasSuffix(to, ".gz") || strings.HasSuffix(to, ".tgz"), make); err == nil {
		b, err = verify(ctx, f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	a.show(struct {
		File string `json:"file"`
		backup.Contents
	}{to, b}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d files, %s\n", to, b.Files, bytesText(b.Bytes))
		for _, m := range b.Missing {
			fmt.Fprintf(w, "not included: %s\n", m)
		}
	})
	if len(b.Missing) > 0 {
		return errPartial
	}
	return nil
}

func write(ctx context.Context, f *os.File, zip bool, make func(context.Context, io.Writer) error) error {
	if !zip {
		return errors.Join(make(ctx, f), f.Sync())
	}
	z := gzip.NewWriter(f)
	return errors.Join(make(ctx, z), z.Close(), f.Sync())
}

// verify reads a backup that was just written.
func verify(ctx context.Context, f *os.File) (b backup.Contents, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return b, err
	}
	return backup.Verify(ctx, f)
}

func (a *app) restoreCommand() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Restore a backup where there is no data yet, or only check it",
		Args:  cobra.ExactArgs(1),
		Long: `Reads a backup (- is standard input), checks all of it, and restores it to the places in the configuration: the database,
uploaded files, and keys that do not exist yet. It refuses if a database or files exist already, so stop the server and move them away
first. Run it as the server's user. --check only checks the backup.`,
		Example: "  parley restore --check parley.tar\n  parley restore --config /etc/parley/parley.yaml parley.tar",
		RunE: func(c *cobra.Command, args []string) error {
			in := c.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			cfg, done, err := a.restoreTo(c, check)
			if err != nil {
				return err
			}
			r, err := backup.Restore(c.Context(), plan.Backup(cfg, node.Version()), in, check)
			if err = errors.Join(err, done()); err != nil {
				return err
			}
			a.show(r, func(w io.Writer) {
				fmt.Fprintf(w, "a backup of %s, made %s by parley %s on %s: %d files, %s\n",
					strings.Join(r.Hosts, ", "), stamp(r.Created), r.Version, r.Engine, r.Files, bytesText(r.Bytes))
				if check {
					fmt.Fprintln(w, "the backup is good")
				}
				for _, p := range r.Placed {
					fmt.Fprintf(w, "restored %s\n", p)
				}
				for _, m := range r.Missing {
					fmt.Fprintf(w, "not included: %s\n", m)
				}
			})
			if len(r.Missing) > 0 && !check {
				return errPartial
			}
			return nil
		},
	}
	config.Flags(c.Flags())
	c.Flags().BoolVar(&check, "check", false, "only say whether the backup is good")
	return c
}

// restoreTo gives the configuration that says where things go. Only to check, a directory of its own does; without a
// configuration file, --data-dir does.
func (a *app) restoreTo(c *cobra.Command, check bool) (cfg *config.Config, done func() error, err error) {
	if check {
		dir, err := os.MkdirTemp("", "parley-verify-")
		return &config.Config{DataDir: dir}, func() error { return os.RemoveAll(dir) }, err
	}
	done = func() error { return nil }
	if dir := c.Flags().Lookup("data-dir").Value.String(); dir != "" && a.configFile() == "" {
		return config.Dev(dir), done, nil
	}
	cfg, err = a.load(c)
	return cfg, done, err
}
