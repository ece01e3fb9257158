package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// QuietHours gives a person's quiet hours.
func (s *Store) QuietHours(ctx context.Context, host, owner string) (q store.QuietHours, err error) {
	found := false
	err = s.rows(ctx, func(r *sql.Rows) error {
		var on, days, until int64
		err := r.Scan(&on, &q.From, &q.To, &days, &q.Zone, &until)
		q.On, q.Days, q.Until, found = on != 0, store.Days(days), when(until), true
		return err
	}, "SELECT active, starts, ends, days, zone, paused FROM quiet_hours WHERE host = $1 AND owner = $2", host, owner)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return q, err
}

// SetQuietHours writes a person's quiet hours.
func (s *Store) SetQuietHours(ctx context.Context, host, owner string, q store.QuietHours) error {
	on := 0
	if q.On {
		on = 1
	}
	n, err := s.exec(ctx, `INSERT INTO quiet_hours (host, owner, active, starts, ends, days, zone, paused)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS INT8), CAST($4 AS INT8), CAST($5 AS INT8), CAST($6
		AS INT8), CAST($7 AS TEXT), CAST($8 AS INT8)
		WHERE EXISTS (SELECT 1 FROM users WHERE host = $1 AND name = $2)
		ON CONFLICT (host, owner) DO UPDATE SET active = excluded.active, starts = excluded.starts,
		ends = excluded.ends, days = excluded.days, zone = excluded.zone, paused = excluded.paused`,
		host, owner, on, q.From, q.To, int64(q.Days), q.Zone, micros(q.Until))
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return err
}
