package storetest

import "parley/store"

// desks have one arrangement and some drafts for each account, and go with it. A draft goes with its conversation.
func desks(s *suite) {
	const room = "verona@" + rooms
	_, err := s.st.Sidebar(s.ctx, host, "zed")
	s.is(err, store.ErrNotFound)
	s.is(s.st.SetSidebar(s.ctx, host, "zed", "{}"), store.ErrNotFound)
	s.is(s.st.SetDraft(s.ctx, host, "zed", store.Draft{Chat: room, Text: "x"}, 2), store.ErrNotFound)
	for _, name := range []string{"yan", "zed"} {
		s.ok(s.st.CreateUser(s.ctx, store.User{Host: host, Name: name, Created: at(0)}))
	}
	s.ok(s.st.SetSidebar(s.ctx, host, "zed", "{}"))
	s.ok(s.st.SetSidebar(s.ctx, host, "zed", `{"a":1}`))
	s.same(must[string](s)(s.st.Sidebar(s.ctx, host, "zed")), `{"a":1}`)

	set := func(owner, chat, text string, n int) error {
		return s.st.SetDraft(s.ctx, host, owner, store.Draft{Chat: chat, Text: text, At: at(n)}, 2)
	}
	list := func(owner string, want ...store.Draft) {
		s.same(must[[]store.Draft](s)(s.st.Drafts(s.ctx, host, owner)), want)
	}
	s.ok(set("zed", room, "Dear", 1))
	s.ok(set("zed", "yan@example.org", "Hi", 2))
	s.is(set("zed", "romeo@example.org", "too many", 3), store.ErrLimit)
	s.ok(set("zed", room, "Dear all", 3))
	a := store.Draft{Chat: room, Text: "Dear all", At: at(3)}
	b := store.Draft{Chat: "yan@example.org", Text: "Hi", At: at(2)}
	list("zed", a, b)
	s.ok(set("zed", room, "", 4))
	s.ok(set("zed", room, "", 4))
	list("zed", b)
	s.ok(set("zed", room, a.Text, 3))

	r := store.Room{Host: rooms, Name: "verona", Created: at(0)}
	s.ok(s.st.CreateRoom(s.ctx, r))
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "verona", at(1)))
	s.ok(s.st.ReviveRoom(s.ctx, r))
	list("zed", b)
	s.ok(s.st.DeleteUser(s.ctx, host, "yan"))
	list("zed")
	s.ok(set("zed", room, a.Text, 3))
	s.ok(s.st.DeleteUser(s.ctx, host, "zed"))
	list("zed")
	_, err = s.st.Sidebar(s.ctx, host, "zed")
	s.is(err, store.ErrNotFound)
}
