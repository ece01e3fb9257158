package storetest

import (
	"time"

	"parley/store"
)

func follows(s *suite) {
	s.user("romeo", "juliet", "nurse", "paris")
	s.group("g1", "eng")
	const room = "eng.k@" + rooms
	for _, u := range []string{"romeo", "juliet", "nurse"} {
		s.ok(s.st.SetBookmarks(s.ctx, host, u, 0, store.Bookmark{Room: room, Name: "n", Nick: "x", Autojoin: true},
			store.Bookmark{Room: "other@" + rooms, Autojoin: true}))
	}
	s.ok(s.st.SetBookmarks(s.ctx, host, "paris", 0, store.Bookmark{Room: room}))
	state := func(u string) string {
		st, _, err := s.st.Follow(s.ctx, host, "k", u)
		s.ok(err)
		return st
	}
	s.same(state("romeo"), store.FollowAuto)
	s.ok(s.st.SetFollow(s.ctx, host, "k", "romeo", store.FollowYes))
	s.same(must[[]string](s)(s.st.Doze(s.ctx, host, "k", room)), []string{"juliet", "nurse"})
	s.same([]string{state("romeo"), state("juliet"), state("paris")},
		[]string{store.FollowYes, store.FollowSleep, store.FollowAuto})
	s.same(must[int](s)(s.st.Dormant(s.ctx, host, "k")), 2)
	auto := func(u string) bool {
		for _, b := range must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, u)) {
			if b.Room == room {
				s.same(b.Nick == "x", u != "paris")
				return b.Autojoin
			}
			s.same(b.Autojoin, true)
		}
		return false
	}
	s.same([]bool{auto("romeo"), auto("juliet"), auto("nurse")}, []bool{true, false, false})
	s.same(len(must[[]string](s)(s.st.Doze(s.ctx, host, "k", room))), 0)
	s.ok(s.st.SetFollow(s.ctx, host, "k", "nurse", store.FollowMuted))
	woken, left, err := s.st.Wake(s.ctx, host, "k", room, time.Now().Add(-time.Hour))
	s.ok(err)
	s.same([]any{woken, left, auto("juliet"), auto("nurse"), state("juliet")},
		[]any{[]string{"juliet"}, 0, true, false, store.FollowAuto})
	// Not again within the hour.
	s.same(must[[]string](s)(s.st.Doze(s.ctx, host, "k", room)), []string{"juliet"})
	woken, left, err = s.st.Wake(s.ctx, host, "k", room, time.Now().Add(-time.Hour))
	s.ok(err)
	s.same([]any{len(woken), left, auto("juliet")}, []any{0, 1, false})
	s.deleted(host, "juliet")
	s.same(must[int](s)(s.st.Dormant(s.ctx, host, "k")), 0)
}

func mandatoryRooms(s *suite) {
	s.user("romeo", "juliet")
	s.group("g1", "eng", store.Member{JID: "romeo@" + host, Role: store.RoleMember, Since: at(1)},
		store.Member{JID: "juliet@" + host, Role: store.RoleBanned, Since: at(1)})
	s.group("g2", "art", store.Member{JID: "romeo@" + host, Role: store.RoleMember, Since: at(1)})
	g := must[store.Group](s)(s.st.Group(s.ctx, host, "g1"))
	g.Mandatory = "t1"
	s.ok(s.st.UpdateGroup(s.ctx, g))
	of := func(u string) []store.Bookmark { return must[[]store.Bookmark](s)(s.st.MandatoryRooms(s.ctx, host, u)) }
	s.same([]int{len(of("romeo")), len(of("juliet"))}, []int{0, 0})
	b := store.Bookmark{Room: "eng@" + rooms, Name: "Mine", Nick: "R"}
	s.ok(s.st.SetBookmarks(s.ctx, host, "romeo", 0, b))
	b.Autojoin = true
	s.same(of("romeo"), []store.Bookmark{b})
	s.ok(s.st.DeleteBookmarks(s.ctx, host, "romeo", b.Room))
	s.same(of("romeo"), []store.Bookmark{{Room: b.Room, Name: g.Name, Autojoin: true}})
}
