package storetest

import (
	"parley/store"
)

// groupSince: where members read only messages since they were added, they find no older ones, and visitors find none.
func groupSince(s *suite) {
	s.user("romeo", "juliet", "nurse")
	g := s.group("g1", "eng", store.Member{JID: "romeo@example.org", Role: store.RoleOwner, Since: at(1)},
		store.Member{JID: "juliet@example.org", Role: store.RoleMember, Since: at(100)})
	room := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, g.Room))
	for i, n := range []int{50, 150} {
		s.ok(s.st.Commit(s.ctx, &store.RoomEntry{
			Host:   rooms,
			Room:   g.Room,
			Epoch:  room.Epoch,
			Seq:    int64(i + 1),
			ID:     store.FirstID(at(n)) + 1,
			Sender: "romeo@example.org",
			Stanza: said("apothecary"),
		}))
	}
	finds := func(who string, want int) {
		s.Helper()
		fs, _, err := s.st.SearchMessages(s.ctx, store.Find{
			Host:  host,
			Rooms: rooms,
			Asker: who + "@example.org",
			Text:  "apothecary",
			Max:   9,
		})
		s.ok(err)
		s.same(len(fs), want)
	}
	finds("romeo", 2)
	finds("juliet", 2)
	g.GroupSettings = store.GroupSettings{Kind: "large", MentionBy: "members"}
	s.ok(s.st.UpdateGroup(s.ctx, g))
	finds("nurse", 2)
	g.SinceJoin = true
	s.ok(s.st.UpdateGroup(s.ctx, g))
	finds("romeo", 2)
	finds("juliet", 1)
	finds("nurse", 0)
	_, err := s.st.IndexArchives(s.ctx, rooms, later())
	s.ok(err)
	finds("juliet", 1)
	finds("nurse", 0)
	// Visitors find messages since they came in, and earlier ones if they may read these for another reason.
	visit := func(who, room string, since, want int) {
		s.Helper()
		f := store.Find{
			Host:   host,
			Rooms:  rooms,
			Asker:  who + "@example.org",
			Text:   "apothecary",
			Max:    9,
			Visits: []store.Visit{{Room: room, Since: at(since)}},
		}
		fs, _, err := s.st.SearchMessages(s.ctx, f)
		s.ok(err)
		s.same(len(fs), want)
		if want > 0 {
			s.same(fs[0].GroupName, g.Name)
		}
		f.Group = "other"
		fs, _, err = s.st.SearchMessages(s.ctx, f)
		s.ok(err)
		s.same(len(fs), 0)
	}
	visit("nurse", g.Room, 100, 1)
	visit("nurse", g.Room, 200, 0)
	visit("nurse", g.Room, 10, 2)
	visit("nurse", "none", 10, 0)
	visit("romeo", g.Room, 200, 2)
	visit("juliet", g.Room, 10, 1)
}
