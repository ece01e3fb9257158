package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"parley/store"
)

// scheduledTable is the table of what is to be sent later. A next try of 0 is none.
const scheduledTable = `
CREATE TABLE IF NOT EXISTS scheduled (
    host TEXT NOT NULL, owner TEXT NOT NULL, id INT8 NOT NULL, chat TEXT NOT NULL, reminder INT8 NOT NULL,
    body TEXT NOT NULL, more TEXT NOT NULL, due INT8 NOT NULL, next_try INT8 NOT NULL, failed TEXT NOT NULL,
    PRIMARY KEY (host, owner, id));
CREATE INDEX IF NOT EXISTS scheduled_next ON scheduled (host, next_try);
CREATE INDEX IF NOT EXISTS scheduled_chat ON scheduled (host, chat);
`

const (
	scheduledColumns = "host, owner, id, chat, reminder, body, more, due, next_try, failed"
	selectScheduled  = "SELECT " + scheduledColumns + " FROM scheduled WHERE host = $1 AND "
)

func scanScheduled(r interface{ Scan(...any) error }) (x store.Scheduled, err error) {
	var due, next int64
	err = r.Scan(&x.Host, &x.Owner, &x.ID, &x.Chat, &x.Reminder, &x.Text, &x.More, &due, &next, &x.Failed)
	x.Due, x.Next = when(due), when(next)
	return x, err
}

func (s *Store) scheduled(ctx context.Context, where string, args ...any) (xs []store.Scheduled, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		x, err := scanScheduled(r)
		xs = append(xs, x)
		return err
	}, selectScheduled+where, args...)
	return xs, err
}

// AddScheduled keeps a message that is to be sent later.
func (s *Store) AddScheduled(ctx context.Context, x store.Scheduled, limit int) error {
	if err := s.raise(ctx, x.ID); err != nil {
		return err
	}
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx, "INSERT INTO scheduled ("+scheduledColumns+") "+
				"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
				x.Host, x.Owner, int64(x.ID), x.Chat, bit(x.Reminder), x.Text, x.More, micros(x.Due), micros(x.Next),
				x.Failed)
			return err
		}, "SELECT COUNT(*) FROM scheduled WHERE host = $1 AND owner = $2", x.Host, x.Owner)
	})
}

// Scheduled gives what an account has to be sent later, the first first.
func (s *Store) Scheduled(ctx context.Context, host, owner string) ([]store.Scheduled, error) {
	return s.scheduled(ctx, "owner = $2 ORDER BY due, id", host, owner)
}

// ChangeScheduled changes a message that is to be sent later, in a transaction.
func (s *Store) ChangeScheduled(ctx context.Context, host, owner string, id store.ID,
	change func(*store.Scheduled) error) (x store.Scheduled, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, selectScheduled+"owner = $2 AND id = $3"+s.forUpdate(), host, owner, int64(id))
		if x, err = scanScheduled(row); err != nil {
			return err
		}
		if err := change(&x); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE scheduled SET body = $4, more = $5, due = $6, next_try = $7, failed = $8 "+
			"WHERE host = $1 AND owner = $2 AND id = $3", host, owner, int64(id), x.Text, x.More, micros(x.Due),
			micros(x.Next), x.Failed)
		return err
	})
	return x, err
}

// DeleteScheduled removes a message that was to be sent later.
func (s *Store) DeleteScheduled(ctx context.Context, host, owner string, id store.ID) error {
	return s.one(ctx, "DELETE FROM scheduled WHERE host = $1 AND owner = $2 AND id = $3", host, owner, int64(id))
}

// DueScheduled gives the messages that are tried next.
func (s *Store) DueScheduled(ctx context.Context, host string, limit int) ([]store.Scheduled, error) {
	return s.scheduled(ctx, "next_try > 0 ORDER BY next_try, id LIMIT $2", host, limit)
}

// ClaimScheduled moves the next try of a message.
func (s *Store) ClaimScheduled(ctx context.Context, host string, id store.ID, next, then time.Time) (bool, error) {
	n, err := s.exec(ctx, "UPDATE scheduled SET next_try = $4 WHERE host = $1 AND id = $2 AND next_try = $3",
		host, int64(id), micros(next), micros(then))
	return n > 0, err
}
