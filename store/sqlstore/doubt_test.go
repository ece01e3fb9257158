package sqlstore

import (
	"errors"
	"path/filepath"
	"testing"

	"parley/store"
)

// The answer to a commit is lost, and another node takes the room over: what was kept before that is not refused, and
// what was not kept is.
func TestDoubtOfATakenRoom(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"), Options{Migrate: true, Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.CreateRoom(t.Context(), store.Room{Host: "r", Name: "x"}); err != nil {
		t.Fatal(err)
	}
	room, err := s.TakeRoom(t.Context(), "r", "x")
	if err != nil {
		t.Fatal(err)
	}
	said := func(seq int64) *request {
		e := &store.RoomEntry{
			Host: "r", Room: "x", Epoch: room.Epoch, Seq: seq, ID: store.ID(seq), Stanza: []byte("<m/>"),
		}
		return &request{ws: []store.Write{e}}
	}
	kept, lost := said(1), said(2)
	if err := s.commitAll(t.Context(), []*request{kept}, false); err != nil || kept.err != nil {
		t.Fatal(err, kept.err)
	}
	if _, err := s.TakeRoom(t.Context(), "r", "x"); err != nil {
		t.Fatal(err)
	}
	if err := s.commitAll(t.Context(), []*request{kept, lost}, true); err != nil {
		t.Fatal(err)
	}
	if kept.err != nil {
		t.Errorf("what is kept is refused: %v", kept.err)
	}
	if !errors.Is(lost.err, store.ErrConflict) {
		t.Errorf("what is not kept gives %v", lost.err)
	}
	if es, _, _, err := s.ReadRoom(t.Context(), "r", "x", store.Page{Max: 9}); err != nil || len(es) != 1 {
		t.Errorf("%d entries are kept, %v", len(es), err)
	}
}
