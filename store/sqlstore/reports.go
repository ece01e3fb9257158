package sqlstore

import (
	"context"
	"database/sql"
	"strings"

	"parley/store"
)

// AddReport keeps a report.
func (s *Store) AddReport(ctx context.Context, r store.Report, limit int) error {
	if err := s.raise(ctx, r.ID); err != nil {
		return err
	}
	ids := strings.Fields(r.Room) // an id has no @
	for _, id := range r.Messages {
		ids = append(ids, id.String())
	}
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx,
				"INSERT INTO reports (host, id, owner, who, reason, note, messages) "+
					"VALUES ($1, $2, $3, $4, $5, $6, $7)",
				r.Host, int64(r.ID), r.Reporter, r.Who, r.Reason, r.Text, strings.Join(ids, " "))
			return err
		}, "SELECT COUNT(*) FROM reports WHERE host = $1 AND owner = $2", r.Host, r.Reporter)
	})
}

// Reports gives the newest reports, at most limit.
func (s *Store) Reports(ctx context.Context, host string, before store.ID, limit int) (rs []store.Report, err error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	err = s.rows(ctx, func(row *sql.Rows) error {
		r := store.Report{Host: host}
		var ids string
		if err := row.Scan(&r.ID, &r.Reporter, &r.Who, &r.Reason, &r.Text, &ids); err != nil {
			return err
		}
		for _, f := range strings.Fields(ids) {
			if strings.Contains(f, "@") {
				r.Room = f
			} else if id, err := store.ParseID(f); err == nil {
				r.Messages = append(r.Messages, id)
			}
		}
		rs = append(rs, r)
		return nil
	}, "SELECT id, owner, who, reason, note, messages FROM reports WHERE host = $1 AND id < $2 "+
		"ORDER BY id DESC LIMIT $3", host, int64(before), limit)
	return rs, err
}

// DeleteReport removes a report.
func (s *Store) DeleteReport(ctx context.Context, host string, id store.ID) error {
	return s.one(ctx, "DELETE FROM reports WHERE host = $1 AND id = $2", host, int64(id))
}
