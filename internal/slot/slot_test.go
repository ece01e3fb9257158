package slot

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Simulated time goes on while somebody has a slot over simulated seconds and others wait for it. With a mutex instead
// it would stand still for ever.
func TestWaitingIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, began := New(), time.Now()
		var order []time.Duration
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				s.Lock()
				defer s.Free()
				time.Sleep(time.Second) // a call of the store
				order = append(order, time.Since(began))
			})
			synctest.Wait() // returns although one has the slot and others wait for it
		}
		wg.Wait()
		if len(order) != 3 || order[2] != 3*time.Second {
			t.Errorf("they had it until %v", order)
		}
	})
}

// A waiting goroutine gives up when its context ends, and leaves the slot to others.
func TestTakeGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		s.Lock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := s.Take(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("Take: %v after %v", err, time.Since(began))
		}
		s.Free()
		if err := s.Take(ctx); err == nil {
			t.Error("Take has taken a free slot for a context that is over")
		}
		if err := s.Take(t.Context()); err != nil {
			t.Error(err)
		}
		s.Free()
	})
}

// Taking a free slot costs nothing, whatever the context.
func TestTakeIsCheap(t *testing.T) {
	const times = 100
	s := New()
	var ctxs []context.Context
	for range times + 1 { // one to warm up
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		ctxs = append(ctxs, ctx)
	}
	if n := testing.AllocsPerRun(times, func() {
		if err := s.Take(ctxs[0]); err != nil {
			t.Error(err)
		}
		s.Free()
		ctxs = ctxs[1:]
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A slot that nobody has cannot be freed.
func TestFreeOfNothing(t *testing.T) {
	for name, free := range map[string]func(){
		"Slot":  New().Free,
		"Keyed": func() { new(Keyed[string]).Free("a") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			free()
		})
	}
}

// Keys do not wait for each other, and a key that nobody uses costs nothing.
func TestKeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Keyed[string]
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, k := range []string{"a", "b"} {
			if err := s.Take(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Take(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Take of a key that is in use: %v", err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := s.Take(t.Context(), "a"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		s.Free("a")
		wg.Wait()
		s.Free("a")
		s.Free("b")
		if len(s.all) != 0 {
			t.Errorf("%d keys are kept", len(s.all))
		}
	})
}
