package storetest

import "parley/store"

// pins are kept once, within a limit, listed from the last on, found by either id, and go with people and rooms.
func pins(s *suite) {
	const room, romeo, juliet = "verona@" + rooms, "romeo@example.org", "juliet@example.org"
	s.user("romeo", "juliet", "nurse")
	inRoom := store.Pin{Host: host, Room: room}
	ofTwo := store.Pin{Host: host, One: juliet, Two: romeo}
	pin := func(at store.Pin, id, message, other store.ID, maker string) store.Pin {
		at.ID, at.Message, at.Other, at.Maker = id, message, other, maker
		return at
	}
	a, b := pin(inRoom, 10, 3, 0, romeo), pin(inRoom, 20, 4, 0, "nurse@example.org")
	c, d := pin(ofTwo, 30, 3, 5, juliet), pin(ofTwo, 40, 0, 6, romeo)
	for _, p := range []store.Pin{a, b, c, d, pin(inRoom, 50, 3, 0, juliet)} {
		s.ok(s.st.AddPin(s.ctx, p, 2))
	}
	s.is(s.st.AddPin(s.ctx, pin(inRoom, 60, 9, 0, romeo), 2), store.ErrLimit)
	list := func(at store.Pin, want ...store.Pin) {
		s.Helper()
		s.same(must[[]store.Pin](s)(s.st.Pins(s.ctx, at)), want)
	}
	list(inRoom, b, a)
	list(ofTwo, d, c)
	list(store.Pin{Host: other, Room: room})
	s.same(must[[]store.Pin](s)(s.st.PinnedConversations(s.ctx, host)), []store.Pin{ofTwo, inRoom})
	s.same(must[bool](s)(s.st.DeletePins(s.ctx, pin(ofTwo, 0, 9, 0, ""))), false)
	s.same(must[bool](s)(s.st.DeletePins(s.ctx, pin(ofTwo, 0, 0, 5, ""))), true)
	s.same(must[bool](s)(s.st.DeletePins(s.ctx, pin(inRoom, 0, 4, 0, ""))), true)
	list(inRoom, a)
	list(ofTwo, d)

	s.deleted(host, "juliet")
	list(ofTwo)
	s.deleted(host, "romeo")
	a.Maker = ""
	list(inRoom, a)
	s.ok(s.st.CreateRoom(s.ctx, roomRow("verona")))
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "verona", at(1)))
	list(inRoom)
	s.same(len(must[[]store.Pin](s)(s.st.PinnedConversations(s.ctx, host))), 0)
}
