package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/store"
	"parley/store/sqlstore"
	"parley/testrig/pgtest"
	"parley/testrig/sqlitetest"
)

// hold makes a store write for a node of its own.
func hold(t *testing.T, st *sqlstore.Store, id string, dead ...store.ClusterNode) store.ClusterNode {
	t.Helper()
	n := store.ClusterNode{ID: id, Address: "127.0.0.1:1"}
	var err error
	if n.Incarnation, err = st.ClaimNode(t.Context(), n, time.Hour, dead...); err != nil {
		t.Fatal(err)
	}
	st.Hold(n.ID, n.Incarnation)
	return n
}

// fenceEngines are the engines on which several processes can reach one database.
var fenceEngines = map[string]func(t *testing.T) (dsn string, o sqlstore.Options){
	"postgres": func(t *testing.T) (string, sqlstore.Options) { return pgtest.Copy(t, migrate), sqlstore.Options{} },
	"cockroach": func(t *testing.T) (string, sqlstore.Options) {
		return pgtest.CockroachCopy(t, migrate), sqlstore.Options{}
	},
	"shared": func(t *testing.T) (string, sqlstore.Options) {
		path := filepath.Join(t.TempDir(), "db")
		sqlitetest.Put(t, path)
		return "sqlite:" + path, sqlstore.Options{Shared: true}
	},
}

// opened opens a store on a schema that is there.
func opened(t *testing.T, dsn string, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	st, err := sqlstore.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// unnamed names the connections of a database otherwise than by their node, so that whoever raises it cannot end them.
func unnamed(dsn string) string {
	if strings.Contains(dsn, "?") {
		return dsn + "&application_name=test"
	}
	return dsn + "?application_name=test"
}

// twoStores opens two stores on one database. The first one has the place.
func twoStores(t *testing.T, dsn string, o sqlstore.Options) (first, second *sqlstore.Store, n store.ClusterNode) {
	t.Helper()
	first, second = opened(t, dsn, o), opened(t, dsn, o)
	return first, second, hold(t, first, "0000000000000001")
}

func entryOf(owner string, id store.ID) *store.ArchiveEntry {
	return &store.ArchiveEntry{Host: "a", Owner: owner, ID: id, With: "x@a", Stanza: []byte("<message/>")}
}

// writes are the doors through which a store writes, each with a look at what it has written.
var writes = []struct {
	name string
	do   func(ctx context.Context, st *sqlstore.Store) error
}{
	{"a statement", func(ctx context.Context, st *sqlstore.Store) error { return st.Put(ctx, "a", "k", []byte("v")) }},
	{"a transaction", func(ctx context.Context, st *sqlstore.Store) error {
		_, err := st.Bump(ctx, "a", "kind", "id")
		return err
	}},
	{"a transaction that counts", func(ctx context.Context, st *sqlstore.Store) error {
		return st.CreateNode(ctx, store.Node{Host: "a", Name: "n", Config: []byte("{}")}, 10)
	}},
	{"an act", func(ctx context.Context, st *sqlstore.Store) error {
		return st.Atomic(ctx, func(ctx context.Context) error { return st.Put(ctx, "a", "k", []byte("v")) })
	}},
	{"a message", func(ctx context.Context, st *sqlstore.Store) error { return st.Commit(ctx, entryOf("u", 1)) }},
	{"a message with its copy offline", func(ctx context.Context, st *sqlstore.Store) error {
		return st.Commit(ctx, entryOf("u", 2),
			&store.OfflineEntry{Host: "a", Owner: "u", ID: 2, Stanza: []byte("<m/>")})
	}},
	{"a message in a room", func(ctx context.Context, st *sqlstore.Store) error {
		return st.Commit(ctx, &store.RoomEntry{Host: "a", Room: "r", Seq: 1, ID: 3, Epoch: 1, Stanza: []byte("<m/>")})
	}},
}

// kept counts the rows that writes can make.
func kept(t *testing.T, st *sqlstore.Store) (n int) {
	t.Helper()
	for _, table := range []string{"kv", "versions", "nodes", "archive", "offline", "room_archive"} {
		var of int
		if err := st.Database().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&of); err != nil {
			t.Fatal(err)
		}
		n += of
	}
	return n
}

// Whatever a store writes by, it writes nothing more once its node's incarnation was raised or its row removed.
func TestFenceRefuses(t *testing.T) {
	for name, engine := range fenceEngines {
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by itself %v", name, again), func(t *testing.T) {
				dsn, o := engine(t)
				first, second, n := twoStores(t, dsn, o)
				// Each write has a store of its own: a store that was refused once refuses by itself afterwards.
				zombies := make([]*sqlstore.Store, len(writes))
				for i := range zombies {
					zombies[i] = opened(t, dsn, o)
					zombies[i].Hold(n.ID, n.Incarnation)
					// Later entries are kept without raising the mark of ids, which makes a message one statement.
					if err := zombies[i].Commit(t.Context(), entryOf("before", store.ID(i+10))); err != nil {
						t.Fatal(err)
					}
				}
				before := kept(t, second)
				if again {
					hold(t, second, n.ID)
				} else {
					hold(t, second, "0000000000000002", n)
				}
				for i, w := range writes {
					st := zombies[i]
					if err := w.do(t.Context(), st); !errors.Is(err, store.ErrFenced) {
						t.Errorf("%s: %v", w.name, err)
					}
					select {
					case <-st.Fenced():
					default:
						t.Errorf("%s: nobody is told", w.name)
					}
					if err := w.do(t.Context(), st); !errors.Is(err, store.ErrFenced) {
						t.Errorf("%s once more: %v", w.name, err)
					}
				}
				if after := kept(t, second); after != before {
					t.Errorf("%d rows more are there", after-before)
				}
				if err := first.LeaveNode(t.Context(), n.ID, n.Incarnation); err != nil {
					t.Errorf("the one before leaves: %v", err)
				}
				if err := writes[0].do(t.Context(), second); err != nil {
					t.Errorf("the one that has the place: %v", err)
				}
			})
		}
	}
}

// waitsForLock waits until so many sessions of the database wait for a lock.
func waitsForLock(t *testing.T, st *sqlstore.Store, n int) {
	t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		var waiting int
		if err := st.Database().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM pg_stat_activity WHERE "+
			"datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		if waiting == n {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("%d sessions wait for a lock, not %d", waiting, n)
		}
	}
}

// A raise waits for transactions that have begun: what they write is there when it returns. What begins meanwhile
// waits for the raise, and writes nothing if it is made.
func TestFenceWaits(t *testing.T) {
	first, second, n := twoStores(t, unnamed(pgtest.Copy(t, migrate)), sqlstore.Options{})
	inside, goOn := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	var early error
	wg.Go(func() {
		early = first.Atomic(t.Context(), func(ctx context.Context) error {
			begun := sync.OnceFunc(func() { close(inside) })
			for {
				err := first.Put(ctx, "a", "early", []byte("v")) // again and again: an idle transaction is ended
				begun()
				select {
				case <-goOn:
					return err
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
	})
	<-inside
	claimed := make(chan error, 1)
	go func() {
		_, err := second.ClaimNode(t.Context(), store.ClusterNode{ID: "0000000000000002"}, time.Hour, n)
		claimed <- err
	}()
	waitsForLock(t, second, 1)
	late := make([]error, len(writes))
	for i, w := range writes {
		wg.Go(func() { late[i] = w.do(t.Context(), first) })
	}
	waitsForLock(t, second, 1+len(writes)-1) // of the two messages of one person, one waits for the other
	select {
	case err := <-claimed:
		t.Fatalf("the raise did not wait: %v", err)
	default:
	}
	close(goOn)
	if err := <-claimed; err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if early != nil {
		t.Errorf("the one that had begun: %v", early)
	}
	for i, w := range writes {
		if !errors.Is(late[i], store.ErrFenced) {
			t.Errorf("%s, which came meanwhile: %v", w.name, late[i])
		}
	}
}

// While a raise is under way writes wait. They go on if it is not made.
func TestFenceRaiseUndone(t *testing.T) {
	first, second, _ := twoStores(t, pgtest.Copy(t, migrate), sqlstore.Options{})
	raise, err := second.Database().BeginTx(t.Context(), nil)
	if err == nil {
		_, err = raise.Exec("LOCK TABLE cluster_nodes IN EXCLUSIVE MODE")
	}
	if err == nil {
		_, err = raise.Exec("UPDATE cluster_nodes SET incarnation = incarnation + 1")
	}
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, w := range writes[:5] {
		wg.Go(func() {
			if err := w.do(t.Context(), first); err != nil {
				t.Errorf("%s: %v", w.name, err)
			}
		})
	}
	waitsForLock(t, second, 5)
	if err := raise.Rollback(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// However many write and whenever the raise comes: what is acknowledged is there when it returns, and nothing comes
// after it.
func TestFenceRace(t *testing.T) {
	for name, engine := range fenceEngines {
		t.Run(name, func(t *testing.T) {
			dsn, o := engine(t)
			if name != "shared" {
				dsn = unnamed(dsn) // otherwise most end with their connections, and race with nobody
			}
			st := opened(t, dsn, o)
			n := hold(t, st, "0000000000000001")
			var ids atomic.Int64
			for round := range 3 {
				zombie := st
				st = opened(t, dsn, o)
				var wg sync.WaitGroup
				var acked atomic.Int64
				begun := make(chan struct{}, 8)
				for i := range 8 {
					wg.Go(func() {
						for k := 0; ; k++ {
							if k == 3 {
								begun <- struct{}{}
							}
							id := ids.Add(1)
							var err error
							switch i % 3 {
							case 0:
								err = zombie.Commit(t.Context(), entryOf(fmt.Sprint("u", i), store.ID(id)))
							case 1:
								err = zombie.Atomic(t.Context(), func(ctx context.Context) error {
									return zombie.Put(ctx, "a", fmt.Sprint(id), []byte("v"))
								})
							case 2:
								err = zombie.Put(t.Context(), "a", fmt.Sprint(id), []byte("v"))
							}
							if errors.Is(err, store.ErrFenced) {
								return
							}
							if err != nil {
								t.Error(err)
								return
							}
							acked.Add(1)
						}
					})
				}
				for range 8 {
					<-begun
				}
				before := acked.Load()
				n = hold(t, st, fmt.Sprintf("%016d", round+2), n)
				there := kept(t, st)
				wg.Wait()
				if after := kept(t, st); after != there {
					t.Errorf("%d rows came after the raise", after-there)
				}
				if acked.Load() < before {
					t.Error("nothing was acknowledged")
				}
			}
		})
	}
}

// A process that is stopped within a transaction keeps nobody from raising, and neither does one whose statement does
// not end.
func TestFenceOfStopped(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		t.Parallel()
		first, second, n := twoStores(t, unnamed(pgtest.Copy(t, migrate)), sqlstore.Options{})
		var raised error
		err := first.Atomic(t.Context(), func(ctx context.Context) error {
			if err := first.Put(ctx, "a", "k", []byte("v")); err != nil {
				return err
			}
			_, raised = second.ClaimNode(t.Context(), store.ClusterNode{ID: "0000000000000002"}, time.Hour, n)
			return nil
		})
		if raised != nil || err == nil || kept(t, second) != 0 {
			t.Errorf("the raise %v, the act %v, and %d rows", raised, err, kept(t, second))
		}
		if err := first.Put(t.Context(), "a", "k", []byte("v")); !errors.Is(err, store.ErrFenced) {
			t.Errorf("afterwards: %v", err)
		}
	})
	t.Run("busy", func(t *testing.T) {
		t.Parallel()
		first, second, n := twoStores(t, unnamed(pgtest.Copy(t, migrate)), sqlstore.Options{})
		c, err := first.Database().BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Exec("INSERT INTO kv (host, k, v) VALUES ('a', 'k', '')"); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := c.Exec("SELECT pg_sleep(120)")
			ended <- errors.Join(err, ignoreDone(c.Commit()))
		}()
		next := store.ClusterNode{ID: "0000000000000002"}
		if _, err := second.ClaimNode(t.Context(), next, time.Hour, n); err != nil {
			t.Errorf("the raise: %v", err)
		}
		if err := <-ended; err == nil || kept(t, second) != 0 {
			t.Errorf("the transaction: %v, and %d rows", err, kept(t, second))
		}
	})
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// fencedDoor makes every table of a database refuse rows that are written without the fence: the transaction has to
// have the lock that keeps others from raising.
const fencedDoor = `CREATE FUNCTION unfenced() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF NOT EXISTS (SELECT 1 FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
			AND relation = 'cluster_nodes'::REGCLASS AND mode = 'RowShareLock' AND granted) THEN
			RAISE EXCEPTION 'a write of % goes around the fence', TG_TABLE_NAME;
		END IF;
		RETURN NULL;
	END $$;
	DO $$
	DECLARE name TEXT;
	BEGIN
		FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
			AND tablename NOT IN ('cluster_nodes', 'cluster_leases', 'schema_versions') LOOP
			EXECUTE format('CREATE TRIGGER unfenced BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I
				FOR EACH STATEMENT EXECUTE FUNCTION unfenced()', name);
		END LOOP;
	END $$`

// openFenced opens a store that has a place, on a database that takes nothing around the fence. It is what
// TestPostgreSQL runs all the store's methods on.
func openFenced(t *testing.T) store.Store {
	t.Helper()
	st, err := sqlstore.Open(t.Context(), pgtest.Copy(t, migrate), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Database().ExecContext(t.Context(), fencedDoor); err != nil {
		t.Fatal(err)
	}
	hold(t, st, "0000000000000001")
	return st
}

// The trigger of openFenced does refuse.
func TestFencedDoor(t *testing.T) {
	dsn := pgtest.Copy(t, migrate)
	st := opened(t, dsn, sqlstore.Options{})
	if _, err := st.Database().ExecContext(t.Context(), fencedDoor); err != nil {
		t.Fatal(err)
	}
	for _, w := range writes[:6] {
		if err := w.do(t.Context(), st); err == nil {
			t.Errorf("%s: it is kept", w.name)
		}
	}
	hold(t, st, "0000000000000001")
	for _, w := range writes[:6] {
		if err := w.do(t.Context(), st); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
	}
}

// A number that a node has had is never used again, also when nobody was left: a node of before that goes on would
// write under it.
func TestIncarnationsRise(t *testing.T) {
	for name, engine := range fenceEngines {
		t.Run(name, func(t *testing.T) {
			dsn, o := engine(t)
			first, second, zombie := twoStores(t, dsn, o)
			next := hold(t, second, "0000000000000002", zombie)
			if err := second.LeaveNode(t.Context(), next.ID, next.Incarnation); err != nil {
				t.Fatal(err)
			}
			again := hold(t, second, zombie.ID)
			if again.Incarnation <= next.Incarnation {
				t.Errorf("the incarnations are %d, %d, %d", zombie.Incarnation, next.Incarnation, again.Incarnation)
			}
			err := first.Put(t.Context(), "example.org", "k", []byte("v"))
			if !errors.Is(err, store.ErrFenced) {
				t.Errorf("a node of before writes: %v", err)
			}
		})
	}
}
