package storetest

import (
	"context"

	"parley/store"
)

// written: the messages that people wrote between two ids, in their archives and in those of rooms.
func written(s *suite) {
	counter, ok := s.st.(interface {
		Written(ctx context.Context, host, rooms string, since, until store.ID,
			tell func(account string, bytes int64)) error
	})
	if !ok {
		s.Skip("nobody counts")
	}
	s.user("romeo", "juliet")
	s.ok(s.st.CreateRoom(s.ctx, store.Room{Host: rooms, Name: "r", Created: at(1)}))
	r := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	entry := func(owner, with string, id store.ID, incoming bool, size int) store.Write {
		return &store.ArchiveEntry{
			Host:     host,
			Owner:    owner,
			ID:       id,
			With:     with,
			Incoming: incoming,
			Stanza:   make([]byte, size),
		}
	}
	said := func(sender string, id store.ID, size int) store.Write {
		return &store.RoomEntry{
			Host:   rooms,
			Room:   "r",
			Epoch:  r.Epoch,
			Seq:    int64(id),
			ID:     id,
			Sender: sender,
			Stanza: make([]byte, size),
		}
	}
	romeo, juliet := "romeo@"+host, "juliet@"+host
	s.ok(s.st.Commit(s.ctx, entry("romeo", juliet, 9, false, 1), entry("romeo", juliet, 10, false, 2),
		entry("juliet", romeo, 11, true, 2), entry("romeo", romeo, 12, true, 4), entry("romeo", juliet, 19, false, 8),
		entry("romeo", juliet, 20, false, 16)))
	s.ok(s.st.Commit(s.ctx, said(romeo, 9, 32)))
	s.ok(s.st.Commit(s.ctx, said(romeo, 10, 64)))
	s.ok(s.st.Commit(s.ctx, said("romeo@elsewhere.example", 11, 128)))
	s.ok(s.st.Commit(s.ctx, said("", 12, 256)))
	got := make(map[string]int64)
	s.ok(counter.Written(s.ctx, host, rooms, 10, 20, func(account string, bytes int64) { got[account] += bytes }))
	s.same(got, map[string]int64{"romeo": 2 + 4 + 8 + 64})
}
