package server

import (
	"testing"

	"parley/store"
)

// TestToldOf: the client knows of the entries that the archive had when it was read.
func TestToldOf(t *testing.T) {
	s := &Session{}
	if s.ToldOf(7) {
		t.Error("who was told nothing knows")
	}
	s.TellArchive(5, 9)
	for id, want := range map[store.ID]bool{0: false, 4: false, 5: true, 7: true, 9: true, 10: false} {
		if s.ToldOf(id) != want {
			t.Errorf("%d: not %v", id, want)
		}
	}
	s.TellArchive(0, 0)
	if s.ToldOf(0) || s.ToldOf(1) {
		t.Error("an empty archive has an entry")
	}
}
