package storetest

import (
	"fmt"
	"strconv"

	"parley/store"
)

// referrals: entries are found by what they refer to, by their ids and by their id attributes, in their conversation
// only.
func referrals(s *suite) {
	s.user("romeo")
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r")))
	room := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	chat := store.Conversation{Host: host, Owner: "romeo", With: "juliet@x"}
	muc := store.Conversation{Host: rooms, Room: "r"}
	seq := int64(0)
	say := func(id int, origin, refers string) {
		seq++
		stanza := []byte(strconv.Itoa(id))
		chatted := func(with string) *store.ArchiveEntry {
			return &store.ArchiveEntry{
				Host:     host,
				Owner:    "romeo",
				ID:       store.ID(id),
				With:     with,
				OriginID: origin,
				Refers:   refers,
				Stanza:   stanza,
			}
		}
		strange := chatted("nurse@x")
		strange.ID += 1000
		s.ok(s.st.Commit(s.ctx, chatted("juliet@x"), strange, &store.RoomEntry{
			Host:     rooms,
			Room:     "r",
			Epoch:    room.Epoch,
			Seq:      seq,
			ID:       store.ID(id),
			Sender:   "juliet@x",
			OriginID: origin,
			Refers:   refers,
			Stanza:   stanza,
		}))
	}
	say(1, "a", "")
	say(2, "b", "a")
	say(3, "c", "a")
	say(4, "it's", "b")
	say(5, "a", "")
	say(6, "", "a")
	for _, c := range []store.Conversation{chat, muc} {
		found := func(es []store.Archived, err error) (got []string) {
			s.Helper()
			s.ok(err)
			for _, e := range es {
				s.same(string(e.Stanza), fmt.Sprint(int64(e.ID)))
				got = append(got, string(e.Stanza)+e.Refers)
			}
			return got
		}
		s.same(found(s.st.Referring(s.ctx, c, []string{"a"}, 9)), []string{"2a", "3a", "6a"})
		s.same(found(s.st.Referring(s.ctx, c, []string{"a"}, 2)), []string{"3a", "6a"})
		s.same(found(s.st.Referring(s.ctx, c, []string{"b", "a", "b", "none"}, 9)), []string{"2a", "3a", "4b", "6a"})
		s.same(len(found(s.st.Referring(s.ctx, c, []string{""}, 9))), 0)
		s.same(len(found(s.st.Referring(s.ctx, c, nil, 9))), 0)
		s.same(found(s.st.Entries(s.ctx, c, []store.ID{5, 2, 99})), []string{"2a", "5"})
		s.same(len(found(s.st.Entries(s.ctx, c, nil))), 0)
		s.same(found(s.st.Named(s.ctx, c, []string{"a", "it's"}, 0, 9)), []string{"1", "4b", "5"})
		s.same(found(s.st.Named(s.ctx, c, []string{"a", "it's"}, 0, 3)), []string{"4b", "5"})
		s.same(found(s.st.Named(s.ctx, c, []string{"a", "it's"}, 4, 9)), []string{"1"})
		s.same(len(found(s.st.Named(s.ctx, c, nil, 0, 9))), 0)
	}
	s.manyBytes()
	s.ok(s.st.ReplaceInRoom(s.ctx, rooms, "r", 3, []byte("3")))
	es := must[[]store.Archived](s)(s.st.Referring(s.ctx, muc, []string{"a"}, 9))
	s.same(len(es), 3)
	page, _, _, err := s.st.ReadRoom(s.ctx, rooms, "r", store.Page{Max: 9})
	s.ok(err)
	s.same([]string{page[2].Refers, page[0].Refers}, []string{"a", ""})
	page, _, _, err = s.st.ReadArchive(s.ctx, host, "romeo", store.Page{Max: 9, With: "juliet@x"})
	s.ok(err)
	s.same(page[3].Refers, "b")
	s.same(len(must[[]store.Archived](s)(s.st.Referring(s.ctx, store.Conversation{Host: other, Room: "r"},
		[]string{"a"}, 9))), 0)
}

// manyBytes: of more than 16 MiB that refer to a message the newest are given.
func (s *suite) manyBytes() {
	s.Helper()
	for i := range 20 {
		s.ok(s.st.Commit(s.ctx, &store.ArchiveEntry{
			Host:     host,
			Owner:    "romeo",
			ID:       store.ID(5000 + i),
			With:     "nurse@x",
			OriginID: "big",
			Refers:   "big",
			Stanza:   make([]byte, 1<<20),
		}))
	}
	c := store.Conversation{Host: host, Owner: "romeo", With: "nurse@x"}
	for _, es := range [][]store.Archived{
		must[[]store.Archived](s)(s.st.Referring(s.ctx, c, []string{"big"}, 99)),
		must[[]store.Archived](s)(s.st.Named(s.ctx, c, []string{"big"}, 0, 99)),
	} {
		if n := len(es); n < 15 || n > 18 || es[n-1].ID != 5019 || es[0].ID != store.ID(5020-n) {
			s.Errorf("%d entries from %d", n, es[0].ID)
		}
	}
}
