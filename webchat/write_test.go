package webchat

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestSentTogether: a request that waits for an earlier one with the same message gets its answer, though who sent the
// earlier one has gone. Sending ends all the same.
func TestSentTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, hold := new(Service), make(chan struct{})
		sent := 0
		send := func(ctx context.Context) (Message, error) {
			sent++
			select {
			case <-hold:
				return Message{ID: "1"}, nil
			case <-ctx.Done():
				return Message{}, ctx.Err()
			}
		}
		answers := make(chan error, 2)
		ask := func(ctx context.Context) {
			m, err := s.together(ctx, "key", send)
			if err == nil && m.ID != "1" {
				err = errors.New("another message: " + m.ID)
			}
			answers <- err
		}
		first, goes := context.WithCancel(t.Context())
		for _, ctx := range []context.Context{first, t.Context()} {
			go ask(ctx)
			synctest.Wait()
		}
		goes()
		synctest.Wait()
		close(hold)
		for range 2 {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		if sent != 1 {
			t.Errorf("sent %d times", sent)
		}
		hold = nil
		began := time.Now()
		if ask(t.Context()); !errors.Is(<-answers, context.DeadlineExceeded) || time.Since(began) != sendTime {
			t.Errorf("ended after %v", time.Since(began))
		}
	})
}
