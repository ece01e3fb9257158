package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"parley/store"
)

// PutPlaces keeps places or notes their later use, all or none.
func (s *Store) PutPlaces(ctx context.Context, ps []store.Place, limit int) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, p := range ps {
			if _, err := tx.ExecContext(ctx, `INSERT INTO places (host, owner, network, used)
				SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS INT8)
				WHERE EXISTS (SELECT 1 FROM users WHERE host = $1 AND name = $2)
				ON CONFLICT (host, owner, network) DO UPDATE SET used = excluded.used`,
				p.Host, p.Owner, p.Network, micros(p.Used)); err != nil {
				return err
			}
		}
		for _, p := range ps {
			if _, err := tx.ExecContext(ctx, `DELETE FROM places WHERE host = $1 AND owner = $2 AND network IN (
				SELECT network FROM places WHERE host = $1 AND owner = $2
				ORDER BY used DESC, network LIMIT 1000 OFFSET $3)`, p.Host, p.Owner, limit); err != nil {
				return err
			}
		}
		return nil
	})
}

// Places gives the places of a host in order of owner and network, at most limit, beginning behind after.
func (s *Store) Places(ctx context.Context, host string, after store.Place, limit int) (ps []store.Place, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		p := store.Place{Host: host}
		var used int64
		err := r.Scan(&p.Owner, &p.Network, &used)
		p.Used = when(used)
		ps = append(ps, p)
		return err
	}, `SELECT owner, network, used FROM places WHERE host = $1 AND (owner > $2 OR owner = $2 AND network > $3)
		ORDER BY owner, network LIMIT $4`, host, after.Owner, after.Network, limit)
	return ps, err
}

// DeletePlaces removes places that were last used before a time.
func (s *Store) DeletePlaces(ctx context.Context, before time.Time) error {
	_, err := s.exec(ctx, "DELETE FROM places WHERE used < $1", micros(before))
	return err
}
