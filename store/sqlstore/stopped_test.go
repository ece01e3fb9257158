package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/store"
	"parley/store/sqlstore"
	"parley/testrig/pgtest"
)

const stoppedDSN = "PARLEY_TEST_STOPPED_DSN"

// TestStoppedProcess stops a process that writes as fast as it can, at random moments, has another one take its place,
// and lets it go on. What it reported as kept is there when the place is taken, it reports nothing that is not, and
// nothing comes after.
func TestStoppedProcess(t *testing.T) {
	if dsn := os.Getenv(stoppedDSN); dsn != "" {
		if err := writeUntilFenced(dsn, os.Stdout); err != nil {
			fmt.Printf("end %v\n", err)
		}
		os.Exit(0)
	}
	pg := pgtest.Fresh(t) // its commits take their time
	dsn := pg.Database(t)
	if err := migrate(dsn); err != nil {
		t.Fatal(err)
	}
	st := opened(t, dsn, sqlstore.Options{})
	n := hold(t, st, "0000000000000000")
	for round := range 5 {
		id := fmt.Sprintf("%016d", round+1)
		n = stopAndTakeOver(t, st, dsn, n, id)
	}
}

// stopAndTakeOver plays one round: the process has the place under another id meanwhile.
func stopAndTakeOver(t *testing.T, st *sqlstore.Store, dsn string, n store.ClusterNode, id string) store.ClusterNode {
	t.Helper()
	zombie := store.ClusterNode{ID: id, Address: "127.0.0.1:1"}
	var err error
	if zombie.Incarnation, err = st.ClaimNode(t.Context(), zombie, time.Hour, n); err != nil {
		t.Fatal(err)
	}
	c, lines := sqlstore.Child(t, "TestStoppedProcess", stoppedDSN+"="+dsn, "PARLEY_TEST_STOPPED_ID="+id,
		"PARLEY_TEST_STOPPED_INCARNATION="+strconv.FormatInt(zombie.Incarnation, 10))
	said := make(map[string]bool)
	for want := 1 + rand.IntN(200); len(said) < want && lines.Scan(); {
		said[lines.Text()] = true
	}
	time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond) // anywhere in a commit
	if err := c.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	n = store.ClusterNode{ID: "0000000000000000", Address: "127.0.0.1:1"}
	if n.Incarnation, err = st.ClaimNode(t.Context(), n, time.Hour, zombie); err != nil {
		t.Fatalf("the place of a stopped process: %v", err)
	}
	there := entriesOf(t, st)
	if err := c.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	end := ""
	for lines.Scan() {
		if why, ends := strings.CutPrefix(lines.Text(), "end "); ends {
			end = why
			continue
		}
		said[lines.Text()] = true
	}
	if err := c.Wait(); err != nil || end != store.ErrFenced.Error() {
		t.Errorf("it ends with %q, %v", end, err)
	}
	for name := range said {
		if !there[name] {
			t.Errorf("%s was reported and is not there when the place is taken", name)
		}
	}
	if after := len(entriesOf(t, st)); after != len(there) {
		t.Errorf("%d entries came after the place was taken", after-len(there))
	}
	return n
}

// entriesOf gives the keys that writeUntilFenced has written.
func entriesOf(t *testing.T, st *sqlstore.Store) map[string]bool {
	t.Helper()
	rows, err := st.Database().QueryContext(t.Context(),
		"SELECT owner FROM archive WHERE host = 'stopped' UNION SELECT k FROM kv WHERE host = 'stopped'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := make(map[string]bool)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all[name] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// writeUntilFenced writes by several doors at once, and reports what is kept.
func writeUntilFenced(dsn string, out io.Writer) error {
	ctx := context.Background()
	st, err := sqlstore.Open(ctx, dsn, sqlstore.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	incarnation, err := strconv.ParseInt(os.Getenv("PARLEY_TEST_STOPPED_INCARNATION"), 10, 64)
	if err != nil {
		return err
	}
	id := os.Getenv("PARLEY_TEST_STOPPED_ID")
	st.Hold(id, incarnation)
	var mu sync.Mutex
	var wg sync.WaitGroup
	ends := make([]error, 6)
	for i := range ends {
		wg.Go(func() {
			cut := 0
			for k := 1; ; k++ {
				name := fmt.Sprintf("%s-%d-%d", id, i, k)
				put := func(ctx context.Context) error { return st.Put(ctx, "stopped", name, []byte("v")) }
				var err error
				switch i % 3 {
				case 0:
					err = st.Commit(ctx, &store.ArchiveEntry{
						Host:   "stopped",
						Owner:  name,
						ID:     store.ID(k),
						With:   "x@y",
						Stanza: []byte("<message/>"),
					})
				case 1:
					err = st.Atomic(ctx, put)
				case 2:
					err = put(ctx)
				}
				if err != nil && !errors.Is(err, store.ErrFenced) && cut < 3 {
					cut++ // its connection was ended: the next thing is refused
					continue
				}
				if err != nil {
					ends[i] = err
					return
				}
				mu.Lock()
				fmt.Fprintln(out, name)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, err := range ends {
		if !errors.Is(err, store.ErrFenced) {
			return err
		}
	}
	<-st.Fenced()
	return store.ErrFenced
}
