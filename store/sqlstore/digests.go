package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/store"
)

const digestColumns = "owner, every, told, due"

func (s *Store) digests(ctx context.Context, rest string, args ...any) (ds []store.Digest, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var d store.Digest
		var due int64
		err := r.Scan(&d.Owner, &d.Every, &d.Told, &due)
		d.Due = when(due)
		ds = append(ds, d)
		return err
	}, "SELECT "+digestColumns+" FROM digests WHERE host = $1 AND "+rest, args...)
	return ds, err
}

// Digest gives a person's digest.
func (s *Store) Digest(ctx context.Context, host, owner string) (store.Digest, error) {
	ds, err := s.digests(ctx, "owner = $2", host, owner)
	if err != nil || len(ds) == 0 {
		return store.Digest{Owner: owner}, err
	}
	return ds[0], nil
}

// SetDigest writes Every and Due of a person's digest.
func (s *Store) SetDigest(ctx context.Context, host string, d store.Digest) error {
	_, err := s.exec(ctx, `INSERT INTO digests (host, owner, every, told, due) VALUES ($1, $2, $3, 0, $4)
		ON CONFLICT (host, owner) DO UPDATE SET every = excluded.every, due = excluded.due`,
		host, d.Owner, d.Every, micros(d.Due))
	return err
}

// DueDigests gives digests that are due at a moment, the longest overdue first.
func (s *Store) DueDigests(ctx context.Context, host string, at time.Time, limit int) ([]store.Digest, error) {
	return s.digests(ctx, "due > 0 AND due <= $2 ORDER BY due, owner LIMIT $3", host, micros(at), limit)
}

// StartDigests makes a digest, due at a moment, for accounts that have an e-mail address and no digest yet, at most
// limit of them.
func (s *Store) StartDigests(ctx context.Context, host string, due time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, `INSERT INTO digests (host, owner, every, told, due)
		SELECT p.host, p.owner, '', 0, CAST($2 AS INT8) FROM people p WHERE p.host = $1 AND p.email_key <> ''
		AND NOT EXISTS (SELECT 1 FROM digests d WHERE d.host = p.host AND d.owner = p.owner) ORDER BY p.owner LIMIT $3
		ON CONFLICT (host, owner) DO NOTHING`, host, micros(due), limit)
	return int(n), err
}

// PutOffDigest sets Due to next and writes told.
func (s *Store) PutOffDigest(ctx context.Context, host string, d store.Digest, next time.Time,
	told store.ID, m *store.Mail) error {
	if m != nil {
		if err := s.raise(ctx, m.ID); err != nil {
			return err
		}
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx,
			"UPDATE digests SET due = $5, told = $6 WHERE host = $1 AND owner = $2 AND every = $3 AND due = $4",
			host, d.Owner, d.Every, micros(d.Due), micros(next), int64(told))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, store.ErrConflict)
		}
		if m == nil {
			return nil
		}
		_, err = tx.ExecContext(ctx, insertMail, mailArgs(*m)...)
		return err
	})
}
