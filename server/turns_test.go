package server

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// standing gives passes that stand in the line of an account.
func standing(n int) (ps []*Pass) {
	h := &Host{accounts: map[string]*Account{"romeo": {Name: "romeo"}}}
	for range n {
		p := &Pass{Host: h, Account: "romeo"}
		p.Kept()
		ps = append(ps, p)
	}
	return ps
}

// TestTurns: whatever goes on first, clients are told in the order of the line.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ps := standing(3)
		told := make(chan int, len(ps))
		for _, i := range []int{2, 1, 0} {
			go func() {
				defer ps[i].endTurn()
				ps[i].awaitTurn(t.Context())
				told <- i
			}()
			synctest.Wait()
		}
		for i := range ps {
			if got := <-told; got != i {
				t.Errorf("%d in place of %d", got, i)
			}
		}
	})
}

// TestTurnIsLost: who never tells keeps the others waiting for a while, and once; who gives up keeps nobody waiting.
func TestTurnIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ps := standing(5)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		begun := time.Now()
		ps[2].awaitTurn(ended) // the first two stand before it
		ps[2].endTurn()
		if took := time.Since(begun); took > 0 {
			t.Errorf("it gave up after %v", took)
		}
		ps[3].awaitTurn(t.Context())
		if took := time.Since(begun); took != turnTime {
			t.Errorf("it waited for %v", took)
		}
		ps[0].endTurn()
		ps[3].endTurn()
		ps[4].awaitTurn(t.Context())
		ps[4].endTurn()
		ps[4].endTurn()
		if took := time.Since(begun); took != turnTime {
			t.Errorf("the next one waited too: %v", took)
		}
		if left := ps[0].Host.accounts["romeo"].turns.line; len(left) > 0 {
			t.Errorf("%d are left", len(left))
		}
		p := &Pass{Host: ps[0].Host, Account: "juliet"}
		p.Kept() // without a session there is nobody to be told
		p.awaitTurn(t.Context())
		p.endTurn()
	})
}
