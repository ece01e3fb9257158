// Package everywhere has something done on all nodes that serve the database: what follows from a change, or what only
// the node knows at which a client or another server is connected. Caches are told apart (package changes).
package everywhere

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Others are the other nodes.
type Others interface {
	// Tell has each of them do something, and does not wait. What is told under one name is done in that order. A node
	// that was not reached knows that it may have missed something.
	Tell(name string, data []byte)
	// Ask has each of them do something. wait gives their answers: it returns when each has answered, is none any
	// more, or has been silent for so long that nobody waits for it; such a node is missing then. What is asked under
	// one name is done in that order, unless a link was lost meanwhile.
	Ask(name string, data []byte) (wait func() []Answer)
}

// Answer is what one node has answered.
type Answer struct {
	Node string
	Data []byte
	Err  error // what the node could not do, as it says; nil: it has done it
}

// Everywhere knows what this node does, by names, and has the others do it. It is safe from any goroutine; On and Join
// are called before anything is told.
type Everywhere struct {
	of     map[string]func(ctx context.Context, data []byte) ([]byte, error)
	others Others // nil: there are none
}

// New makes an Everywhere of one node.
func New() *Everywhere {
	return &Everywhere{of: make(map[string]func(context.Context, []byte) ([]byte, error))}
}

// Join adds the other nodes.
func (e *Everywhere) Join(o Others) { e.others = o }

// Hear does what another node tells or asks.
func (e *Everywhere) Hear(ctx context.Context, name string, data []byte) ([]byte, error) {
	do := e.of[name]
	if do == nil {
		return nil, fmt.Errorf("everywhere: this server knows nothing of %q", name) // it is of another release
	}
	return do(ctx, data)
}

// Host gives the part of a host.
func (e *Everywhere) Host(host string) Part { return Part{e, "@" + host} }

// All gives the part that belongs to no host.
func (e *Everywhere) All() Part { return Part{e, ""} }

// Part is what concerns one host, or none. Its names are the part's own.
type Part struct {
	e    *Everywhere
	host string
}

// Others says whether there are other nodes, so that something has to be told.
func (p Part) Others() bool { return p.e != nil && p.e.others != nil }

// On has do called for what other nodes tell or ask under a name. The value is as they gave it, and the answer goes to
// who has asked. do must return soon: what comes after it under the same name waits.
func On[T any](p Part, name string, do func(ctx context.Context, v T) (answer any, err error)) {
	if p.e == nil {
		return // there is one node for ever
	}
	p.e.of[name+p.host] = func(ctx context.Context, data []byte) ([]byte, error) {
		var v T
		if err := json.Unmarshal(data, &v); err != nil {
			return nil, err
		}
		answer, err := do(ctx, v)
		if err != nil || answer == nil {
			return nil, err
		}
		return json.Marshal(answer)
	}
}

// Tell has the other nodes do something, and does not wait. Nothing is told while there are none.
func (p Part) Tell(name string, v any) {
	if p.Others() {
		p.e.others.Tell(name+p.host, encoded(v))
	}
}

// Begin has the other nodes do something. wait returns when they have done it: see Others. Call it.
func (p Part) Begin(name string, v any) (wait func() []Answer) {
	if !p.Others() {
		return func() []Answer { return nil }
	}
	return p.e.others.Ask(name+p.host, encoded(v))
}

// Ask is Begin that waits.
func (p Part) Ask(name string, v any) []Answer { return p.Begin(name, v)() }

// Asked is Ask for values that the nodes answer. What a node could not answer is left out.
func Asked[T any](p Part, name string, v any) (all []T) {
	for _, a := range p.Ask(name, v) {
		var x T
		if a.Err == nil && json.Unmarshal(a.Data, &x) == nil {
			all = append(all, x)
		}
	}
	return slices.Clip(all)
}

func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // only values that can be encoded are told
		panic(err)
	}
	return b
}
