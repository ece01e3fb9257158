// Command crash kills a server under load and reports what was lost. See package bench/crash.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"parley/bench/crash"
	"parley/bench/target"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	wrong, err := run(ctx)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(2)
	case wrong:
		os.Exit(1)
	}
}

func run(ctx context.Context) (wrong bool, err error) {
	engine := flag.String("engine", "sqlite", "sqlite, postgres (one of its own), or another with -dsn")
	dsn := flag.String("dsn", "", "an empty database")
	kills := flag.Int("kills", 200, "how often the server is killed")
	binary := flag.String("binary", "", "the program; default: this tree's")
	clients := flag.Int("clients", 6, "people who write")
	life := flag.Duration("life", 1500*time.Millisecond, "the longest that a server lives; CockroachDB needs more")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments")
	keep := flag.Bool("keep", false, "leave what the server has kept")
	flag.Parse()
	dir, err := os.MkdirTemp("", "crash")
	if err != nil {
		return false, err
	}
	if *keep {
		fmt.Fprintln(os.Stderr, "in", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	c := crash.Config{
		Binary:  *binary,
		Dir:     filepath.Join(dir, "data"),
		DSN:     *dsn,
		Kills:   *kills,
		Clients: *clients,
		Life:    *life,
		Seed:    *seed,
		Log:     os.Stderr,
	}
	if err := os.Mkdir(c.Dir, 0o700); err != nil {
		return false, err
	}
	if c.Binary == "" {
		c.Binary = filepath.Join(dir, "parley")
		if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", c.Binary,
			"parley/cmd/parley").CombinedOutput(); err != nil {
			return false, fmt.Errorf("build: %w: %s", err, out)
		}
	}
	switch {
	case c.DSN != "":
	case *engine == "postgres":
		if err := os.Chmod(dir, 0o755); err != nil { // for its user
			return false, err
		}
		var stop func()
		if c.DSN, stop, err = target.Postgres(ctx, dir); err != nil {
			return false, err
		}
		defer stop()
	case *engine != "sqlite":
		return false, errors.New("this engine needs -dsn")
	}
	fmt.Printf("engine %s, seed %d\n", *engine, *seed)
	res, err := crash.Run(ctx, c)
	if res == nil {
		return false, err
	}
	fmt.Println(res)
	for _, d := range res.Details {
		fmt.Println("  " + d)
	}
	return res.Wrong(), err
}
