package sqlstore

import (
	"context"
	"database/sql"
)

// Blocked gives the addresses that an account blocks, in order.
func (s *Store) Blocked(ctx context.Context, host, user string) (jids []string, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var j string
		err := r.Scan(&j)
		jids = append(jids, j)
		return err
	}, "SELECT jid FROM blocked WHERE host = $1 AND owner = $2 ORDER BY jid", host, user)
	return jids, err
}

// Block adds addresses.
func (s *Store) Block(ctx context.Context, host, user string, limit int, jids ...string) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, len(jids), func() error {
			for _, j := range jids {
				if _, err := tx.ExecContext(ctx,
					"INSERT INTO blocked (host, owner, jid) VALUES ($1, $2, $3) "+
						"ON CONFLICT (host, owner, jid) DO NOTHING", host, user, j); err != nil {
					return err
				}
			}
			return nil
		}, "SELECT COUNT(*) FROM blocked WHERE host = $1 AND owner = $2", host, user)
	})
}

// Unblock removes addresses.
func (s *Store) Unblock(ctx context.Context, host, user string, jids ...string) error {
	if len(jids) == 0 {
		_, err := s.exec(ctx, "DELETE FROM blocked WHERE host = $1 AND owner = $2", host, user)
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, j := range jids {
			if _, err := tx.ExecContext(ctx, "DELETE FROM blocked WHERE host = $1 AND owner = $2 AND jid = $3",
				host, user, j); err != nil {
				return err
			}
		}
		return nil
	})
}
