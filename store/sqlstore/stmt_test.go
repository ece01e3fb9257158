package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
)

// Whoever needs a statement at the same time as others gets the same one: a second one would never be closed.
func TestStatementIsPreparedOnce(t *testing.T) {
	s := open(t)
	for i := range 300 {
		q := fmt.Sprintf("SELECT %d", i)
		var got [8]*sql.Stmt
		var wg sync.WaitGroup
		for k := range got {
			wg.Go(func() {
				var err error
				if got[k], err = s.stmt(t.Context(), s.r, q); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, st := range got {
			if st != got[0] {
				t.Fatalf("%s was prepared twice", q)
			}
		}
	}
}

// A caller that waits for a statement which another prepares does not fail when the other gives up. It gives up when
// its own context ends.
func TestStatementOfWhoGivesUp(t *testing.T) {
	s := open(t)
	busy, err := s.w.Conn(t.Context()) // the only one that writes: preparing waits for it
	if err != nil {
		t.Fatal(err)
	}
	first, giveUp := context.WithCancel(t.Context())
	ask := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() {
			st, err := s.stmt(ctx, s.w, "SELECT 1")
			if err == nil && st == nil {
				err = errors.New("there is no statement")
			}
			done <- err
		}()
		return done
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	one, other, late := ask(first), ask(t.Context()), ask(over)
	if err := <-late; !errors.Is(err, context.Canceled) {
		t.Errorf("who has no time gets %v", err)
	}
	giveUp()
	if err := <-one; !errors.Is(err, context.Canceled) {
		t.Errorf("who has given up gets %v", err)
	}
	if err := busy.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-other; err != nil {
		t.Errorf("who waits gets %v", err)
	}
}
