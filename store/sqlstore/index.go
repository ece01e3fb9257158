package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/store"
	"parley/store/fulltext"
)

// When an archive's messages are taken into the index: many at once have most words in common, so that they need few
// rows; some are left to be read where there are few.
const (
	indexMany  = 1000
	indexSome  = 100
	indexAfter = 24 * time.Hour // if there are indexSome
	indexBytes = 8 << 20        // of messages in one transaction
)

var errGone = errors.New("store: the archive is gone")

// IndexArchives adds messages older than before to the index, for accounts or rooms of a host that have enough of them,
// and gives how many it added.
func (s *Store) IndexArchives(ctx context.Context, host string, before time.Time) (n int, err error) {
	for _, l := range []log{accountLog, roomLog} {
		m, err := s.indexAll(ctx, l, host, before)
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// owners gives the table of a host's archives, and the condition that one still exists.
func (l log) owners() (table, living string) {
	if l == accountLog {
		return "users", "1 = 1"
	}
	return "rooms", "destroyed = 0"
}

func (s *Store) indexAll(ctx context.Context, l log, host string, before time.Time) (n int, err error) {
	const page = 200
	table, living := l.owners()
	for after := ""; ; {
		var owners []string
		err := s.rows(ctx, func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			owners = append(owners, name)
			return err
		}, "SELECT name FROM "+table+" WHERE host = $1 AND name > $2 AND "+living+
			" ORDER BY name LIMIT $3", host, after, page)
		if err != nil {
			return n, err
		}
		for _, owner := range owners {
			m, err := s.indexArchive(ctx, l, host, owner, before)
			n += m
			if err != nil {
				return n, err
			}
		}
		if len(owners) < page {
			return n, nil
		}
		after = owners[page-1]
	}
}

// indexArchive adds messages to the index until few are left.
func (s *Store) indexArchive(ctx context.Context, l log, host, owner string, before time.Time) (n int, err error) {
	if err := s.settle(ctx, host, owner); err != nil {
		return 0, err
	}
	for {
		upto, err := s.mark(ctx, host, owner)
		if err != nil {
			return n, err
		}
		var left int
		var oldest int64
		err = s.row(ctx, []any{&left, &oldest},
			"SELECT COUNT(*), COALESCE(MIN(id), 0) FROM (SELECT id FROM "+l.table+" WHERE host = $1 AND "+l.owner+
				" = $2 AND id > $3 AND id < $4 ORDER BY id LIMIT $5) AS waiting",
			host, owner, upto, int64(store.FirstID(before)), indexMany)
		if err != nil {
			return n, err
		}
		if left < indexMany && (left < indexSome || s.now().Sub(store.ID(oldest).Time()) < indexAfter) {
			return n, nil
		}
		m, err := s.indexSome(ctx, l, host, owner, int64(store.FirstID(before)))
		n += m
		if errors.Is(err, errGone) {
			return n, nil
		}
		if err != nil || m == 0 {
			return n, err
		}
	}
}

func (s *Store) indexSome(ctx context.Context, l log, host, owner string, end int64) (n int, err error) {
	if err := s.prepareTerms(ctx); err != nil {
		return 0, err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		upto, err := s.lockMark(ctx, tx, host, owner)
		if err != nil {
			return err
		}
		table, living := l.owners()
		var one int64
		err = tx.QueryRowContext(ctx,
			"SELECT 1 FROM "+table+" WHERE host = $1 AND name = $2 AND "+living, host, owner).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return errGone
		}
		if err != nil {
			return err
		}
		var p postings
		n, upto, p, err = gatherTerms(ctx, tx, l, host, owner, upto, end)
		if err != nil || n == 0 {
			return err
		}
		if err := s.insertTerms(ctx, tx, host, owner, p); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx,
			"UPDATE search_marks SET upto = $3 WHERE host = $1 AND owner = $2", host, owner, upto)
		return err
	})
	return n, err
}

// gatherTerms reads the next messages of an archive.
func gatherTerms(ctx context.Context, tx *sql.Tx, l log, host, owner string,
	upto, end int64) (n int, last int64, p postings, err error) {
	rows, err := tx.QueryContext(ctx,
		"SELECT id, stanza FROM "+l.table+" WHERE host = $1 AND "+l.owner+
			" = $2 AND id > $3 AND id < $4 ORDER BY id LIMIT $5", host, owner, upto, end, indexMany)
	if err != nil {
		return 0, 0, nil, err
	}
	size := 0
	err = each(rows, func(r *sql.Rows) error {
		if size > indexBytes {
			return nil
		}
		var stanza sql.RawBytes
		if err := r.Scan(&last, &stanza); err != nil {
			return err
		}
		p = p.add(last, fulltext.Terms(fulltext.Words(stanza)))
		size += len(stanza)
		n++
		return nil
	})
	return n, last, p, err
}
