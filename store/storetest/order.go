package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/store"
)

// told notes what Commit says of an entry, in the order in which it says it.
type told struct {
	entry *store.ArchiveEntry
	mu    *sync.Mutex
	ids   *[]store.ID
}

func (k told) Kept() {
	k.mu.Lock()
	defer k.mu.Unlock()
	*k.ids = append(*k.ids, k.entry.ID)
}

// commitOrder: many write to one account and from it, while somebody reads its archive page by page, each time after
// the last id. The reader misses nothing: an id that it has not read is above those that it has.
func commitOrder(s *suite) {
	s.user("romeo", "juliet")
	const writers, each = 64, 8
	var mu sync.Mutex
	var kept []store.ID
	said := make(map[store.ID]string)
	var wg, all sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				text := fmt.Sprintf("<m>%d-%d</m>", i, j)
				own := &store.ArchiveEntry{Host: host, Owner: "romeo", With: "x@y", Stanza: []byte(text)}
				own.Keeper = told{own, &mu, &kept}
				theirs := &store.ArchiveEntry{Host: host, Owner: fmt.Sprint("u", i), With: "x@y", Stanza: []byte(text)}
				waits := &store.OfflineEntry{
					Host: host, Owner: "juliet", Stanza: []byte(text), Expires: time.Now().Add(time.Hour),
				}
				if err := s.st.Commit(s.ctx, theirs, own, waits); err != nil {
					s.Error(err)
					return
				}
				if theirs.ID == 0 || own.ID <= theirs.ID || waits.ID <= own.ID {
					s.Errorf("the ids %d, %d, %d do not rise", theirs.ID, own.ID, waits.ID)
				}
				mu.Lock()
				said[own.ID] = text
				mu.Unlock()
			}
		})
	}
	done := make(chan struct{})
	all.Go(func() {
		wg.Wait()
		close(done)
	})
	read := s.readOn("romeo", done)
	all.Wait()
	if len(said) != writers*each || len(read) != len(said) || len(kept) != len(said) {
		s.Fatalf("%d were written, %d kept, %d told, %d read", writers*each, len(said), len(kept), len(read))
	}
	for i, e := range read {
		if said[e.ID] != string(e.Stanza) {
			s.Errorf("%d is %s, and was committed as %q", e.ID, e.Stanza, said[e.ID])
		}
		if kept[i] != e.ID {
			s.Fatalf("%d is told of in place of %d", kept[i], e.ID)
		}
	}
	off := must[[]store.OfflineEntry](s)(s.st.TakeOffline(s.ctx, host, "juliet", writers*each))
	last := make(map[string]int)
	for _, e := range off { // of each writer in its order
		var i, j int
		fmt.Sscanf(string(e.Stanza), "<m>%d-%d</m>", &i, &j)
		if j != last[fmt.Sprint(i)] {
			s.Fatalf("%s comes in place of number %d", e.Stanza, last[fmt.Sprint(i)])
		}
		last[fmt.Sprint(i)]++
	}
	s.same(len(off), writers*each)
}

// readOn reads an archive as a client does, until done is closed and nothing more comes.
func (s *suite) readOn(owner string, done <-chan struct{}) (read []store.Archived) {
	page := store.Page{Max: 50}
	for last := false; ; {
		es, complete, _, err := s.st.ReadArchive(s.ctx, host, owner, page)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			s.Fatal(err)
		}
		read = append(read, es...)
		if len(es) > 0 {
			page.After = es[len(es)-1].ID
		}
		if complete && last {
			return read
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
}
