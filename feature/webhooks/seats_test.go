package webhooks

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestSeats checks that a host that answers is not delayed by hosts that do not: neither by a single one nor, once they
// have failed, by many.
func TestSeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeats()
		ctx, cancel := context.WithCancel(t.Context())
		hang := func(address string) { // a request that takes its whole timeout
			if done := s.take(ctx, address); done != nil {
				time.Sleep(10 * time.Second)
				done(false)
			}
		}
		good := func() time.Duration {
			began := time.Now()
			s.take(ctx, "https://good.example/hook")(true)
			return time.Since(began)
		}
		for i := range 50 {
			go hang(fmt.Sprintf("https://Dead.example/%d", i))
		}
		synctest.Wait()
		if d := good(); d != 0 {
			t.Errorf("behind one dead host it waits %v", d)
		}
		cancel()
		time.Sleep(time.Minute)

		ctx, cancel = context.WithCancel(t.Context())
		for range 3 {
			for i := range 50 {
				go hang(fmt.Sprintf("https://dead%d.example/", i))
			}
			synctest.Wait()
			time.Sleep(10 * time.Minute) // all have failed
		}
		for i := range 50 {
			go hang(fmt.Sprintf("https://dead%d.example/", i))
		}
		synctest.Wait()
		if d := good(); d != 0 {
			t.Errorf("behind many dead hosts it waits %v", d)
		}
		time.Sleep(10 * time.Minute)
		s.take(ctx, "https://dead1.example/")(true)
		if p := s.hosts["dead1.example"]; p != nil {
			t.Error("a host that answers again is remembered as failing")
		}
		cancel()
		if len(s.all)+len(s.failing) != 0 {
			t.Errorf("%d and %d seats are not given back", len(s.all), len(s.failing))
		}
	})
}
