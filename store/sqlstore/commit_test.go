package sqlstore

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"parley/store"
)

func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "parley.db"), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Nothing that waits is left from a store to the next one: testing/synctest forbids that a channel made in one of its
// bubbles is used in another.
func TestCommitInTwoBubbles(t *testing.T) {
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			s := open(t)
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					if err := s.Commit(t.Context(), &store.ArchiveEntry{
						Host:   "a",
						Owner:  fmt.Sprint("u", i),
						ID:     1,
						With:   "b@a",
						Stanza: []byte("<message/>"),
					}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestCommitFromMany(t *testing.T) {
	s, ctx := open(t), context.Background()
	var ids store.IDs
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for range 20 {
				id := ids.Next()
				if err := s.Commit(ctx, &store.ArchiveEntry{
					Host:   "a",
					Owner:  fmt.Sprint("u", i),
					ID:     id,
					With:   "b@a",
					Stanza: []byte("<message/>"),
				}, &store.ArchiveEntry{
					Host:   "a",
					Owner:  "b",
					ID:     id,
					With:   fmt.Sprint("u", i, "@a"),
					Stanza: []byte("<message/>"),
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	es, complete, total, err := s.ReadArchive(ctx, "a", "b", store.Page{Max: 300, Count: true})
	if err != nil || complete || total != 1000 || len(es) != 300 {
		t.Errorf("%d of %d, complete %v, %v", len(es), total, complete, err)
	}
	es, complete, _, err = s.ReadArchive(ctx, "a", "u7", store.Page{Max: 20, With: "b@a"})
	if err != nil || !complete || len(es) != 20 {
		t.Errorf("%d, complete %v, %v", len(es), complete, err)
	}
}

func BenchmarkCommit(b *testing.B) {
	s, ctx := open(b), context.Background()
	var ids store.IDs
	var n atomic.Int64
	stanza := make([]byte, 400)
	b.SetParallelism(40)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		i := n.Add(1)
		a, c := fmt.Sprint("user", i), fmt.Sprint("peer", i)
		for pb.Next() {
			id := ids.Next()
			if err := s.Commit(ctx, &store.ArchiveEntry{
				Host:   "a.example",
				Owner:  a,
				ID:     id,
				With:   c + "@a.example",
				Stanza: stanza,
			}, &store.ArchiveEntry{
				Host:   "a.example",
				Owner:  c,
				ID:     id,
				With:   a + "@a.example",
				Stanza: stanza,
			}); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkPage(b *testing.B) {
	s, ctx := open(b), context.Background()
	var ids store.IDs
	for range 100 {
		var ws []store.Write
		for range 100 {
			ws = append(ws, &store.ArchiveEntry{
				Host:   "a",
				Owner:  "b",
				ID:     ids.Next(),
				With:   "c@a",
				Stanza: make([]byte, 400),
			})
		}
		if err := s.Commit(ctx, ws...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if es, _, _, err := s.ReadArchive(ctx, "a", "b",
			store.Page{Max: 50, Backwards: true}); err != nil || len(es) != 50 {
			b.Fatal(err)
		}
	}
}
