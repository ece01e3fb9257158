package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// cut ends the connections that others have made to a node.
func (x *testNode) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.conns {
		_ = c.Close()
	}
	x.conns = nil
}

// Connections that end again and again lose nothing, and nothing comes twice or in another order.
func TestConnectionsFollow(t *testing.T) {
	all := newTestNodes(t, 2)
	meet(all)
	if _, err := all[0].ask(t, all[1], topic, "begin"); err != nil {
		t.Fatal(err)
	}
	var asked []*Question
	var want []string
	for i := range 1900 { // fewer than may wait in one queue
		text := fmt.Sprint(i)
		want = append(want, "1:"+text)
		if i%2 == 0 {
			if err := all[0].Tell(all[1].node.ID, topic, 1, []byte(text)); err != nil {
				t.Fatal(err)
			}
		} else {
			q, err := all[0].Question(all[1].node.ID, topic, 1, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			asked = append(asked, q)
		}
		if i%200 == 0 {
			all[1].cut()
		}
	}
	for i, q := range asked {
		a, err := q.Wait(t.Context())
		if want := fmt.Sprintf("got %d", 2*i+1); err != nil || string(a) != want {
			t.Fatalf("the answer is %q, %v, not %q", a, err, want)
		}
	}
	all[1].mu.Lock()
	defer all[1].mu.Unlock()
	if got := all[1].heard[1:]; !slices.Equal(got, want) {
		t.Errorf("%d frames came of %d: %.200s", len(got), len(want), strings.Join(got, " "))
	}
}

// Where too much waits for a node that cannot be reached, the link begins anew, and says so.
func TestBeginsAnew(t *testing.T) {
	all := newTestNodes(t, 2)
	var apart atomic.Bool
	var mu sync.Mutex
	var events []string
	note := func(what string) func(Peer) {
		return func(Peer) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, what)
		}
	}
	all[0].cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if apart.Load() {
			return nil, errors.New("there is no way")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	all[0].Watch(Watcher{Up: note("up"), Down: note("down")})
	meet(all)
	if _, err := all[0].ask(t, all[1], topic, "begin"); err != nil {
		t.Fatal(err)
	}
	apart.Store(true)
	all[1].cut()
	q, err := all[0].Question(all[1].node.ID, topic, 1, []byte("never"))
	if err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 1<<20)
	for err = nil; err == nil; {
		err = all[0].Tell(all[1].node.ID, topic+2, 2, large)
	}
	if !errors.Is(err, ErrBusy) && !errors.Is(err, ErrNoLink) {
		t.Errorf("too much is told: %v", err)
	}
	if _, err := q.Wait(t.Context()); err == nil {
		t.Log("it was answered before the connection ended")
	} else if !errors.Is(err, ErrUnanswered) {
		t.Errorf("a question of before: %v", err)
	}
	apart.Store(false)
	if a, err := all[0].ask(t, all[1], topic, "again"); err != nil || a != "got again" {
		t.Errorf("%q %v", a, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(events, " "); got != "up down up" {
		t.Errorf("events: %s", got)
	}
}
