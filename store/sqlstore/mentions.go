package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// AddMentions writes rows of owner "" for everyone.
func (s *Store) AddMentions(ctx context.Context, host, room string, id store.ID, users ...string) error {
	if len(users) == 0 {
		users = []string{""}
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, user := range users {
			if _, err := tx.ExecContext(ctx,
				"INSERT INTO mentions (host, owner, room, id) VALUES ($1, $2, $3, $4) "+
					"ON CONFLICT (host, owner, room, id) DO NOTHING", host, user, room, int64(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Mentions gives the messages of a room after an id that mention an account, in order.
func (s *Store) Mentions(ctx context.Context, host, user, room string, after store.ID,
	limit int) (ids []store.ID, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var id store.ID
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT DISTINCT id FROM mentions WHERE host = $1 AND owner IN ($2, '') AND room = $3 AND id > $4 "+
		"ORDER BY id LIMIT $5", host, user, room, int64(after), limit)
	return ids, err
}

// CountMentions counts in one statement.
func (s *Store) CountMentions(ctx context.Context, host, user string,
	after map[string]store.ID) (map[string]int, error) {
	counts := make(map[string]int)
	if len(after) == 0 {
		return counts, nil
	}
	with, list, err := s.list(after)
	if err != nil {
		return nil, err
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		var room string
		var n int
		err := r.Scan(&room, &n)
		counts[room] = n
		return err
	}, with+` SELECT m.room, COUNT(DISTINCT m.id) FROM l JOIN mentions m ON m.host = $1 AND m.owner IN ($2, '')
		AND m.room = l.name AND m.id > l.past GROUP BY m.room`, host, user, list)
	return counts, err
}

// ExpireMentions forgets mentions older than before, at most limit, and gives how many.
func (s *Store) ExpireMentions(ctx context.Context, host string, before store.ID, limit int) (int, error) {
	n, err := s.exec(ctx, `DELETE FROM mentions WHERE host = $1 AND (owner, room, id) IN
		(SELECT owner, room, id FROM mentions WHERE host = $1 AND id < $2 ORDER BY owner, room, id LIMIT $3)`,
		host, int64(before), limit)
	return int(n), err
}
