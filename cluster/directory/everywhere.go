package directory

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"parley/cluster"
	"parley/internal/everywhere"
)

// Everywhere has things done on the other nodes (everywhere.Others).
type Everywhere struct {
	d    *Directory
	gaps sync.Map // the nodes that are being told that they have missed something
}

// doFrame is something to be done, by the name that it has on all nodes.
type doFrame struct {
	Name string
	Data json.RawMessage
}

// NewEverywhere makes the way to what the other nodes do. It is called before there are links.
func NewEverywhere(d *Directory, here *everywhere.Everywhere) *Everywhere {
	d.bus.Handle(topicDo, func(ctx context.Context, _ cluster.Peer, b []byte) ([]byte, error) {
		var f doFrame
		if err := json.Unmarshal(b, &f); err != nil {
			return nil, err
		}
		return here.Hear(ctx, f.Name, f.Data)
	})
	d.bus.Handle(topicGap, func(context.Context, cluster.Peer, []byte) ([]byte, error) {
		d.missed()
		return nil, nil
	})
	e := &Everywhere{d: d}
	here.Join(e)
	return e
}

// Tell is everywhere.Others. A node without a link knows that it has missed something as soon as it has one.
func (e *Everywhere) Tell(name string, data []byte) {
	b := encode(doFrame{name, data})
	for _, n := range e.d.bus.Nodes() {
		if err := e.d.bus.Tell(n.ID, topicDo, queueOf(name), b); errors.Is(err, cluster.ErrBusy) {
			e.gap(n)
		}
	}
}

// gap tells a node that it has missed something, although its link stands.
func (e *Everywhere) gap(n cluster.Peer) {
	if _, already := e.gaps.LoadOrStore(n, true); already || e.d.ctx.Err() != nil {
		return
	}
	e.d.work.Go(func() {
		select {
		case <-time.After(askPause): // what is lost meanwhile is lost before it hears of it
		case <-e.d.ctx.Done():
		}
		e.gaps.Delete(n)
		e.d.until(n, nil, topicGap, states, nil)
	})
}

// Ask is everywhere.Others.
func (e *Everywhere) Ask(name string, data []byte) (wait func() []everywhere.Answer) {
	d, b := e.d, encode(doFrame{name, data})
	nodes := d.bus.Nodes()
	asked := make([]*cluster.Question, len(nodes))
	for i, n := range nodes {
		asked[i], _ = d.bus.Question(n.ID, topicDo, queueOf(name), b) // nil: until asks again
	}
	return func() (answers []everywhere.Answer) {
		for i, n := range nodes {
			q := d.until(n, asked[i], topicDo, queueOf(name), b)
			if q == nil {
				continue
			}
			data, err := q.Wait(d.ctx)
			answers = append(answers, everywhere.Answer{Node: n.ID, Data: data, Err: err})
		}
		return answers
	}
}
