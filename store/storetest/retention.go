package storetest

import (
	"time"

	"parley/store"
)

// retentions are what administrators and people say about how long messages are kept.
func retentions(s *suite) {
	const day = 24 * time.Hour
	s.user("juliet", "nurse", "romeo")
	s.ok(s.st.CreateUser(s.ctx, store.User{Host: other, Name: "romeo", Created: at(1)}))
	set := func(host, name string, f func(*store.Retention)) {
		s.ok(s.st.SetRetention(s.ctx, host, name, f))
	}
	s.same(must[store.Retention](s)(s.st.Retention(s.ctx, host, "romeo")), store.Retention{})
	set(host, "romeo", func(r *store.Retention) { r.Set = 30 * day })
	set(host, "romeo", func(r *store.Retention) { r.Own = 7 * day })
	set(host, "juliet", func(r *store.Retention) { r.Set = store.Forever })
	set(other, "romeo", func(r *store.Retention) { r.Own = day })
	s.same(must[store.Retention](s)(s.st.Retention(s.ctx, host, "romeo")), store.Retention{Set: 30 * day, Own: 7 * day})
	s.same(must[[]store.AccountRetention](s)(s.st.Retentions(s.ctx, host, "", 2)),
		[]store.AccountRetention{{Name: "juliet", Retention: store.Retention{Set: store.Forever}}, {Name: "nurse"}})
	s.same(must[[]store.AccountRetention](s)(s.st.Retentions(s.ctx, host, "nurse", 2)),
		[]store.AccountRetention{{Name: "romeo", Retention: store.Retention{Set: 30 * day, Own: 7 * day}}})
	set(host, "romeo", func(r *store.Retention) { r.Set = 0 })
	s.same(must[store.Retention](s)(s.st.Retention(s.ctx, host, "romeo")), store.Retention{Own: 7 * day})
	s.is(s.st.SetRetention(s.ctx, host, "nobody", func(r *store.Retention) { r.Set = day }), store.ErrNotFound)
	s.same(must[store.Retention](s)(s.st.Retention(s.ctx, host, "nobody")), store.Retention{})

	// A new account of the same name has no retention.
	s.deleted(host, "romeo")
	s.user("romeo")
	s.same(must[store.Retention](s)(s.st.Retention(s.ctx, host, "romeo")), store.Retention{})
	s.same(must[store.Retention](s)(s.st.Retention(s.ctx, other, "romeo")), store.Retention{Own: day})
}

// roomsExpire: old messages of rooms go, also where the room has ended; numbers go on.
func roomsExpire(s *suite) {
	for _, name := range []string{"ended", "live", "quiet"} {
		s.ok(s.st.CreateRoom(s.ctx, roomRow(name)))
		r := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, name))
		for i := 1; i <= 5; i++ {
			e := &store.RoomEntry{
				Host:   rooms,
				Room:   name,
				Epoch:  r.Epoch,
				Seq:    int64(i),
				ID:     store.FirstID(at(i)) + 1,
				Stanza: []byte("<message xmlns='jabber:client'><body>needle</body></message>"),
			}
			s.ok(s.st.Commit(s.ctx, e))
		}
	}
	must[int](s)(s.st.IndexArchives(s.ctx, rooms, time.Now()))
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "ended", at(9)))
	s.same(must[int](s)(s.st.ExpireRooms(s.ctx, other, at(9))), 0)
	s.same(must[int](s)(s.st.ExpireRooms(s.ctx, rooms, at(4))), 9)
	s.same(must[int](s)(s.st.ExpireRooms(s.ctx, rooms, at(4))), 0)
	for _, text := range []string{"", "needle"} {
		es, _, _, err := s.st.ReadRoom(s.ctx, rooms, "live", store.Page{Max: 9, Text: text})
		s.ok(err)
		s.same([]int64{int64(len(es)), es[0].Seq, es[1].Seq}, []int64{2, 4, 5})
	}
	s.same(must[store.Room](s)(s.st.Room(s.ctx, rooms, "live")).LastSeq, int64(5))
}
