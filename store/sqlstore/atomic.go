package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/cockroachdb/cockroach-go/v2/crdb"

	"parley/store"
)

// A transaction that several calls take part in is carried by their context.

type atomicKey struct{}

type atomicTx struct {
	s      *Store
	tx     *sql.Tx
	depth  int   // savepoints
	failed error // after which PostgreSQL takes no statement any more

	// settled says that the database has everything that SQLite's journal had, and that nothing is added meanwhile.
	settled bool
}

// errUnsettled makes a transaction begin again after the journal has been moved to the database. The move needs the
// connection that the transaction holds, and locks that are taken before it elsewhere.
var errUnsettled = errors.New("store: the journal is not moved to the database")

// current returns the transaction that a context carries; nil if it carries none of this store.
func (s *Store) current(ctx context.Context) *atomicTx {
	if a, ok := ctx.Value(atomicKey{}).(*atomicTx); ok && a.s == s {
		return a
	}
	return nil
}

// Atomic is of store.Atomics.
func (s *Store) Atomic(ctx context.Context, f func(ctx context.Context) error) error {
	if a := s.current(ctx); a != nil {
		return a.part(ctx, func(*sql.Tx) error { return f(ctx) })
	}
	err := s.atomic(ctx, false, f)
	if err != nil && unanswered(err) {
		return fmt.Errorf("%w: %w", store.ErrInDoubt, err)
	}
	if !errors.Is(err, errUnsettled) {
		return err
	}
	if err := s.app.moving.Take(ctx); err != nil {
		return err
	}
	defer s.app.moving.Free()
	if err := s.app.appending.Take(ctx); err != nil {
		return err
	}
	defer s.app.appending.Free()
	if err := s.moveWaiting(ctx); err != nil {
		return err
	}
	clear(s.app.rooms) // f may change the epoch of any room
	return s.atomic(ctx, true, f)
}

func (s *Store) atomic(ctx context.Context, settled bool, f func(ctx context.Context) error) error {
	run := func(tx *sql.Tx) error {
		a := &atomicTx{s: s, tx: tx, settled: settled}
		err := f(context.WithValue(ctx, atomicKey{}, a))
		if a.begins(a.failed) || err == nil { // also if f has turned that error into another
			return a.failed
		}
		return err
	}
	if s.roach {
		return translate(crdb.ExecuteTx(crdb.WithMaxRetries(ctx, maxRetries), s.w, nil, run))
	}
	return s.txAgain(ctx, sql.LevelSerializable, run)
}

// begins says whether the whole transaction has to begin again after an error.
func (a *atomicTx) begins(err error) bool { return again(err) || errors.Is(err, errUnsettled) }

// needsJournal returns an error if the next step needs the journal's entries in the database and they may not be there.
func (a *atomicTx) needsJournal() error {
	if a.settled {
		return nil
	}
	return a.fail(errUnsettled)
}

// part runs what would be a transaction of its own elsewhere; an error undoes only this part.
func (a *atomicTx) part(ctx context.Context, f func(*sql.Tx) error) error {
	if a.failed != nil {
		return a.failed
	}
	a.depth++
	defer func() { a.depth-- }()
	name := fmt.Sprintf("part%d", a.depth)
	if _, err := a.tx.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return a.fail(err)
	}
	err := f(a.tx)
	if err == nil {
		err = a.failed
	}
	if err == nil {
		if _, err := a.tx.ExecContext(ctx, "RELEASE SAVEPOINT "+name); err != nil {
			return a.fail(err)
		}
		return nil
	}
	if a.begins(err) { // the whole begins again
		return a.fail(err)
	}
	a.failed = nil
	if _, back := a.tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT "+name); back != nil {
		return errors.Join(err, a.fail(back))
	}
	return translate(err)
}

// fail remembers the first error of the database.
func (a *atomicTx) fail(err error) error {
	if a.failed == nil {
		a.failed = err
	}
	return err
}

// exec is Store.exec in the transaction.
func (a *atomicTx) exec(ctx context.Context, q string, args ...any) (int64, error) {
	if a.failed != nil {
		return 0, a.failed
	}
	res, err := a.tx.ExecContext(ctx, q, args...)
	if err != nil {
		return 0, translate(a.fail(err))
	}
	return res.RowsAffected()
}

// rows is Store.rows in the transaction.
func (a *atomicTx) rows(ctx context.Context, scan func(*sql.Rows) error, q string, args ...any) error {
	if a.failed != nil {
		return a.failed
	}
	rows, err := a.tx.QueryContext(ctx, q, args...)
	if err != nil {
		return translate(a.fail(err))
	}
	if err := each(rows, scan); err != nil {
		if again(err) {
			return a.fail(err)
		}
		return err
	}
	return nil
}

// Bump is of store.Atomics.
func (s *Store) Bump(ctx context.Context, host, kind, id string) (v int64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO versions (host, kind, id, version) VALUES ($1, $2, $3, 1)
			ON CONFLICT (host, kind, id) DO UPDATE SET version = versions.version + 1
			RETURNING version`, host, kind, id).Scan(&v)
	})
	return v, err
}

// Version is of store.Atomics.
func (s *Store) Version(ctx context.Context, host, kind, id string) (v int64, err error) {
	err = s.row(ctx, []any{&v},
		"SELECT version FROM versions WHERE host = $1 AND kind = $2 AND id = $3", host, kind, id)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return v, err
}
