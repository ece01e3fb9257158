package node

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"parley/admin"
	"parley/config"
	"parley/store/sqlstore"
)

// Counting what is in a large database takes a while: it is done in the background, and kept for some minutes.
const (
	countAgain = 5 * time.Minute
	countWait  = 2 * time.Second // that a page waits for it
	countMost  = 2 * time.Minute
)

// usages are what each host takes up, as it was counted last.
type usages struct {
	mu  sync.Mutex
	of  map[string]*usage
	ask chan string // hosts to be counted
}

type usage struct {
	sqlstore.Usage
	at   time.Time
	err  error
	done chan struct{} // closed when the counting that goes on has ended; nil if none does
}

func newUsages(hosts []*host) *usages {
	us := &usages{of: make(map[string]*usage), ask: make(chan string, len(hosts))} // a host is asked for once at a time
	for _, h := range hosts {
		us.of[h.Domain] = new(usage)
	}
	return us
}

// runCounts counts what is asked for, until ctx ends.
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

// Storage says what is taken up. Where counting takes longer than a page waits it is what was counted before.
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
	out := admin.Storage{Engine: w.n.Store.Engine(), Database: u.Bytes, Archived: u.Archived, Rooms: u.RoomEntries, Files: u.Files, FileBytes: u.FileBytes, At: u.at, Counting: u.done != nil,
		Free: w.n.freeSpace(), Bucket: w.n.Config.Upload.S3.Endpoint != ""}
	if u.err != nil {
		out.Error = u.err.Error()
	}
	return out
}

// freeSpace is what is left where the data is; -1 if that is not known.
func (n *Node) freeSpace() int64 {
	free, _ := n.disks[0].look(0)
	return free
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

// uploadsDir is the directory of shared files.
func uploadsDir(c *config.Config) string {
	if c.Upload.Dir != "" {
		return c.Upload.Dir
	}
	return filepath.Join(c.DataDir, "uploads")
}

// sqlitePath is the file of SQLite's database; "" for another engine.
func sqlitePath(c *config.Config) string {
	if p, ok := strings.CutPrefix(c.Store.DSN, "sqlite:"); ok {
		return p
	}
	return ""
}
