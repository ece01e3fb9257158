package admin

import (
	"context"
	"sync"
	"time"

	"parley/internal/clock"
)

// Counting in a large database takes a while, so it runs in the background, and its result is kept for some minutes.
const (
	countAgain = 5 * time.Minute
	countWait  = 2 * time.Second // how long a page waits for the result
	countMost  = 2 * time.Minute
)

// CountsConfig is what Counts needs.
type CountsConfig struct {
	Hosts  []string
	Clock  clock.Clock
	Engine string       // of the database
	Bucket bool         // files are in an object store
	Free   func() int64 // bytes on the disk of the data; -1 if unknown
	// Count counts what a host uses: the bytes of the database, messages, files and their bytes.
	Count func(ctx context.Context, host string) (Storage, error)
}

// Counts counts what each host uses, and holds what was counted last. It is safe from any goroutine, but Run runs once.
type Counts struct {
	cfg CountsConfig
	mu  sync.Mutex
	of  map[string]*usage
	ask chan string // hosts to be counted
}

type usage struct {
	last Storage
	at   time.Time // of the process, to know when to count again
	told time.Time // the time of day that goes with at
	err  error
	done chan struct{} // closed when the current count has ended; nil if none runs
}

// NewCounts makes Counts; those who ask wait for its Run.
func NewCounts(c CountsConfig) *Counts {
	// each host is in the queue at most once
	us := &Counts{cfg: c, of: make(map[string]*usage), ask: make(chan string, len(c.Hosts))}
	for _, h := range c.Hosts {
		us.of[h] = new(usage)
	}
	return us
}

// Run counts for the hosts in the queue until ctx ends.
func (us *Counts) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case host := <-us.ask:
			us.count(ctx, host)
		}
	}
}

// Storage gives what a host uses. If counting takes longer than countWait, it gives the last result.
func (us *Counts) Storage(ctx context.Context, host string) Storage {
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
	out := u.last
	out.Engine, out.Bucket, out.Free = us.cfg.Engine, us.cfg.Bucket, us.cfg.Free()
	out.At, out.Counting = u.told, u.done != nil
	if u.err != nil {
		out.Error = u.err.Error()
	}
	return out
}

func (us *Counts) count(ctx context.Context, host string) {
	ctx, cancel := context.WithTimeout(ctx, countMost)
	defer cancel()
	got, err := us.cfg.Count(ctx, host)
	us.mu.Lock()
	defer us.mu.Unlock()
	u := us.of[host]
	if err == nil {
		u.last = got
	}
	close(u.done)
	u.at, u.told, u.err, u.done = time.Now(), us.cfg.Clock.Now(), err, nil
}
