package server

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/internal/everywhere"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

type nowhere chan jid.JID

func (n nowhere) Receive(_ context.Context, st *wire.Stanza) error {
	n <- st.To
	return RemoteNotFound
}

// TestAskedLater: a client that appears while too many questions are open is asked when one of them ends, about its
// latest presence.
func TestAskedLater(t *testing.T) {
	asked := make(nowhere, 1)
	h := &Host{Domain: "example.org", Router: NewRouter(), IDs: &store.IDs{}}
	h.Router.SetRemote(asked)
	client := func(n int) jid.JID { return jid.MustParse(fmt.Sprintf("romeo%d@other.example/x", n)) }
	old, now := capsKey{"sha-1", "old"}, capsKey{"sha-1", "now"}
	for n := range maxAsking {
		if !h.beginAsking("juliet", client(n), "n", old) {
			t.Fatal("too many already", n)
		}
	}
	for _, key := range []capsKey{old, now} {
		if h.beginAsking("juliet", client(maxAsking), "n", key) {
			t.Fatal("too many are asked at once")
		}
	}
	h.askWatcher(t.Context(), "juliet", client(0), "n", old)
	for _, want := range []jid.JID{client(0), client(maxAsking)} {
		select {
		case got := <-asked:
			if got != want {
				t.Fatal(got, want)
			}
		case <-time.After(time.Minute):
			t.Fatal("its turn never comes")
		}
	}
}

// beside joins two nodes in one process.
type beside struct{ to *everywhere.Everywhere }

func (b beside) Tell(name string, data []byte) { _, _ = b.to.Hear(context.Background(), name, data) }

func (b beside) Ask(name string, data []byte) (wait func() []everywhere.Answer) {
	answer, err := b.to.Hear(context.Background(), name, data)
	return func() []everywhere.Answer { return []everywhere.Answer{{Data: answer, Err: err}} }
}

// TestWatchersEverywhere: what a client of another server follows is known at each node, also at one that has joined
// later, until it has gone.
func TestWatchersEverywhere(t *testing.T) {
	here, there := everywhere.New(), everywhere.New()
	here.Join(beside{there})
	there.Join(beside{here})
	node := func(e *everywhere.Everywhere) *Host {
		h := &Host{Domain: "example.org", Router: NewRouter(), IDs: &store.IDs{}, Everywhere: e.Host("example.org")}
		h.watchersElsewhere()
		return h
	}
	a, b := node(here), node(there)
	who := jid.MustParse("romeo@other.example/x")
	follows := func(h *Host) int { return len(h.Watching(who.Bare(), "nick")) }
	for _, account := range []string{"juliet", "nurse"} {
		a.watchers.addLocked(who, account)
		a.watcherWants(t.Context(), account, who, &wanted{capsKey{"sha-1", "v"}, []string{"nick"}})
	}
	if follows(b) != 1 {
		t.Error("the other node does not know")
	}
	later := node(everywhere.New())
	alone := everywhere.New()
	alone.Join(beside{here})
	later.Everywhere = alone.Host("example.org")
	later.CatchUp()
	if follows(later) != 1 {
		t.Error("a node that came later does not know")
	}
	a.unwatch("juliet", who)
	if follows(b) != 1 {
		t.Error("it is gone for one of two accounts, and not known any more")
	}
	a.unwatch("nurse", who)
	if follows(a)+follows(b) != 0 {
		t.Error("it is gone, and known")
	}
}
