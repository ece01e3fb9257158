package storetest

import (
	"fmt"
	"time"

	"parley/store"
)

// pages reads a whole archive by pages of each size, forwards and backwards, with each filter, and compares what it
// gets with a list in memory.
func pages(s *suite) {
	a := fillPages(s)
	for _, filter := range []store.Page{
		{},
		{With: "juliet@x"},
		{With: "nobody@x"},
		{Start: at(1)},
		{End: at(2)},
		{Start: at(1), End: at(3), With: "juliet@x"},
		{Start: at(99)},
		{End: at(-1)},
		{Start: at(3), End: at(1)},
		{Start: at(1).Add(time.Microsecond)},
	} {
		want := a.matching(filter)
		for _, inRoom := range []bool{false, true} {
			for size := 1; size <= len(a.all)+1; size++ {
				for _, backwards := range []bool{false, true} {
					p := filter
					p.Max, p.Backwards, p.Count = size, backwards, true
					if got := a.readAll(inRoom, p, len(want)); fmt.Sprint(got) != fmt.Sprint(want) {
						s.Fatalf("room %v, %+v: got %v, want %v", inRoom, p, got, want)
					}
				}
			}
		}
	}
	for _, inRoom := range []bool{false, true} {
		a.places(inRoom)
	}
}

// pagedArchive is an archive of a person and one of a room with the same messages.
type pagedArchive struct {
	*suite
	all []pagedMessage
}

type pagedMessage struct {
	id   store.ID
	with string
}

func fillPages(s *suite) pagedArchive {
	s.user("romeo")
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r")))
	room := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	a := pagedArchive{suite: s}
	var ws []store.Write
	for i := range 13 {
		// Several in one second, and two strangers between.
		k := pagedMessage{store.FirstID(at(i/3)) + store.ID(i+1),
			[]string{"juliet@x", "nurse@x", "juliet@x", "juliet@xx"}[i%4]}
		a.all = append(a.all, k)
		ws = append(ws, &store.ArchiveEntry{
			Host:    host,
			Owner:   "romeo",
			ID:      k.id,
			With:    k.with,
			WithRes: fmt.Sprint(i % 2),
			Stanza:  fmt.Append(nil, i),
		}, &store.ArchiveEntry{Host: host, Owner: "romeos", ID: k.id + 1000, With: k.with, Stanza: []byte("not his")},
			&store.RoomEntry{
				Host:   rooms,
				Room:   "r",
				Epoch:  room.Epoch,
				Seq:    int64(i + 1),
				ID:     k.id,
				Sender: k.with,
				Stanza: fmt.Append(nil, i),
			})
	}
	s.ok(s.st.Commit(s.ctx, ws...))
	return a
}

func (a pagedArchive) read(inRoom bool, p store.Page) ([]store.Archived, bool, int, error) {
	if inRoom {
		return a.st.ReadRoom(a.ctx, rooms, "r", p)
	}
	return a.st.ReadArchive(a.ctx, host, "romeo", p)
}

// matching gives the messages that a filter lets through.
func (a pagedArchive) matching(filter store.Page) (ids []store.ID) {
	for _, k := range a.all {
		// The time of an id has only microseconds.
		at := k.id.Time()
		if (filter.With == "" || filter.With == k.with) && (filter.Start.IsZero() || !at.Before(filter.Start)) &&
			(filter.End.IsZero() || !at.After(filter.End)) {
			ids = append(ids, k.id)
		}
	}
	return ids
}

// readAll reads page after page to the end; want is how many messages there are.
func (a pagedArchive) readAll(inRoom bool, p store.Page, want int) (got []store.ID) {
	for rounds := 0; ; rounds++ {
		es, complete, total, err := a.read(inRoom, p)
		a.ok(err)
		if total != want || len(es) > p.Max || rounds > len(a.all) {
			a.Fatalf("%+v: %d of %d, want %d", p, len(es), total, want)
		}
		var page []store.ID
		for _, e := range es {
			page = append(page, e.ID)
		}
		if p.Backwards {
			got = append(page, got...)
		} else {
			got = append(got, page...)
		}
		// RSM ends with <fin complete='true'/> on the last page itself, never on one before.
		if complete != (len(got) == want) {
			a.Fatalf("%+v: complete is %v with %d of %d", p, complete, len(got), want)
		}
		if complete {
			return got
		}
		if p.Backwards {
			p.Before = es[0].ID
		} else {
			p.After = es[len(es)-1].ID
		}
	}
}

// places checks pages that begin at an id, and single messages.
func (a pagedArchive) places(inRoom bool) {
	all := a.all
	// A place is found by its id even if the filter leaves it out.
	es, _, total, err := a.read(inRoom, store.Page{Max: 1, After: all[1].id, With: "juliet@x", Count: true})
	a.ok(err)
	a.same(ids(es), []int{int(all[2].id)})
	a.same(total, 6+1)
	for what, p := range map[string]store.Page{
		"after":     {After: all[0].id + 500},
		"before":    {Before: all[0].id + 500},
		"id":        {IDs: []store.ID{all[0].id, all[0].id + 500}},
		"another's": {After: all[0].id + 1000},
	} {
		p.Max = 5
		_, _, _, err := a.read(inRoom, p)
		if err == nil {
			a.Errorf("%s: an id that does not exist is taken", what)
		} else {
			a.is(err, store.ErrNotFound)
		}
	}
	es, complete, _, err := a.read(inRoom, store.Page{Max: 9, IDs: []store.ID{all[5].id, all[2].id, all[5].id}})
	a.ok(err)
	a.same(complete, true)
	a.same(ids(es), []int{int(all[2].id), int(all[5].id)})
	// Nothing is after the last, and nothing before the first.
	for _, p := range []store.Page{{After: all[len(all)-1].id}, {Before: all[0].id, Backwards: true}} {
		p.Max = 5
		es, complete, _, err := a.read(inRoom, p)
		a.ok(err)
		a.same([]any{len(es), complete}, []any{0, true})
	}
}

// again: an entry that is written twice, as after a lost answer, is there once and unchanged.
func again(s *suite) {
	s.user("romeo")
	e := func(text string) []store.Write {
		return []store.Write{
			&store.ArchiveEntry{Host: host, Owner: "romeo", ID: 7, With: "a@x", Stanza: []byte(text)},
			&store.OfflineEntry{
				Host:    host,
				Owner:   "romeo",
				ID:      7,
				Stanza:  []byte(text),
				Expires: time.Now().Add(time.Hour),
			},
		}
	}
	s.ok(s.st.Commit(s.ctx, e("one")...))
	s.ok(s.st.Commit(s.ctx, e("two")...))
	s.ok(s.st.Commit(s.ctx, append(e("three"), e("four")...)...))
	es, _, _, err := s.st.ReadArchive(s.ctx, host, "romeo", store.Page{Max: 9})
	s.ok(err)
	s.same(len(es), 1)
	s.same(string(es[0].Stanza), "one")
	off := must[[]store.OfflineEntry](s)(s.st.TakeOffline(s.ctx, host, "romeo", 9))
	s.same(len(off), 1)
	s.same(string(off[0].Stanza), "one")
	s.ok(s.st.Commit(s.ctx, e("five")...)) // also when it has been read
	s.same(s.waiting(host, "romeo"), 1)
}

// revived: a room that is created again knows nothing of the old one, and the old one's holder can store nothing in it.
func revived(s *suite) {
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r"), store.Affiliation{JID: "a@x", Affiliation: "owner"}))
	old := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	e := func(r store.Room, seq int64) *store.RoomEntry {
		return &store.RoomEntry{
			Host:   rooms,
			Room:   "r",
			Epoch:  r.Epoch,
			Seq:    seq,
			ID:     store.ID(seq),
			Stanza: []byte("<m/>"),
		}
	}
	s.ok(s.st.Commit(s.ctx, e(old, 1), e(old, 2)))
	s.is(s.st.ReviveRoom(s.ctx, roomRow("never")), store.ErrExists)
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "r", at(1)))
	for _, err := range []error{
		s.st.SaveRoomConfig(s.ctx, rooms, "r", nil, store.RoomAccess{}), s.st.SaveRoomSubject(s.ctx, rooms, "r", nil),
	} {
		s.is(err, store.ErrNotFound)
	}
	s.ok(s.st.ReviveRoom(s.ctx, roomRow("r")))
	s.is(s.st.Commit(s.ctx, e(old, 3)), store.ErrConflict)
	r := must[store.Room](s)(s.st.Room(s.ctx, rooms, "r"))
	if r.Epoch <= old.Epoch || r.LastSeq != 0 || !r.Destroyed.IsZero() || r.Subject != nil {
		s.Errorf("%+v after %+v", r, old)
	}
	s.same(len(must[[]store.Affiliation](s)(s.st.Affiliations(s.ctx, rooms, "r"))), 0)
	_, _, err := s.st.RoomBounds(s.ctx, rooms, "r")
	s.is(err, store.ErrNotFound)
	s.ok(s.st.Commit(s.ctx, e(r, 1)))
	s.is(s.st.Commit(s.ctx, e(r, 1)), store.ErrExists)
	s.is(s.st.Commit(s.ctx, &store.RoomEntry{
		Host:   rooms,
		Room:   "never",
		Seq:    1,
		ID:     1,
		Stanza: []byte("<m/>"),
	}), store.ErrConflict)
	s.same(must[store.Room](s)(s.st.Room(s.ctx, rooms, "r")).LastSeq, int64(1))
}
