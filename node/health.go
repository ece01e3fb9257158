package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/admin"
	"parley/store/sqlstore"
)

const (
	writableAgain = 5 * time.Second         // probes within this time get the same answer
	writableTime  = 2500 * time.Millisecond // limit of a test write; probes wait a little longer
)

// writable caches whether something could be written, so that probes cause no load.
type writable struct {
	write func(context.Context) error

	mu     sync.Mutex
	at     time.Time
	err    error
	trying chan struct{} // closed when the current write has ended; nil if none runs
	run    sync.WaitGroup
}

// check returns an error if nothing can be written.
func (w *writable) check(ctx context.Context) error {
	w.mu.Lock()
	if w.trying == nil && time.Since(w.at) >= writableAgain {
		w.trying = make(chan struct{})
		w.run.Go(w.try)
	}
	trying := w.trying
	w.mu.Unlock()
	if trying != nil {
		select {
		case <-trying:
		case <-ctx.Done():
			return errors.New("a write to the store has no end yet")
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *writable) try() {
	ctx, cancel := context.WithTimeout(context.Background(), writableTime)
	defer cancel()
	err := w.write(ctx)
	switch {
	case err == nil:
	case sqlstore.IsFull(err):
		err = errDiskFull
	case ctx.Err() != nil:
		err = fmt.Errorf("nothing can be kept: the store has not written anything within %v", writableTime)
	default:
		err = fmt.Errorf("nothing can be kept: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.err = time.Now(), err
	close(w.trying)
	w.trying = nil
}

var errDiskFull = errors.New("nothing can be kept: the disk is full")

// fullDisk marks an error of a full disk as admin.ErrDiskFull.
func fullDisk(err error) error {
	if !sqlstore.IsFull(err) {
		return err
	}
	return fmt.Errorf("%w: %w", admin.ErrDiskFull, err)
}
