package admin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/internal/background"
)

const (
	writableAgain = 5 * time.Second         // probes within this time get the same answer
	writableTime  = 2500 * time.Millisecond // limit of a test write; probes wait a little longer
)

// Writable caches whether the store could write something, so that probes cause no load.
type Writable struct {
	Write  func(ctx context.Context) error
	IsFull func(err error) bool // says whether an error of Write means that the disk is full

	mu     sync.Mutex
	at     time.Time
	err    error
	trying chan struct{} // closed when the current write has ended; nil if none runs
	run    background.Group
}

// Check returns an error if nothing can be written.
func (w *Writable) Check(ctx context.Context) error {
	w.mu.Lock()
	if w.trying == nil && time.Since(w.at) >= writableAgain {
		trying := make(chan struct{})
		if !w.run.Go(w.try) {
			w.mu.Unlock()
			return errors.New("the server is stopping")
		}
		w.trying = trying
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

// Close lets Check write no more and returns when no write runs.
func (w *Writable) Close() { w.run.Close() }

func (w *Writable) try() {
	ctx, cancel := context.WithTimeout(context.Background(), writableTime)
	defer cancel()
	err := w.Write(ctx)
	switch {
	case err == nil:
	case w.IsFull(err):
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
