package background

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestDue checks three rules. Things are done at their times, also at a time that is noted later. Failures are tried
// again. If more things are due than one look finds, all of them are done at once.
func TestDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
		var things []time.Time // the loop's own while it runs
		for range dueAtOnce + 1 {
			things = append(things, at(10))
		}
		things = append(things, at(20))
		var done []time.Duration
		var failed, fails atomic.Int32
		fails.Store(1)
		d := NewDue(Due[time.Time]{
			Find: func(_ context.Context, limit int) ([]time.Time, error) {
				slices.SortFunc(things, time.Time.Compare)
				return slices.Clone(things[:min(limit, len(things))]), nil
			},
			Left: func(x *time.Time) time.Duration { return time.Until(*x) },
			Do: func(_ context.Context, x *time.Time) error {
				if x.Equal(at(20)) && fails.Add(-1) >= 0 {
					return errors.New("the disk is full")
				}
				things = things[1:]
				done = append(done, time.Since(began))
				return nil
			},
			Failed: func(error) { failed.Add(1) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() {
			d.Run(ctx)
			close(over)
		}()
		time.Sleep(5 * time.Second)
		synctest.Wait() // the loop waits
		things = append(things, at(7))
		d.Wake()
		time.Sleep(2 * time.Minute)
		cancel()
		<-over
		want := []time.Duration{7 * time.Second}
		for range dueAtOnce + 1 {
			want = append(want, 10*time.Second)
		}
		want = append(want, 80*time.Second)
		if !slices.Equal(done, want) || failed.Load() != 1 {
			t.Errorf("done at %v, %d failures", done, failed.Load())
		}
	})
}
