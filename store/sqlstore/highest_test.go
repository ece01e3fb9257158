package sqlstore

import (
	"path/filepath"
	"testing"
	"time"

	"parley/store"
)

// The mark is not too low either for entries that only the journal has when the process is killed.
func TestHighestAfterKill(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "db"))
	id := store.FirstID(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	commit(t, s, entry("u", id, 10))
	if _, err := s.HighestID(t.Context()); err != nil { // moves the entries to the database
		t.Fatal(err)
	}
	commit(t, s, entry("u", id+1<<30, 10))
	s = openAt(t, killed(t, s))
	if got, err := s.HighestID(t.Context()); err != nil || got != id+1<<30 {
		t.Errorf("got %d, %v; want %d", got, err, id+1<<30)
	}
}
