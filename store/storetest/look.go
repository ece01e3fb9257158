package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/store"
)

// looked is a search by filters alone, read to its end: the ids in order, and how many looks it took.
func (x *searched) looked(f store.Find) (ids []store.ID, looks int) {
	x.Helper()
	f.Host, f.Rooms, f.Asker = host, rooms, cmp.Or(f.Asker, "romeo@example.org")
	for {
		l := must[store.Looked](x.suite)(x.st.LookMessages(x.ctx, f))
		looks++
		if len(l.Found) > f.Max {
			x.Fatalf("%+v: %d", f, len(l.Found))
		}
		for _, m := range l.Found {
			if m.ID < l.Upto || f.Older != 0 && m.ID >= f.Older || len(ids) > 0 && ids[len(ids)-1] < m.ID {
				x.Fatalf("%+v: %v between %v and %v", f, m.ID, l.Upto, f.Older)
			}
			ids = append(ids, m.ID)
		}
		if l.Upto == 0 {
			return ids, looks
		}
		if f.Older != 0 && l.Upto >= f.Older || looks > 1000 {
			x.Fatalf("%+v: it does not go on from %v", f, l.Upto)
		}
		f.Older = l.Upto
	}
}

// look compares what is found by filters alone with a list in memory, and looks through more than one look covers.
func look(s *suite) {
	x := newSearched(s)
	var texts []string
	for i := range 2300 {
		text := "plain"
		if i%50 == 0 {
			text = "https://example.org/" + fmt.Sprint(i)
		}
		texts = append(texts, text)
	}
	for part := range slices.Chunk(texts, 500) {
		x.say(part...)
	}
	want := func(p store.Page, any string) (ids []store.ID) {
		for id, text := range x.all {
			if strings.Contains(text, any) && (p.With == "" || x.withs[id] == p.With) &&
				(p.Start.IsZero() || !id.Time().Before(p.Start)) && (p.End.IsZero() || !id.Time().After(p.End)) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		slices.Reverse(ids)
		return ids
	}
	const juliet = "juliet@example.org"
	for _, f := range []store.Find{
		{Max: 30, Room: "r", After: at(1000), Before: at(1200)},
		{Max: 30, Room: "r", Any: []string{"https://", "http://"}},
		{Max: 100, Room: "r", From: juliet, After: at(2000)},
		{Max: 100, With: juliet, After: at(2100)},
		{Max: 100, With: "nurse@example.org", Any: []string{"https://"}},
	} {
		got, looks := x.looked(f)
		p := store.Page{Start: f.After, End: f.Before, With: cmp.Or(f.From, f.With)}
		s.same(got, want(p, strings.Join(f.Any[:min(1, len(f.Any))], "")))
		if s.Failed() {
			s.Fatalf("%+v in %d looks", f, looks)
		}
	}
	// Both archives at once have each message twice.
	got, _ := x.looked(store.Find{Max: 64, Any: []string{"https://"}})
	twice := append(want(store.Page{}, "https://"), want(store.Page{}, "https://")...)
	slices.Sort(twice)
	slices.Reverse(twice)
	s.same(got, twice)
	// What nobody wrote costs a bounded look, which says how far it went.
	none := must[store.Looked](s)(s.st.LookMessages(s.ctx, store.Find{
		Host: host, Rooms: rooms, Asker: "romeo@example.org", Any: []string{"ftp://"}, Max: 10,
	}))
	if len(none.Found) != 0 || none.Upto == 0 || none.Upto.Time().After(at(400)) {
		s.Errorf("%+v of 2,300 messages", none)
	}
	got, looks := x.looked(store.Find{Max: 10, Any: []string{"ftp://"}})
	s.same(len(got), 0)
	s.same(looks, 2)
	// Strangers find nothing.
	got, _ = x.looked(store.Find{Max: 10, Asker: "tybalt@example.org"})
	s.same(len(got), 0)
}

// lookMentioned finds what mentions somebody, by name and as one of all.
func lookMentioned(s *suite) {
	x := newSearched(s)
	x.say("a", "b", "c", "d")
	ids := slices.Sorted(mapKeys(x.all))
	s.ok(s.st.AddMentions(s.ctx, host, "r@"+rooms, ids[0], "romeo", "juliet"))
	s.ok(s.st.AddMentions(s.ctx, host, "r@"+rooms, ids[1], "juliet"))
	s.ok(s.st.AddMentions(s.ctx, host, "r@"+rooms, ids[3]))
	s.ok(s.st.AddMentions(s.ctx, host, "r@"+rooms, ids[3], "romeo"))
	s.ok(s.st.AddMentions(s.ctx, host, "else@"+rooms, ids[2], "romeo"))
	got, _ := x.looked(store.Find{Max: 1, Mentioned: true})
	s.same(got, []store.ID{ids[3], ids[0]})
	got, _ = x.looked(store.Find{Max: 9, Mentioned: true, Before: ids[2].Time().Add(-time.Microsecond)})
	s.same(got, []store.ID{ids[0]})
	got, _ = x.looked(store.Find{Max: 9, Mentioned: true, From: x.withs[ids[3]]})
	s.same(len(got), 1)
}

// lookAcross looks through several rooms together, whose messages are hours apart, and leaves out a room that the asker
// is not in.
func lookAcross(s *suite) {
	const asker, juliet = "romeo@example.org", "juliet@example.org"
	s.user("romeo", "juliet")
	var all, ofJuliet, links []store.ID
	for i, room := range []string{"r", "s", "t", "other"} {
		var may []store.Affiliation
		if room != "other" {
			may = append(may, store.Affiliation{JID: asker, Affiliation: "admin"})
		}
		s.ok(s.st.CreateRoom(s.ctx, roomRow(room), may...))
		taken := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, room))
		var ws []store.Write
		for n := range 40 {
			e := &store.RoomEntry{
				Host:   rooms,
				Room:   room,
				Epoch:  taken.Epoch,
				Seq:    int64(n + 1),
				ID:     store.FirstID(at(n*n*600+i)) + 1,
				Sender: []string{asker, juliet}[n%2],
				Stanza: said([]string{"plain", "https://example.org/", "plain"}[n%3]),
			}
			if ws = append(ws, e); room == "other" {
				continue
			}
			all = append(all, e.ID)
			if e.Sender == juliet {
				ofJuliet = append(ofJuliet, e.ID)
			}
			if n%3 == 1 {
				links = append(links, e.ID)
			}
		}
		s.ok(s.st.Commit(s.ctx, ws...))
	}
	x := &searched{suite: s}
	finds := func(f store.Find, want []store.ID) {
		s.Helper()
		slices.Sort(want)
		slices.Reverse(want)
		got, _ := x.looked(f)
		s.same(got, want)
	}
	finds(store.Find{Max: 7}, all)
	finds(store.Find{Max: 7, From: juliet}, ofJuliet)
	finds(store.Find{Max: 100, Any: []string{"https://"}}, links)
	slices.Sort(all)
	finds(store.Find{Max: 7, After: all[10].Time(), Before: all[19].Time()}, slices.Clone(all[10:20]))
	finds(store.Find{Max: 7, Before: all[0].Time().Add(-time.Second)}, nil)
}
