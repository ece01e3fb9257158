package storetest

import (
	"fmt"
	"time"

	"parley/store"
)

func entry(owner string, id int, with string) *store.ArchiveEntry {
	return &store.ArchiveEntry{
		Host:     host,
		Owner:    owner,
		ID:       store.ID(id),
		With:     with,
		WithRes:  "res",
		Incoming: id%2 == 0,
		OriginID: fmt.Sprint("o", id),
		Stanza:   fmt.Appendf(nil, "<message id='%d'/>", id),
	}
}

func commit(s *suite) {
	s.user("romeo", "juliet")
	s.ok(s.st.Commit(s.ctx))
	s.ok(s.st.Commit(s.ctx, entry("romeo", 1, "juliet@example.org"), entry("juliet", 2, "romeo@example.org"),
		&store.OfflineEntry{
			Host:    host,
			Owner:   "juliet",
			ID:      3,
			Stanza:  []byte("<message/>"),
			Expires: time.Now().Add(time.Hour),
		}))
	// All or nothing: a room's entry that may not be takes the others with it.
	s.ok(s.st.CreateRoom(s.ctx, store.Room{Host: rooms, Name: "r", Created: at(1)}))
	stale := &store.RoomEntry{Host: rooms, Room: "r", Epoch: 77, Seq: 1, ID: 9, Stanza: []byte("<message/>")}
	s.is(s.st.Commit(s.ctx, entry("romeo", 4, "juliet@example.org"), stale), store.ErrConflict)
	es, _, _, err := s.st.ReadArchive(s.ctx, host, "romeo", store.Page{Max: 10})
	s.ok(err)
	s.same(len(es), 1)
	s.same(s.waiting(host, "juliet"), 1)
}

func replace(s *suite) {
	s.user("romeo")
	s.ok(s.st.Commit(s.ctx, entry("romeo", 1, "juliet@example.org"), entry("romeo", 3, "juliet@example.org"),
		entry("romeo", 4, "juliet@example.org")))
	_, err := s.st.FindArchived(s.ctx, host, "romeo", "juliet@example.org", "o3", true)
	s.is(err, store.ErrNotFound)
	_, err = s.st.FindArchived(s.ctx, host, "romeo", "nurse@example.org", "o3", false)
	s.is(err, store.ErrNotFound)
	e, err := s.st.FindArchived(s.ctx, host, "romeo", "juliet@example.org", "o3", false)
	s.ok(err)
	s.same(e.ID, store.ID(3))
	s.ok(s.st.ReplaceArchived(s.ctx, host, "romeo", 3, []byte("<gone/>")))
	s.is(s.st.ReplaceArchived(s.ctx, host, "romeo", 99, []byte("<gone/>")), store.ErrNotFound)
	es, _, _, err := s.st.ReadArchive(s.ctx, host, "romeo", store.Page{Max: 10})
	s.ok(err)
	s.same([]string{string(es[0].Stanza), string(es[1].Stanza)}, []string{"<message id='1'/>", "<gone/>"})
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r")))
	r := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	s.ok(s.st.Commit(s.ctx, &store.RoomEntry{
		Host:   rooms,
		Room:   "r",
		Epoch:  r.Epoch,
		Seq:    1,
		ID:     5,
		Stanza: []byte("<m/>"),
	}))
	s.ok(s.st.ReplaceInRoom(s.ctx, rooms, "r", 5, []byte("<gone/>")))
	s.is(s.st.ReplaceInRoom(s.ctx, rooms, "r", 6, []byte("<gone/>")), store.ErrNotFound)
	es, _, _, err = s.st.ReadRoom(s.ctx, rooms, "r", store.Page{Max: 1})
	s.ok(err)
	s.same(string(es[0].Stanza), "<gone/>")
}

func ids(es []store.Archived) (is []int) {
	for _, e := range es {
		is = append(is, int(e.ID))
	}
	return is
}

func archive(s *suite) {
	s.user("romeo")
	_, _, err := s.st.ArchiveBounds(s.ctx, host, "romeo")
	s.is(err, store.ErrNotFound)
	es, complete, total, err := s.st.ReadArchive(s.ctx, host, "romeo", store.Page{Max: 10, Count: true})
	s.ok(err)
	if len(es) != 0 || !complete || total != 0 {
		s.Errorf("%v %v %v", es, complete, total)
	}
	for i := 1; i <= 6; i++ {
		with := "juliet@example.org"
		if i > 4 {
			with = "nurse@example.org"
		}
		s.ok(s.st.Commit(s.ctx, entry("romeo", i, with)))
	}
	s.ok(s.st.Commit(s.ctx, &store.ArchiveEntry{
		Host:   other,
		Owner:  "romeo",
		ID:     7,
		With:   "x@y",
		Stanza: []byte("<message/>"),
	}))
	first, last, err := s.st.ArchiveBounds(s.ctx, host, "romeo")
	s.ok(err)
	s.same([]store.ID{first, last}, []store.ID{1, 6})
	es, _, _, err = s.st.ReadArchive(s.ctx, host, "romeo", store.Page{Max: 1})
	s.ok(err)
	s.same(string(es[0].Stanza), "<message id='1'/>")
	s.same(must[int](s)(s.st.ExpireArchive(s.ctx, host, "juliet", store.Epoch.Add(time.Hour), 4)), 0)
	n := must[int](s)(s.st.ExpireArchive(s.ctx, host, "romeo", store.Epoch.Add(time.Hour), 4))
	s.same(n, 4)
	es, _, _, err = s.st.ReadArchive(s.ctx, host, "romeo", store.Page{Max: 10})
	s.ok(err)
	s.same(ids(es), []int{5, 6})
	s.same(must[int](s)(s.st.ExpireArchive(s.ctx, host, "romeo", store.Epoch.Add(time.Hour), 10)), 2)
	es, _, _, err = s.st.ReadArchive(s.ctx, other, "romeo", store.Page{Max: 10})
	s.ok(err)
	s.same(ids(es), []int{7})
}

func archivePages(s *suite) {
	s.user("romeo")
	var ws []store.Write
	for i := 1; i <= 10; i++ {
		with := "juliet@example.org"
		if i%5 == 0 {
			with = "nurse@example.org"
		}
		e := entry("romeo", i, with)
		e.ID = store.FirstID(at(i)) + 1
		ws = append(ws, e)
	}
	s.ok(s.st.Commit(s.ctx, ws...))
	id := func(i int) store.ID { return store.FirstID(at(i)) + 1 }
	for _, c := range []struct {
		name     string
		page     store.Page
		want     []int
		complete bool
		total    int
	}{
		{"first page", store.Page{Max: 3}, []int{1, 2, 3}, false, 10},
		{"all", store.Page{Max: 10}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, true, 10},
		{"after", store.Page{Max: 3, After: id(8)}, []int{9, 10}, true, 10},
		{"the last", store.Page{Max: 3, Backwards: true}, []int{8, 9, 10}, false, 10},
		{"before", store.Page{Max: 3, Backwards: true, Before: id(3)}, []int{1, 2}, true, 10},
		{"between", store.Page{Max: 9, After: id(3), Before: id(6)}, []int{4, 5}, true, 10},
		{"with", store.Page{Max: 9, With: "nurse@example.org"}, []int{5, 10}, true, 2},
		{"with a resource", store.Page{Max: 9, With: "nurse@example.org/res"}, []int{5, 10}, true, 2},
		{"with another", store.Page{Max: 9, With: "nurse@example.org/no"}, nil, true, 0},
		{"start", store.Page{Max: 9, Start: at(9)}, []int{9, 10}, true, 2},
		{"end", store.Page{Max: 9, End: at(3)}, []int{1, 2, 3}, true, 3},
		{"ids", store.Page{Max: 9, IDs: []store.ID{id(7), id(2)}}, []int{2, 7}, true, 2},
	} {
		c.page.Count = true
		es, complete, total, err := s.st.ReadArchive(s.ctx, host, "romeo", c.page)
		if err != nil {
			s.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []int
		for _, e := range es {
			got = append(got, int(e.ID.Time().Sub(at(0))/time.Second))
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) || complete != c.complete || total != c.total {
			s.Errorf("%s: got %v %v %d, want %v %v %d", c.name, got, complete, total, c.want, c.complete, c.total)
		}
	}
	for name, p := range map[string]store.Page{
		"after":  {Max: 3, After: 5},
		"before": {Max: 3, Before: 5},
		"ids":    {Max: 3, IDs: []store.ID{id(1), 5}},
	} {
		if _, _, _, err := s.st.ReadArchive(s.ctx, host, "romeo", p); err == nil {
			s.Errorf("%s something that is not there: no error", name)
		}
	}
}

// waiting is how many messages wait for somebody.
func (s *suite) waiting(host, user string) int {
	s.Helper()
	n, _, err := s.st.CountOffline(s.ctx, host, user)
	s.ok(err)
	return n
}

func offline(s *suite) {
	s.user("romeo")
	put := func(id int, expires time.Time) {
		s.ok(s.st.Commit(s.ctx, &store.OfflineEntry{
			Host:    host,
			Owner:   "romeo",
			ID:      store.ID(id),
			Stanza:  fmt.Appendf(nil, "<m>%d</m>", id),
			Expires: expires,
		}))
	}
	soon := time.Now().Add(time.Hour)
	put(2, soon)
	put(1, soon)
	put(3, time.Now().Add(-time.Second))
	put(4, soon)
	n, bytes, err := s.st.CountOffline(s.ctx, host, "romeo")
	s.ok(err)
	s.same([]int64{int64(n), bytes}, []int64{3, 3 * int64(len("<m>1</m>"))}) // not what has expired
	es := must[[]store.OfflineEntry](s)(s.st.TakeOffline(s.ctx, host, "romeo", 2))
	s.same([]string{string(es[0].Stanza), string(es[1].Stanza)}, []string{"<m>1</m>", "<m>2</m>"})
	s.same(len(must[[]store.OfflineEntry](s)(s.st.TakeOffline(s.ctx, host, "romeo", 10))), 3)
	s.ok(s.st.DropOffline(s.ctx, host, "romeo", 2)) // 1 may have come between the taking and the dropping
	s.same(len(must[[]store.OfflineEntry](s)(s.st.TakeOffline(s.ctx, host, "romeo", 10))), 2)
	s.ok(s.st.DropOffline(s.ctx, host, "romeo", 1, 9))
	s.ok(s.st.DropOffline(s.ctx, host, "romeo"))
	es = must[[]store.OfflineEntry](s)(s.st.TakeOffline(s.ctx, host, "romeo", 10))
	s.same(len(es), 1)
	s.same(es[0].ID, store.ID(4))
}

func roomRow(name string) store.Room {
	return store.Room{Host: rooms, Name: name, Config: []byte(`{"a":1}`), Created: at(1)}
}

func roomRows(s *suite) {
	owner := store.Affiliation{JID: "romeo@example.org", Affiliation: "owner", Reason: "made it"}
	s.ok(s.st.CreateRoom(s.ctx, roomRow("b"), owner))
	s.ok(s.st.CreateRoom(s.ctx, roomRow("a")))
	s.is(s.st.CreateRoom(s.ctx, roomRow("b")), store.ErrExists)
	r := must[store.Room](s)(s.st.Room(s.ctx, rooms, "b"))
	s.same(string(r.Config), `{"a":1}`)
	rs := must[[]store.Room](s)(s.st.Rooms(s.ctx, rooms, "", 10))
	s.same([]string{rs[0].Name, rs[1].Name}, []string{"a", "b"})
	s.same(len(must[[]store.Room](s)(s.st.Rooms(s.ctx, rooms, "a", 10))), 1)
	s.ok(s.st.SaveRoomConfig(s.ctx, rooms, "b", []byte("{}"), store.RoomAccess{}))
	s.ok(s.st.SaveRoomSubject(s.ctx, rooms, "b", []byte("<message/>")))
	r = must[store.Room](s)(s.st.Room(s.ctx, rooms, "b"))
	s.same([]string{string(r.Config), string(r.Subject)}, []string{"{}", "<message/>"})
	s.is(s.st.SaveRoomConfig(s.ctx, rooms, "c", nil, store.RoomAccess{}), store.ErrNotFound)
	s.same(must[[]store.Affiliation](s)(s.st.Affiliations(s.ctx, rooms, "b")), []store.Affiliation{owner})
	s.ok(s.st.SetAffiliations(s.ctx, rooms, "b", store.Affiliation{JID: "a@x", Affiliation: "member", Nick: "A"},
		store.Affiliation{JID: owner.JID, Affiliation: "none"}))
	s.same(must[[]store.Affiliation](s)(s.st.Affiliations(s.ctx, rooms, "b")),
		[]store.Affiliation{{JID: "a@x", Affiliation: "member", Nick: "A"}})
	s.ok(s.st.Commit(s.ctx, &store.RoomEntry{
		Host:   rooms,
		Room:   "b",
		Epoch:  r.Epoch,
		Seq:    1,
		ID:     1,
		Stanza: []byte("<m/>"),
	}))
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "b", at(2)))
	s.is(s.st.DestroyRoom(s.ctx, rooms, "b", at(2)), store.ErrNotFound)
	_, err := s.st.Room(s.ctx, rooms, "b")
	s.is(err, store.ErrNotFound)
	if existed := must[bool](s)(s.st.RoomExisted(s.ctx, rooms, "b")); !existed {
		s.Error("a destroyed room is forgotten")
	}
	s.is(s.st.CreateRoom(s.ctx, roomRow("b")), store.ErrExists)
	s.is(s.st.ReviveRoom(s.ctx, roomRow("a")), store.ErrExists)
	s.ok(s.st.ReviveRoom(s.ctx, roomRow("b"), owner))
	es, _, _, err := s.st.ReadRoom(s.ctx, rooms, "b", store.Page{Max: 10})
	s.ok(err)
	s.same(len(es), 0)
	s.same(must[[]store.Affiliation](s)(s.st.Affiliations(s.ctx, rooms, "b")), []store.Affiliation{owner})
	g := roomRow("g")
	g.Group = "g1"
	s.ok(s.st.CreateRoom(s.ctx, g))
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "g", at(2)))
	s.is(s.st.ReviveRoom(s.ctx, roomRow("g")), store.ErrExists)
}

func roomArchive(s *suite) {
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r")))
	r := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	for i := 1; i <= 5; i++ {
		s.ok(s.st.Commit(s.ctx, &store.RoomEntry{
			Host:       rooms,
			Room:       "r",
			Epoch:      r.Epoch,
			Seq:        int64(i),
			ID:         store.ID(i * 10),
			Nick:       "Romeo",
			OccupantID: "o",
			Sender:     "romeo@example.org",
			OriginID:   "x",
			Subject:    i == 2,
			Stanza:     fmt.Appendf(nil, "<m>%d</m>", i),
		}))
	}
	es, complete, total, err := s.st.ReadRoom(s.ctx, rooms, "r", store.Page{Max: 2, Backwards: true, Count: true})
	s.ok(err)
	if fmt.Sprint(ids(es)) != "[40 50]" || complete || total != 5 || es[0].Seq != 4 ||
		es[0].Sender != "romeo@example.org" {
		s.Errorf("%+v %v %d", es, complete, total)
	}
	es, complete, _, err = s.st.ReadRoom(s.ctx, rooms, "r", store.Page{Max: 9, After: 30})
	s.ok(err)
	if fmt.Sprint(ids(es)) != "[40 50]" || !complete {
		s.Errorf("%+v %v", es, complete)
	}
	first, last, err := s.st.RoomBounds(s.ctx, rooms, "r")
	s.ok(err)
	s.same([]store.ID{first, last}, []store.ID{10, 50})
	s.same(must[store.Room](s)(s.st.Room(s.ctx, rooms, "r")).LastSeq, int64(5))
	_, _, err = s.st.RoomBounds(s.ctx, rooms, "none")
	s.is(err, store.ErrNotFound)
}

// takeRoom checks that taking a room over stops its former holder.
func takeRoom(s *suite) {
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r")))
	one := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	e := func(epoch int64, seq int) *store.RoomEntry {
		return &store.RoomEntry{
			Host:   rooms,
			Room:   "r",
			Epoch:  epoch,
			Seq:    int64(seq),
			ID:     store.ID(seq),
			Stanza: []byte("<m/>"),
		}
	}
	s.ok(s.st.Commit(s.ctx, e(one.Epoch, 1)))
	two := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	if two.Epoch <= one.Epoch || two.LastSeq != 1 {
		s.Errorf("%+v after %+v", two, one)
	}
	s.is(s.st.Commit(s.ctx, e(one.Epoch, 2)), store.ErrConflict)
	s.ok(s.st.Commit(s.ctx, e(two.Epoch, 2)))
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "r", at(1)))
	s.is(s.st.Commit(s.ctx, e(two.Epoch, 3)), store.ErrConflict)
	_, err := s.st.TakeRoom(s.ctx, rooms, "r")
	s.is(err, store.ErrNotFound)
}
