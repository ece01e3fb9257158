package storetest

import (
	"errors"
	"time"

	"parley/store"
)

// tasks are kept with their conversation, changed, found by who is to do them, and claimed once when they are due.
func tasks(s *suite) {
	const room = "verona@" + rooms
	day := func(n int) time.Time { return time.Date(2026, 12, n, 17, 0, 0, 0, time.UTC) }
	a := store.Task{
		Host:     host,
		ID:       10,
		Room:     room,
		Maker:    "romeo@example.org",
		Assignee: "juliet@example.org",
		What:     "Write a letter",
		Link:     "https://tickets.example/1",
		Message:  "0000000000001",
		Due:      day(3),
	}
	b := store.Task{Host: host, ID: 20, Room: room, Maker: "juliet@example.org", What: "Buy paper", Due: day(2)}
	c := store.Task{Host: host, ID: 30, One: "juliet@example.org", Two: "romeo@example.org",
		Maker: "juliet@example.org", Assignee: "romeo@example.org", What: "Come"}
	for _, t := range []store.Task{a, b, c} {
		s.ok(s.st.AddTask(s.ctx, t, 2))
	}
	s.is(s.st.AddTask(s.ctx, store.Task{Host: host, ID: 40, Room: room}, 2), store.ErrLimit)
	s.same(must[store.Task](s)(s.st.Task(s.ctx, host, 10)), a)
	_, err := s.st.Task(s.ctx, other, 10)
	s.is(err, store.ErrNotFound)
	s.same(must[[]store.Task](s)(s.st.TasksOf(s.ctx, host, []store.ID{30, 10, 99})), []store.Task{a, c})
	s.same(len(must[[]store.Task](s)(s.st.TasksOf(s.ctx, host, nil))), 0)

	list := func(f store.TaskFilter, want ...store.Task) {
		f.Host = host
		if f.Max == 0 {
			f.Max = 10
		}
		s.same(must[[]store.Task](s)(s.st.Tasks(s.ctx, f)), want)
	}
	list(store.TaskFilter{Room: room}, b, a)
	list(store.TaskFilter{Room: room, Max: 1}, b)
	list(store.TaskFilter{Room: room, Before: 20}, a)
	list(store.TaskFilter{One: c.One, Two: c.Two}, c)
	list(store.TaskFilter{One: c.Two, Two: c.One})
	list(store.TaskFilter{Assignee: "romeo@example.org"}, c)
	list(store.TaskFilter{Maker: "juliet@example.org"}, c, b)

	// The first deadline comes first, and is claimed once.
	s.same(must[[]store.Task](s)(s.st.DueTasks(s.ctx, host, 10)), []store.Task{b, a})
	s.same(must[bool](s)(s.st.ClaimReminder(s.ctx, host, 20, day(1))), false)
	s.same(must[bool](s)(s.st.ClaimReminder(s.ctx, host, 20, day(2))), true)
	s.same(must[bool](s)(s.st.ClaimReminder(s.ctx, host, 20, day(2))), false)
	s.same(must[[]store.Task](s)(s.st.DueTasks(s.ctx, host, 10)), []store.Task{a})

	no := errors.New("no")
	_, err = s.st.ChangeTask(s.ctx, host, 10, func(*store.Task) error { return no })
	s.is(err, no)
	_, err = s.st.ChangeTask(s.ctx, host, 99, func(*store.Task) error { return nil })
	s.is(err, store.ErrNotFound)
	now := a
	now.Assignee, now.What, now.Link, now.Due = "", "Write two letters", "", day(5)
	now.Done, now.DoneBy, now.Reminded = day(4), "romeo@example.org", true
	got := must[store.Task](s)(s.st.ChangeTask(s.ctx, host, 10, func(t *store.Task) error {
		s.same(*t, a)
		*t = now
		return nil
	}))
	s.same(got, now)
	s.same(must[store.Task](s)(s.st.Task(s.ctx, host, 10)), now)
	s.same(len(must[[]store.Task](s)(s.st.DueTasks(s.ctx, host, 10))), 0)
	b.Reminded = true
	list(store.TaskFilter{Room: room, Open: true}, b)
	list(store.TaskFilter{Room: room, Closed: true}, now)

	s.ok(s.st.DeleteTask(s.ctx, host, 20))
	s.is(s.st.DeleteTask(s.ctx, host, 20), store.ErrNotFound)
	s.same(must[int](s)(s.st.ExpireTasks(s.ctx, host, true, day(4), 10)), 0)
	s.same(must[int](s)(s.st.ExpireTasks(s.ctx, host, false, day(9), 10)), 0)
	s.same(must[int](s)(s.st.ExpireTasks(s.ctx, host, true, day(9), 10)), 1)
	list(store.TaskFilter{Room: room})
}

// tasksOfDeparted: what is of others stays without the name of who is gone, and a new account of the name gets nothing.
// A room that is made anew has no tasks, and those of a destroyed one go in time.
func tasksOfDeparted(s *suite) {
	const zed, romeo, room = "zed@example.org", "romeo@example.org", "verona@" + rooms
	s.ok(s.st.CreateUser(s.ctx, store.User{Host: host, Name: "zed", Created: at(0)}))
	add := func(id store.ID, t store.Task) {
		t.Host, t.ID = host, id
		s.ok(s.st.AddTask(s.ctx, t, 0))
	}
	add(1, store.Task{Room: room, Maker: zed, Assignee: zed, DoneBy: zed, Done: at(1)})
	add(2, store.Task{One: romeo, Two: zed, Maker: zed, Assignee: romeo})
	add(3, store.Task{One: romeo, Two: zed, Maker: zed, Assignee: zed})
	add(4, store.Task{One: zed, Two: zed, Maker: zed})
	s.ok(s.st.DeleteUser(s.ctx, host, "zed"))
	s.same(must[[]store.Task](s)(s.st.TasksOf(s.ctx, host, []store.ID{1, 2, 3, 4})), []store.Task{
		{Host: host, ID: 1, Room: room, Done: at(1)},
		{Host: host, ID: 2, One: romeo, Assignee: romeo},
	})

	r := store.Room{Host: rooms, Name: "verona", Created: at(0)}
	s.ok(s.st.CreateRoom(s.ctx, r))
	s.same(must[int](s)(s.st.ExpireTasks(s.ctx, host, true, at(1), 10)), 0)
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "verona", at(1)))
	add(5, store.Task{Room: room})
	s.same(must[int](s)(s.st.ExpireTasks(s.ctx, host, true, at(1), 10)), 0)
	s.same(must[int](s)(s.st.ExpireTasks(s.ctx, host, true, at(2), 10)), 2)
	add(6, store.Task{Room: room})
	s.ok(s.st.ReviveRoom(s.ctx, r))
	s.same(len(must[[]store.Task](s)(s.st.TasksOf(s.ctx, host, []store.ID{5, 6}))), 0)
}
