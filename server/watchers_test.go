package server

import (
	"context"
	"fmt"
	"testing"
	"time"

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
