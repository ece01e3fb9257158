package background

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
)

// A group that is closed has waited for what it began, and begins nothing more.
func TestGroup(t *testing.T) {
	var g Group
	var ended atomic.Int32
	release := make(chan struct{})
	for range 10 {
		if !g.Go(func() { <-release; ended.Add(1) }) {
			t.Fatal("an open group does not begin what it is given")
		}
	}
	close(release)
	g.Close()
	if n := ended.Load(); n != 10 {
		t.Errorf("%d of 10 have ended when the group is closed", n)
	}
	if g.Go(func() { t.Error("a closed group runs what it is given") }) {
		t.Error("a closed group says that it has begun something")
	}
	g.Close()
}

// Wait returns when what it waits for has ended, or when its context ends.
func TestWait(t *testing.T) {
	var wg sync.WaitGroup
	if !Wait(t.Context(), wg.Wait) {
		t.Error("Wait gives up on a group that has ended")
	}
	wg.Add(1)
	defer wg.Done()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if Wait(ctx, wg.Wait) {
		t.Error("Wait says that a group has ended which has not")
	}
}
