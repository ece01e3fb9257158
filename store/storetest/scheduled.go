package storetest

import (
	"errors"
	"time"

	"parley/store"
)

// scheduled messages are kept for their owner up to a number, changed, and claimed once when they are due. They go with
// their owner, and stay without a conversation that is gone.
func scheduled(s *suite) {
	const room = "verona@" + rooms
	day := func(n int) time.Time { return time.Date(2026, 12, n, 9, 0, 0, 0, time.UTC) }
	s.ok(s.st.CreateUser(s.ctx, store.User{Host: host, Name: "zed", Created: at(0)}))
	a := store.Scheduled{Host: host, Owner: "zed", ID: 10, Chat: room, Text: "Good morning", More: "{}",
		Due: day(3), Next: day(3)}
	b := store.Scheduled{Host: host, Owner: "zed", ID: 20, Chat: "yan@example.org", Reminder: true, Text: "Call",
		Due: day(2), Next: day(2)}
	c := store.Scheduled{Host: host, Owner: "yan", ID: 30, Chat: "zed@example.org", Text: "Hello", Due: day(4),
		Next: day(4)}
	for _, x := range []store.Scheduled{a, b, c} {
		s.ok(s.st.AddScheduled(s.ctx, x, 2))
	}
	s.is(s.st.AddScheduled(s.ctx, store.Scheduled{Host: host, Owner: "zed", ID: 40}, 2), store.ErrLimit)
	list := func(owner string, want ...store.Scheduled) {
		s.same(must[[]store.Scheduled](s)(s.st.Scheduled(s.ctx, host, owner)), want)
	}
	list("zed", b, a)
	list("romeo")

	// The first comes first, and is claimed once.
	due := func(want ...store.Scheduled) {
		s.same(must[[]store.Scheduled](s)(s.st.DueScheduled(s.ctx, host, 10)), want)
	}
	due(b, a, c)
	s.same(must[bool](s)(s.st.ClaimScheduled(s.ctx, host, 20, day(1), day(9))), false)
	s.same(must[bool](s)(s.st.ClaimScheduled(s.ctx, host, 20, day(2), day(9))), true)
	s.same(must[bool](s)(s.st.ClaimScheduled(s.ctx, host, 20, day(2), day(9))), false)
	b.Next = day(9)
	due(a, c, b)

	no := errors.New("no")
	_, err := s.st.ChangeScheduled(s.ctx, host, "zed", 10, func(*store.Scheduled) error { return no })
	s.is(err, no)
	_, err = s.st.ChangeScheduled(s.ctx, host, "yan", 10, func(*store.Scheduled) error { return nil })
	s.is(err, store.ErrNotFound)
	now := a
	now.Text, now.More, now.Due, now.Next, now.Failed = "Good evening", "", day(5), time.Time{}, "Too late"
	got := must[store.Scheduled](s)(s.st.ChangeScheduled(s.ctx, host, "zed", 10, func(x *store.Scheduled) error {
		s.same(*x, a)
		*x = now
		return nil
	}))
	s.same(got, now)
	list("zed", b, now)
	due(c, b)

	// A room that is made anew is another one, and so is somebody of the same name.
	r := store.Room{Host: rooms, Name: "verona", Created: at(0)}
	s.ok(s.st.CreateRoom(s.ctx, r))
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "verona", at(1)))
	s.ok(s.st.ReviveRoom(s.ctx, r))
	now.Chat = ""
	list("zed", b, now)
	s.is(s.st.DeleteScheduled(s.ctx, host, "yan", 10), store.ErrNotFound)
	s.ok(s.st.DeleteScheduled(s.ctx, host, "zed", 10))
	s.ok(s.st.DeleteUser(s.ctx, host, "zed"))
	list("zed")
	c.Chat = ""
	list("yan", c)
}
