package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"parley/store"
)

// Follow gives how a person follows a theme, and since when.
func (s *Store) Follow(ctx context.Context, host, theme, user string) (string, time.Time, error) {
	var state string
	var since int64
	err := s.row(ctx, []any{&state, &since},
		"SELECT state, since FROM follows WHERE host = $1 AND theme_key = $2 AND owner = $3", host, theme, user)
	if errors.Is(err, store.ErrNotFound) {
		return store.FollowAuto, time.Time{}, nil
	}
	return state, when(since), err
}

// SetFollow writes how a person follows a theme.
func (s *Store) SetFollow(ctx context.Context, host, theme, user, state string) error {
	_, err := s.exec(ctx, `INSERT INTO follows (host, theme_key, owner, state, since, woken)
		VALUES ($1, $2, $3, $4, $5, 0)
		ON CONFLICT (host, theme_key, owner) DO UPDATE SET state = excluded.state, since = excluded.since`,
		host, theme, user, state, micros(s.now()))
	return err
}

// Doze makes those dormant whose clients enter a theme's room although they do not follow the theme: their bookmarks no
// longer let clients enter it.
func (s *Store) Doze(ctx context.Context, host, theme, room string) (users []string, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		users = nil
		rows, err := tx.QueryContext(ctx, `SELECT b.owner FROM bookmarks b
			WHERE b.host = $1 AND b.room = $2 AND b.autojoin = 1
			AND NOT EXISTS (SELECT 1 FROM follows f WHERE f.host = b.host AND f.theme_key = $3 AND f.owner = b.owner
			AND f.state = 'following') ORDER BY b.owner`, host, room, theme)
		if err != nil {
			return err
		}
		if err := each(rows, func(r *sql.Rows) error {
			var u string
			err := r.Scan(&u)
			users = append(users, u)
			return err
		}); err != nil {
			return err
		}
		now := micros(s.now())
		for _, u := range users {
			if _, err := tx.ExecContext(ctx, `INSERT INTO follows (host, theme_key, owner, state, since, woken)
				VALUES ($1, $2, $3, 'dormant', $4, 0)
				ON CONFLICT (host, theme_key, owner) DO UPDATE SET state = excluded.state, since = excluded.since`,
				host, theme, u, now); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx,
				"UPDATE bookmarks SET autojoin = 0, updated = $4 WHERE host = $1 AND owner = $2 AND room = $3",
				host, u, room, now); err != nil {
				return err
			}
		}
		return nil
	})
	return users, err
}

// Wake undoes Doze for those who were not woken after notAfter.
func (s *Store) Wake(ctx context.Context, host, theme, room string,
	notAfter time.Time) (users []string, left int, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		users = nil
		now := micros(s.now())
		rows, err := tx.QueryContext(ctx, `UPDATE follows SET state = 'auto', since = $4, woken = $4
			WHERE host = $1 AND theme_key = $2 AND state = 'dormant' AND woken <= $3
			RETURNING owner`, host, theme, micros(notAfter), now)
		if err != nil {
			return err
		}
		if err := each(rows, func(r *sql.Rows) error {
			var u string
			err := r.Scan(&u)
			users = append(users, u)
			return err
		}); err != nil {
			return err
		}
		for _, u := range users {
			if _, err := tx.ExecContext(ctx,
				"UPDATE bookmarks SET autojoin = 1, updated = $4 WHERE host = $1 AND owner = $2 AND room = $3",
				host, u, room, now); err != nil {
				return err
			}
		}
		return tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM follows "+
			"WHERE host = $1 AND theme_key = $2 AND state = 'dormant'", host, theme).Scan(&left)
	})
	slices.Sort(users)
	return users, left, err
}

// Dormant counts the dormant followers of a theme.
func (s *Store) Dormant(ctx context.Context, host, theme string) (n int, err error) {
	err = s.row(ctx, []any{&n},
		"SELECT COUNT(*) FROM follows WHERE host = $1 AND theme_key = $2 AND state = 'dormant'", host, theme)
	return n, err
}

// MandatoryRooms gives a user's bookmarks of the main rooms of mandatory groups that the user's clients do not enter.
func (s *Store) MandatoryRooms(ctx context.Context, host, user string) (bs []store.Bookmark, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		b := store.Bookmark{Autojoin: true}
		err := r.Scan(&b.Room, &b.Name, &b.Nick, &b.Password, &b.Extensions)
		bs = append(bs, b)
		return err
	}, `SELECT r.name || '@' || r.host, COALESCE(b.name, g.name), COALESCE(b.nick, ''),
		COALESCE(b.password, ''), b.extensions
		FROM org_groups g
		JOIN members m ON m.host = g.host AND m.group_id = g.id AND m.jid = $3 AND m.role <> 'banned'
		JOIN rooms r ON r.group_id = g.id AND r.theme = '' AND r.destroyed = 0 AND r.name = g.room
		LEFT JOIN bookmarks b ON b.host = g.host AND b.owner = $2 AND b.room = r.name || '@' || r.host
		WHERE g.host = $1 AND g.mandatory <> '' AND g.deleted = 0 AND COALESCE(b.autojoin, 0) = 0 ORDER BY g.slug`,
		host, user, user+"@"+host)
	return bs, err
}
