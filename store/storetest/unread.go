package storetest

import (
	"fmt"
	"time"

	"parley/store"
)

// displayedUpTo: how far somebody has read only goes forward, and goes with the account.
func displayedUpTo(s *suite) {
	s.user("romeo", "juliet")
	s.ok(s.st.SetDisplayed(s.ctx, host, "romeo", 2, store.Displayed{Chat: "b@x", ID: 20},
		store.Displayed{Chat: "a@x", ID: 5}))
	s.ok(s.st.SetDisplayed(s.ctx, host, "romeo", 2, store.Displayed{Chat: "b@x", ID: 10},
		store.Displayed{Chat: "a@x", ID: 6}))
	s.ok(s.st.SetDisplayed(s.ctx, host, "juliet", 2, store.Displayed{Chat: "b@x", ID: 99}))
	s.same(must[[]store.Displayed](s)(s.st.Displayed(s.ctx, host, "romeo")),
		[]store.Displayed{{Chat: "a@x", ID: 6}, {Chat: "b@x", ID: 20}})
	s.same(len(must[[]store.Displayed](s)(s.st.Displayed(s.ctx, other, "romeo"))), 0)
	s.is(s.st.SetDisplayed(s.ctx, host, "romeo", 2, store.Displayed{Chat: "a@x", ID: 7},
		store.Displayed{Chat: "c@x", ID: 1}), store.ErrLimit)
	s.same(must[[]store.Displayed](s)(s.st.Displayed(s.ctx, host, "romeo")),
		[]store.Displayed{{Chat: "a@x", ID: 6}, {Chat: "b@x", ID: 20}})
	// What is marked as unread goes back, stays marked while somebody reads on up to there, and is as before beyond.
	set := func(d store.Displayed, want store.Displayed) {
		s.Helper()
		d.Chat, want.Chat = "b@x", "b@x"
		s.ok(s.st.SetDisplayed(s.ctx, host, "romeo", 2, d))
		s.same(must[[]store.Displayed](s)(s.st.Displayed(s.ctx, host, "romeo"))[1], want)
	}
	set(store.Displayed{ID: 10, Marked: 25}, store.Displayed{ID: 10, Marked: 25})
	set(store.Displayed{ID: 9}, store.Displayed{ID: 10, Marked: 25})
	set(store.Displayed{ID: 15}, store.Displayed{ID: 15, Marked: 25})
	set(store.Displayed{ID: 30}, store.Displayed{ID: 30})
	s.same(must[[]string](s)(s.st.ReadBy(s.ctx, host, "b@x", 30, []string{"romeo", "nurse", "juliet"})),
		[]string{"juliet", "romeo"})
	s.same(must[[]string](s)(s.st.ReadBy(s.ctx, host, "b@x", 31, []string{"romeo", "juliet"})), []string{"juliet"})
	s.same(len(must[[]string](s)(s.st.ReadBy(s.ctx, host, "b@x", 1, nil))), 0)
	s.same(len(must[[]string](s)(s.st.ReadBy(s.ctx, other, "b@x", 1, []string{"romeo"}))), 0)
	s.deleted(host, "romeo")
	s.same(len(must[[]store.Displayed](s)(s.st.Displayed(s.ctx, host, "romeo"))), 0)
	s.same(len(must[[]store.Displayed](s)(s.st.Displayed(s.ctx, host, "juliet"))), 1)
}

// roomNews checks that messages by others count as unread since the last one read and since the last own one.
func roomNews(s *suite) {
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r")))
	r := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	_, err := s.st.RoomNews(s.ctx, rooms, "r", "romeo@example.org", 0, 10)
	s.is(err, store.ErrNotFound)
	say := func(seq int, sender string, quiet bool) {
		s.ok(s.st.Commit(s.ctx, &store.RoomEntry{
			Host:   rooms,
			Room:   "r",
			Epoch:  r.Epoch,
			Seq:    int64(seq),
			ID:     store.ID(seq * 10),
			Sender: sender,
			Quiet:  quiet,
			Stanza: fmt.Appendf(nil, "<m>%d</m>", seq),
		}))
	}
	news := func(who string, after store.ID, limit int) [2]int {
		s.Helper()
		n := must[store.News](s)(s.st.RoomNews(s.ctx, rooms, "r", who, after, limit))
		return [2]int{n.Unread, int(n.Last.ID)}
	}
	say(1, "juliet@example.org", true)
	_, err = s.st.RoomNews(s.ctx, rooms, "r", "romeo@example.org", 0, 10)
	s.is(err, store.ErrNotFound)
	say(2, "juliet@example.org", false)
	say(3, "romeo@example.org", false)
	say(4, "juliet@example.org", false)
	say(5, "juliet@example.org", true)
	say(6, "nurse@example.org", false)
	say(7, "juliet@example.org", true)
	s.same(news("romeo@example.org", 0, 10), [2]int{2, 60})
	s.same(news("nurse@example.org", 0, 10), [2]int{0, 60})
	s.same(news("tybalt@example.org", 0, 10), [2]int{4, 60})
	s.same(news("tybalt@example.org", 0, 3), [2]int{3, 60})
	s.same(news("romeo@example.org", 40, 10), [2]int{1, 60})
	s.same(news("romeo@example.org", 45, 10), [2]int{1, 60})
	s.same(news("romeo@example.org", 60, 10), [2]int{0, 60})
	n := must[store.News](s)(s.st.RoomNews(s.ctx, rooms, "r", "romeo@example.org", 60, 10))
	s.same([]string{n.Last.Sender, string(n.Last.Stanza)}, []string{"nurse@example.org", "<m>6</m>"})
	s.same([]store.ID{must[store.News](s)(s.st.RoomNews(s.ctx, rooms, "r", "romeo@example.org", 10, 10)).Since,
		must[store.News](s)(s.st.RoomNews(s.ctx, rooms, "r", "romeo@example.org", 40, 10)).Since}, []store.ID{30, 40})
	// What romeo has marked as unread counts with his own messages of before, until he says something again.
	s.user("romeo")
	s.ok(s.st.SetDisplayed(s.ctx, host, "romeo", 9, store.Displayed{Chat: "r@" + rooms, ID: 10, Marked: 65}))
	s.same(news("romeo@example.org", 10, 10), [2]int{4, 60})
	s.same(news("nurse@example.org", 10, 10), [2]int{0, 60})
	say(8, "romeo@example.org", false)
	s.same(news("romeo@example.org", 10, 10), [2]int{0, 80})
	s.deleted(host, "romeo")
	s.ok(s.st.ReplaceInRoom(s.ctx, rooms, "r", 80, []byte("<gone/>")))
	s.ok(s.st.ReplaceInRoom(s.ctx, rooms, "r", 60, []byte("<gone/>"))) // retracted: nothing to read
	s.same(news("romeo@example.org", 0, 10), [2]int{1, 40})
}

// newsOf checks the news of many rooms at once, by what was said in each.
func newsOf(s *suite) {
	const who = "romeo@example.org"
	after, said := make(map[string]store.ID), make(map[string][]store.Archived)
	for i := range 12 {
		name := fmt.Sprint("r", i)
		s.ok(s.st.CreateRoom(s.ctx, roomRow(name)))
		r := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, name))
		for seq := 1; seq <= i; seq++ {
			a := store.Archived{
				ID:     store.ID(seq)<<40 + 1,
				Seq:    int64(seq),
				Sender: []string{"juliet@example.org", who}[(seq+i)%7/6],
				Stanza: fmt.Appendf(nil, "<m>%s %d</m>", name, seq),
			}
			quiet := (seq+i)%5 == 0
			s.ok(s.st.Commit(s.ctx, &store.RoomEntry{Host: rooms, Room: name, Epoch: r.Epoch, Seq: a.Seq, ID: a.ID,
				Sender: a.Sender, Quiet: quiet, Stanza: a.Stanza}))
			if !quiet {
				said[name] = append(said[name], a)
			}
		}
		after[name] = store.ID(i%4) << 40
	}
	after["absent"], after["it's \\\"odd\""] = 0, 5
	for _, limit := range []int{1, 3, 100} {
		want := make(map[string]store.News)
		for name, as := range said {
			n := store.News{Last: as[len(as)-1], Since: after[name]}
			for i := len(as) - 1; i >= max(0, len(as)-limit) && as[i].ID > after[name]; i-- {
				if as[i].Sender == who {
					n.Since = as[i].ID
					break
				}
				n.Unread++
			}
			want[name] = n
		}
		s.same(must[map[string]store.News](s)(s.st.NewsOf(s.ctx, rooms, who, after, limit)), want)
	}
	s.same(len(must[map[string]store.News](s)(s.st.NewsOf(s.ctx, rooms, who, nil, 3))), 0)
	s.same(len(must[map[string]store.News](s)(s.st.NewsOf(s.ctx, other, who, after, 3))), 0)
}

// mentions are noted for some or for all of a room, and forgotten by their age.
func mentions(s *suite) {
	s.user("romeo", "juliet")
	s.ok(s.st.AddMentions(s.ctx, host, "r@x", 10, "romeo", "juliet"))
	s.ok(s.st.AddMentions(s.ctx, host, "r@x", 10, "romeo"))
	s.ok(s.st.AddMentions(s.ctx, host, "r@x", 20))
	s.ok(s.st.AddMentions(s.ctx, host, "r@x", 20, "romeo"))
	s.ok(s.st.AddMentions(s.ctx, host, "q@x", 30, "romeo"))
	get := func(user, room string, after store.ID) []store.ID {
		return must[[]store.ID](s)(s.st.Mentions(s.ctx, host, user, room, after, 10))
	}
	s.same(get("romeo", "r@x", 0), []store.ID{10, 20})
	s.same(get("romeo", "r@x", 10), []store.ID{20})
	s.same(get("nurse", "r@x", 0), []store.ID{20})
	s.same(get("romeo", "q@x", 0), []store.ID{30})
	s.same(len(must[[]store.ID](s)(s.st.Mentions(s.ctx, other, "romeo", "r@x", 0, 10))), 0)
	count := func(user string, after map[string]store.ID) map[string]int {
		return must[map[string]int](s)(s.st.CountMentions(s.ctx, host, user, after))
	}
	s.same(count("romeo", map[string]store.ID{"r@x": 0, "q@x": 0, "p@x": 0}), map[string]int{"r@x": 2, "q@x": 1})
	s.same(count("romeo", map[string]store.ID{"r@x": 10, "q@x": 30}), map[string]int{"r@x": 1})
	s.same(count("nurse", map[string]store.ID{"r@x": 0, "q@x": 0}), map[string]int{"r@x": 1})
	s.same(count("nurse", nil), map[string]int{})
	s.deleted(host, "romeo")
	s.same(len(get("romeo", "q@x", 0)), 0)
	s.same(must[int](s)(s.st.ExpireMentions(s.ctx, host, 20, 10)), 1)
	s.same(get("juliet", "r@x", 0), []store.ID{20})
}

// chats: the conversations of an archive.
func chats(s *suite) {
	for i, c := range []struct {
		with string
		in   bool
	}{
		{"juliet@example.org", true}, {"nurse@example.org", true}, {"juliet@example.org", false},
		{"juliet@example.org", true}, {"friar@example.org", false},
	} {
		s.ok(s.st.Commit(s.ctx, &store.ArchiveEntry{
			Host:     host,
			Owner:    "romeo",
			ID:       store.ID(i + 1),
			With:     c.with,
			Incoming: c.in,
			Stanza:   fmt.Appendf(nil, "<m>%d</m>", i+1),
		}))
	}
	s.same(must[[]store.Chat](s)(s.st.Chats(s.ctx, host, "romeo", 2)),
		[]store.Chat{{With: "friar@example.org", Last: 5}, {With: "juliet@example.org", Last: 4}})
	s.same(len(must[[]store.Chat](s)(s.st.Chats(s.ctx, host, "romeo", 9))), 3)
	s.same(len(must[[]store.Chat](s)(s.st.Chats(s.ctx, other, "romeo", 9))), 0)
	es := must[[]store.ChatEntry](s)(s.st.ChatSince(s.ctx, host, "romeo", "juliet@example.org", 1, 9))
	s.same(es, []store.ChatEntry{
		{ID: 4, Incoming: true, Stanza: []byte("<m>4</m>")},
		{ID: 3, Incoming: false, Stanza: []byte("<m>3</m>")},
	})
	s.same(len(must[[]store.ChatEntry](s)(s.st.ChatSince(s.ctx, host, "romeo", "juliet@example.org", 0, 1))), 1)
	newest := func(owner string, n int, withs ...string) map[string][]store.ChatEntry {
		return must[map[string][]store.ChatEntry](s)(s.st.Newest(s.ctx, host, owner, withs, n))
	}
	friar := []store.ChatEntry{{ID: 5, Incoming: false, Stanza: []byte("<m>5</m>")}}
	s.same(newest("romeo", 2, "juliet@example.org", "friar@example.org", "absent@example.org"),
		map[string][]store.ChatEntry{"juliet@example.org": es, "friar@example.org": friar})
	s.same(len(newest("romeo", 9, "juliet@example.org")["juliet@example.org"]), 3)
	s.same(len(newest("romeo", 9)), 0)
	s.same(len(newest("juliet", 9, "friar@example.org")), 0)
}

// manyChats: with many messages the list still agrees with the archive, whatever is cached: also after new messages,
// messages added among the old ones, expiry, and deletion of the account.
func manyChats(s *suite) {
	s.user("romeo")
	ago := func(d time.Duration) store.ID { return store.FirstID(time.Now().Add(-d)) }
	var ws []store.Write
	write := func(id store.ID, with string) {
		ws = append(ws, &store.ArchiveEntry{Host: host, Owner: "romeo", ID: id, With: with, Stanza: []byte("<m/>")})
	}
	commit := func() {
		s.ok(s.st.Commit(s.ctx, ws...))
		ws = nil
	}
	list := func(limit int) (names []string) {
		for _, c := range must[[]store.Chat](s)(s.st.Chats(s.ctx, host, "romeo", limit)) {
			names = append(names, c.With)
		}
		return names
	}
	write(ago(48*time.Hour), "old@x")
	for i := range 600 {
		write(ago(time.Hour)+store.ID(i), fmt.Sprintf("p%d@x", i%3))
	}
	commit()
	for range 2 { // the second time most of it is cached
		s.same(list(9), []string{"p2@x", "p1@x", "p0@x", "old@x"})
		s.same(list(2), []string{"p2@x", "p1@x"})
	}
	write(ago(0), "p0@x")
	write(ago(0)+1, "new@x")
	commit()
	s.same(list(9), []string{"new@x", "p0@x", "p2@x", "p1@x", "old@x"})
	write(ago(47*time.Hour), "imported@x")
	commit()
	s.ok(s.st.ForgetIndex(s.ctx, host, "romeo"))
	for range 2 {
		s.same(list(9), []string{"new@x", "p0@x", "p2@x", "p1@x", "imported@x", "old@x"})
	}
	s.same(must[int](s)(s.st.ExpireArchive(s.ctx, host, "romeo", time.Now().Add(-40*time.Hour), 10)), 2)
	s.same(list(9), []string{"new@x", "p0@x", "p2@x", "p1@x"})
	s.ok(s.st.DeleteUser(s.ctx, host, "romeo"))
	s.same(len(list(9)), 0)
}

// freeRooms: rooms that list the person, and rooms that the person has bookmarked and may read.
func freeRooms(s *suite) {
	s.user("romeo", "juliet")
	romeo := "romeo@" + host
	make := func(name string, a store.RoomAccess, as ...store.Affiliation) {
		r := roomRow(name)
		r.Access, r.Created = a, at(1)
		s.ok(s.st.CreateRoom(s.ctx, r, as...))
	}
	anyone, known := store.RoomAccess{Readers: store.ReadersAnyone}, store.RoomAccess{Readers: store.ReadersKnown}
	make("a-owned", store.RoomAccess{Readers: store.ReadersAdmins}, store.Affiliation{JID: romeo, Affiliation: "owner"})
	make("b-member", store.RoomAccess{Since: true}, store.Affiliation{JID: romeo, Affiliation: "member", Since: at(5)})
	make("c-kept-from-members", store.RoomAccess{Readers: store.ReadersAdmins},
		store.Affiliation{JID: romeo, Affiliation: "member"})
	make("d-open", anyone)
	make("e-known", known)
	make("f-closed", store.RoomAccess{})
	make("g-banned", anyone, store.Affiliation{JID: romeo, Affiliation: "outcast"})
	make("h-all-banned", known, store.Affiliation{JID: host, Affiliation: "outcast"})
	make("i-since", store.RoomAccess{Readers: store.ReadersAnyone, Since: true})
	make("j-gone", anyone)
	make("k-open-not-marked", anyone)
	make("l-several", store.RoomAccess{Several: true, Title: "Masks"},
		store.Affiliation{JID: romeo, Affiliation: "member", Since: at(5)})
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "j-gone", at(2)))
	for _, n := range []string{
		"b-member", "d-open", "e-known", "f-closed", "g-banned", "h-all-banned", "i-since", "j-gone", "none",
	} {
		s.ok(s.st.SetBookmarks(s.ctx, host, "romeo", 0,
			store.Bookmark{Room: n + "@" + rooms, Name: "My " + n, Updated: at(7)}))
	}
	s.ok(s.st.SetBookmarks(s.ctx, host, "romeo", 0,
		store.Bookmark{Room: "d-open@elsewhere.example", Name: "Far", Updated: at(7)},
		store.Bookmark{Room: "x", Name: "Short"}))
	s.same(must[[]store.FreeRoom](s)(s.st.FreeRooms(s.ctx, host, rooms, "romeo", 9)), []store.FreeRoom{
		{Name: "a-owned", Since: at(1)},
		{Name: "b-member", Title: "My b-member", From: store.FirstID(at(5)), Since: at(5)},
		{Name: "d-open", Title: "My d-open", Since: at(7)},
		{Name: "e-known", Title: "My e-known", Since: at(7)},
		{Name: "l-several", Title: "Masks", Since: at(5)},
	})
	s.same(len(must[[]store.FreeRoom](s)(s.st.FreeRooms(s.ctx, host, rooms, "romeo", 2))), 2)
	s.same(len(must[[]store.FreeRoom](s)(s.st.FreeRooms(s.ctx, host, rooms, "juliet", 9))), 0)
}
