package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/store"
)

// TestFullDisk: /dev/full takes no byte, as a full disk.
func TestFullDisk(t *testing.T) {
	s, ctx := openAt(t, filepath.Join(t.TempDir(), "db")), context.Background()
	if err := s.CreateRoom(ctx, store.Room{Host: "r", Name: "x", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	commit(t, s, entry("u", 1, 10), roomEntry(1, 1, 1))
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	put := func(f *os.File) (was *os.File) {
		s.app.appending.Lock()
		defer s.app.appending.Free()
		was = s.app.j.files[s.app.j.number&1]
		s.app.j.files[s.app.j.number&1] = f
		return was
	}
	file := put(full)
	for range 2 {
		if err := s.Commit(ctx, entry("u", 2, 20), roomEntry(1, 2, 2)); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%v", err)
		}
	}
	if ids := archived(t, s, "u"); len(ids) != 1 {
		t.Errorf("refused, and there: %v", ids)
	}
	put(file)
	// The numbers of refused entries are free again.
	commit(t, s, entry("u", 3, 10), roomEntry(1, 2, 3))
	for _, s := range []*Store{openAt(t, killed(t, s)), s} {
		if ids := archived(t, s, "u"); len(ids) != 2 || ids[1] != 3 {
			t.Errorf("%v", ids)
		}
		if es, _, _, err := s.ReadRoom(ctx, "r", "x", store.Page{Max: 9}); err != nil || len(es) != 2 || es[1].ID != 3 {
			t.Errorf("%v, %v", es, err)
		}
	}
}

// TestWaitingForTheMoveGivesUp: who reads entries that are still in the journal waits for their move, and no longer
// than its context lasts.
func TestWaitingForTheMoveGivesUp(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "db"))
	commit(t, s, entry("u", 1, 10))
	s.app.moving.Lock() // as if the database were slow
	defer s.app.moving.Free()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, _, _, err := s.ReadArchive(ctx, "a", "u", store.Page{Max: 9}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("reading: %v", err)
	}
	err := s.CreateRoom(ctx, store.Room{Host: "r", Name: "x", Epoch: 1})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("changing a room: %v", err)
	}
}

// TestFailedWriteIsTakenBack: a write that is on the disk and yet has failed is not there after a crash.
func TestFailedWriteIsTakenBack(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "db"))
	commit(t, s, entry("u", 1, 10))
	start := s.app.j.off
	commit(t, s, entry("u", 2, 10))
	s.app.appending.Lock()
	s.app.j.off, s.app.j.broken = start, true
	err := s.app.j.wipe()
	s.app.appending.Free()
	if err != nil {
		t.Fatal(err)
	}
	if ids := archived(t, openAt(t, killed(t, s)), "u"); len(ids) != 1 {
		t.Errorf("%v", ids)
	}
	commit(t, s, entry("u", 3, 10))
	if ids := archived(t, openAt(t, killed(t, s)), "u"); len(ids) != 2 || ids[1] != 3 {
		t.Errorf("%v", ids)
	}
}

// TestDatabaseRefuses: as long as entries cannot be moved they are kept by the journal; when it is
// full, Commit says so.
func TestDatabaseRefuses(t *testing.T) {
	s, ctx := openAt(t, filepath.Join(t.TempDir(), "db")), context.Background()
	commit(t, s, entry("u", 1, 10))
	if _, err := s.w.Exec("ALTER TABLE archive RENAME TO away"); err != nil {
		t.Fatal(err)
	}
	n, err := store.ID(1), error(nil)
	for n < 100 {
		if err = s.Commit(ctx, entry("u", n+1, 1000)); err != nil {
			break
		}
		n++
	}
	if err == nil || n < 10 {
		t.Fatalf("%d were taken, %v", n, err)
	}
	if _, _, _, err := s.ReadArchive(ctx, "a", "u", store.Page{Max: 1}); err == nil {
		t.Error("the archive was read without what is pending")
	}
	if _, err := s.w.Exec("ALTER TABLE away RENAME TO archive"); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Store{openAt(t, killed(t, s)), s} {
		if ids := archived(t, s, "u"); len(ids) != int(n) || ids[n-1] != n {
			t.Errorf("%d of %d", len(ids), n)
		}
	}
	commit(t, s, entry("u", 200, 1000))
}

func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := openAt(t, path)
	if _, err := Open(context.Background(), "sqlite:"+path, Options{}); !errors.Is(err, errLocked) {
		t.Errorf("%v", err)
	}
	in, err := Open(context.Background(), "sqlite:"+path, Options{Inspect: true})
	if err != nil {
		t.Fatal(err)
	}
	if now, newest, err := in.MigrationStatus(context.Background()); err != nil || now == 0 || now != newest {
		t.Errorf("%d of %d, %v", now, newest, err)
	}
	if err := in.Commit(context.Background(), entry("u", 1, 1)); err == nil {
		t.Error("written beside the journal's owner")
	}
	if err := errors.Join(in.Close(), s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(path + ".journal*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := s.Commit(context.Background(), entry("u", 1, 1)); !errors.Is(err, errClosed) {
		t.Errorf("%v", err)
	}
	openAt(t, path)
}

func roomEntry(epoch, seq int64, id store.ID) *store.RoomEntry {
	return &store.RoomEntry{
		Host:       "r",
		Room:       "x",
		Epoch:      epoch,
		Seq:        seq,
		ID:         id,
		Nick:       "n",
		OccupantID: "o",
		Sender:     "u@a",
		OriginID:   "1",
		Subject:    seq%2 == 0,
		Stanza:     []byte("<m/>"),
	}
}

// TestTakenOver: a node that takes over a room finds every entry that was acknowledged, and the old node adds none
// after that.
func TestTakenOver(t *testing.T) {
	s, ctx := openAt(t, filepath.Join(t.TempDir(), "db")), context.Background()
	if err := s.CreateRoom(ctx, store.Room{Host: "r", Name: "x", Epoch: 1, Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(ctx, &store.RoomEntry{Host: "r", Room: "none", Epoch: 0, Seq: 1, ID: 1}); !errors.Is(err,
		store.ErrConflict) {
		t.Errorf("no such room: %v", err)
	}
	var ids store.IDs
	epoch, seq := int64(1), int64(0)
	for range 8 {
		var acked atomic.Int64
		acked.Store(seq)
		some, over := make(chan bool), make(chan error)
		go func() {
			for n := seq + 1; ; n++ {
				if err := s.Commit(ctx, roomEntry(epoch, n, ids.Next())); err != nil {
					over <- err
					return
				}
				acked.Store(n)
				if n == seq+20 {
					close(some)
				}
			}
		}()
		<-some
		r, err := s.TakeRoom(ctx, "r", "x")
		if err != nil {
			t.Fatal(err)
		}
		if err := <-over; !errors.Is(err, store.ErrConflict) {
			t.Errorf("after it was taken over: %v", err)
		}
		if n := acked.Load(); r.LastSeq != n {
			t.Errorf("%d entries were acknowledged, the new owner knows %d", n, r.LastSeq)
		}
		epoch, seq = r.Epoch, r.LastSeq
	}
	if err := s.Commit(ctx, roomEntry(epoch, seq, ids.Next())); !errors.Is(err, store.ErrExists) {
		t.Errorf("a number again: %v", err)
	}
	// A refused batch leaves no entry behind, and makes no other batch fail.
	if err := s.Commit(ctx, entry("u", 1, 1), roomEntry(epoch, seq+1, ids.Next()),
		roomEntry(epoch-1, seq+2, ids.Next())); !errors.Is(err, store.ErrConflict) {
		t.Errorf("%v", err)
	}
	if ids := archived(t, s, "u"); len(ids) != 0 {
		t.Errorf("%v", ids)
	}
	commit(t, s, roomEntry(epoch, seq+1, ids.Next()))
	if err := s.DestroyRoom(ctx, "r", "x", time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(ctx, roomEntry(epoch, seq+2, ids.Next())); !errors.Is(err, store.ErrConflict) {
		t.Errorf("destroyed: %v", err)
	}
}

// TestGoneStaysGone: deleted entries do not come back from the journal.
func TestGoneStaysGone(t *testing.T) {
	s, ctx := openAt(t, filepath.Join(t.TempDir(), "db")), context.Background()
	var ids store.IDs
	var last store.ID
	var all []store.ID
	if err := s.CreateUser(ctx, store.User{Host: "a", Name: "gone", Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		last = ids.Next()
		all = append(all, last)
		commit(t, s, entry("gone", last, 10), entry("stays", last, 10), &store.OfflineEntry{
			Host:    "a",
			Owner:   "stays",
			ID:      last,
			Stanza:  []byte("<m/>"),
			Expires: time.Now().Add(time.Hour),
		})
	}
	if err := s.DropOffline(ctx, "a", "stays", all[:len(all)-1]...); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteUser(ctx, "a", "gone"); err != nil {
		t.Fatal(err)
	}
	if n, err := s.ExpireArchive(ctx, "a", "stays", last.Time(), 3); err != nil || n != 3 {
		t.Fatalf("%d, %v", n, err)
	}
	for _, s := range []*Store{openAt(t, killed(t, s)), s} {
		es, err := s.TakeOffline(ctx, "a", "stays", 9)
		if g, st := archived(t, s, "gone"), archived(t, s, "stays"); len(g) != 0 || len(st) != 2 || st[1] != last ||
			err != nil || len(es) != 1 || es[0].ID != last {
			t.Errorf("%v, %v, %v, %v", g, st, es, err)
		}
	}
}

// TestReadWhatWasWritten: many goroutines write and read at once, and each finds all that it has written. A caller
// whose context ends may use its buffers again at once.
func TestReadWhatWasWritten(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "db"))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			owner, kept, maybe := fmt.Sprint("u", i), 0, 0
			buf := make([]byte, 300)
			for n := 1; n <= 120; n++ {
				ctx, cancel := context.WithCancel(context.Background())
				if n%3 == 0 {
					go cancel()
				}
				e := entry(owner, store.ID(n), 0)
				e.Stanza = buf
				switch err := s.Commit(ctx, e, &store.ArchiveEntry{
					Host:   "a",
					Owner:  "all",
					ID:     store.ID(n*8 + i),
					Stanza: buf,
				}); {
				case err == nil:
					kept++
				case errors.Is(err, context.Canceled):
					maybe++
				default:
					t.Error(err)
				}
				for i := range buf {
					buf[i] = byte(n)
				}
				cancel()
				if n%20 == 0 {
					if ids := archived(t, s, owner); len(ids) != kept {
						t.Errorf("%s: %d are there, %d were kept, %d given up", owner, len(ids), kept, maybe)
					}
				}
			}
		})
	}
	wg.Wait()
}

func FuzzDecode(f *testing.F) {
	b, last := appendWrite(nil, entry("u", 1, 9), nil)
	b, _ = appendWrite(b, &store.ArchiveEntry{Host: "a", Owner: "v", ID: 2, Stanza: last}, last)
	b, _ = appendWrite(b, roomEntry(1, 2, 3), nil)
	b, _ = appendWrite(b, &store.OfflineEntry{Host: "a", Owner: "v", ID: 4, Expires: time.Now()}, nil)
	b, last = appendWrite(b, &store.ArchiveEntry{Host: "a", Owner: "v", ID: 5, Refers: "said", Stanza: last}, last)
	b, _ = appendWrite(b, &store.ArchiveEntry{Host: "a", Owner: "w", ID: 5, Refers: "said", Stanza: last}, last)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		d := decoder{b: b, names: make(map[string]any)}
		for len(d.b) > 0 {
			kind, err := d.kind()
			if err != nil {
				return
			}
			if err := d.row(kind, new(row)); err != nil {
				return
			}
		}
	})
}
