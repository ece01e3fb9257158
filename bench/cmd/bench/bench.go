package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"parley/bench/report"
	"parley/bench/target"
	"parley/bench/work"
)

// bench is one run: the running servers and the results so far.
type bench struct {
	scale   work.Scale
	o       options
	targets []target.Target
	works   []work.Work
	report  *report.Report
	dir     string
	dirs    int
	running map[key]*running
}

// key names a server that several workloads share.
type key struct {
	target  string
	archive bool
}

type running struct {
	in         *target.Instance
	dir        string
	scratch    atomic.Int64
	befriended atomic.Bool
	filled     bool
}

// workTimeout bounds one workload on one server, by scale.
func (b *bench) workTimeout() time.Duration {
	if b.scale.Name == "quick" {
		return 3 * time.Minute
	}
	return 10 * time.Minute
}

func newBench(scale work.Scale, o options, targets []target.Target, works []work.Work) (*bench, error) {
	dir, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		return nil, err
	}
	// The servers run as users of their own.
	if err := os.Chmod(dir, 0o711); err != nil {
		return nil, err
	}
	var rows []work.Row
	for _, w := range works {
		rows = append(rows, w.Rows...)
	}
	var names []string
	versions := make(map[string]string)
	for _, t := range targets {
		names = append(names, t.Name())
		versions[t.Name()] = t.Version()
	}
	return &bench{
		scale: scale, o: o, targets: targets, works: works, dir: dir, running: make(map[key]*running),
		report: report.New(scale.Name, o.window, rows, names, versions),
	}, nil
}

func (b *bench) close() {
	for k := range b.running {
		b.drop(k)
	}
	if err := os.RemoveAll(b.dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}

// run measures each row on one server after the other, so that all servers are measured under the same conditions. It
// returns an error only if it is stopped.
func (b *bench) run(ctx context.Context) error {
	for round := range b.o.rounds {
		for _, w := range b.works {
			if w.Once && round > 0 {
				continue
			}
			for _, t := range b.targets {
				if err := b.measure(ctx, w, t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// measure runs one workload on one server and adds the result to the report.
func (b *bench) measure(ctx context.Context, w work.Work, t target.Target) error {
	if w.Filled > 0 && !t.Archives() || w.Groups && !t.HasGroups() ||
		w.Nodes > t.Nodes() || w.Nodes == 0 && t.Nodes() > 1 {
		return nil
	}
	began := time.Now()
	results, err := b.do(ctx, w, t)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, res := range results {
		b.report.Add(t.Name(), res)
		fmt.Fprintf(os.Stderr, "%-14s %-9s %10.2f  (%d in %v, p50 %v, p99 %v)%s\n",
			res.Row, t.Name(), res.PerUnit, res.Units, res.Wall.Round(time.Millisecond),
			res.P50.Round(time.Microsecond), res.P99.Round(time.Microsecond), note(res))
	}
	if err == nil {
		return nil
	}
	fmt.Fprintf(os.Stderr, "%-14s %-9s FAILED after %v: %v\n",
		w.Rows[min(len(results), len(w.Rows)-1)].Name, t.Name(), time.Since(began).Round(time.Second), err)
	for _, row := range w.Rows[len(results):] {
		b.report.Fail(row.Name, t.Name(), err)
	}
	b.drop(key{t.Name(), w.Archive}) // Whatever state it is in, the next row gets a new one.
	return nil
}

func note(r work.Result) string {
	if r.IdleCPU > 0 {
		r.Note += fmt.Sprintf("%.2f %% of a core", r.IdleCPU*100)
	}
	if r.Note == "" {
		return ""
	}
	return " " + r.Note
}

func (b *bench) do(ctx context.Context, w work.Work, t target.Target) ([]work.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, b.workTimeout())
	defer cancel()
	var r *running
	var err error
	if w.Fresh {
		r, err = b.start(ctx, t, target.Setup{Users: w.Users(b.scale), Archive: w.Archive, Filled: w.Filled})
		if err != nil {
			return nil, err
		}
		defer r.stop()
	} else if r, err = b.shared(ctx, t, w.Archive); err != nil {
		return nil, err
	}
	return w.Run(ctx, &work.Env{
		In: r.in, Archive: w.Archive && t.Archives(), Filled: r.filled, Scale: b.scale, Window: b.o.window,
		Scratch: &r.scratch, Befriended: &r.befriended, Place: w.Place, Deadline: b.o.deadline,
	})
}

// shared returns the server that workloads without special needs use, with
// accounts for the largest of them.
func (b *bench) shared(ctx context.Context, t target.Target, archive bool) (*running, error) {
	k := key{t.Name(), archive}
	if r := b.running[k]; r != nil {
		return r, nil
	}
	users := 0
	for _, w := range b.works {
		if !w.Fresh && w.Archive == archive {
			users = max(users, w.Users(b.scale))
		}
	}
	r, err := b.start(ctx, t, target.Setup{Users: users, Archive: archive})
	if err == nil {
		b.running[k] = r
	}
	return r, err
}

func (b *bench) start(ctx context.Context, t target.Target, s target.Setup) (*running, error) {
	if !t.CanFill() {
		s.Filled = 0
	}
	b.dirs++
	dir := filepath.Join(b.dir, fmt.Sprintf("%s-%d", t.Name(), b.dirs))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	in, err := t.Start(ctx, dir, s)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w", err), os.RemoveAll(dir))
	}
	return &running{in: in, dir: dir, filled: s.Filled > 0}, nil
}

func (b *bench) drop(k key) {
	if r := b.running[k]; r != nil {
		delete(b.running, k)
		r.stop()
	}
}

func (r *running) stop() {
	r.in.Stop()
	if err := os.RemoveAll(r.dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}
