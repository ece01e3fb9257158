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

// writer is the group commit: one goroutine takes what waits, commits it in one transaction, and takes what has
// gathered meanwhile. So a batch is as large as the load makes it, and nobody waits for it to fill.
type writer struct {
	mu     sync.RWMutex // held for reading while a request is handed over
	closed bool
	in     chan *request
	done   chan struct{}
}

type request struct {
	ws    []store.Write
	err   error
	done  chan struct{}
	state atomic.Int32 // requestWaits until its batch is begun or its caller gives up
}

const (
	requestWaits = iota
	requestTaken
	requestGone
)

func (r *request) take() bool { return r.state.CompareAndSwap(requestWaits, requestTaken) }

var requests = sync.Pool{New: func() any { return &request{done: make(chan struct{}, 1)} }}

func (w *writer) start(s *Store) {
	w.in, w.done = make(chan *request, 4096), make(chan struct{})
	go func() {
		defer close(w.done)
		s.writeBatches(w.in)
	}()
}

// close says whether it was this call that ended it.
func (w *writer) close() bool {
	w.mu.Lock()
	was := w.closed
	w.closed = true
	w.mu.Unlock()
	if was || w.in == nil {
		return false
	}
	close(w.in)
	<-w.done
	return true
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
	s.writer.mu.RLock()
	if s.writer.closed || s.writer.in == nil {
		s.writer.mu.RUnlock()
		return errors.New("store: closed")
	}
	select {
	case s.writer.in <- r:
		s.writer.mu.RUnlock()
	case <-ctx.Done():
		s.writer.mu.RUnlock()
		return ctx.Err()
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		if r.state.CompareAndSwap(requestWaits, requestGone) {
			return ctx.Err() // the writer lets it fall
		}
		<-r.done
	}
	err := r.err
	r.ws = nil
	requests.Put(r)
	return err
}

func (s *Store) writeBatches(in <-chan *request) {
	var batch []*request
	for r := range in {
		batch = batch[:0]
		rows := 0
	gather:
		for {
			if r.take() {
				batch = append(batch, r)
				rows += len(r.ws)
			}
			if rows >= s.opts.CommitBatch {
				break
			}
			select {
			case next, ok := <-in:
				if !ok {
					break gather
				}
				r = next
			default:
				break gather
			}
		}
		if len(batch) == 0 {
			continue
		}
		if s.app != nil {
			s.appendBatch(batch)
		} else {
			s.commitBatch(batch)
		}
		for i, r := range batch {
			r.done <- struct{}{}
			batch[i] = nil
		}
	}
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
