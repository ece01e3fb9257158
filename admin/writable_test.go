package admin

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestWritable checks that frequent probes write only now and then, and that a write that hangs delays nobody for long
// and stays the only one.
func TestWritable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writes, err := 0, error(nil)
		w := &Writable{IsFull: isFull, Write: func(ctx context.Context) error {
			writes++
			if err == nil {
				return nil
			}
			if errors.Is(err, context.DeadlineExceeded) {
				<-ctx.Done()
			}
			return err
		}}
		probe := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			return w.Check(ctx)
		}
		for range 100 {
			if err := probe(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if writes != 1 {
			t.Errorf("%d writes for a second of probes", writes)
		}
		time.Sleep(writableAgain)
		for reason, is := range map[string]error{
			"the disk is full":         syscall.ENOSPC,
			"has not written anything": context.DeadlineExceeded,
			"no such thing":            errors.New("no such thing"),
		} {
			err = is
			time.Sleep(writableAgain)
			if got := probe(); got == nil || !strings.Contains(got.Error(), reason) ||
				!strings.Contains(got.Error(), "nothing can be kept") {
				t.Errorf("%v: it says %v", is, got)
			}
		}
		err = nil
		time.Sleep(writableAgain)
		if got := probe(); got != nil {
			t.Errorf("it can be written again: %v", got)
		}
		w.Close()
	})
}

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }
