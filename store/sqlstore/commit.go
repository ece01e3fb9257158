package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/store"
)

// writer is the group commit. Who comes first commits what is there; who comes meanwhile waits, and is committed together
// by the first of those. So a batch is as large as the load makes it, nobody waits for it to fill, and one that is alone
// needs no other goroutine.
type writer struct {
	mu      sync.Mutex
	free    sync.Cond // of mu: nobody leads
	closed  bool
	leading bool
	queue   []*request
}

type request struct {
	ws    []store.Write
	err   error
	turn  chan turn
	state atomic.Int32 // requestWaits until its batch is begun or its caller gives up
}

const (
	requestWaits = iota
	requestTaken
	requestGone
)

// turn is what a waiting caller is told.
type turn bool

const (
	committed turn = false
	lead      turn = true
)

func (r *request) take() bool { return r.state.CompareAndSwap(requestWaits, requestTaken) }

var requests = sync.Pool{New: func() any { return &request{turn: make(chan turn, 1)} }}

var errClosed = errors.New("store: closed")

// close waits for the commits that have been accepted. It says whether it was this call that ended it.
func (w *writer) close() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.closed
	w.closed = true
	for w.leading {
		w.free.Wait()
	}
	return !was
}

// Commit is store.Committer. If ctx ends before its batch is begun, nothing of ws is kept; after that it waits for the
// batch, so that nothing of ws is read once it has returned.
func (s *Store) Commit(ctx context.Context, ws ...store.Write) error {
	if len(ws) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r := requests.Get().(*request)
	r.ws, r.err = ws, nil
	r.state.Store(requestWaits)
	w := &s.writer
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return errClosed
	}
	w.queue = append(w.queue, r)
	first := !w.leading
	if first {
		w.leading = true
		r.take()
	}
	w.mu.Unlock()
	if first {
		s.lead(r)
	} else if err := s.wait(ctx, r); err != nil {
		return err // r is still in the queue, and let fall when it is its turn
	}
	err := r.err
	r.ws = nil
	requests.Put(r)
	return err
}

// wait returns an error only if r has been given up.
func (s *Store) wait(ctx context.Context, r *request) error {
	var t turn
	select {
	case t = <-r.turn:
	case <-ctx.Done():
		if r.state.CompareAndSwap(requestWaits, requestGone) {
			return ctx.Err()
		}
		t = <-r.turn
	}
	if t == lead {
		s.lead(r)
	}
	return nil
}

// lead commits a batch that own is in, and finds who leads after it.
func (s *Store) lead(own *request) {
	w := &s.writer
	w.mu.Lock()
	batch, n, count := make([]*request, 0, 16), 0, 0
	for n < len(w.queue) && count < s.opts.CommitBatch {
		r := w.queue[n]
		n++
		if r == own || r.take() {
			batch = append(batch, r)
			count += len(r.ws)
		}
	}
	w.drop(n)
	w.mu.Unlock()

	if s.app != nil {
		s.appendBatch(batch)
	} else {
		s.commitBatch(batch)
	}
	for _, r := range batch {
		if r != own {
			r.turn <- committed
		}
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 {
		if r := w.queue[0]; r.take() {
			r.turn <- lead
			return
		}
		w.drop(1)
	}
	w.leading = false
	w.free.Broadcast()
}

func (w *writer) drop(n int) {
	rest := copy(w.queue, w.queue[n:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
}

// commitTime is the longest a transaction may take: a database that does not answer is an error, not a silence.
const commitTime = time.Minute

// commitBatch sets every request's err. One that cannot be kept does not take others with it.
func (s *Store) commitBatch(batch []*request) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	err := s.commitAll(ctx, batch)
	if err == nil {
		return
	}
	if len(batch) == 1 {
		batch[0].err = err
		return
	}
	for _, r := range batch {
		r.err = s.commitAll(ctx, []*request{r})
	}
}

// rowsOf sorts what a batch writes by table.
type rowsOf struct {
	archive, offline, rooms []any
}

func (s *Store) commitAll(ctx context.Context, batch []*request) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var out rowsOf
		epochs := map[[2]string]int64{}
		for _, r := range batch {
			r.err = nil
			if err := s.checkEpochs(ctx, tx, r, epochs); err != nil {
				return err
			}
			if r.err == nil {
				out.add(r.ws...)
			}
		}
		for i, args := range [...][]any{out.archive, out.offline, out.rooms} {
			if err := s.insert(ctx, tx, &inserts[i], args); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkEpochs sets r.err to ErrConflict if one of its rooms is another node's by now.
func (s *Store) checkEpochs(ctx context.Context, tx *sql.Tx, r *request, known map[[2]string]int64) error {
	for _, w := range r.ws {
		e, ok := w.(*store.RoomEntry)
		if !ok {
			continue
		}
		k := [2]string{e.Host, e.Room}
		epoch, ok := known[k]
		if !ok {
			err := tx.QueryRowContext(ctx, "SELECT epoch FROM rooms WHERE host = $1 AND name = $2 AND destroyed = 0"+s.forUpdate(), e.Host, e.Room).Scan(&epoch)
			if errors.Is(err, sql.ErrNoRows) {
				epoch = -1
			} else if err != nil {
				return err
			}
			known[k] = epoch
		}
		if epoch != e.Epoch {
			r.err = store.ErrConflict
		}
	}
	return nil
}

func (o *rowsOf) add(ws ...store.Write) {
	for _, w := range ws {
		switch e := w.(type) {
		case *store.ArchiveEntry:
			o.archive = append(o.archive, e.Host, e.Owner, int64(e.ID), e.With, e.WithRes, bit(e.Incoming), e.OriginID, e.Stanza)
		case *store.OfflineEntry:
			o.offline = append(o.offline, e.Host, e.Owner, int64(e.ID), micros(e.Expires), e.Stanza)
		case *store.RoomEntry:
			o.rooms = append(o.rooms, e.Host, e.Room, e.Seq, int64(e.ID), e.Nick, e.OccupantID, e.Sender, e.OriginID, bit(e.Subject), e.Stanza)
		}
	}
}

// table is one that the group commit writes: its statements have a few fixed sizes, so that each is prepared once.
type table struct {
	columns int
	texts   [len(sizes)]string
}

var sizes = [...]int{64, 16, 4, 1}

// An entry has a key of its own for ever: one that is there already is the same one, kept by an attempt whose answer
// was lost. In a room the number is the key, and two that want the same one are two entries.
var (
	inserts = [...]table{newTable(archiveInto, " ON CONFLICT DO NOTHING", true), newTable(offlineInto, " ON CONFLICT DO NOTHING", true), newTable(roomInto, "", true)}
	// Of what the journal had, where rooms have been checked. SQLite looks names like $1 up one after the other; ? has none.
	moves = [...]table{newTable(archiveInto, " ON CONFLICT DO NOTHING", false), newTable(offlineInto, " ON CONFLICT DO NOTHING", false), newTable(roomInto, " ON CONFLICT DO NOTHING", false)}
)

const (
	archiveInto = "archive (host, owner, id, with_bare, with_res, incoming, origin_id, stanza)"
	offlineInto = "offline (host, owner, id, expires, stanza)"
	roomInto    = "room_archive (host, room, seq, id, nick, occupant_id, sender, origin_id, subject, stanza)"
)

func newTable(into, conflict string, numbered bool) table {
	t := table{columns: strings.Count(into, ",") + 1}
	for i, rows := range sizes {
		b := []byte("INSERT INTO " + into + " VALUES ")
		for n := range rows * t.columns {
			switch {
			case n == 0:
				b = append(b, '(')
			case n%t.columns == 0:
				b = append(b, "),("...)
			default:
				b = append(b, ',')
			}
			if numbered {
				b = append(b, '$')
				b = strconv.AppendInt(b, int64(n+1), 10)
			} else {
				b = append(b, '?')
			}
		}
		t.texts[i] = string(append(append(b, ')'), conflict...))
	}
	return t
}

// prepareMoves prepares all that a move to SQLite may need: there is only one connection that writes, and inside a
// transaction it is taken.
func (s *Store) prepareMoves(ctx context.Context) error {
	for i := range moves {
		for _, q := range moves[i].texts {
			if _, err := s.stmt(ctx, s.w, q); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) insert(ctx context.Context, tx *sql.Tx, t *table, args []any) error {
	for len(args) > 0 {
		i := 0
		for len(args) < sizes[i]*t.columns {
			i++
		}
		n := sizes[i] * t.columns
		st, err := s.stmt(ctx, s.w, t.texts[i])
		if err != nil {
			return err
		}
		if st != nil {
			_, err = tx.StmtContext(ctx, st).ExecContext(ctx, args[:n]...)
		} else {
			_, err = tx.ExecContext(ctx, t.texts[i], args[:n]...)
		}
		if err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}
