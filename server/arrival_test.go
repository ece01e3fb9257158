package server

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"parley/wire"
)

// TestArrival: a message waits for a session that arrives, but not for ever, and a session does not wait for itself.
func TestArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start := &Session{}, time.Now()
		ctx := context.Background()
		s.awaitArrival(ctx)
		within, over := s.arrives(ctx)
		s.awaitArrival(within)
		if d := time.Since(start); d != 0 {
			t.Errorf("waited for %v", d)
		}
		go func() {
			time.Sleep(time.Second)
			over()
		}()
		s.awaitArrival(ctx)
		if d := time.Since(start); d != time.Second {
			t.Errorf("waited for %v", d)
		}
		_, over = s.arrives(ctx)
		s.awaitArrival(ctx)
		if d := time.Since(start); d != time.Second+arrivalTime {
			t.Errorf("gave up after %v", d)
		}
		over()
		s.awaitArrival(ctx)
		if d := time.Since(start); d != time.Second+arrivalTime {
			t.Errorf("waited for %v though it is over", d)
		}
	})
}

// A session has arrived when it has what waited for it, whatever it learns of its contacts afterwards, and even if
// others cannot be told.
func TestArrivalIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, waiting, items := &Host{}, make(chan struct{}), make(chan struct{})
		h.Features = []*Feature{{Wants: func(context.Context, *Session, []string) { <-items }}}
		h.steps[Announce] = []Step{{Do: func(context.Context, *Pass) error { return nil }}}
		h.steps[Arrival] = []Step{{Do: func(context.Context, *Pass) error { <-waiting; return nil }}}
		st, err := wire.ParseStanza([]byte("<presence xmlns='jabber:client'>"+
			"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/></presence>"),
			wire.Limits{Stanza: 1000})
		if err != nil {
			t.Fatal(err)
		}
		h.known.Put(capsIn(st), []string{"a"})
		s, done := &Session{}, make(chan error)
		announce := func() { done <- h.announce(t.Context(), &Pass{Host: h, Sent: true, Session: s, Stanza: st}) }
		go announce()
		synctest.Wait()
		start := time.Now()
		go func() {
			time.Sleep(time.Second)
			close(waiting)
		}()
		s.awaitArrival(t.Context())
		if d := time.Since(start); d != time.Second {
			t.Errorf("a message waited for %v", d)
		}
		close(items)
		if err := <-done; err != nil {
			t.Error(err)
		}
		got := false
		h.steps[Announce][0].Do = func(context.Context, *Pass) error { return BadRequest }
		h.steps[Arrival][0].Do = func(context.Context, *Pass) error { got = true; return nil }
		go announce()
		if err := <-done; err == nil || !got {
			t.Errorf("%v, and what waited was given out: %v", err, got)
		}
	})
}
