package sqlstore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parley/store"
	"parley/store/sqlstore"
	"parley/testrig/pgtest"
)

// TestIndexGone: messages that are retracted, expired, deleted or in a destroyed room leave no word in the index; they
// are not merely hidden from searches.
func TestIndexGone(t *testing.T) {
	for name, dsn := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "db") },
		"postgres": func(t *testing.T) string { return pgtest.DSN(t) },
	} {
		t.Run(name, func(t *testing.T) { indexGone(t, open(t, dsn(t)).(*sqlstore.Store)) })
	}
}

func indexGone(t *testing.T, st *sqlstore.Store) {
	defer st.Close()
	ctx := context.Background()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	terms := func(term string, want int) {
		t.Helper()
		n, err := st.IndexedTerms(ctx, term)
		ok(err)
		if n != want {
			t.Errorf("%d messages under %q, want %d", n, term, want)
		}
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	id := func(n int) store.ID { return store.FirstID(start.Add(time.Duration(n)*time.Second)) + 1 }
	for _, u := range []string{"romeo", "juliet"} {
		ok(st.CreateUser(ctx, store.User{Host: "example.org", Name: u, Created: start}))
	}
	ok(st.CreateRoom(ctx, store.Room{Host: "groups.example.org", Name: "r", Created: start}))
	ok(st.CreateGroup(ctx, store.Group{Host: "example.org", ID: "g", Slug: "g", Room: "g", Name: "G", Created: start},
		store.Room{Host: "groups.example.org", Name: "g", Group: "g", Created: start}, nil, store.Bookmark{}))
	var ws []store.Write
	text := func(n int) []byte {
		return fmt.Appendf(nil, "<message xmlns='jabber:client'><body>common word%d</body></message>", n)
	}
	for n := range 200 {
		for _, u := range []string{"romeo", "juliet"} {
			ws = append(ws, &store.ArchiveEntry{Host: "example.org", Owner: u, ID: id(n), With: "x@y", Stanza: text(n)})
		}
	}
	for _, room := range []string{"r", "g"} {
		r, err := st.TakeRoom(ctx, "groups.example.org", room)
		ok(err)
		for n := range 200 {
			ws = append(ws, &store.RoomEntry{
				Host:   "groups.example.org",
				Room:   room,
				Epoch:  r.Epoch,
				Seq:    int64(n + 1),
				ID:     id(n),
				Stanza: text(n),
			})
		}
	}
	ok(st.Commit(ctx, ws...))
	terms("common", 0)
	for _, h := range []string{"example.org", "groups.example.org"} {
		if n, err := st.IndexArchives(ctx, h, time.Now()); err != nil || n != 400 {
			t.Fatalf("%s: %d %v", h, n, err)
		}
	}
	terms("common", 800)
	terms("word7", 4)
	gone := []byte("<message xmlns='jabber:client'><retracted xmlns='urn:xmpp:message-retract:1'/></message>")
	ok(st.ReplaceArchived(ctx, "example.org", "romeo", id(7), gone))
	ok(st.ReplaceInRoom(ctx, "groups.example.org", "r", id(7), gone))
	terms("word7", 2)
	terms("common", 798)
	ok(st.ReplaceArchived(ctx, "example.org", "romeo", id(8),
		[]byte("<message xmlns='jabber:client'><body>other word8</body></message>")))
	terms("word8", 4)
	terms("other", 1)
	terms("common", 797)
	for range 2 {
		for _, owner := range []string{"romeo", "juliet"} {
			_, err := st.ExpireArchive(ctx, "example.org", owner, start.Add(50*time.Second), 30)
			ok(err)
		}
	}
	terms("word8", 2)
	terms("word50", 4)
	terms("common", 797-50-48)
	ok(st.DestroyRoom(ctx, "groups.example.org", "r", start))
	terms("word8", 1)
	ok(st.DeleteGroup(ctx, "example.org", "g", start))
	terms("common", 300)
	ok(st.DeleteUser(ctx, "example.org", "romeo"))
	ok(st.DeleteUser(ctx, "example.org", "juliet"))
	terms("common", 0)
	terms("other", 0)
}

// TestIndexRace: messages are retracted while they are being indexed, and accounts are deleted. No index entry of them
// is left.
func TestIndexRace(t *testing.T) {
	for name, dsn := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "db") },
		"postgres": func(t *testing.T) string { return pgtest.DSN(t) },
	} {
		t.Run(name, func(t *testing.T) { indexRace(t, open(t, dsn(t)).(*sqlstore.Store)) })
	}
}

func indexRace(t *testing.T, st *sqlstore.Store) {
	defer st.Close()
	ctx := context.Background()
	const accounts = 6
	var wg sync.WaitGroup
	check := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	for n := range accounts {
		name := fmt.Sprint("u", n)
		check(st.CreateUser(ctx, store.User{Host: "example.org", Name: name, Created: time.Unix(1, 0)}))
		for i := range 150 {
			check(st.Commit(ctx, &store.ArchiveEntry{
				Host:   "example.org",
				Owner:  name,
				ID:     store.ID(i + 1),
				With:   "x@y",
				Stanza: []byte("<message xmlns='jabber:client'><body>secret</body></message>"),
			}))
		}
	}
	for n := range accounts {
		name := fmt.Sprint("u", n)
		wg.Go(func() {
			if n%3 == 0 {
				check(st.DeleteUser(ctx, "example.org", name))
				return
			}
			for i := range 150 {
				check(st.ReplaceArchived(ctx, "example.org", name, store.ID(i+1),
					[]byte("<message xmlns='jabber:client'/>")))
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range 20 {
				_, err := st.IndexArchives(ctx, "example.org", time.Now())
				check(err)
			}
		})
	}
	wg.Wait()
	if n, err := st.IndexedTerms(ctx, "secret"); err != nil || n != 0 {
		t.Errorf("%d messages that were taken back are in the index, %v", n, err)
	}
}
