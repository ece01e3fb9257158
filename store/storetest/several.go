package storetest

import (
	"strconv"

	"parley/store"
)

// several: conversations of a few people are found by who is in them, and a room is one only if its row says so.
func several(s *suite) {
	s.user("romeo", "juliet", "mercutio", "nurse", "paris")
	jid := func(name string) string { return name + "@" + host }
	made := 0
	make := func(name, title string, talk bool, people ...string) {
		made++
		r := roomRow(name)
		r.Access, r.Created = store.RoomAccess{Since: true, Named: true, Several: talk, Title: title}, at(made)
		var as []store.Affiliation
		for _, p := range people {
			as = append(as, store.Affiliation{JID: jid(p), Affiliation: "member", Since: at(made)})
		}
		s.ok(s.st.CreateRoom(s.ctx, r, as...))
	}
	make("a", "", true, "romeo", "juliet", "nurse")
	make("b", "Masks", true, "romeo", "juliet", "nurse", "mercutio")
	make("c", "", false, "romeo", "juliet", "mercutio") // a members' room of another kind
	make("d", "", true, "juliet", "nurse", "mercutio")
	make("e", "", true, "romeo", "mercutio", "nurse")
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "e", at(9)))

	of := func(name string, limit int) []store.Several {
		return must[[]store.Several](s)(s.st.SeveralOf(s.ctx, rooms, jid(name), limit))
	}
	a := store.Several{Room: "a", People: []string{jid("juliet"), jid("nurse"), jid("romeo")}}
	b := store.Several{Room: "b", Title: "Masks",
		People: []string{jid("juliet"), jid("mercutio"), jid("nurse"), jid("romeo")}}
	s.same(of("romeo", 9), []store.Several{a, b})
	s.same(of("romeo", 1), []store.Several{a})
	s.same(len(of("mercutio", 9)), 2)
	s.same(len(of("tybalt", 9)), 0)

	among := func(people ...string) string {
		var js []string
		for _, p := range people {
			js = append(js, jid(p))
		}
		room, err := s.st.SeveralAmong(s.ctx, rooms, js...)
		if room == "" {
			s.is(err, store.ErrNotFound)
			return ""
		}
		s.ok(err)
		return room
	}
	s.same(among("nurse", "romeo", "juliet"), "a")
	s.same(among("mercutio", "nurse", "romeo", "juliet"), "b")
	s.same(among("romeo", "juliet", "mercutio"), "") // not such a room
	s.same(among("romeo", "mercutio", "nurse"), "")  // destroyed
	s.same(among("romeo", "juliet"), "")
	s.same(among(), "")

	s.ok(s.st.SetAffiliations(s.ctx, rooms, "b", store.Affiliation{JID: jid("mercutio"), Affiliation: "none"}))
	s.same(among("nurse", "romeo", "juliet"), "b") // the later one
	s.ok(s.st.SaveRoomConfig(s.ctx, rooms, "b", []byte("{}"), store.RoomAccess{Several: true, Title: "Ball"}))
	s.same(of("romeo", 9)[1].Title, "Ball")

	s.same(must[[]string](s)(s.st.RoomsWithoutOwner(s.ctx, rooms, "")), []string{"c"})
	s.ok(s.st.DeleteUser(s.ctx, host, "romeo"))
	s.same(len(of("romeo", 9)), 0)
	s.same(of("nurse", 9)[0].People, []string{jid("juliet"), jid("nurse")})
	s.same(len(must[[]string](s)(s.st.SeveralDeserted(s.ctx, rooms))), 0)
	make("deserted", "", true, "paris")
	s.ok(s.st.DeleteUser(s.ctx, host, "paris"))
	s.same(must[[]string](s)(s.st.SeveralDeserted(s.ctx, rooms)), []string{"deserted"})
	for i := range 30 { // more than one page's worth
		make("many"+strconv.Itoa(i), "", true, "juliet", "nurse")
	}
	s.same(len(of("nurse", 100)), 33)
}
