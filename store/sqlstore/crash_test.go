package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/store"
)

const smallJournal = 16 << 10

func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), "sqlite:"+path, Options{Migrate: true, journalSize: smallJournal})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// killed copies the files that a process killed now would leave, into a directory of its own.
func killed(t testing.TB, s *Store) string {
	t.Helper()
	s.app.moving.Lock()
	defer s.app.moving.Free()
	s.app.appending.Lock()
	defer s.app.appending.Free()
	from, to := s.app.j.path, filepath.Join(t.TempDir(), "db")
	for _, ext := range []string{"", "-wal", ".journal0", ".journal1"} {
		copyFile(t, from+ext, to+ext)
	}
	return to
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if os.IsNotExist(err) {
		return
	}
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func entry(owner string, id store.ID, size int) *store.ArchiveEntry {
	return &store.ArchiveEntry{
		Host:     "a",
		Owner:    owner,
		ID:       id,
		With:     "b@a",
		OriginID: fmt.Sprint("o", id),
		Stanza:   bytes.Repeat([]byte{'x'}, size),
	}
}

func commit(t testing.TB, s *Store, ws ...store.Write) {
	t.Helper()
	if err := s.Commit(context.Background(), ws...); err != nil {
		t.Fatal(err)
	}
}

func archived(t testing.TB, s *Store, owner string) []store.ID {
	t.Helper()
	es, complete, total, err := s.ReadArchive(context.Background(), "a", owner, store.Page{Max: 100_000, Count: true})
	if err != nil || !complete || total != len(es) {
		t.Fatalf("%d of %d, complete %v, %v", len(es), total, complete, err)
	}
	var ids []store.ID
	for _, e := range es {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestKilledAgainAndAgain(t *testing.T) {
	s, n := openAt(t, filepath.Join(t.TempDir(), "db")), store.ID(0)
	for round := range 12 {
		// A round fills the journal's two files several times, or writes little.
		for range rand.IntN(60) * (round % 3) {
			n++
			commit(t, s, entry("u", n, 1+rand.IntN(2000)), entry("v", n, 1+rand.IntN(2000)))
		}
		n++
		commit(t, s, entry("u", n, 10), entry("v", n, 10))
		if round%4 == 3 {
			archived(t, s, "v") // moves the entries to the database
		}
		s = openAt(t, killed(t, s))
	}
	for _, owner := range []string{"u", "v"} {
		ids := archived(t, s, owner)
		for i, id := range ids {
			if id != store.ID(i+1) {
				t.Fatalf("%s: %d is in place %d", owner, id, i)
			}
		}
		if len(ids) != int(n) {
			t.Errorf("%s: %d of %d are there", owner, len(ids), n)
		}
	}
}

// TestCutAtEveryByte: the power may fail at any point of the last write; afterwards that write is there as a whole or
// not at all, and every earlier one is.
func TestCutAtEveryByte(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "db"))
	commit(t, s, entry("u", 1, 100))
	commit(t, s, entry("u", 2, 30))
	start := s.app.j.off
	commit(t, s, entry("u", 3, 7), &store.OfflineEntry{Host: "a", Owner: "u", ID: 4, Stanza: []byte("<m/>")})
	path, end, name := killed(t, s), s.app.j.off, filepath.Base(s.app.j.name(s.app.j.number))
	whole, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
	if err != nil {
		t.Fatal(err)
	}
	for cut := start; cut <= end; cut++ {
		for what, torn := range map[string][]byte{
			"zeros":   bytes.Clone(whole),
			"rubbish": bytes.Clone(whole),
			"end":     whole[:cut],
		} {
			if what != "end" {
				for i := cut; i < end; i++ {
					torn[i] = 0
					if what == "rubbish" {
						torn[i] = whole[i] ^ 0x5a
					}
				}
			}
			j := &journal{path: filepath.Join(t.TempDir(), "db")}
			copy(j.id[:], whole[len(journalMagic):])
			if err := os.WriteFile(j.name(1), torn, 0o600); err != nil {
				t.Fatal(err)
			}
			gs, err := j.read()
			if err != nil || len(gs) != 1 {
				t.Fatalf("cut at %d, %s: %d segments, %v", cut, what, len(gs), err)
			}
			entries, err := gs[0].records(segmentStart)
			if err != nil {
				t.Fatalf("cut at %d, %s: %v", cut, what, err)
			}
			if want := cut == end; want != (gs[0].end == end) || !want && gs[0].end != start || len(entries) == 0 {
				t.Errorf("cut at %d of %d to %d, %s: read to %d", cut, start, end, what, gs[0].end)
			}
		}
	}
	// The same by way of the store, at some of the bytes.
	for cut := start; cut <= end; cut += 9 {
		to := filepath.Join(t.TempDir(), "db")
		copyFile(t, path, to)
		copyFile(t, path+"-wal", to+"-wal")
		torn := bytes.Clone(whole)
		clear(torn[cut:])
		if err := os.WriteFile(filepath.Join(filepath.Dir(to), name), torn, 0o600); err != nil {
			t.Fatal(err)
		}
		s := openAt(t, to)
		if ids := archived(t, s, "u"); len(ids) != 2 {
			t.Errorf("cut at %d: %v", cut, ids)
		}
		if n, _, err := s.CountOffline(context.Background(), "a", "u"); err != nil || n != 0 {
			t.Errorf("cut at %d: %d offline, %v", cut, n, err)
		}
		commit(t, s, entry("u", 9, 50))
		if ids := archived(t, openAt(t, killed(t, s)), "u"); len(ids) != 3 {
			t.Errorf("cut at %d, and one more: %v", cut, ids)
		}
	}
}

func TestDamagedJournal(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "db"))
	commit(t, s, entry("u", 1, 100))
	first := s.app.j.off
	commit(t, s, entry("u", 2, 100))
	name := filepath.Base(s.app.j.name(s.app.j.number))
	for _, at := range []int64{segmentStart + 5, segmentStart + 60, first - 1} {
		path := killed(t, s)
		file := filepath.Join(filepath.Dir(path), name)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b[at] ^= 1
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(context.Background(), "sqlite:"+path, Options{}); err == nil ||
			!strings.Contains(err.Error(), "damaged") {
			t.Errorf("byte %d of what was acknowledged has changed, and it says: %v", at, err)
			if err == nil {
				s.Close()
			}
		}
	}
}

func TestJournalOfAnotherDatabase(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "db"))
	commit(t, s, entry("u", 1, 10))
	path := killed(t, s)
	for _, ext := range []string{"", "-wal"} {
		if err := os.Remove(path + ext); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if s, err := Open(context.Background(), "sqlite:"+path, Options{Migrate: true}); err == nil ||
		!strings.Contains(err.Error(), "another database") {
		t.Errorf("%v", err)
		if err == nil {
			s.Close()
		}
	}
}

// TestKillProcess kills a process that writes as fast as it can, and looks for all entries that it reported as kept.
func TestKillProcess(t *testing.T) {
	if path := os.Getenv("PARLEY_TEST_WRITE"); path != "" {
		writeUntilKilled(path)
	}
	path := filepath.Join(t.TempDir(), "db")
	said := 0
	for round := range 3 {
		c, lines := Child(t, "TestKillProcess", "PARLEY_TEST_WRITE="+path)
		for want := said + 100 + 150*round; said < want && lines.Scan(); said++ {
			if lines.Text() != fmt.Sprint(said+1) {
				t.Errorf("%q after %d", lines.Text(), said)
			}
		}
		c.Process.Kill()
		for lines.Scan() { // reported before it was killed
			if lines.Text() == fmt.Sprint(said+1) {
				said++
			}
		}
		c.Wait() // the error is that it was killed
		s := openAt(t, path)
		ids := archived(t, s, "u")
		if len(ids) < said || said == 0 {
			t.Fatalf("round %d: %d were acknowledged, %d are there", round, said, len(ids))
		}
		for i, id := range ids {
			if id != store.ID(i+1) {
				t.Fatalf("round %d: %d is in place %d", round, id, i)
			}
		}
		said = len(ids)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func writeUntilKilled(path string) {
	ctx := context.Background()
	s, err := Open(ctx, "sqlite:"+path, Options{Migrate: true, journalSize: smallJournal})
	if err != nil {
		panic(err)
	}
	_, last, err := s.ArchiveBounds(ctx, "a", "u")
	if err != nil && err != store.ErrNotFound {
		panic(err)
	}
	for id := last + 1; ; id++ {
		if err := s.Commit(ctx, entry("u", id, 1+int(id)%700)); err != nil {
			panic(err)
		}
		fmt.Println(int64(id))
	}
}
