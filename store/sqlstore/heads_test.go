package sqlstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/store"
	"parley/store/sqlstore"
)

// Several nodes write to one archive, with clocks that differ. Whoever reads it page by page, each time after the last
// id, misses nothing.
func TestArchiveOfSeveralNodes(t *testing.T) {
	for name, engine := range fenceEngines {
		t.Run(name, func(t *testing.T) {
			dsn, o := engine(t)
			severalWrite(t, dsn, o)
		})
	}
}

func severalWrite(t *testing.T, dsn string, o sqlstore.Options) {
	const nodes, writers, each = 3, 8, 12
	var stores []*sqlstore.Store
	for n := range nodes {
		late := time.Duration(n) * time.Hour
		o.IDs = &store.IDs{Clock: clock.Clock(func() time.Time { return time.Now().Add(-late) })}
		st := opened(t, dsn, o)
		st.Beside()
		stores = append(stores, st)
	}
	if err := stores[0].CreateUser(t.Context(), store.User{Host: "a.example", Name: "romeo"}); err != nil {
		t.Fatal(err)
	}
	var wg, all sync.WaitGroup
	for n, st := range stores {
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					text := fmt.Appendf(nil, "<m>%d-%d-%d</m>", n, w, i)
					e := &store.ArchiveEntry{Host: "a.example", Owner: "romeo", With: "x@y", Stanza: text}
					o := &store.ArchiveEntry{Host: "a.example", Owner: fmt.Sprint("u", w), With: "x@y", Stanza: text}
					if err := st.Commit(t.Context(), o, e); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	done := make(chan struct{})
	all.Go(func() {
		wg.Wait()
		close(done)
	})
	seen := make(map[string]bool)
	page := store.Page{Max: 20}
	for last := false; ; {
		es, complete, _, err := stores[0].ReadArchive(context.Background(), "a.example", "romeo", page)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			seen[string(e.Stanza)] = true
			page.After = e.ID
		}
		if complete && last {
			break
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
	all.Wait()
	if want := nodes * writers * each; len(seen) != want {
		t.Errorf("%d of %d were read", len(seen), want)
	}
}
