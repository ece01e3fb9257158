package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/store"
	"parley/store/fulltext"
)

// toMicros returns microseconds; -1 for store.Forever.
func toMicros(d time.Duration) int64 {
	if d == store.Forever {
		return -1
	}
	return int64(d / time.Microsecond)
}

func fromMicros(n int64) time.Duration {
	if n < 0 {
		return store.Forever
	}
	return time.Duration(n) * time.Microsecond
}

func scanRetention(r interface{ Scan(...any) error }, more ...any) (store.Retention, error) {
	var said, own int64
	err := r.Scan(append(more, &said, &own)...)
	return store.Retention{Set: fromMicros(said), Own: fromMicros(own)}, err
}

// Retention gives an account's retention.
func (s *Store) Retention(ctx context.Context, host, name string) (r store.Retention, err error) {
	err = s.rows(ctx, func(rows *sql.Rows) (err error) {
		r, err = scanRetention(rows)
		return err
	}, "SELECT retention_set, retention_own FROM users WHERE host = $1 AND name = $2", host, name)
	return r, err
}

// Retentions gives every account, also those without a setting, in order of Name.
func (s *Store) Retentions(ctx context.Context, host, after string,
	limit int) (rs []store.AccountRetention, err error) {
	err = s.rows(ctx, func(rows *sql.Rows) error {
		var a store.AccountRetention
		var err error
		a.Retention, err = scanRetention(rows, &a.Name)
		rs = append(rs, a)
		return err
	}, `SELECT name, retention_set, retention_own FROM users
		WHERE host = $1 AND name > $2 ORDER BY name LIMIT $3`, host, after, limit)
	return rs, err
}

// SetRetention changes a retention in a transaction.
func (s *Store) SetRetention(ctx context.Context, host, name string, f func(*store.Retention)) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		r, err := scanRetention(tx.QueryRowContext(ctx,
			"SELECT retention_set, retention_own FROM users WHERE host = $1 AND name = $2"+s.forUpdate(), host, name))
		if err != nil {
			return err
		}
		f(&r)
		_, err = tx.ExecContext(ctx,
			"UPDATE users SET retention_set = $3, retention_own = $4 WHERE host = $1 AND name = $2",
			host, name, toMicros(r.Set), toMicros(r.Own))
		return err
	})
}

// ExpireArchive removes entries of an account older than before, at most limit, and gives how many.
func (s *Store) ExpireArchive(ctx context.Context, host, owner string, before time.Time, limit int) (int, error) {
	return s.expire(ctx, accountLog, host, owner, before, limit)
}

// ExpireRooms removes entries older than before from the archives of a service's rooms, also of destroyed rooms, in
// small steps, and gives how many.
func (s *Store) ExpireRooms(ctx context.Context, host string, before time.Time) (n int, err error) {
	const page, limit = 200, 1000
	for after := ""; ; {
		var names []string
		err := s.rows(ctx, func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			names = append(names, name)
			return err
		}, "SELECT name FROM rooms WHERE host = $1 AND name > $2 ORDER BY name LIMIT $3", host, after, page)
		if err != nil {
			return n, err
		}
		for _, name := range names {
			for gone := limit; gone == limit; n += gone {
				if gone, err = s.expire(ctx, roomLog, host, name, before, limit); err != nil {
					return n, err
				}
			}
		}
		if len(names) < page {
			return n, nil
		}
		after = names[page-1]
	}
}

// expire removes the oldest entries of one archive.
func (s *Store) expire(ctx context.Context, l log, host, owner string, before time.Time, limit int) (n int, err error) {
	if err := s.settle(ctx, host, owner); err != nil {
		return 0, err
	}
	end := int64(store.FirstID(before))
	var some int // most have nothing to remove, and need no transaction
	err = s.row(ctx, []any{&some},
		"SELECT 1 FROM "+l.table+" WHERE host = $1 AND "+l.owner+" = $2 AND id < $3 LIMIT 1", host, owner, end)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		n, err = s.expireSome(ctx, tx, l, host, owner, end, limit)
		return err
	})
	return n, err
}

// expireSome takes their words out of the index, too.
func (s *Store) expireSome(ctx context.Context, tx *sql.Tx, l log, host, owner string, end int64,
	limit int) (n int, err error) {
	if _, err := s.lockMark(ctx, tx, host, owner); err != nil {
		return 0, err
	}
	where := " FROM " + l.table + " WHERE host = $1 AND " + l.owner + " = $2 AND id "
	rows, err := tx.QueryContext(ctx, "SELECT id, stanza"+where+"< $3 ORDER BY id LIMIT $4", host, owner, end, limit)
	if err != nil {
		return 0, err
	}
	var last int64
	var terms postings
	err = each(rows, func(r *sql.Rows) error {
		var stanza sql.RawBytes
		if err := r.Scan(&last, &stanza); err != nil {
			return err
		}
		terms = terms.add(last, fulltext.Terms(fulltext.Words(stanza)))
		n++
		return nil
	})
	if err != nil || n == 0 {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, "DELETE"+where+"<= $3", host, owner, last); err != nil {
		return 0, err
	}
	return n, s.removeTerms(ctx, tx, host, owner, terms)
}
