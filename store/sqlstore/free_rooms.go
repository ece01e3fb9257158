package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// freeRooms is $1 the organization's domain, $2 its rooms' domain, $3 the asker's address, $4 the asker's account. It
// follows asOccupant and asVisitor of readable; but a room that is bookmarked need not be listed.
const freeRooms = `SELECT q.name, q.title, q.first_id, q.since FROM (
	SELECT r.name AS name, COALESCE(NULLIF(b.name, ''), x.title, '') AS title,
		CASE WHEN a.affiliation = 'member' AND x.since_added = 1
		AND a.since > 0 THEN (a.since - 1577836800000000) * 4096 ELSE 0 END
			AS first_id,
		CASE WHEN a.since > 0 THEN a.since ELSE r.created END AS since
	FROM affiliations a JOIN rooms r ON r.host = a.host AND r.name = a.room AND r.group_id = '' AND r.destroyed = 0
	LEFT JOIN room_readers x ON x.host = a.host AND x.room = a.room
	LEFT JOIN bookmarks b ON b.host = $1 AND b.owner = $4 AND b.room = a.room || '@' || CAST($2 AS TEXT)
	WHERE a.host = $2 AND a.jid = $3
		AND (a.affiliation IN ('owner', 'admin') OR a.affiliation = 'member'
		AND COALESCE(x.readers, 'members') <> 'admins')
	UNION ALL
	SELECT r.name, b.name, 0, b.updated
	FROM bookmarks b
	JOIN rooms r ON r.host = $2 AND r.name = SUBSTR(b.room, 1, LENGTH(b.room) - LENGTH(CAST($2 AS TEXT)) - 1)
	AND r.group_id = '' AND r.destroyed = 0
	JOIN room_readers x ON x.host = r.host AND x.room = r.name
	WHERE b.host = $1 AND b.owner = $4 AND SUBSTR(b.room,
	LENGTH(b.room) - LENGTH(CAST($2 AS TEXT))) = '@' || CAST($2 AS TEXT)
		AND x.readers IN ('anyone', 'known') AND x.since_added = 0
		AND NOT EXISTS (SELECT 1 FROM affiliations a WHERE a.host = x.host AND a.room = x.room
			AND (a.jid = $3 AND a.affiliation IN ('owner', 'admin', 'member',
			'outcast') OR a.jid = $1 AND a.affiliation = 'outcast'))
	) AS q ORDER BY q.name LIMIT $5`

// FreeRooms gives the free rooms of a service that an account may read and either has an affiliation in or has
// bookmarked, in order of name.
func (s *Store) FreeRooms(ctx context.Context, host, rooms, user string, limit int) (fs []store.FreeRoom, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var f store.FreeRoom
		var since int64
		err := r.Scan(&f.Name, &f.Title, &f.From, &since)
		f.Since = when(since)
		fs = append(fs, f)
		return err
	}, freeRooms, host, rooms, user+"@"+host, user, limit)
	return fs, err
}
