package background

import (
	"context"
	"time"
)

const (
	// lookEvery is how late times that another process has noted are found at most.
	lookEvery = time.Minute
	dueAtOnce = 100
)

// Due does things when they are due. Make it with NewDue. Run has one goroutine; Wake is safe from any.
type Due[T any] struct {
	// Find gives at most limit things, those that are due first before the others.
	Find func(ctx context.Context, limit int) ([]T, error)
	// Left says how long a thing is not due yet.
	Left func(x *T) time.Duration
	// Do does a thing that is due, so that Find gives it no more before another time. After an error it is tried again
	// in a minute, with what comes after it.
	Do func(ctx context.Context, x *T) error
	// Failed hears of the errors of Find and Do. It is not called when ctx has ended.
	Failed func(err error)

	wake chan struct{} // of size 1: times have changed
}

// NewDue makes a Due of what it does.
func NewDue[T any](d Due[T]) *Due[T] {
	d.wake = make(chan struct{}, 1)
	return &d
}

// Wake has Run look what is due: times have changed.
func (d *Due[T]) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run does what is due, until ctx ends.
func (d *Due[T]) Run(ctx context.Context) {
	for {
		timer := time.NewTimer(d.all(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-d.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// all does everything that is due, and gives how long to wait for the next.
func (d *Due[T]) all(ctx context.Context) time.Duration {
	for {
		xs, err := d.Find(ctx, dueAtOnce)
		for i := range xs {
			if left := d.Left(&xs[i]); left > 0 {
				return min(left, lookEvery)
			}
			if err = d.Do(ctx, &xs[i]); err != nil {
				break
			}
		}
		if err != nil && ctx.Err() == nil {
			d.Failed(err)
		}
		if err != nil || len(xs) < dueAtOnce {
			return lookEvery
		}
	}
}
