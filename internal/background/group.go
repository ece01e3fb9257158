package background

import (
	"context"
	"sync"
)

// Group owns goroutines that are begun while something else goes on: a lock is held, or a stream is read. Close waits
// for them, so that none outlives its owner. The zero value is ready. It is safe for any goroutine.
type Group struct {
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// Go runs f on a goroutine of its own. It returns false, and does not run f, once the group is closed.
func (g *Group) Go(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.wg.Go(f)
	return true
}

// Close lets nothing more begin and returns when all that was begun has ended.
func (g *Group) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.wg.Wait()
}

// Wait calls wait, such as the Wait of a sync.WaitGroup, and returns true when that returns, or false when ctx ends
// first. In that case a goroutine goes on waiting: the caller cuts short whatever it waits for.
func Wait(ctx context.Context, wait func()) bool {
	done := make(chan struct{})
	go func() {
		wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
