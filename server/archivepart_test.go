package server

import (
	"testing"

	"parley/store"
)

// TestToldOf: the client knows of the entries that the archive had when it was read, whatever the order of ids and
// commits.
func TestToldOf(t *testing.T) {
	var ids store.IDs
	var late, there, beyond store.ID
	s := &Session{}
	if s.ToldOf(ids.Next()) {
		t.Error("who was told nothing knows")
	}
	s.archivedLate(ids.Next())
	first := ids.Next()
	late, there = ids.Next(), ids.Next()
	_, last, err := s.TellArchive(&ids, func() (store.ID, store.ID, error) { return first, there, nil })
	if beyond = ids.Next(); err != nil || last != there {
		t.Fatal(last, err)
	}
	for id, want := range map[store.ID]bool{
		0:         false,
		first - 1: false,
		first:     true,
		late:      true,
		there:     true,
		beyond:    false,
	} {
		if s.ToldOf(id) != want {
			t.Errorf("%v: not %v", id, want)
		}
	}
	s.archivedLate(beyond)
	if !s.ToldOf(there) {
		t.Error("what comes later changes what was told")
	}
	s.archivedLate(late) // committed after the client learned of a later one
	if s.ToldOf(late) || s.ToldOf(there) || !s.ToldOf(first) {
		t.Error("what came late is held for known")
	}

	// This entry comes while the archive is read.
	if _, _, err := s.TellArchive(&ids, func() (store.ID, store.ID, error) {
		s.archivedLate(late)
		return first, there, nil
	}); err != nil || s.ToldOf(late) || !s.ToldOf(first) {
		t.Error("what came while the archive was read is held for known", err)
	}
	if _, _, err := s.TellArchive(&ids, func() (store.ID, store.ID, error) {
		return 0, 0, store.ErrLimit
	}); err == nil || s.ToldOf(first) {
		t.Error("a client that could not be told knows")
	}
}
