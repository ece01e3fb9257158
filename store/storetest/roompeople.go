package storetest

import (
	"parley/store"
)

// roomPeople: since when somebody is in a room, how many rooms a person owns, and who asks to be in one.
func roomPeople(s *suite) {
	owner := store.Affiliation{JID: "romeo@example.org", Affiliation: "owner", Since: at(1)}
	s.ok(s.st.CreateRoom(s.ctx, roomRow("a"), owner))
	s.ok(s.st.CreateRoom(s.ctx, roomRow("b"), owner))
	member := store.Affiliation{JID: "juliet@example.org", Affiliation: "member", Since: at(5)}
	s.ok(s.st.SetAffiliations(s.ctx, rooms, "a", member))
	member.Affiliation, member.Since = "admin", at(9) // the first time counts
	s.ok(s.st.SetAffiliations(s.ctx, rooms, "a", member))
	member.Since = at(5)
	s.same(must[[]store.Affiliation](s)(s.st.Affiliations(s.ctx, rooms, "a")), []store.Affiliation{member, owner})
	s.ok(s.st.SetAffiliations(s.ctx, rooms, "a", store.Affiliation{JID: member.JID, Affiliation: "none"}))
	member.Since = at(11)
	s.ok(s.st.SetAffiliations(s.ctx, rooms, "a", member))
	s.same(must[[]store.Affiliation](s)(s.st.Affiliations(s.ctx, rooms, "a")), []store.Affiliation{member, owner})

	owned := func(want int) {
		s.Helper()
		s.same(must[int](s)(s.st.RoomsOwned(s.ctx, rooms, owner.JID)), want)
	}
	owned(2)
	g := roomRow("g")
	g.Group = "g1"
	s.ok(s.st.CreateRoom(s.ctx, g, owner))
	owned(2)
	s.same(must[int](s)(s.st.RoomsOwned(s.ctx, rooms, member.JID)), 0)
	s.same(must[int](s)(s.st.RoomsOwned(s.ctx, "other.example", owner.JID)), 0)

	ask := func(jid string, t int, max int) error {
		return s.st.AddRoomRequest(s.ctx, rooms, "a", store.RoomRequest{JID: jid, Nick: jid[:1], Since: at(t)}, max)
	}
	s.ok(ask("x@y", 3, 2))
	s.ok(ask("b@y", 4, 2))
	s.is(ask("c@y", 5, 2), store.ErrLimit)
	s.ok(s.st.AddRoomRequest(s.ctx, rooms, "a", store.RoomRequest{JID: "x@y", Nick: "new", Since: at(8)}, 2))
	s.same(must[[]store.RoomRequest](s)(s.st.RoomRequests(s.ctx, rooms, "a")),
		[]store.RoomRequest{{JID: "x@y", Nick: "new", Since: at(3)}, {JID: "b@y", Nick: "b", Since: at(4)}})
	s.ok(s.st.DeleteRoomRequest(s.ctx, rooms, "a", "x@y"))
	s.ok(s.st.DeleteRoomRequest(s.ctx, rooms, "a", "x@y"))
	s.same(len(must[[]store.RoomRequest](s)(s.st.RoomRequests(s.ctx, rooms, "a"))), 1)
	s.same(len(must[[]store.RoomRequest](s)(s.st.RoomRequests(s.ctx, rooms, "b"))), 0)

	s.ok(s.st.DestroyRoom(s.ctx, rooms, "a", at(20)))
	owned(1)
	s.ok(s.st.ReviveRoom(s.ctx, roomRow("a")))
	s.same(len(must[[]store.RoomRequest](s)(s.st.RoomRequests(s.ctx, rooms, "a"))), 0)
	s.ok(s.st.SetAffiliations(s.ctx, rooms, "a",
		store.Affiliation{JID: member.JID, Affiliation: "member", Since: at(30)}))
	s.same(must[[]store.Affiliation](s)(s.st.Affiliations(s.ctx, rooms, "a"))[0].Since, at(30))
}
