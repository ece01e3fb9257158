// Command bench measures what servers cost per unit of work, side by side. See
// bench/README.md.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"parley/bench/relay"
	"parley/bench/report"
	"parley/bench/target"
	"parley/bench/work"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if len(os.Args) == 5 && os.Args[1] == "relay" {
		err = runRelay(ctx, os.Args[2], os.Args[3], os.Args[4])
	} else {
		err = run(ctx, os.Args[1:])
	}
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// runRelay is the floor, in a process of its own.
func runRelay(ctx context.Context, addr, certFile, keyFile string) error {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { ln.Close() })
	err = new(relay.Server).Serve(ln, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

type options struct {
	targets, work, scale, json, profile string
	rounds, window                      int
	timeout, deadline                   time.Duration
}

func parse(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&o.targets, "targets", "",
		"servers to run, comma-separated; all that are installed if empty: "+strings.Join(targetNames(), ","))
	fs.StringVar(&o.work, "work", "",
		"rows to measure, comma-separated; all if empty: "+strings.Join(rowNames(work.All()), ","))
	fs.StringVar(&o.scale, "scale", "full", "quick: a few seconds for each row; full: what the targets are judged by")
	fs.StringVar(&o.json, "json", "", "write everything to this file as JSON")
	fs.StringVar(&o.profile, "profile", "",
		"write profiles of parley to this directory: cpu.pprof, and heap.pprof at its largest; for one row at a time")
	fs.IntVar(&o.rounds, "rounds", 0,
		"how often each row is measured, the median counts; 1 for quick and 3 for full if 0")
	fs.IntVar(&o.window, "window", 1, "messages in flight for each pair or room in the closed loops, at most 8")
	fs.DurationVar(&o.timeout, "timeout", 2*time.Hour, "end everything after this time")
	fs.DurationVar(&o.deadline, "deadline", 15*time.Second,
		"what has not come after this time without progress is lost")
	err := fs.Parse(args)
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err == nil && (o.window < 1 || o.window > 8) {
		err = fmt.Errorf("-window %d: must be 1 to 8", o.window)
	}
	return o, err
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	var scale work.Scale
	switch o.scale {
	case "quick":
		scale = work.Quick
	case "full":
		scale = work.Full
	default:
		return fmt.Errorf("-scale %q: must be quick or full", o.scale)
	}
	if o.rounds == 0 {
		o.rounds = 1
		if o.scale == "full" {
			o.rounds = 3
		}
	}
	if o.profile != "" {
		if o.profile, err = filepath.Abs(o.profile); err != nil {
			return err
		}
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return err
		}
	}
	targets, err := chooseTargets(o.targets, o.profile)
	if err != nil {
		return err
	}
	works, err := chooseWork(o.work)
	if err != nil {
		return err
	}
	raiseFileLimit()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	b, err := newBench(scale, o, targets, works)
	if err != nil {
		return err
	}
	defer b.close()
	err = b.run(ctx)
	b.report.WriteTable(os.Stdout)
	if o.json != "" {
		err = errors.Join(err, writeJSON(o.json, b.report))
	}
	if err == nil && b.report.Failed() {
		err = errors.New("not everything could be measured, see FAILED above")
	}
	return err
}

func writeJSON(name string, r *report.Report) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(r.WriteJSON(f), f.Close())
}

func targetNames() []string {
	var out []string
	for _, t := range work.Targets("") {
		out = append(out, t.Name())
	}
	return out
}

// chooseTargets returns the named targets, or all that can be run, saying which
// cannot.
func chooseTargets(names, profile string) ([]target.Target, error) {
	all := work.Targets(profile)
	if names == "" {
		return slices.DeleteFunc(all, func(t target.Target) bool {
			err := t.Available()
			if err != nil {
				fmt.Fprintf(os.Stderr, "bench: without %s: %v\n", t.Name(), err)
			}
			return err != nil
		}), nil
	}
	wanted := strings.Split(names, ",")
	for _, name := range wanted {
		i := slices.IndexFunc(all, func(t target.Target) bool { return t.Name() == name })
		if i < 0 {
			return nil, fmt.Errorf("no target %q; there are %s", name, strings.Join(targetNames(), ","))
		}
		if err := all[i].Available(); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(t target.Target) bool { return !slices.Contains(wanted, t.Name()) }), nil
}

func rowNames(works []work.Work) []string {
	var out []string
	for _, w := range works {
		for _, r := range w.Rows {
			out = append(out, r.Name)
		}
	}
	return out
}

// chooseWork returns the workloads that fill the named rows, or all.
func chooseWork(names string) ([]work.Work, error) {
	all := work.All()
	if names == "" {
		return all, nil
	}
	wanted := strings.Split(names, ",")
	for _, name := range wanted {
		if !slices.Contains(rowNames(all), name) {
			return nil, fmt.Errorf("no row %q; there are %s", name, strings.Join(rowNames(all), ","))
		}
	}
	return slices.DeleteFunc(all, func(w work.Work) bool {
		return !slices.ContainsFunc(w.Rows, func(r work.Row) bool { return slices.Contains(wanted, r.Name) })
	}), nil
}

// raiseFileLimit allows as many connections as the system lets us have.
func raiseFileLimit() {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	}
}
