package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/store"
	"parley/store/sqlstore"
	"parley/testrig/pgtest"
)

const (
	killedDSN   = "PARLEY_TEST_KILLED_DSN"
	killedHost  = "example.org"
	killedRooms = "groups.example.org"
)

// TestKilledProcess kills a process that writes as fast as it can, at random moments: all entries that it reported as
// kept are there, once, when the store is opened again.
func TestKilledProcess(t *testing.T) {
	if dsn := os.Getenv(killedDSN); dsn != "" {
		if err := writeUntilKilled(dsn, os.Stdout); err != nil {
			fmt.Printf("end %q\n", err)
		}
		os.Exit(0)
	}
	t.Run("sqlite", func(t *testing.T) {
		killAndLook(t, "sqlite:"+
			filepath.Join(t.TempDir(), "db"), func(c *exec.Cmd, _ int, _ func() bool) { c.Process.Kill() })
	})
	t.Run("postgres", func(t *testing.T) {
		pg := pgtest.Fresh(t)
		killAndLook(t, pg.Database(t), func(c *exec.Cmd, round int, read func() bool) {
			if round%2 == 1 { // The database goes first, and comes back: the process goes on.
				pg.Kill(t)
				if err := pg.Run(); err != nil {
					t.Fatal(err)
				}
				for n := 0; n < 1000 && read(); n++ { // more than it can have reported before
				}
			}
			c.Process.Kill()
		})
	})
	t.Run("cockroach", func(t *testing.T) {
		killAndLook(t, pgtest.CockroachDSN(t), func(c *exec.Cmd, _ int, _ func() bool) { c.Process.Kill() })
	})
}

func killAndLook(t *testing.T, dsn string, kill func(c *exec.Cmd, round int, read func() bool)) {
	st := open(t, dsn)
	for _, room := range killedNames {
		if err := st.CreateRoom(t.Context(), store.Room{Host: killedRooms, Name: room}); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	said := make(map[string]bool)
	for round := range 6 {
		c, lines := sqlstore.Child(t, "TestKilledProcess", killedDSN+"="+dsn)
		before := len(said)
		read := func() bool {
			if !lines.Scan() {
				return false
			}
			if why, ends := strings.CutPrefix(lines.Text(), "end "); ends {
				t.Errorf("round %d: it gave up: %s", round, why)
				return true
			}
			if said[lines.Text()] {
				t.Errorf("%s was said twice", lines.Text())
			}
			said[lines.Text()] = true
			return true
		}
		for want := before + 1 + rand.IntN(400); len(said) < want && read(); {
		}
		if len(said) == before {
			t.Fatalf("round %d: nothing was written", round)
		}
		kill(c, round, read)
		for read() { // its output from before the kill
		}
		c.Wait() // the error is that it was killed
		look(t, dsn, said, round)
	}
}

// look compares the stored entries with those that the process reported as stored.
func look(t *testing.T, dsn string, said map[string]bool, round int) {
	t.Helper()
	st := open(t, dsn)
	defer st.Close()
	kept := make(map[string]bool)
	for _, name := range killedNames {
		for _, log := range []struct {
			kind string
			read func(context.Context, string, string, store.Page) ([]store.Archived, bool, int, error)
			host string
		}{{"a", st.ReadArchive, killedHost}, {"r", st.ReadRoom, killedRooms}} {
			es, complete, total, err := log.read(t.Context(), log.host, name, store.Page{Max: 100_000, Count: true})
			if err != nil || !complete || total != len(es) {
				t.Fatalf("round %d: %d of %d, complete %v, %v", round, len(es), total, complete, err)
			}
			for i, e := range es {
				what := fmt.Sprint(log.kind, " ", name, " ", int64(e.ID))
				if kept[what] {
					t.Errorf("round %d: %s is there twice", round, what)
				}
				kept[what] = true
				if string(e.Stanza) != stanzaOf(e.ID) {
					t.Errorf("round %d: %s has become %.40q", round, what, e.Stanza)
				}
				if log.kind == "r" && e.Seq != int64(i+1) {
					t.Fatalf("round %d: number %d of a room is in place %d", round, e.Seq, i+1)
				}
			}
		}
		off, err := st.TakeOffline(t.Context(), killedHost, name, 100_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range off { // one row of each transaction
			if !kept[fmt.Sprint("a ", name, " ", int64(e.ID))] {
				t.Errorf("round %d: half of a transaction was kept: %d", round, e.ID)
			}
			kept[fmt.Sprint("o ", name, " ", int64(e.ID))] = true
		}
	}
	for what := range said {
		if !kept[what] || strings.HasPrefix(what, "a") && !kept["o"+what[1:]] {
			t.Fatalf("round %d: %s was acknowledged and is lost (archive %v), of %d",
				round, what, kept[what], len(said))
		}
	}
}

var killedNames = []string{"one", "two", "three"}

// stanzaOf makes stanzas of all sizes.
func stanzaOf(id store.ID) string {
	return fmt.Sprintf("<m>%d%s</m>", id, strings.Repeat("x", int(id>>12)%1500))
}

// writeUntilKilled writes messages of accounts and rooms from several goroutines, and says which have been kept.
func writeUntilKilled(dsn string, out io.Writer) error {
	ctx := context.Background()
	st, err := sqlstore.Open(ctx, dsn, sqlstore.Options{})
	if err != nil {
		return err
	}
	if err := takePlace(ctx, st); err != nil {
		return err
	}
	var ids store.IDs
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	write := func(kind, name string, entries func(id store.ID) []store.Write) {
		wg.Go(func() {
			for {
				id := ids.Next()
				err := st.Commit(ctx, entries(id)...)
				mu.Lock()
				if err != nil {
					errs = append(errs, err)
				} else {
					fmt.Fprintln(out, kind, name, int64(id)) // one write(2), not held back
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	rooms := make(map[string]store.Room)
	for _, name := range killedNames { // before anything is said: taking a room is not tried again
		if rooms[name], err = st.TakeRoom(ctx, killedRooms, name); err != nil {
			return err
		}
	}
	for name, room := range rooms {
		write("a", name, func(id store.ID) []store.Write {
			return []store.Write{
				&store.ArchiveEntry{Host: killedHost, Owner: name, ID: id, With: "x@y", Stanza: []byte(stanzaOf(id))},
				&store.OfflineEntry{
					Host:    killedHost,
					Owner:   name,
					ID:      id,
					Stanza:  []byte("<m/>"),
					Expires: id.Time().AddDate(1, 0, 0),
				},
			}
		})
		seq := room.LastSeq
		write("r", name, func(id store.ID) []store.Write {
			seq++
			return []store.Write{&store.RoomEntry{
				Host:   killedRooms,
				Room:   name,
				Epoch:  room.Epoch,
				Seq:    seq,
				ID:     id,
				Stanza: []byte(stanzaOf(id)),
			}}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
