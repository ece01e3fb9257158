package work

import (
	"context"
	"fmt"
	"sync/atomic"

	"parley/bench/load"
	"parley/bench/meter"
	"parley/bench/target"
)

// The workloads of several servers on one database. Users 2p and 2p+1 are the p-th pair.

// within has each pair on one server, between on two.
func within(i int) int  { return i / 2 }
func between(i int) int { return i/2 + i%2 }

// spread has the pairs on three servers in all nine ways: a third of them on one and the same.
func spread(i int) int {
	if i%2 == 1 {
		return i / 2 / 3 % 3
	}
	return i / 2 % 3
}

func clusters() []Work {
	users := fixed(2 * Pairs)
	return []Work{
		{
			Rows:  []Row{{Name: "cluster-within", Title: "one-to-one within each of several servers", Unit: "message"}},
			Users: users, Archive: true, Nodes: 2, Place: within, Run: chat("cluster-within"),
		},
		{
			Rows: []Row{{Name: "cluster-between", Title: "one-to-one between two servers", Unit: "message",
				Must: []Goal{{Of: "row:cluster-within", Max: 1.5}}}},
			Users: users, Archive: true, Nodes: 2, Place: between, Run: chat("cluster-between"),
		},
		{
			Rows: []Row{{Name: "cluster-spread", Title: "one-to-one, people anywhere, as many for each server as for one",
				Unit: "message", Must: []Goal{{Of: "parley-pg", Max: 1.2}}}},
			Users: fixed(2 * Pairs * 3), Archive: true, Nodes: 1, Place: spread,
			Run: func(ctx context.Context, e *Env) ([]Result, error) {
				return chatting(ctx, e, "cluster-spread", Pairs*max(1, len(e.In.Nodes)))
			},
		},
		{
			Rows: []Row{{Name: "cluster-open-spread", Title: "one-to-one at 500/s, people anywhere", Unit: "message",
				Must: []Goal{{Of: "parley-pg", Max: 1.2}}}},
			Users: users, Archive: true, Nodes: 1, Place: spread, Run: openNamed("cluster-open-spread"),
		},
		{
			Rows:  []Row{{Name: "cluster-open-within", Title: "the same at 500/s within one server", Unit: "message"}},
			Users: users, Archive: true, Nodes: 2, Place: within, Run: openNamed("cluster-open-within"),
		},
		{
			Rows: []Row{{Name: "cluster-open-between", Title: "at 500/s between two", Unit: "message",
				Must: []Goal{{Of: "row:cluster-open-within", Max: 70, Later: true}}}},
			Users: users, Archive: true, Nodes: 2, Place: between, Run: openNamed("cluster-open-between"),
		},
		{
			Rows: []Row{{Name: "cluster-login", Title: "login and logout at each of the servers", Unit: "login",
				Aim: []Goal{{Of: "parley-pg", Max: 1.5}}}},
			Users: fixed(loginWorkers * loginUsers), Archive: true, Nodes: 1, Place: func(i int) int { return i },
			Run: func(ctx context.Context, e *Env) ([]Result, error) { return logins(ctx, e, "cluster-login") },
		},
		{
			Rows: []Row{{Name: "cluster-directory", Title: "a session of another server, memory", Unit: "session",
				KiB: true}},
			Users: func(s Scale) int { return s.Elsewhere }, Archive: true, Fresh: true, Once: true, Nodes: 2,
			Run: elsewhere,
		},
	}
}

func openNamed(row string) func(context.Context, *Env) ([]Result, error) {
	return func(ctx context.Context, e *Env) ([]Result, error) { return opened(ctx, e, row) }
}

// elsewhere opens sessions at the first server, and reads what each adds to the memory of each of the others.
func elsewhere(ctx context.Context, e *Env) ([]Result, error) {
	if len(e.In.Nodes) < 2 {
		return nil, fmt.Errorf("there are %d servers", len(e.In.Nodes))
	}
	var others meter.Tree
	for n, node := range e.In.Nodes[1:] {
		others.Roots = append(others.Roots, node.Tree.Roots...)
		err := parallel(ctx, 20, 4, func(ctx context.Context, i int) error {
			o := load.Options{User: target.User(i), Resource: fmt.Sprint("warm", n), Presence: true}
			s, err := node.Dial.Open(ctx, o)
			if err == nil {
				s.Start(func(*load.Session, []byte) {})
				s.Close()
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var fl fleet
	var arrived atomic.Int64
	n := e.Scale.Elsewhere
	res, err := e.memoryOf(ctx, others, "cluster-directory", n, func(ctx context.Context) (err error) {
		fl, err = e.open(ctx, n, func(*load.Session, []byte) { arrived.Add(1) })
		return err
	})
	defer fl.close()
	if err != nil {
		return nil, err
	}
	res.PerUnit /= float64(len(others.Roots))
	return []Result{res}, firstOf(fl.alive(), fl.confirm(ctx))
}
