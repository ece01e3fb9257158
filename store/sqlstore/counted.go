package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"parley/store"
)

// maxRetries is how often a transaction is begun again. Of several that conflict, one always gets through, so the
// number bounds how many can compete.
const maxRetries = 500

// counted is tx for writes with a limit: two transactions that count at the same time would each miss the other's rows.
// PostgreSQL detects that only at its highest isolation, and one of them begins again; CockroachDB has no other
// isolation, and SQLite has one writer.
func (s *Store) counted(ctx context.Context, f func(*sql.Tx) error) error {
	if !s.pg || s.roach || s.current(ctx) != nil {
		return s.tx(ctx, f)
	}
	return s.txAgain(ctx, sql.LevelSerializable, f)
}

// within runs write, and returns ErrLimit if it makes the count that q gives exceed limit; 0 is no limit. write adds at
// most adds rows. The count may be above the limit already, because the limit was lowered or the server added rows:
// existing rows can be changed and removed all the same.
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

// txAgain runs a transaction on all engines but CockroachDB. crdb.ExecuteTx does not work on PostgreSQL: it takes
// RELEASE SAVEPOINT for the commit, as on CockroachDB, and ignores a COMMIT that fails after it.
func (s *Store) txAgain(ctx context.Context, level sql.IsolationLevel, f func(*sql.Tx) error) error {
	for try := 0; ; try++ {
		err := s.txOnce(ctx, level, f)
		if !again(err) || try == maxRetries {
			return translate(err)
		}
		select {
		case <-time.After(jitter(time.Duration(min(try+1, 20)) * time.Millisecond)): // not all at once
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// jitter gives a random duration shorter than most. It is from crypto/rand because a simulation can repeat that
// (testing/cryptotest).
func jitter(most time.Duration) time.Duration {
	var b [8]byte
	rand.Read(b[:])
	return time.Duration(binary.BigEndian.Uint64(b[:]) % uint64(most))
}

func (s *Store) txOnce(ctx context.Context, level sql.IsolationLevel, f func(*sql.Tx) error) error {
	tx, err := s.w.BeginTx(ctx, &sql.TxOptions{Isolation: level})
	if err != nil {
		return err
	}
	if err = s.fenced(ctx, tx); err == nil {
		err = f(tx)
	}
	if err != nil {
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
