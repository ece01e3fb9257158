// Command profiled is parley under a profiler, for bench -profile: it serves
// with a configuration file and writes DIR/cpu.pprof when it is told to end, and
// DIR/heap.pprof whenever more was in use than ever before.
//
//	profiled serve --config FILE DIR
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	"parley/config"
	"parley/node"
)

// heapInterval is how often the heap is looked at.
const heapInterval = time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "profiled:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) != 5 || args[1] != "serve" || args[2] != "--config" {
		return errors.New("usage: profiled serve --config FILE DIR")
	}
	cfg, err := config.Load(args[3], nil)
	if err != nil {
		return err
	}
	n, err := node.New(ctx, cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(args[4], "cpu.pprof"))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	heap := make(chan error, 1)
	go func() { heap <- watchHeap(ctx, filepath.Join(args[4], "heap.pprof")) }()
	err = n.Run(ctx)
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close(), <-heap)
}

// watchHeap writes the heap profile to name each time it is at its largest.
func watchHeap(ctx context.Context, name string) error {
	var most uint64
	tick := time.NewTicker(heapInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var m runtime.MemStats
		if runtime.ReadMemStats(&m); m.HeapInuse+m.StackInuse <= most {
			continue
		}
		most = m.HeapInuse + m.StackInuse
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		if err := errors.Join(pprof.WriteHeapProfile(f), f.Close()); err != nil {
			return err
		}
	}
}
