package sqlstore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/store"
	"parley/store/sqlstore"
)

func entry(ids *store.IDs, owner string) *store.ArchiveEntry {
	id := ids.Next()
	return &store.ArchiveEntry{
		Host:     "example.org",
		Owner:    owner,
		ID:       id,
		With:     "b@example.org",
		OriginID: id.String(),
		Stanza:   []byte("<message xmlns='jabber:client'><body>x</body></message>"),
	}
}

// A copy of a database that is being written to is whole, and has all that was acknowledged before it was begun.
func TestBackupOfBusyDatabase(t *testing.T) {
	dir := t.TempDir()
	st, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(dir, "a.db"), sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var ids store.IDs
	var stop atomic.Bool
	var mu sync.Mutex
	acked := make(map[string][]string) // ids by owner
	count := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, l := range acked {
			n += len(l)
		}
		return n
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			owner := fmt.Sprintf("a%d", w)
			for !stop.Load() {
				e := entry(&ids, owner)
				if err := st.Commit(t.Context(), e); err != nil {
					t.Error(err)
					return
				}
				// and the SQL way
				if err := st.Put(t.Context(), "example.org", "busy/"+owner, []byte("x")); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acked[owner] = append(acked[owner], e.ID.String())
				mu.Unlock()
			}
		})
	}
	copies := make(map[string]map[string][]string) // each backup must contain it
	for round := range 3 {
		for n := count(); count() < n+200 && !t.Failed(); {
			time.Sleep(time.Millisecond)
		}
		mu.Lock()
		before := make(map[string][]string)
		for owner, l := range acked {
			before[owner] = l[:len(l):len(l)]
		}
		mu.Unlock()
		file := filepath.Join(dir, fmt.Sprintf("copy%d.db", round))
		if err := st.Backup(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		copies[file] = before
	}
	stop.Store(true)
	wg.Wait()
	for file, before := range copies {
		checkCopy(t, file, before)
	}
}

func checkCopy(t *testing.T, file string, want map[string][]string) {
	t.Helper()
	if schema, err := sqlstore.CheckCopy(t.Context(), file); err != nil || schema == 0 {
		t.Fatal(schema, err)
	}
	if err := sqlstore.Detach(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	st, err := sqlstore.Open(t.Context(), "sqlite:"+file, sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for owner, ids := range want {
		for _, id := range ids {
			if _, err := st.FindArchived(t.Context(), "example.org", owner, "b@example.org", id, false); err != nil {
				t.Fatalf("%s of %s, of %d: %v", id, owner, len(ids), err)
			}
		}
	}
}

// A copy takes nothing of the journal of the database that it was made of, should that lie beside it.
func TestDetach(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	st, err := sqlstore.Open(t.Context(), "sqlite:"+path, sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	copied := filepath.Join(dir, "b.db")
	if err := st.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	var ids store.IDs
	if err := st.Commit(t.Context(), entry(&ids, "late")); err != nil {
		t.Fatal(err)
	}
	if err := sqlstore.Detach(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		b, err := os.ReadFile(fmt.Sprintf("%s.journal%d", path, n))
		if err != nil {
			continue // the second one is made a little later
		}
		if err := os.WriteFile(fmt.Sprintf("%s.journal%d", copied, n), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sqlstore.Open(t.Context(), "sqlite:"+copied, sqlstore.Options{}); err == nil ||
		!strings.Contains(err.Error(), "belongs to another database") {
		t.Error(err)
	}
}

func TestCheckCopy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	st, err := sqlstore.Open(t.Context(), "sqlite:"+path, sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Backup(t.Context(), path); err == nil {
		t.Error("copied over itself")
	}
	u, err := st.Usage(t.Context(), "example.org")
	if err != nil || u.Bytes < 100_000 || u.Archived != 0 || u.Files != 0 {
		t.Errorf("%+v %v", u, err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(b []byte) []byte{
		"no SQLite database": func([]byte) []byte { return []byte("hello, this is a text") },
		"damaged":            func(b []byte) []byte { return append(b[:len(b)/2:len(b)/2], make([]byte, len(b)/2)...) },
		"empty":              func([]byte) []byte { return nil },
	} {
		file := filepath.Join(dir, "x.db")
		if err := os.WriteFile(file, change(append([]byte(nil), whole...)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlstore.CheckCopy(t.Context(), file); err == nil {
			t.Errorf("%s: taken for good", name)
		}
	}
	if _, err := sqlstore.CheckCopy(t.Context(), filepath.Join(dir, "none.db")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); err == nil {
		t.Error("it was made by looking")
	}
}
