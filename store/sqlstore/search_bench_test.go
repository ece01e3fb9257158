package sqlstore_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/store"
	"parley/store/sqlstore"
	"parley/testrig/pgtest"
)

// texts makes messages of a dozen words that come as often as words of a language do.
type texts struct {
	r    *rand.Rand
	zipf *rand.Zipf
}

func newTexts() *texts {
	r := rand.New(rand.NewPCG(1, 2))
	return &texts{r, rand.NewZipf(r, 1.1, 2, 50_000)}
}

func (t *texts) next() []byte {
	ws := make([]string, 4+t.r.IntN(16))
	for i := range ws {
		ws[i] = fmt.Sprintf("w%x", uint64(float64(t.zipf.Uint64())*2654435761)%math.MaxUint32)
	}
	return fmt.Appendf(nil, "<message xmlns='jabber:client' type='groupchat' from='room@groups.example.org/Somebody' "+
		"id='%x'><body>%s</body>"+
		"<origin-id xmlns='urn:xmpp:sid:0' id='%x'/>"+
		"<stanza-id xmlns='urn:xmpp:sid:0' by='room@groups.example.org' id='0000000000000'/></message>",
		t.r.Uint64(), strings.Join(ws, " "), t.r.Uint64())
}

// BenchmarkSearch searches as one of 200 members of 100 groups with 1000 messages each, all but the last 50 in the
// index.
func BenchmarkSearch(b *testing.B) {
	for name, dsn := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(b.TempDir(), "db") },
		"postgres": func() string { return pgtest.DSN(b) },
	} {
		b.Run(name, func(b *testing.B) { benchSearch(b, dsn()) })
	}
}

func benchSearch(b *testing.B, dsn string) {
	ctx := context.Background()
	st, err := sqlstore.Open(ctx, dsn, sqlstore.Options{Migrate: true})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	ok := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	const groups, messages = 100, 1000
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var ms []store.Member
	for i := range 200 {
		name := fmt.Sprint("u", i)
		ok(st.CreateUser(ctx, store.User{Host: "example.org", Name: name, Created: start}))
		ms = append(ms, store.Member{JID: name + "@example.org", Role: store.RoleMember})
	}
	t := newTexts()
	say := func(g, from, to int) {
		name := fmt.Sprint("g", g)
		r, err := st.TakeRoom(ctx, "groups.example.org", name)
		ok(err)
		var ws []store.Write
		for i := from; i < to; i++ {
			ws = append(ws, &store.RoomEntry{
				Host:   "groups.example.org",
				Room:   name,
				Epoch:  r.Epoch,
				Seq:    int64(i + 1),
				ID:     store.FirstID(start.Add(time.Duration(i*groups+g)*time.Second)) + 1,
				Nick:   "Somebody",
				Sender: "u1@example.org",
				Stanza: t.next(),
			})
		}
		ok(st.Commit(ctx, ws...))
	}
	for g := range groups {
		name := fmt.Sprint("g", g)
		ok(st.CreateGroup(ctx, store.Group{
			Host:    "example.org",
			ID:      name,
			Slug:    name,
			Room:    name,
			Name:    name,
			Private: true,
			Created: start,
		}, store.Room{Host: "groups.example.org", Name: name, Group: name, Created: start}, ms,
			store.Bookmark{Room: name + "@groups.example.org"}))
		say(g, 0, messages)
	}
	ok(st.Ping(ctx))
	if _, _, err := st.RoomBounds(ctx, "groups.example.org", "g0"); err != nil { // moves all entries to the database
		b.Fatal(err)
	}
	began := time.Now()
	n, err := st.IndexArchives(ctx, "groups.example.org", time.Now())
	ok(err)
	b.Logf("%d messages taken into the index in %v: %v each", n, time.Since(began), time.Since(began)/time.Duration(n))
	for g := range groups {
		say(g, messages, messages+50)
	}
	ok(st.Analyze(ctx))
	find := func(text string) store.Find {
		return store.Find{
			Host:  "example.org",
			Rooms: "groups.example.org",
			Asker: "u7@example.org",
			Text:  text,
			Max:   20,
		}
	}
	frequent, rare := fmt.Sprintf("w%x", uint64(0)), fmt.Sprintf("w%x", uint64(2654435761)*2000%math.MaxUint32)
	for _, c := range []struct{ name, text string }{{"common", frequent + " "}, {"rare", rare + " "}, {"both",
		rare + " " + frequent + " "}, {"beginning", rare[:4]}, {"nothing", "nowhere "}} {
		b.Run(c.name, func(b *testing.B) {
			hits := 0
			for b.Loop() {
				fs, _, err := st.SearchMessages(ctx, find(c.text))
				ok(err)
				hits = len(fs)
			}
			b.ReportMetric(float64(hits), "hits")
		})
	}
	for name, f := range map[string]store.Find{
		"newest":     {},
		"by nobody":  {From: "u2@example.org"},
		"with a map": {Any: []string{"urn:example:map"}},
		"in a room":  {Room: "g5", Any: []string{"urn:example:map"}},
		"mentions":   {Mentioned: true},
	} {
		f.Host, f.Rooms, f.Asker, f.Max = "example.org", "groups.example.org", "u7@example.org", 20
		b.Run("filters "+name, func(b *testing.B) {
			for b.Loop() {
				_, err := st.LookMessages(ctx, f)
				ok(err)
			}
		})
	}
	b.Run("archive", func(b *testing.B) {
		for b.Loop() {
			_, _, _, err := st.ReadRoom(ctx, "groups.example.org", "g5",
				store.Page{Text: frequent + " ", Max: 50, Backwards: true})
			ok(err)
		}
	})
}
