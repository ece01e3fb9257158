package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"parley/store"
)

// nodeBytes: the nodes of an owner have a limit for their total size.
func nodeBytes(s *suite) {
	s.user("romeo", "juliet")
	for _, name := range []string{"a", "b"} {
		for _, owner := range []string{"romeo", "juliet"} {
			s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Owner: owner, Name: name, Created: at(1)}, 9))
		}
	}
	seq := store.ID(0)
	publish := func(owner, node, id string, size int) error {
		seq++
		return s.st.Publish(s.ctx, host, owner, node, store.Keep{Items: 2, Bytes: 1000},
			store.NodeItem{ID: id, Seq: seq, Payload: bytes.Repeat([]byte("x"), size)})
	}
	// Items from before anybody counted are counted too.
	s.ok(s.st.Publish(s.ctx, host, "romeo", "a", store.Keep{Items: 2},
		store.NodeItem{ID: "1", Seq: 1, Payload: make([]byte, 600)}))
	s.is(publish("romeo", "b", "1", 401), store.ErrLimit)
	_, n, err := s.st.Items(s.ctx, host, "romeo", "b", store.ItemPage{Max: 9})
	s.ok(err)
	s.same(n, 0) // nothing of it is kept
	s.ok(publish("romeo", "b", "1", 400))
	s.ok(publish("juliet", "a", "1", 1000))
	s.is(publish("romeo", "b", "2", 1), store.ErrLimit)
	for range 5 { // replaces an item, so it needs no more room
		s.ok(publish("romeo", "b", "1", 400))
	}
	// Removed items make room: replaced ones, pushed out ones, retracted ones, and those of a deleted node.
	s.ok(publish("romeo", "b", "1", 100))
	s.ok(publish("romeo", "b", "2", 300))
	s.ok(publish("romeo", "b", "3", 100))
	s.is(publish("romeo", "b", "2", 301), store.ErrLimit)
	must[[]string](s)(s.st.Retract(s.ctx, host, "romeo", "b", "3"))
	s.ok(publish("romeo", "b", "2", 400))
	s.ok(s.st.DeleteNode(s.ctx, host, "romeo", "a", "", 0))
	s.ok(publish("romeo", "b", "4", 600))
	s.ok(s.st.Purge(s.ctx, host, "romeo", "b"))
	s.ok(publish("romeo", "b", "5", 1000))
	// A new account has it all.
	s.deleted(host, "romeo")
	s.user("romeo")
	s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Owner: "romeo", Name: "a", Created: at(1)}, 9))
	s.ok(publish("romeo", "a", "1", 1000))
}

// nodeBytesAtOnce: people who publish at the same time cannot exceed the limit together.
func nodeBytesAtOnce(s *suite) {
	s.user("romeo")
	const nodes = 8
	for i := range nodes {
		s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Owner: "romeo", Name: fmt.Sprint(i), Created: at(1)}, 0))
	}
	var wg sync.WaitGroup
	for i := range nodes {
		wg.Go(func() {
			err := s.st.Publish(s.ctx, host, "romeo", fmt.Sprint(i), store.Keep{Items: 9, Bytes: 350},
				store.NodeItem{ID: "i", Seq: store.ID(i + 1), Payload: make([]byte, 100)})
			if err != nil && !errors.Is(err, store.ErrLimit) {
				s.Error(err)
			}
		})
	}
	wg.Wait()
	all := 0
	for i := range nodes {
		_, n, err := s.st.Items(s.ctx, host, "romeo", fmt.Sprint(i), store.ItemPage{Max: 9})
		s.ok(err)
		all += n
	}
	s.same(all, 3)
}

// nodeShares: the nodes of a service that one person created may hold only a share of its bytes.
func nodeShares(s *suite) {
	for _, n := range []struct{ name, creator string }{
		{"a", "romeo@x"}, {"b", "romeo@x"}, {"c", "juliet@x"}, {"old", ""},
	} {
		s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Name: n.name, Creator: n.creator, Created: at(1)}, 9))
	}
	seq := store.ID(0)
	publish := func(node, id string, size int, share int64) error {
		seq++
		return s.st.Publish(s.ctx, host, "", node, store.Keep{Items: 9, Bytes: 1100, Share: share},
			store.NodeItem{ID: id, Seq: seq, Payload: bytes.Repeat([]byte("x"), size)})
	}
	s.ok(publish("a", "1", 200, 0)) // before anybody counted
	s.ok(publish("a", "2", 100, 400))
	s.is(publish("b", "1", 101, 400), store.ErrShare)
	_, n, err := s.st.Items(s.ctx, host, "", "b", store.ItemPage{Max: 9})
	s.ok(err)
	s.same(n, 0)
	s.ok(publish("b", "1", 100, 400))
	s.ok(publish("c", "1", 400, 400)) // another owner has a limit of its own
	s.is(publish("old", "1", 301, 400), store.ErrLimit)
	s.ok(publish("old", "1", 200, 400))
	s.ok(publish("b", "1", 100, 300)) // after a limit was lowered: replaces an item
	s.is(publish("b", "1", 101, 300), store.ErrShare)
	s.ok(s.st.DeleteNode(s.ctx, host, "", "a", "", 0)) // deleted items make room
	s.ok(publish("b", "2", 300, 400))
	s.is(publish("b", "3", 1, 400), store.ErrShare)
	must[[]string](s)(s.st.Retract(s.ctx, host, "", "b", "1"))
	s.ok(publish("b", "3", 100, 400))
}
