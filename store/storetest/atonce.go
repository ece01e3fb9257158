package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	syncatomic "sync/atomic"

	"parley/store"
)

// race calls f from n goroutines at once and counts what they were given: nil as "ok", errors by their text.
func race(n int, f func(i int) error) map[string]int {
	out := make(map[string]int)
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			err := f(i)
			what := "ok"
			for _, known := range []error{
				store.ErrLimit, store.ErrExists, store.ErrConflict, store.ErrNotFound, store.ErrLast,
			} {
				if errors.Is(err, known) {
					err, what = nil, known.Error()
				}
			}
			if err != nil {
				what = err.Error()
			}
			mu.Lock()
			out[what]++
			mu.Unlock()
		})
	}
	close(begin)
	wg.Wait()
	return out
}

// limits hold also for those who come at the same moment.
func limits(s *suite) {
	s.user("romeo")
	const n, max = 8, 3
	full := map[string]int{"ok": max, store.ErrLimit.Error(): n - max}
	for name, f := range map[string]func(i int) error{
		"bookmarks": func(i int) error {
			return s.st.SetBookmarks(s.ctx, host, "romeo", max, store.Bookmark{Room: fmt.Sprint("r", i, "@c")})
		},
		"private": func(i int) error {
			return s.st.SetPrivate(s.ctx, host, "romeo", "ns", fmt.Sprint("e", i), []byte("<e/>"), max)
		},
		"blocked": func(i int) error { return s.st.Block(s.ctx, host, "romeo", max, fmt.Sprint("x", i, "@y")) },
		"invitations": func(i int) error {
			return s.st.CreateInvitation(s.ctx, store.Invitation{
				Host:    host,
				ID:      fmt.Sprint(i),
				Inviter: "romeo",
				State:   store.InviteOpen,
				MaxUses: 1,
				Created: at(1),
				Expires: at(9),
			}, max, store.InvitationEvent{ID: 1})
		},
		"nodes": func(i int) error {
			return s.st.CreateNode(s.ctx, store.Node{Host: host, Owner: "romeo", Name: fmt.Sprint("n", i)}, max)
		},
		"affiliations": func(i int) error {
			return s.st.SetNodeAffiliations(s.ctx, host, "romeo", "n", max,
				store.NodeAffiliation{JID: fmt.Sprint("x", i, "@y"), Affiliation: "member"})
		},
		"subscriptions": func(i int) error {
			return s.st.SetNodeSubscriptions(s.ctx, host, "romeo", max,
				store.NodeSubscription{Node: "n", JID: fmt.Sprint("x", i, "@y"), State: "subscribed"})
		},
		"uploads": func(i int) error {
			return s.st.CreateUpload(s.ctx, store.Upload{
				Host:    host,
				ID:      fmt.Sprint(i),
				Owner:   "romeo",
				Size:    10,
				Created: at(1),
			}, 0, 10*max+9)
		},
		"files": func(i int) error {
			return s.st.CreateUpload(s.ctx, store.Upload{
				Host:    host,
				ID:      fmt.Sprint("f", i),
				Owner:   "juliet",
				Size:    1,
				Created: at(1),
			}, max, 0)
		},
		"contacts": func(i int) error {
			_, err := s.st.UpdateContact(s.ctx, host, "romeo", fmt.Sprint("x", i, "@y"),
				max, func(c *store.Contact) (bool, error) { c.InRoster = true; return false, nil })
			return err
		},
	} {
		if got := race(n, f); fmt.Sprint(got) != fmt.Sprint(full) {
			s.Errorf("%s: %v, want %v", name, got, full)
		}
	}
	s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "romeo"))), max)
	s.same(len(must[[]store.Upload](s)(s.st.UploadsOf(s.ctx, host, "romeo"))), max)
}

// firstWins: of several callers who want the same thing at once, one gets it.
func firstWins(s *suite) {
	s.user("romeo")
	exists := map[string]int{"ok": 1, store.ErrExists.Error(): 7}
	check := func(name string, want map[string]int, f func(i int) error) {
		s.Helper()
		if got := race(8, f); fmt.Sprint(got) != fmt.Sprint(want) {
			s.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	check("user", exists, func(int) error { return s.st.CreateUser(s.ctx, store.User{Host: host, Name: "juliet"}) })
	check("room", exists, func(int) error {
		return s.st.CreateRoom(s.ctx, roomRow("r"), store.Affiliation{JID: "a@x", Affiliation: "owner"})
	})
	check("group", exists, func(i int) error {
		id := fmt.Sprint("g", i)
		return s.st.CreateGroup(s.ctx, store.Group{Host: host, ID: id, Slug: "eng", Room: id},
			store.Room{Host: rooms, Name: id, Group: id}, nil, store.Bookmark{Room: id + "@" + rooms})
	})
	i := store.Invitation{
		Host:       host,
		ID:         "h",
		Generation: 1,
		Inviter:    "romeo",
		State:      store.InviteOpen,
		MaxUses:    1,
		Created:    at(1),
		Expires:    at(9),
	}
	s.ok(s.st.CreateInvitation(s.ctx, i, 1, store.InvitationEvent{ID: 1}))
	check("invitation", map[string]int{"ok": 1, store.ErrNotFound.Error(): 7}, func(n int) error {
		_, err := s.st.UseInvitation(s.ctx, host, "h", 1, at(2), nil, store.InvitationEvent{ID: store.ID(n + 2)})
		return err
	})
	tok := store.Token{
		Host:      host,
		Owner:     "romeo",
		Client:    "c",
		Fresh:     true,
		Mechanism: "HT",
		Salt:      []byte{1},
		Expires:   at(9),
	}
	s.ok(s.st.PutToken(s.ctx, tok, 2))
	check("token", map[string]int{"ok": 1, store.ErrConflict.Error(): 7}, func(int) error {
		return s.st.UseToken(s.ctx, tok, 0)
	})
	tok.Fresh = false
	check("count", map[string]int{"ok": 1, store.ErrConflict.Error(): 7}, func(int) error {
		return s.st.UseToken(s.ctx, tok, 5)
	})
	s.ok(s.st.CreateUpload(s.ctx, store.Upload{Host: host, ID: "u", Owner: "romeo", Size: 1}, 0, 0))
	check("upload", map[string]int{"ok": 1, store.ErrConflict.Error(): 7}, func(int) error {
		return s.st.FinishUpload(s.ctx, host, "u")
	})
	r := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	check("number in a room", exists, func(i int) error {
		return s.st.Commit(s.ctx, &store.RoomEntry{
			Host:   rooms,
			Room:   "r",
			Epoch:  r.Epoch,
			Seq:    1,
			ID:     store.ID(100 + i),
			Stanza: []byte("<m/>"),
		})
	})
	s.same(must[store.Room](s)(s.st.Room(s.ctx, rooms, "r")).LastSeq, int64(1))
}

// fence checks that a node that takes over a room sees everything that the old holder was told is kept, and that the
// old holder can store nothing more.
func fence(s *suite) {
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r")))
	room := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	for range 5 {
		var kept syncatomic.Int64
		var wg sync.WaitGroup
		some := make(chan struct{})
		wg.Go(func() {
			for seq := room.LastSeq + 1; ; seq++ {
				err := s.st.Commit(s.ctx, &store.RoomEntry{
					Host:   rooms,
					Room:   "r",
					Epoch:  room.Epoch,
					Seq:    seq,
					ID:     store.ID(seq),
					Stanza: []byte("<m/>"),
				})
				if err != nil {
					if !errors.Is(err, store.ErrConflict) {
						s.Error(err)
					}
					if seq < room.LastSeq+20 {
						s.Errorf("the room was lost at %d", seq)
						close(some)
					}
					return
				}
				kept.Store(seq)
				if seq == room.LastSeq+20 {
					close(some)
				}
			}
		})
		<-some
		next := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
		wg.Wait()
		if next.Epoch <= room.Epoch || next.LastSeq != kept.Load() {
			s.Fatalf("epoch %d after %d; the last in it is %d, and %d was acknowledged",
				next.Epoch, room.Epoch, next.LastSeq, kept.Load())
		}
		room = next
	}
	es, complete, total, err := s.st.ReadRoom(s.ctx, rooms, "r", store.Page{Max: 100_000, Count: true})
	s.ok(err)
	if !complete || total != len(es) || int64(total) != room.LastSeq {
		s.Errorf("%d of %d, complete %v; the last is %d", len(es), total, complete, room.LastSeq)
	}
	for i, e := range es {
		if e.Seq != int64(i+1) {
			s.Fatalf("%d is in place %d", e.Seq, i)
		}
	}
}

// takers: nobody shares an epoch.
func takers(s *suite) {
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r")))
	var mu sync.Mutex
	var epochs []int64
	got := race(8, func(int) error {
		r, err := s.st.TakeRoom(s.ctx, rooms, "r")
		mu.Lock()
		defer mu.Unlock()
		epochs = append(epochs, r.Epoch)
		return err
	})
	s.same(got, map[string]int{"ok": 8})
	slices.Sort(epochs)
	s.same(len(slices.Compact(epochs)), 8)
}
