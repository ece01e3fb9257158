package work

import (
	"context"
	"sync/atomic"
	"time"

	"parley/bench/load"
	"parley/bench/meter"
)

// idle opens many sessions that do nothing, and reads what each adds to the server's memory, and what all together cost
// in CPU time.
func idle(ctx context.Context, e *Env) ([]Result, error) {
	err := parallel(ctx, 20, 4, func(ctx context.Context, i int) error { return e.loginOnce(ctx, i) })
	if err != nil {
		return nil, err
	}
	n := e.Scale.Idle
	var fl fleet
	var arrived atomic.Int64
	res, err := e.memory(ctx, "idle", n, func(ctx context.Context) (err error) {
		fl, err = e.open(ctx, n, func(*load.Session, []byte) { arrived.Add(1) })
		return err
	})
	defer fl.close()
	if err != nil {
		return nil, err
	}
	return []Result{res}, firstOf(fl.alive(), fl.confirm(ctx))
}

// memory reads what each of n things that open opens adds to the server's memory, and what all cost in CPU time while
// they do nothing.
func (e *Env) memory(ctx context.Context, row string, n int, open func(context.Context) error) (Result, error) {
	return e.memoryOf(ctx, e.In.Tree, row, n, open)
}

// memoryOf is memory of some of the processes.
func (e *Env) memoryOf(ctx context.Context, of meter.Tree, row string, n int,
	open func(context.Context) error) (Result, error) {
	if err := sleep(ctx, e.Scale.Settle/2); err != nil {
		return Result{}, err
	}
	before, err := of.Memory()
	if err != nil {
		return Result{}, err
	}
	if err := open(ctx); err != nil {
		return Result{}, err
	}
	if err := sleep(ctx, e.Scale.Settle); err != nil {
		return Result{}, err
	}
	cpu, err := of.CPU()
	if err != nil {
		return Result{}, err
	}
	began := time.Now()
	if err := sleep(ctx, e.Scale.IdleWatch); err != nil {
		return Result{}, err
	}
	cpu2, err := of.CPU()
	if err != nil {
		return Result{}, err
	}
	wall := time.Since(began)
	after, err := of.Memory()
	return Result{
		Row: row, Units: int64(n), PerUnit: float64(after-before) / 1024 / float64(n),
		Wall: wall, IdleCPU: (cpu2 - cpu).Seconds() / wall.Seconds(),
	}, err
}
