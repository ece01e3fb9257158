package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// maxRetries is how often a transaction is begun again. One of those that are in each other's way always gets through, so
// the number bounds how many may come at once.
const maxRetries = 500

// counted is tx for what may not be more than a limit: two transactions that count at the same time would each miss what
// the other has added. PostgreSQL sees that at its highest isolation only, where it lets one of them begin again;
// CockroachDB has no other, and SQLite has one writer.
func (s *Store) counted(ctx context.Context, f func(*sql.Tx) error) error {
	if !s.pg || s.roach {
		return s.tx(ctx, f)
	}
	return s.txAgain(ctx, sql.LevelSerializable, f)
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
