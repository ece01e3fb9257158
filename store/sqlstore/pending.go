package sqlstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley/internal/slot"
	"parley/store"
)

// Limits after which pending entries are moved to the database, if nobody asks for them before.
const (
	moveAfter = 5 * time.Second
	moveBytes = 2 << 20
)

var errLocked = errors.New("another process has this database open")

// appender is SQLite's group commit: entries are acknowledged when the journal has them on the disk, and moved to the
// database some seconds later in one transaction with the position they reach to. So each is there exactly once,
// whenever the power goes. A request for an owner's entries moves them first.
//
// Slots and the lock are taken in this order: moving, appending, mu.
type appender struct {
	j    *journal
	lock interface{ Close() error }

	moving    slot.Slot // taken while entries are moved to the database
	appending slot.Slot // taken while somebody writes to the journal or changes a room's epoch
	rooms     map[owner]roomState
	undo      []roomUndo
	buf       []byte

	mu           sync.Mutex
	waiting, now *chunk   // not moved yet, being moved
	moved        position // all entries before it are in the database

	kick  chan struct{}
	stop  chan struct{}
	mover sync.WaitGroup // its goroutine, until stop is closed
}

// owner is an account or a room.
type owner struct{ host, name string }

// chunk holds entries as the journal has them.
type chunk struct {
	entries []byte
	owners  map[owner]struct{}
	upTo    position
}

// roomState is what an entry of a room is checked against.
type roomState struct{ epoch, seq int64 }

type roomUndo struct {
	room owner
	was  roomState
}

// openJournal takes the database for this process alone, and moves the entries that a killed process has left in the
// journal.
func (s *Store) openJournal(ctx context.Context, path string) (err error) {
	a := &appender{
		j:         &journal{path: path, size: cmp.Or(s.opts.journalSize, segmentSize)},
		moving:    slot.New(),
		appending: slot.New(),
		rooms:     make(map[owner]roomState),
		waiting:   &chunk{},
		now:       &chunk{},
		kick:      make(chan struct{}, 1),
		stop:      make(chan struct{}),
	}
	if a.lock, err = lock(path + ".lock"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.lock.Close())
		}
	}()
	s.mover = newMover()
	if err := s.readPosition(ctx, a); err != nil {
		return err
	}
	if err := s.replay(ctx, a); err != nil {
		return err
	}
	s.app = a
	a.mover.Go(s.moveNowAndThen)
	return nil
}

func (s *Store) readPosition(ctx context.Context, a *appender) error {
	for _, q := range []string{
		"CREATE TABLE IF NOT EXISTS journal (id BLOB NOT NULL, number INTEGER NOT NULL, off INTEGER NOT NULL)",
		createMarks,
	} {
		if _, err := s.exec(ctx, q); err != nil {
			return err
		}
	}
	var id []byte
	err := s.row(ctx, []any{&id, &a.moved.number, &a.moved.off}, "SELECT id, number, off FROM journal")
	if errors.Is(err, store.ErrNotFound) {
		id = make([]byte, len(a.j.id))
		rand.Read(id)
		_, err = s.exec(ctx, "INSERT INTO journal (id, number, off) VALUES ($1, 0, 0)", id)
	}
	copy(a.j.id[:], id)
	return err
}

func (s *Store) replay(ctx context.Context, a *appender) error {
	segments, err := a.j.read()
	if err != nil {
		return err
	}
	last := a.moved
	var left []byte
	for i := range segments {
		g := &segments[i]
		if g.number < a.moved.number {
			continue
		}
		from := int64(segmentStart)
		if g.number == a.moved.number {
			from = a.moved.off
		}
		entries, err := g.records(from)
		if err != nil {
			return err
		}
		if i+1 < len(segments) && g.end < segments[i+1].before {
			return fmt.Errorf("store: the journal's segment %d is damaged at byte %d", g.number, g.end)
		}
		left = append(left, entries...)
		last = position{g.number, g.end}
	}
	if len(left) > 0 {
		if err := s.move(ctx, left, last); err != nil {
			return fmt.Errorf("store: journal: %w", err)
		}
		s.opts.Log.Info("recovered entries from the journal", "bytes", len(left))
	}
	a.moved, a.j.number = last, last.number
	// Nothing of the old segments is needed. The file is made now rather than when the first message waits for it.
	if err := a.j.begin(last.number+1, 0); err != nil {
		return err
	}
	a.j.previous = position{}
	return nil
}

// closeJournal comes after the last commit.
func (s *Store) closeJournal() error {
	a := s.app
	close(a.stop)
	a.mover.Wait()
	err := s.settleAll(context.Background())
	return errors.Join(err, a.j.close(err == nil), a.lock.Close())
}

func (s *Store) moveNowAndThen() {
	if err := s.app.spare(); err != nil {
		s.opts.Log.Warn("cannot make the journal's second file yet", "err", err)
	}
	t := time.NewTicker(moveAfter)
	defer t.Stop()
	for {
		select {
		case <-s.app.kick:
		case <-t.C:
		case <-s.app.stop:
			return
		}
		if err := s.settleAll(context.Background()); err != nil {
			s.opts.Log.Error("cannot move messages from the journal to the database", "err", err)
		}
	}
}

func (a *appender) spare() error {
	f, err := a.j.spare()
	if err != nil {
		return err
	}
	a.appending.Lock()
	defer a.appending.Free()
	return a.j.adopt(f)
}

// appendBatch writes a batch to the journal and sets every request's err.
func (s *Store) appendBatch(batch []*request) {
	for {
		full, err := s.tryAppend(batch)
		if full && err == nil {
			// Both files have entries that are not in the database yet.
			if err = s.settleAll(context.Background()); err == nil {
				continue
			}
		}
		if err != nil {
			for _, r := range batch {
				if r.err == nil {
					r.err = err
				}
			}
		}
		return
	}
}

// tryAppend changes nothing if it returns full or an error.
func (s *Store) tryAppend(batch []*request) (full bool, err error) {
	a := s.app
	a.appending.Lock()
	defer a.appending.Free()
	rec := append(a.buf[:0], make([]byte, recordHead)...)
	a.undo = a.undo[:0]
	for _, r := range batch {
		if r.err = s.checkRooms(r.ws); r.err != nil {
			continue
		}
		var last []byte
		for _, w := range r.ws {
			rec, last = appendWrite(rec, w, last)
		}
	}
	if cap(rec) <= 1<<20 {
		a.buf = rec
	}
	if len(rec) == recordHead {
		return false, nil
	}
	full, err = a.write(rec)
	if full || err != nil {
		for _, u := range slices.Backward(a.undo) {
			a.rooms[u.room] = u.was
		}
		return full, err
	}
	a.publish(batch, rec[recordHead:])
	return false, nil
}

func (a *appender) write(rec []byte) (full bool, err error) {
	if !a.j.fits(len(rec) - recordHead) {
		a.mu.Lock()
		moved := a.moved
		a.mu.Unlock()
		// The file that is to be written over is that of the segment before this one.
		if moved.before(a.j.previous) {
			return true, nil
		}
		if err := a.j.begin(a.j.number+1, a.j.off); err != nil {
			return false, err
		}
	}
	return false, a.j.append(rec)
}

// publish makes entries visible to those who read, before they are acknowledged.
func (a *appender) publish(batch []*request, entries []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.waiting
	if c.owners == nil {
		c.owners = make(map[owner]struct{})
	}
	for _, r := range batch {
		if r.err != nil {
			continue
		}
		for _, w := range r.ws {
			c.owners[ownerOf(w)] = struct{}{}
		}
	}
	c.entries = append(c.entries, entries...)
	c.upTo = a.j.at()
	if len(c.entries) >= moveBytes {
		select {
		case a.kick <- struct{}{}:
		default:
		}
	}
}

func ownerOf(w store.Write) owner {
	switch e := w.(type) {
	case *store.ArchiveEntry:
		return owner{e.Host, e.Owner}
	case *store.OfflineEntry:
		return owner{e.Host, e.Owner}
	case *store.RoomEntry:
		return owner{e.Host, e.Room}
	}
	return owner{}
}

// checkRooms gives ErrConflict if a room is another's by now, ErrExists if a number is taken, and
// notes the new numbers.
func (s *Store) checkRooms(ws []store.Write) error {
	a, mark := s.app, len(s.app.undo)
	for _, w := range ws {
		e, ok := w.(*store.RoomEntry)
		if !ok {
			continue
		}
		was, err := s.roomState(owner{e.Host, e.Room})
		switch {
		case err != nil:
		case was.epoch != e.Epoch:
			err = store.ErrConflict
		case e.Seq <= was.seq:
			err = store.ErrExists
		default:
			a.undo = append(a.undo, roomUndo{owner{e.Host, e.Room}, was})
			a.rooms[owner{e.Host, e.Room}] = roomState{was.epoch, e.Seq}
			continue
		}
		for _, u := range slices.Backward(a.undo[mark:]) {
			a.rooms[u.room] = u.was
		}
		a.undo = a.undo[:mark]
		return err
	}
	return nil
}

// roomState reads a room's state from the database if it is not in memory. Such a room has no pending entries: whatever
// removes the state from memory moves all entries first.
func (s *Store) roomState(room owner) (st roomState, err error) {
	if st, ok := s.app.rooms[room]; ok {
		return st, nil
	}
	err = s.row(context.Background(), []any{&st.epoch, &st.seq}, "SELECT epoch, "+lastSeq+
		" FROM rooms WHERE host = $1 AND name = $2 AND destroyed = 0", room.host, room.name)
	if errors.Is(err, store.ErrNotFound) {
		return st, store.ErrConflict
	}
	if err == nil {
		s.app.rooms[room] = st
	}
	return st, err
}

// changeRoom runs a transaction that changes a room's epoch: no entry of a room goes in the journal meanwhile, and all
// from before are in the database. Without a name it may be any room.
func (s *Store) changeRoom(ctx context.Context, host, name string, f func(*sql.Tx) error) error {
	a := s.app
	if a == nil {
		return s.tx(ctx, f)
	}
	if t := s.current(ctx); t != nil {
		if err := t.needsJournal(); err != nil {
			return err
		}
		return s.tx(ctx, f)
	}
	if err := a.moving.Take(ctx); err != nil {
		return err
	}
	defer a.moving.Free()
	if err := a.appending.Take(ctx); err != nil {
		return err
	}
	defer a.appending.Free()
	if err := s.moveWaiting(ctx); err != nil {
		return err
	}
	if name == "" {
		clear(a.rooms)
	} else {
		delete(a.rooms, owner{host, name})
	}
	return s.tx(ctx, f)
}

// settle moves pending entries of an account or room to the database, so that a query finds them.
func (s *Store) settle(ctx context.Context, host, name string) error {
	a := s.app
	if a == nil || !a.pending(owner{host, name}) {
		return nil
	}
	if t := s.current(ctx); t != nil {
		return t.needsJournal()
	}
	if err := a.moving.Take(ctx); err != nil {
		return err
	}
	defer a.moving.Free()
	if !a.pending(owner{host, name}) {
		return nil
	}
	return s.moveWaiting(ctx)
}

// settleAll is settle for all.
func (s *Store) settleAll(ctx context.Context) error {
	if s.app == nil {
		return nil
	}
	if t := s.current(ctx); t != nil {
		return t.needsJournal()
	}
	if err := s.app.moving.Take(ctx); err != nil {
		return err
	}
	defer s.app.moving.Free()
	return s.moveWaiting(ctx)
}

func (a *appender) pending(o owner) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.waiting.owners[o]; ok {
		return true
	}
	_, ok := a.now.owners[o]
	return ok
}

// moveWaiting is called with moving taken.
func (s *Store) moveWaiting(ctx context.Context) error {
	a := s.app
	a.mu.Lock()
	if len(a.waiting.entries) == 0 {
		a.mu.Unlock()
		return nil
	}
	a.waiting, a.now = a.now, a.waiting
	c := a.now
	a.mu.Unlock()

	err := s.move(context.WithoutCancel(ctx), c.entries, c.upTo)

	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		c.add(a.waiting)
		a.waiting.reset()
		a.waiting, a.now = c, a.waiting
		return err
	}
	a.moved = c.upTo
	c.reset()
	return nil
}

// add puts later entries behind.
func (c *chunk) add(later *chunk) {
	if len(later.entries) == 0 {
		return
	}
	c.entries = append(c.entries, later.entries...)
	c.upTo = later.upTo
	for o := range later.owners {
		c.owners[o] = struct{}{}
	}
}

func (c *chunk) reset() {
	if cap(c.entries) > 2*moveBytes {
		c.entries = nil
	}
	c.entries = c.entries[:0]
	if len(c.owners) > 10_000 {
		c.owners = nil
	}
	clear(c.owners)
}
