package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parley/cluster"
	"parley/internal/changes"
)

// Noted counts, in the database, changes that a node could not tell another one of.
type Noted interface {
	// NoteChange counts one of a node.
	NoteChange(ctx context.Context, id string) error
	// ChangesNoted returns the counters by node.
	ChangesNoted(ctx context.Context) (map[string]int64, error)
}

// Told tells other nodes of changes of the database (changes.Others), and hears of theirs. While a node is not heard,
// what it has changed is seen in the database: this node looks there more often than the other one waits.
type Told struct {
	d     *Directory
	noted Noted
	told  *changes.Changes
	count changeMetrics
}

// changeFrame is a change.
type changeFrame struct {
	Topic changes.Topic
	Key   string
}

const (
	guardEvery = 250 * time.Millisecond
	guardLate  = time.Second // a node whose guard comes so late was paused: it has missed anything
)

// NewTold makes the way of changes. It is called before there are links.
func NewTold(d *Directory, noted Noted, told *changes.Changes) *Told {
	t := &Told{d: d, noted: noted, told: told, count: newChangeMetrics(d.cfg.Metrics)}
	d.bus.Handle(topicChange, func(ctx context.Context, _ cluster.Peer, b []byte) ([]byte, error) {
		var f changeFrame
		if err := json.Unmarshal(b, &f); err != nil {
			return nil, err
		}
		t.count.taken.Inc()
		return nil, told.Hear(ctx, f.Topic, f.Key)
	})
	told.Join(t)
	return t
}

// Tell is changes.Others.
func (t *Told) Tell(ctx context.Context, topic changes.Topic, key string) error {
	d, b := t.d, encode(changeFrame{topic, key})
	began := time.Now()
	nodes := d.bus.Nodes()
	asked := make(map[string]*cluster.Question, len(nodes))
	for _, n := range nodes {
		if q, err := d.bus.Question(n.ID, topicChange, changesQueue, b); err == nil {
			asked[n.ID] = q
		}
	}
	var failed error
	for _, n := range nodes {
		heard, err := t.hears(n, asked[n.ID], b, began)
		how := t.count.heard
		if !heard {
			how, err = t.count.noted, t.note(ctx, n)
		}
		if err != nil {
			how = t.count.refused
		}
		how.Inc()
		failed = errors.Join(failed, err)
	}
	return failed
}

// changesQueue is the queue of all changes: a change is heard before those that came after it.
const changesQueue = 1

// hears tells a node of a change until it has heard it, or is none any more. It returns false if the node was silent
// for so long that it looks into the database by itself.
func (t *Told) hears(n cluster.Peer, q *cluster.Question, b []byte, began time.Time) (bool, error) {
	d := t.d
	for d.ctx.Err() == nil && d.bus.Is(n) {
		if left := unheardMost - time.Since(began); left > 0 && q != nil {
			ctx, cancel := context.WithTimeout(d.ctx, left)
			_, err := q.Wait(ctx)
			cancel()
			var r cluster.Refusal
			if err == nil {
				return true, nil
			}
			if errors.As(err, &r) {
				return true, fmt.Errorf("another server does not know of the change yet: %w", err)
			}
		} else if left <= 0 {
			return false, nil
		}
		select {
		case <-time.After(askPause):
		case <-d.ctx.Done():
		}
		var err error
		if q, err = d.bus.Question(n.ID, topicChange, changesQueue, b); err != nil {
			q = nil
		}
	}
	return true, nil
}

// note counts the change in the database, and waits until a node that looks there has seen it.
func (t *Told) note(ctx context.Context, n cluster.Peer) error {
	ctx, cancel := context.WithTimeout(ctx, unheardMost)
	defer cancel()
	if err := t.noted.NoteChange(ctx, t.d.bus.Self().ID); err != nil {
		return fmt.Errorf("another server cannot be told of the change: %w", err)
	}
	t.d.cfg.Log.Warn("another server is silent: it sees changes in the database", "server", n.String())
	select {
	case <-time.After(2 * guardEvery):
	case <-t.d.ctx.Done():
	}
	return nil
}

// Guard looks into the database while another node is silent, until ctx ends: what that has changed is forgotten here.
func (t *Told) Guard(ctx context.Context) error {
	var known map[string]int64
	last := time.Now()
	tick := time.NewTicker(guardEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := time.Now()
		paused := now.Sub(last) > guardLate
		last = now
		if paused {
			t.forget(ctx)
			t.d.missed()
		}
		if !t.silence() {
			known = nil
			continue
		}
		looking, cancel := context.WithTimeout(ctx, guardEvery)
		noted, err := t.noted.ChangesNoted(looking)
		cancel()
		if err != nil || known == nil || !same(known, noted) {
			t.forget(ctx)
		}
		if err == nil && (known == nil || !same(known, noted)) { // what was noted before the first look is not known
			t.d.missed()
		}
		known = nil
		if err == nil {
			known = noted
		}
		last = time.Now()
	}
}

// silence says whether a node was not heard for a while that lives.
func (t *Told) silence() bool {
	for _, n := range t.d.bus.Nodes() {
		if t.d.bus.HeardFrom(n) > unheardMost-2*guardEvery {
			return true
		}
	}
	return false
}

func (t *Told) forget(ctx context.Context) {
	if err := t.told.Forget(ctx); err != nil && ctx.Err() == nil {
		t.d.cfg.Log.Warn("cannot read again what another server may have changed", "err", err)
	}
}

func same(a, b map[string]int64) bool {
	if len(a) != len(b) {
		return false
	}
	for id, n := range a {
		if b[id] != n {
			return false
		}
	}
	return true
}
