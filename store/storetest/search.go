package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"parley/store"
	"parley/store/fulltext"
)

func said(text string) []byte {
	return []byte("<message xmlns='jabber:client'><body>" + text + "</body></message>")
}

// later is a time before which everything of a test is.
func later() time.Time { return time.Now().Add(time.Hour) }

// searched is an archive of an account and one of a room with the same messages, and these messages in memory.
type searched struct {
	*suite
	room  store.Room
	seq   int64
	all   map[store.ID]string
	withs map[store.ID]string
}

func newSearched(s *suite) *searched {
	s.user("romeo", "juliet")
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r"), store.Affiliation{JID: "romeo@example.org", Affiliation: "admin"}))
	return &searched{
		suite: s,
		room:  must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r")),
		all:   make(map[store.ID]string),
		withs: make(map[store.ID]string),
	}
}

func (x *searched) say(texts ...string) {
	x.Helper()
	var ws []store.Write
	for _, text := range texts {
		x.seq++
		id := store.FirstID(at(int(x.seq))) + 1
		with := []string{"juliet@example.org", "nurse@example.org"}[x.seq%2]
		x.all[id], x.withs[id] = text, with
		ws = append(ws, &store.ArchiveEntry{
			Host:     host,
			Owner:    "romeo",
			ID:       id,
			With:     with,
			Incoming: true,
			Stanza:   said(text),
		}, &store.ArchiveEntry{Host: host, Owner: "romeos", ID: id, With: with, Stanza: said(text + " needle")},
			&store.RoomEntry{
				Host:   rooms,
				Room:   "r",
				Epoch:  x.room.Epoch,
				Seq:    x.seq,
				ID:     id,
				Sender: with,
				Stanza: said(text),
			})
	}
	x.ok(x.st.Commit(x.ctx, ws...))
}

// want returns the messages that have to be found.
func (x *searched) want(p store.Page) (ids []store.ID) {
	q, err := fulltext.Parse(p.Text)
	x.ok(err)
	for id, text := range x.all {
		t := id.Time()
		if q.Match(fulltext.Words(said(text))) && (p.With == "" || p.With == x.withs[id]) &&
			(p.Start.IsZero() || !t.Before(p.Start)) && (p.End.IsZero() || !t.After(p.End)) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// check reads all pages of some queries in both directions, of the account and of the room, and by a search.
func (x *searched) check(texts ...string) {
	x.Helper()
	for _, text := range texts {
		for _, p := range []store.Page{
			{Max: 1000}, {Max: 17}, {Max: 40, With: "juliet@example.org"}, {Max: 20, Start: at(20), End: at(150)},
		} {
			p.Text, p.Count = text, true
			want := x.want(p)
			for _, backwards := range []bool{false, true} {
				p.Backwards = backwards
				x.pages(p, want, func(p store.Page) ([]store.Archived, bool, int, error) {
					return x.st.ReadArchive(x.ctx, host, "romeo", p)
				})
				x.pages(p, want, func(p store.Page) ([]store.Archived, bool, int, error) {
					return x.st.ReadRoom(x.ctx, rooms, "r", p)
				})
			}
			slices.Reverse(want)
			f := store.Find{
				Host:   host,
				Rooms:  rooms,
				Asker:  "romeo@example.org",
				Text:   text,
				From:   p.With,
				After:  p.Start,
				Before: p.End,
				Max:    p.Max,
			}
			x.newest(f, want, want)
			f.Room = "r"
			x.newest(f, want)
		}
	}
}

func (x *searched) pages(p store.Page, want []store.ID, read func(store.Page) ([]store.Archived, bool, int, error)) {
	x.Helper()
	var got []store.ID
	for range len(want) + 2 {
		es, complete, total, err := read(p)
		x.ok(err)
		if total != len(want) || len(es) > p.Max {
			x.Fatalf("%+v: %d of %d, want %d", p, len(es), total, len(want))
		}
		page := ids64(es)
		if p.Backwards {
			got = append(page, got...)
		} else {
			got = append(got, page...)
		}
		if complete {
			if !slices.Equal(got, want) {
				x.Fatalf("%+v: got %v, want %v", p, got, want)
			}
			return
		}
		if p.Backwards {
			p.Before = page[0]
		} else {
			p.After = page[len(page)-1]
		}
	}
	x.Fatalf("%+v has no end", p)
}

func ids64(es []store.Archived) (ids []store.ID) {
	for _, e := range es {
		ids = append(ids, e.ID)
	}
	return ids
}

// newest reads a search to its end. Each id may be in several archives: then it comes that often, together.
func (x *searched) newest(f store.Find, wants ...[]store.ID) {
	x.Helper()
	var want, got []store.ID
	for _, w := range wants {
		want = append(want, w...)
	}
	slices.Sort(want)
	slices.Reverse(want)
	if len(wants) > 1 { // ids of one process are never the same; here a page must not end between two that are
		f.Max *= 2
	}
	for range len(want) + 2 {
		fs, complete, err := x.st.SearchMessages(x.ctx, f)
		x.ok(err)
		if len(fs) > f.Max {
			x.Fatalf("%+v: %d", f, len(fs))
		}
		for _, m := range fs {
			got = append(got, m.ID)
			if string(m.Stanza) != string(said(x.all[m.ID])) || m.Sender != x.withs[m.ID] ||
				(m.Room == "") != (m.With != "") {
				x.Fatalf("%+v: %+v", f, m)
			}
		}
		if complete {
			if !slices.Equal(got, want) {
				x.Fatalf("%+v: got %v, want %v", f, got, want)
			}
			return
		}
		f.Older = got[len(got)-1]
	}
	x.Fatalf("%+v has no end", f)
}

// search compares with the results of a list in memory: without an index, with an index, and with newer messages than
// the index has.
func search(s *suite) {
	x := newSearched(s)
	r := rand.New(rand.NewPCG(1, 2))
	vocabulary := strings.Fields("alpha beta gamma delta épée epsilon al alphabet tree trees river")
	text := func() string {
		ws := make([]string, 1+r.IntN(6))
		for i := range ws {
			ws[i] = vocabulary[r.IntN(len(vocabulary))]
		}
		return strings.Join(ws, " ")
	}
	some := func(n int) (ts []string) {
		for range n {
			ts = append(ts, text())
		}
		return ts
	}
	queries := []string{"al", "alpha beta ", `"tree river" gam`, "epee tre", "needle", "!"}
	x.say(some(180)...)
	x.check(queries...)
	s.same(must[int](s)(s.st.IndexArchives(s.ctx, host, at(170))), 169) // romeos is no account
	s.same(must[int](s)(s.st.IndexArchives(s.ctx, rooms, at(180))), 179)
	s.same(must[int](s)(s.st.IndexArchives(s.ctx, host, later())), 0) // too few
	x.check(queries...)
	x.say(some(60)...)
	x.check(queries...)
	x.say(some(60)...)
	s.same(must[int](s)(s.st.IndexArchives(s.ctx, host, later())), 131)
	s.same(must[int](s)(s.st.IndexArchives(s.ctx, rooms, later())), 121)
	x.check(queries...)
	// Retracted and corrected messages, in the index and behind it.
	x.say(some(10)...)
	for n, id := range slices.Sorted(mapKeys(x.all)) {
		if n%7 == 0 || n > 305 {
			x.all[id] = []string{"", "alphabet trees"}[n%2]
			s.ok(s.st.ReplaceArchived(s.ctx, host, "romeo", id, said(x.all[id])))
			s.ok(s.st.ReplaceInRoom(s.ctx, rooms, "r", id, said(x.all[id])))
		}
	}
	x.check(queries...)
	es, _, _, err := s.st.ReadArchive(s.ctx, host, "romeo",
		store.Page{Text: "alphabet", IDs: slices.Sorted(mapKeys(x.all))[:8], Max: 9})
	s.ok(err)
	if len(es) == 0 || len(es) == 8 {
		s.Errorf("%d of 8 by their ids", len(es))
	}
	for _, p := range []store.Page{
		{Text: strings.Repeat("a ", 100), Max: 1},
		{Text: strings.Repeat("a ", 100), Max: 1, IDs: slices.Sorted(mapKeys(x.all))[:1]},
	} {
		_, _, _, err = s.st.ReadArchive(s.ctx, host, "romeo", p)
		s.is(err, fulltext.ErrTooMuch)
	}
	_, _, _, err = s.st.ReadArchive(s.ctx, host, "romeo", store.Page{Text: "alpha", Max: 1, After: 5})
	s.is(err, store.ErrNotFound)
	// Expired messages.
	for _, owner := range []string{"romeo", "romeos"} {
		s.same(must[int](s)(s.st.ExpireArchive(s.ctx, host, owner, at(100), 1000)), 99)
	}
	es, _, total, err := s.st.ReadArchive(s.ctx, host, "romeo", store.Page{Text: "al", Max: 1, Count: true})
	s.ok(err)
	for id := range x.all {
		if id.Time().Before(at(100)) {
			delete(x.all, id)
		}
	}
	s.same(total, len(x.want(store.Page{Text: "al"})))
	s.same(es[0].ID, x.want(store.Page{Text: "al"})[0])
}

func mapKeys(m map[store.ID]string) func(func(store.ID) bool) {
	return func(yield func(store.ID) bool) {
		for id := range m {
			if !yield(id) {
				return
			}
		}
	}
}

// searchGone checks that nothing that was removed is found, also not later under the same name.
func searchGone(s *suite) {
	x := newSearched(s)
	var texts []string
	for i := range 150 {
		texts = append(texts, fmt.Sprint("needle ", i))
	}
	x.say(texts...)
	for _, h := range []string{host, rooms} {
		s.same(must[int](s)(s.st.IndexArchives(s.ctx, h, later())), 150)
	}
	find := func(asker string) int {
		fs, _, err := s.st.SearchMessages(s.ctx, store.Find{
			Host:  host,
			Rooms: rooms,
			Asker: asker,
			Text:  "needle ",
			Max:   1000,
		})
		s.ok(err)
		return len(fs)
	}
	s.same(find("romeo@example.org"), 300)
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "r", at(1000)))
	s.same(find("romeo@example.org"), 150)
	s.ok(s.st.ReviveRoom(s.ctx, roomRow("r"), store.Affiliation{JID: "romeo@example.org", Affiliation: "owner"}))
	s.same(find("romeo@example.org"), 150)
	s.same(must[int](s)(s.st.IndexArchives(s.ctx, rooms, later())), 0)
	s.deleted(host, "romeo")
	s.same(find("romeo@example.org"), 0)
	s.same(must[int](s)(s.st.IndexArchives(s.ctx, host, later())), 0)
	s.user("romeo")
	s.same(find("romeo@example.org"), 0)
	// A new account of the same name owns nothing of the old one.
	s.ok(s.st.SetAffiliations(s.ctx, rooms, "r", store.Affiliation{JID: "romeo@example.org", Affiliation: "owner"}))
	// A new archive under an old name starts empty.
	x.room = must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	x.seq = 0
	x.say(texts[:110]...)
	s.same(find("romeo@example.org"), 220)
	s.same(must[int](s)(s.st.IndexArchives(s.ctx, host, later())), 110)
	s.same(find("romeo@example.org"), 220)
}
