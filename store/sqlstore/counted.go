package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// countedTries is how often a transaction of counted is begun. One of those that are in each other's way always gets
// through, so the number bounds how many may come at once.
const countedTries = 500

// counted is tx for what may not be more than a limit: two transactions that count at the same time would each miss what
// the other has added. PostgreSQL sees that at its highest isolation only, where it lets one of them begin again;
// CockroachDB has no other, and SQLite has one writer.
func (s *Store) counted(ctx context.Context, f func(*sql.Tx) error) error {
	if !s.pg {
		return s.tx(ctx, f)
	}
	for try := 1; ; try++ {
		err := s.serializable(ctx, f)
		if !again(err) || try == countedTries {
			return translate(err)
		}
		select {
		case <-time.After(time.Duration(rand.Int64N(int64(min(try, 20)) * int64(time.Millisecond)))): // not all at once
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Store) serializable(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.w.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
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
