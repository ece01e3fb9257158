package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// PutShared adds a thing or replaces its text.
func (s *Store) PutShared(ctx context.Context, x store.Shared, limit int) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx, `INSERT INTO shared (host, team, kind, name, body, creator, updated)
				VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (host, team, kind, name) DO UPDATE SET body = excluded.body, creator = excluded.creator,
				updated = excluded.updated`,
				x.Host, x.Team, x.Kind, x.Name, x.Text, x.Creator, micros(x.Updated))
			return err
		}, "SELECT COUNT(*) FROM shared WHERE host = $1 AND team = $2 AND kind = $3", x.Host, x.Team, x.Kind)
	})
}

// Shared gives a team's things of a kind, in order of name.
func (s *Store) Shared(ctx context.Context, host, team, kind string) (xs []store.Shared, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var x store.Shared
		var updated int64
		err := r.Scan(&x.Host, &x.Team, &x.Kind, &x.Name, &x.Text, &x.Creator, &updated)
		x.Updated = when(updated)
		xs = append(xs, x)
		return err
	}, "SELECT host, team, kind, name, body, creator, updated FROM shared "+
		"WHERE host = $1 AND team = $2 AND kind = $3 ORDER BY name", host, team, kind)
	return xs, err
}

// DeleteShared removes a thing.
func (s *Store) DeleteShared(ctx context.Context, host, team, kind, name string) error {
	return s.one(ctx, "DELETE FROM shared WHERE host = $1 AND team = $2 AND kind = $3 AND name = $4",
		host, team, kind, name)
}
