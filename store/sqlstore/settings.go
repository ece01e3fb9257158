package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// Settings gives all settings of a host in order of name.
func (s *Store) Settings(ctx context.Context, host string) (out []store.Setting, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var v store.Setting
		var since int64
		err := r.Scan(&v.Name, &v.Value, &since, &v.By)
		v.Since = when(since)
		out = append(out, v)
		return err
	}, "SELECT name, value, since, changed_by FROM settings WHERE host = $1 ORDER BY name", host)
	return out, err
}

// SetSettings keeps some settings and removes others by name, all or nothing.
func (s *Store) SetSettings(ctx context.Context, host string, keep []store.Setting, forget []string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, v := range keep {
			if _, err := tx.ExecContext(ctx,
				"INSERT INTO settings (host, name, value, since, changed_by) VALUES ($1, $2, $3, $4, $5)"+
					" ON CONFLICT (host, name) DO UPDATE SET value = excluded.value, since = excluded.since, "+
					"changed_by = excluded.changed_by",
				host, v.Name, v.Value, micros(v.Since), v.By); err != nil {
				return err
			}
		}
		for _, name := range forget {
			if _, err := tx.ExecContext(ctx, "DELETE FROM settings WHERE host = $1 AND name = $2",
				host, name); err != nil {
				return err
			}
		}
		return nil
	})
}
