package directory

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"parley/cluster"
	"parley/server"
)

// up is called when there is a new link: the node has missed what was told before.
func (d *Directory) up(p cluster.Peer) {
	d.theirs.revive(p)
	if d.ctx.Err() == nil {
		d.work.Go(func() { d.snapshot(p) })
	}
}

// snapshot tells a node all sessions. Each piece is what they are when it is queued, so changes that are told meanwhile
// come before or after it. The next piece waits until the one before was taken.
func (d *Directory) snapshot(p cluster.Peer) {
	d.mu.Lock()
	all := make([]*server.Session, 0, len(d.local))
	for s := range d.local {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *server.Session) int { return cmp.Compare(a.Stamp(), b.Stamp()) })
	q, err := d.bus.Question(p.ID, topicSnapshot, states, encode(snapshotFrame{Begin: true}))
	d.mu.Unlock()
	for err == nil {
		if _, err = q.Wait(d.ctx); err != nil {
			break
		}
		piece := all[:min(len(all), pieceOf)]
		all = all[len(piece):]
		f := snapshotFrame{End: len(all) == 0}
		d.mu.Lock()
		for _, s := range piece {
			if is := d.local[s]; is != nil {
				f.Sessions = append(f.Sessions, stateFrame{s.State(true), s.Host.Domain, is.rev})
			}
		}
		q, err = d.bus.Question(p.ID, topicSnapshot, states, encode(f))
		d.mu.Unlock()
		if err == nil && f.End {
			if _, err = q.Wait(d.ctx); err == nil {
				return
			}
		}
	}
	if d.ctx.Err() == nil { // with the next link it begins again
		d.cfg.Log.Debug("another server has not taken all sessions", "server", p.String(), "err", err)
	}
}

// compare has each node compare what it knows of this one with what is true. They differ only by a fault of ours: all
// sessions are told again then.
func (d *Directory) compare() {
	for _, p := range d.bus.Nodes() {
		d.mu.Lock()
		q, err := d.bus.Question(p.ID, topicSum, states, binary.BigEndian.AppendUint64(nil, d.sum))
		d.mu.Unlock()
		if err != nil {
			continue
		}
		d.work.Go(func() {
			ctx, cancel := context.WithTimeout(d.ctx, sumEvery)
			defer cancel()
			var r cluster.Refusal
			if _, err := q.Wait(ctx); errors.As(err, &r) {
				d.cfg.Log.Warn("another server knows other sessions of this one than there are: telling it all",
					"server", p.String())
				d.snapshot(p)
			}
		})
	}
}

// Settle returns when this node knows the sessions of every other one that lives.
func (d *Directory) Settle(ctx context.Context) error {
	t := time.NewTicker(askPause)
	defer t.Stop()
	for !d.complete() {
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (d *Directory) complete() bool {
	for _, p := range d.bus.Nodes() {
		d.theirs.mu.Lock()
		n, err := d.theirs.get(p)
		complete := err != nil || n.complete
		d.theirs.mu.Unlock()
		if !complete && d.bus.Lives(p, unheardMost) {
			return false
		}
	}
	return true
}
