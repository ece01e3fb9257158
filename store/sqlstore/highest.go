package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// The mark is a number in the database that is at least as high as every stored id. After a restart ids begin above it,
// whatever the clock says: archives are read by id, and clients would never see an entry below an id that they know.
//
// Code that stores a higher id raises the mark: in the same transaction where entries are committed, before it
// elsewhere. It raises the mark a little beyond the id, so that under load the mark is written once a second and not
// for each message.
const markAhead = 1_000_000 << 12 // number of ids in one second

const raiseMark = `INSERT INTO id_marks (node, upto) VALUES ('', $1)
	ON CONFLICT (node) DO UPDATE SET upto = excluded.upto WHERE id_marks.upto < excluded.upto`

// createMarks is also in the baseline. The rest of a journal is moved to the database before the schema is brought up
// to date.
const createMarks = "CREATE TABLE IF NOT EXISTS id_marks (node TEXT NOT NULL PRIMARY KEY, upto INT8 NOT NULL)"

// HighestID is of store.Marks.
func (s *Store) HighestID(ctx context.Context) (id store.ID, err error) {
	if err := s.settleAll(ctx); err != nil {
		return 0, err
	}
	return id, s.row(ctx, []any{&id}, "SELECT COALESCE(MAX(upto), 0) FROM id_marks")
}

// raise raises the mark, if needed, before an id is kept.
func (s *Store) raise(ctx context.Context, id store.ID) error {
	if int64(id) <= s.marked.Load() {
		return nil
	}
	upto := ahead(id)
	if _, err := s.exec(ctx, raiseMark, upto); err != nil {
		return err
	}
	if s.current(ctx) == nil { // otherwise it may be rolled back
		s.noteMark(upto)
	}
	return nil
}

// raiseIn is raise in the transaction that keeps the id. It may be rolled back, so the mark is not noted.
func (s *Store) raiseIn(ctx context.Context, tx *sql.Tx, id store.ID) error {
	if int64(id) <= s.marked.Load() {
		return nil
	}
	_, err := tx.ExecContext(ctx, raiseMark, ahead(id))
	return err
}

// noteMark notes a lower bound of the mark.
func (s *Store) noteMark(upto int64) {
	for was := s.marked.Load(); was < upto && !s.marked.CompareAndSwap(was, upto); was = s.marked.Load() {
	}
}

func ahead(id store.ID) int64 {
	if int64(id) > 1<<63-1-markAhead {
		return 1<<63 - 1
	}
	return int64(id) + markAhead
}
