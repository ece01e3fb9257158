package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// Who is in a conversation of several people is what the room's affiliations say: nothing is kept twice.

// ofSeveral joins to p, an affiliation, what is known of the room as a conversation of several people.
const ofSeveral = ` JOIN room_readers x ON x.host = p.host AND x.room = p.room AND x.several = 1
	JOIN rooms r ON r.host = p.host AND r.name = p.room AND r.destroyed = 0 `

// SeveralOf gives the conversations of several people that a person is in.
func (s *Store) SeveralOf(ctx context.Context, host, jid string, limit int) (all []store.Several, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var room, title, jid string
		if err := r.Scan(&room, &title, &jid); err != nil {
			return err
		}
		if n := len(all); n == 0 || all[n-1].Room != room {
			all = append(all, store.Several{Room: room, Title: title})
		}
		last := &all[len(all)-1]
		last.People = append(last.People, jid)
		return nil
	}, `SELECT q.room, q.title, m.jid FROM (SELECT p.host AS host, p.room AS room, x.title AS title
		FROM affiliations p`+ofSeveral+`WHERE p.host = $1 AND p.jid = $2 AND p.affiliation = 'member'
		ORDER BY p.room LIMIT $3) AS q
		JOIN affiliations m ON m.host = q.host AND m.room = q.room AND m.affiliation = 'member'
		ORDER BY q.room, m.jid`, host, jid, limit)
	return all, err
}

// SeveralAmong finds the conversation of exactly these people.
func (s *Store) SeveralAmong(ctx context.Context, host string, jids ...string) (room string, err error) {
	if len(jids) == 0 {
		return "", store.ErrNotFound
	}
	list, args := in(4, jids, []any{host, jids[0], len(jids)})
	// The rooms of the first of them, whose members are as many as asked for, and all of them asked for.
	err = s.rows(ctx, func(r *sql.Rows) error { return r.Scan(&room) },
		`SELECT p.room FROM affiliations p`+ofSeveral+`WHERE p.host = $1 AND p.jid = $2 AND p.affiliation = 'member'
		AND (SELECT COUNT(*) FROM affiliations m WHERE m.host = p.host AND m.room = p.room
			AND m.affiliation = 'member') = $3
		AND (SELECT COUNT(*) FROM affiliations m WHERE m.host = p.host AND m.room = p.room
			AND m.affiliation = 'member' AND m.jid IN `+list+`) = $3
		ORDER BY r.created DESC, p.room LIMIT 1`, args...)
	if err == nil && room == "" {
		err = store.ErrNotFound
	}
	return room, err
}

// SeveralDeserted gives the conversations without people.
func (s *Store) SeveralDeserted(ctx context.Context, host string) ([]string, error) {
	return s.names(ctx, `SELECT x.room FROM room_readers x
		JOIN rooms r ON r.host = x.host AND r.name = x.room AND r.destroyed = 0
		WHERE x.host = $1 AND x.several = 1 AND NOT EXISTS (
			SELECT 1 FROM affiliations a WHERE a.host = x.host AND a.room = x.room) ORDER BY x.room`, host)
}
