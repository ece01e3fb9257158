package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parley/store"
	"parley/store/sqlstore"
	"parley/store/storetest"
	"parley/testrig/pgtest"
	"parley/testrig/sqlitetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func open(t *testing.T, dsn string) store.Store {
	t.Helper()
	st, err := sqlstore.Open(context.Background(), dsn, sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := takePlace(context.Background(), st); err != nil {
		t.Fatal(err)
	}
	return st
}

// takePlace makes a store write for a node, as a server's does. All stores on one database write for the same one.
func takePlace(ctx context.Context, st *sqlstore.Store) error {
	if !st.Shares() {
		return nil
	}
	ns, err := st.ClusterNodes(ctx)
	if err != nil {
		return err
	}
	if len(ns) == 0 {
		n := store.ClusterNode{ID: "0000000000000001", Address: "127.0.0.1:1"}
		if n.Incarnation, err = st.ClaimNode(ctx, n, time.Hour); err != nil {
			return err
		}
		ns = append(ns, n)
	}
	st.Hold(ns[0].ID, ns[0].Incarnation)
	return nil
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		path := filepath.Join(t.TempDir(), "db")
		sqlitetest.Put(t, path)
		return open(t, "sqlite:"+path)
	})
}

func TestPostgreSQL(t *testing.T) {
	storetest.Run(t, openFenced)
}

func migrate(dsn string) error {
	st, err := sqlstore.Open(context.Background(), dsn, sqlstore.Options{Migrate: true})
	if err != nil {
		return err
	}
	return st.Close()
}

func TestCockroachDB(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, pgtest.CockroachCopy(t, migrate)) })
}

// TestPostgreSQLKilled kills the database while messages are written, and starts it again: messages under way are
// committed then, acknowledged ones are there, and none is there twice.
func TestPostgreSQLKilled(t *testing.T) {
	pg := pgtest.Fresh(t)
	st := open(t, pg.Database(t))
	defer st.Close()
	ctx := context.Background()
	var mu sync.Mutex
	kept := make(map[store.ID]bool)
	id := store.ID(0)
	for range 3 {
		before := len(kept)
		var wg sync.WaitGroup
		enough, stop := make(chan struct{}), make(chan struct{})
		var once sync.Once
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					mu.Lock()
					id++
					mine, n := id, len(kept)
					mu.Unlock()
					if n >= before+100 {
						once.Do(func() { close(enough) })
					}
					if err := st.Commit(ctx, &store.ArchiveEntry{
						Host:   "example.org",
						Owner:  "romeo",
						ID:     mine,
						With:   "x@y",
						Stanza: []byte("<m/>"),
					}); err != nil {
						t.Errorf("a database that comes back at once keeps everything: %v", err)
						once.Do(func() { close(enough) })
						return
					}
					mu.Lock()
					kept[mine] = true
					mu.Unlock()
				}
			})
		}
		<-enough
		pg.Kill(t)
		if err := pg.Run(); err != nil {
			t.Fatal(err)
		}
		close(stop)
		wg.Wait()
		there := make(map[store.ID]bool)
		page := store.Page{Max: 1000}
		for {
			es, complete, _, err := st.ReadArchive(ctx, "example.org", "romeo", page)
			if err != nil {
				t.Fatalf("after the database is back: %v", err)
			}
			for _, e := range es {
				if there[e.ID] {
					t.Errorf("%d is there twice", e.ID)
				}
				there[e.ID] = true
			}
			if complete || len(es) == 0 {
				break
			}
			page.After = es[len(es)-1].ID
		}
		for id := range kept {
			if !there[id] {
				t.Fatalf("%d was acknowledged and is lost, of %d", id, len(kept))
			}
		}
	}
	if len(kept) < 300 {
		t.Errorf("only %d were written", len(kept))
	}
}

// TestNewerSchema: a program that is older than its database says so and leaves it alone.
func TestNewerSchema(t *testing.T) {
	for name, dsn := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "db") },
		"postgres": func(t *testing.T) string { return pgtest.DSN(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d := dsn(t)
			st := open(t, d)
			if err := st.(*sqlstore.Store).PretendNewer(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			st2, err := sqlstore.Open(context.Background(), d, sqlstore.Options{Migrate: true})
			if err == nil {
				st2.Close()
				t.Fatal("a newer schema is taken")
			}
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			t.Log(err)
		})
	}
}

// A migration whose number is lower than those that are done already is done all the same: numbers have gaps.
func TestLateMigration(t *testing.T) {
	d := "sqlite:" + filepath.Join(t.TempDir(), "db")
	sqlstore.AddStep(t, 2000, func(context.Context, *sql.DB) error { return nil })
	st := open(t, d)
	for _, q := range []string{"DROP TABLE kv", "DELETE FROM schema_versions WHERE version = 1001"} {
		if _, err := st.(*sqlstore.Store).Database().Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := sqlstore.Open(context.Background(), d, sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Put(context.Background(), "example.org", "k", []byte("v")); err != nil {
		t.Error(err)
	}
}
