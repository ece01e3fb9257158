package node

import (
	"context"
	"sync"
	"time"

	"parley/admin"
	"parley/store/sqlstore"
)

// Counting in a large database takes a while, so it runs in the background, and its result is kept for some minutes.
const (
	countAgain = 5 * time.Minute
	countWait  = 2 * time.Second // how long a page waits for the result
	countMost  = 2 * time.Minute
)

// usages holds what each host uses, as counted last.
type usages struct {
	mu  sync.Mutex
	of  map[string]*usage
	ask chan string // hosts to be counted
}

type usage struct {
	sqlstore.Usage
	at   time.Time
	err  error
	done chan struct{} // closed when the current count has ended; nil if none runs
}

func newUsages(hosts []*host) *usages {
	// each host is in the queue at most once
	us := &usages{of: make(map[string]*usage), ask: make(chan string, len(hosts))}
	for _, h := range hosts {
		us.of[h.Domain] = new(usage)
	}
	return us
}

// runCounts counts for the hosts in the queue until ctx ends.
func (n *Node) runCounts(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case host := <-n.usages.ask:
			n.count(ctx, host)
		}
	}
}

// Storage gives what a host uses. If counting takes longer than countWait, it gives the last result.
func (w webSystem) Storage(ctx context.Context, host string) admin.Storage {
	us := w.n.usages
	us.mu.Lock()
	u := us.of[host]
	if u.done == nil && time.Since(u.at) > countAgain {
		u.done = make(chan struct{})
		us.ask <- host
	}
	done := u.done
	us.mu.Unlock()
	if done != nil {
		t := time.NewTimer(countWait)
		defer t.Stop()
		select {
		case <-done:
		case <-t.C:
		case <-ctx.Done():
		}
	}
	us.mu.Lock()
	defer us.mu.Unlock()
	out := admin.Storage{
		Engine:    w.n.Store.Engine(),
		Database:  u.Bytes,
		Archived:  u.Archived,
		Rooms:     u.RoomEntries,
		Files:     u.Files,
		FileBytes: u.FileBytes,
		At:        u.at,
		Counting:  u.done != nil,
		Free:      w.n.disks.Free(),
		Bucket:    w.n.Config.Upload.S3.Endpoint != "",
	}
	if u.err != nil {
		out.Error = u.err.Error()
	}
	return out
}

func (n *Node) count(ctx context.Context, host string) {
	ctx, cancel := context.WithTimeout(ctx, countMost)
	defer cancel()
	got, err := n.Store.Usage(ctx, host)
	us := n.usages
	us.mu.Lock()
	defer us.mu.Unlock()
	u := us.of[host]
	if err == nil {
		u.Usage = got
	}
	close(u.done)
	u.at, u.err, u.done = time.Now(), err, nil
}
