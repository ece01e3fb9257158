package storetest

import "parley/store"

// savedMessages are kept once, within a limit, listed from the last on, and go with the account or the room.
func savedMessages(s *suite) {
	s.user("romeo", "juliet")
	const room = "verona@" + rooms
	m := func(id store.ID, owner, chat string, message store.ID) store.SavedMessage {
		return store.SavedMessage{Host: host, Owner: owner, ID: id, Chat: chat, Message: message}
	}
	a, b, c := m(10, "romeo", room, 3), m(20, "romeo", "juliet@example.org", 3), m(30, "romeo", room, 1)
	for _, x := range []store.SavedMessage{a, b, c, m(40, "romeo", room, 3), m(50, "juliet", room, 3)} {
		s.ok(s.st.SaveMessage(s.ctx, x, 3))
	}
	s.is(s.st.SaveMessage(s.ctx, m(60, "romeo", room, 4), 3), store.ErrLimit)
	list := func(owner string, before store.ID, limit int, want ...store.SavedMessage) {
		s.Helper()
		s.same(must[[]store.SavedMessage](s)(s.st.SavedMessages(s.ctx, host, owner, before, limit)), want)
	}
	list("romeo", 0, 9, c, b, a)
	list("romeo", 0, 1, c)
	list("romeo", 20, 9, a)
	s.ok(s.st.UnsaveMessage(s.ctx, host, "romeo", room, 1))
	s.ok(s.st.UnsaveMessage(s.ctx, host, "romeo", room, 99))
	list("romeo", 0, 9, b, a)
	s.same(len(must[[]store.SavedMessage](s)(s.st.SavedMessages(s.ctx, other, "romeo", 0, 9))), 0)

	s.ok(s.st.CreateRoom(s.ctx, roomRow("verona")))
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "verona", at(1)))
	list("romeo", 0, 9, b)
	list("juliet", 0, 9)
	s.deleted(host, "romeo")
	list("romeo", 0, 9)
}
