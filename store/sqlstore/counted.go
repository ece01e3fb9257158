package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"parley/store"
)

// maxRetries is how often a transaction is begun again. One of those that are in each other's way always gets through, so
// the number bounds how many may come at once.
const maxRetries = 500

// counted is tx for what may not be more than a limit: two transactions that count at the same time would each miss what
// the other has added. PostgreSQL sees that at its highest isolation only, where it lets one of them begin again;
// CockroachDB has no other, and SQLite has one writer.
func (s *Store) counted(ctx context.Context, f func(*sql.Tx) error) error {
	if !s.pg || s.roach || s.current(ctx) != nil {
		return s.tx(ctx, f)
	}
	return s.txAgain(ctx, sql.LevelSerializable, f)
}

// within writes, and gives ErrLimit if what q counts has grown above limit by that; 0 is no limit. write adds at most `adds`
// of them. There may be more than the limit already, since it was lowered or the server has added what a person could not:
// what is there can be changed and taken away all the same.
func within(ctx context.Context, tx *sql.Tx, limit, adds int, write func() error, q string, args ...any) error {
	if limit <= 0 {
		return write()
	}
	var before, after int
	if err := tx.QueryRowContext(ctx, q, args...).Scan(&before); err != nil {
		return err
	}
	if err := write(); err != nil || before+adds <= limit {
		return err
	}
	if err := tx.QueryRowContext(ctx, q, args...).Scan(&after); err != nil {
		return err
	}
	if after > max(limit, before) {
		return store.ErrLimit
	}
	return nil
}

// txAgain is for all engines but CockroachDB. crdb.ExecuteTx would not do on PostgreSQL: it takes RELEASE SAVEPOINT for the
// commit, as it is on CockroachDB, and says nothing when the COMMIT after it fails.
func (s *Store) txAgain(ctx context.Context, level sql.IsolationLevel, f func(*sql.Tx) error) error {
	for try := 0; ; try++ {
		err := s.txOnce(ctx, level, f)
		if !again(err) || try == maxRetries {
			return translate(err)
		}
		select {
		case <-time.After(time.Duration(rand.Int64N(int64(min(try+1, 20)) * int64(time.Millisecond)))): // not all at once
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Store) txOnce(ctx context.Context, level sql.IsolationLevel, f func(*sql.Tx) error) error {
	tx, err := s.w.BeginTx(ctx, &sql.TxOptions{Isolation: level})
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// again says whether a transaction failed only because of another one: serialization_failure or deadlock_detected
// (PostgreSQL, appendix A).
func again(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && (pe.Code == "40001" || pe.Code == "40P01")
}
