package sim

import (
	"context"
	"database/sql/driver"
	"fmt"
	"hash/fnv"
	"runtime"
	"strings"
	"sync"
)

// gate is where the calls of a node's store wait for the world. It is safe from any goroutine.
type gate struct {
	node *Node

	mu      sync.Mutex
	killed  bool
	open    bool // calls do not wait: before and after the run
	waiting []*call
	arrived int
	next    []verdict                  // of coming commits, drawn by the world in each step
	begun   map[context.Context]uint64 // the keys of the transactions that are open
}

func (g *gate) dead() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.killed
}

// pass waits until the world lets a call go on, and returns what becomes of it.
func (g *gate) pass(ctx context.Context, text string, args []driver.NamedValue, writes, answer bool) verdict {
	g.mu.Lock()
	if g.killed {
		g.mu.Unlock()
		return loses
	}
	if g.open {
		g.mu.Unlock()
		return does
	}
	g.arrived++
	c := &call{
		node: g.node, ctx: ctx, text: short(text), key: keyOf(text, args) ^ whoCalls(), writes: writes, answer: answer,
		verdict: make(chan verdict, 1), arrived: g.arrived,
	}
	switch text {
	case "BEGIN":
		g.begun[ctx] = c.key
	case "COMMIT":
		c.begun = g.begun[ctx]
		delete(g.begun, ctx)
	}
	g.waiting = append(g.waiting, c)
	g.mu.Unlock()
	select {
	case v := <-c.verdict:
		return v
	case <-ctx.Done():
		g.remove(c)
		return loses
	}
}

// failed is the error of a call: its context's, if that has ended.
func (g *gate) failed(ctx context.Context, err error) error {
	if g.dead() {
		return errKilled
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// chance draws the outcome of a commit that is about to be done.
func (g *gate) chance() verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open || len(g.next) == 0 {
		return does
	}
	v := g.next[0]
	g.next = g.next[1:]
	return v
}

// undone is called when a transaction was rolled back.
func (g *gate) undone(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.begun, ctx)
}

func (g *gate) remove(c *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, x := range g.waiting {
		if x == c {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return
		}
	}
}

// list gives the calls that wait.
func (g *gate) list() []*call {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*call(nil), g.waiting...)
}

// release lets a call go on.
func (g *gate) release(c *call, v verdict) {
	g.remove(c)
	c.verdict <- v
}

// kill ends all calls as a process's end does: none that is not done yet is done.
func (g *gate) kill() {
	g.mu.Lock()
	g.killed = true
	g.mu.Unlock()
	for _, c := range g.list() {
		g.release(c, loses)
	}
}

// openWide lets all calls through from now on.
func (g *gate) openWide() {
	g.mu.Lock()
	g.open = true
	g.mu.Unlock()
	for _, c := range g.list() {
		g.release(c, does)
	}
}

// short names a statement in the trace: its verb and its table.
func short(text string) string {
	words := strings.Fields(text)
	if len(words) == 0 {
		return ""
	}
	for i, w := range words[:len(words)-1] {
		if w == "FROM" || w == "INTO" || w == "UPDATE" {
			return words[0] + " " + words[i+1]
		}
	}
	return words[0]
}

// drawNext draws the outcomes of the commits that the next step may reach.
func (g *gate) drawNext(w *World) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = g.next[:0]
	if w.fails(g.node) {
		g.next = append(g.next, []verdict{refuses, loses}[w.rnd.IntN(2)])
	}
}

// whoCalls tells calls apart by where they come from: many statements are the same. Functions and lines are the same in
// every build.
func whoCalls() uint64 {
	var pcs [24]uintptr
	h := uint64(14695981039346656037)
	for _, pc := range pcs[:runtime.Callers(4, pcs[:])] {
		name, ok := names.Load(pc)
		if !ok {
			f := fnv.New64a()
			if at := runtime.FuncForPC(pc - 1); at != nil {
				_, line := at.FileLine(pc - 1)
				fmt.Fprint(f, at.Name(), line)
			}
			name = f.Sum64()
			names.Store(pc, name)
		}
		h = (h ^ name.(uint64)) * 1099511628211
	}
	return h
}

var names sync.Map // hashes of the names of functions, by program counter
