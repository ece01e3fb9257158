package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// readable is the rooms that a person may read, as a subquery: $1 the organization's domain, $2 its rooms' domain, $3
// the asker's address, $4 the asker's account ("" for a person of another server). It follows the same rules as
// org.Access; for free rooms it follows muc's rules for archives, and for those that the asker is not in, muc's rules
// for lists. A room may be in it twice.
const (
	readable      = "(" + readableApart + " UNION ALL " + asAdmin + ")"
	readableApart = asMember + " UNION ALL " + asGuest + " UNION ALL " + asAnyone + " UNION ALL " + asOccupant +
		" UNION ALL " + asVisitor
)

const (
	groupRoom = ` r.name, g.id, g.name, r.theme, COALESCE(t.name, ''), `
	// ofGroups joins to g its rooms, their themes, and the asker's place in group and theme.
	ofGroups = ` JOIN rooms r ON r.host = $2 AND r.group_id = g.id AND r.destroyed = 0
		LEFT JOIN themes t ON t.host = $1 AND t.theme_key = r.theme
		LEFT JOIN theme_people p ON p.host = $1 AND p.theme_key = r.theme AND p.jid = $3 `
	notBanned = ` (r.theme = '' OR t.theme_key IS NOT NULL) AND COALESCE(p.role, '') <> 'banned' `
	inNoGroup = ` AND NOT EXISTS (SELECT 1 FROM members m WHERE m.host = $1 AND m.group_id = g.id AND m.jid = $3) `
	// forVisitors excludes groups whose members read only messages since they were added: an outsider was never added
	// and finds nothing there, except messages from the time of a visit (store.Visit).
	forVisitors = ` g.since_join = 0 AND `
	hidden      = ` COALESCE(g.kind, '') = 'federated' ` // addresses are shown to moderators only

	asMember = `SELECT r.name AS owner, g.id AS group_id, g.name AS group_name, r.theme AS theme, COALESCE(t.name, '')
		AS theme_name, CASE WHEN m.role = 'member' AND ` + hidden + ` THEN 0 ELSE 1 END AS named,
			CASE WHEN m.role = 'member' AND g.since_join = 1 THEN (m.since - 1577836800000000) * 4096 ELSE 0
			END AS since
		FROM members m JOIN org_groups g ON g.host = m.host AND g.id = m.group_id AND g.deleted = 0` + ofGroups + `
		WHERE m.host = $1 AND m.jid = $3 AND ` + notBanned + ` AND ` + enabled + `
			AND (m.role IN ('owner', 'moderator') OR m.role = 'member'
			AND (r.theme = '' OR t.restricted = 0 OR p.role IS NOT NULL))`

	asGuest = `SELECT` + groupRoom + `CASE WHEN ` + hidden + ` THEN 0 ELSE 1 END, 0
		FROM theme_people p JOIN themes t ON t.host = p.host AND t.theme_key = p.theme_key
		JOIN org_groups g ON g.host = t.host AND g.id = t.group_id AND g.deleted = 0
		JOIN rooms r ON r.host = $2 AND r.group_id = g.id AND r.theme = t.theme_key AND r.destroyed = 0
		WHERE p.host = $1 AND p.jid = $3 AND p.role = 'guest' AND ` + forVisitors + enabled + inNoGroup

	asAdmin = `SELECT` + groupRoom + `1, 0
		FROM users u JOIN org_groups g ON g.host = u.host AND g.deleted = 0` + ofGroups + `
		WHERE u.host = $1 AND u.name = $4 AND u.admin = 1 AND u.disabled = 0 AND ` + notBanned +
		` AND COALESCE(p.role, '') <> 'guest'` + inNoGroup

	// Large groups are read by everyone of the organization.
	asAnyone = `SELECT` + groupRoom + `1, 0
		FROM org_groups g` + ofGroups + `
		WHERE g.host = $1 AND g.kind = 'large' AND g.deleted = 0 AND $4 <> '' AND ` + forVisitors + notBanned +
		` AND (r.theme = '' OR t.restricted = 0) AND ` + enabled + inNoGroup

	// since is the first id that may be read: store.FirstID in SQL.
	asOccupant = `SELECT r.name, '', '', '', '', CASE WHEN a.affiliation IN ('owner', 'admin') THEN 1
		ELSE COALESCE(x.named, 0) END, CASE WHEN a.affiliation = 'member' AND x.since_added = 1
		AND a.since > 0 THEN (a.since - 1577836800000000) * 4096 ELSE 0 END
		FROM affiliations a JOIN rooms r ON r.host = a.host AND r.name = a.room AND r.group_id = '' AND r.destroyed = 0
		LEFT JOIN room_readers x ON x.host = a.host AND x.room = a.room
		WHERE a.host = $2 AND a.jid = $3 AND ` + enabled + `
			AND (a.affiliation IN ('owner', 'admin') OR a.affiliation = 'member'
			AND COALESCE(x.readers, 'members') <> 'admins')`

	// Of free rooms that everyone may enter, those that are listed too.
	asVisitor = `SELECT r.name, '', '', '', '', x.named, 0
		FROM room_readers x JOIN rooms r ON r.host = x.host AND r.name = x.room AND r.group_id = '' AND r.destroyed = 0
		WHERE x.host = $2 AND x.readers = 'anyone' AND x.since_added = 0 AND $4 <> '' AND ` + enabled + `
			AND NOT EXISTS (SELECT 1 FROM affiliations a WHERE a.host = x.host AND a.room = x.room
				AND (a.jid = $3 AND a.affiliation IN ('owner', 'admin', 'member', 'outcast') OR a.jid = $1
				AND a.affiliation = 'outcast'))`
)

// enabled: an account of the host has to be there and not disabled.
const enabled = `($4 = '' OR EXISTS (SELECT 1 FROM users e WHERE e.host = $1 AND e.name = $4 AND e.disabled = 0))`

// mayRead is a room that somebody may read.
type mayRead struct {
	store.Found      // the room
	named       bool // authors may be named
	// only later messages are to be read here: others are in the index, or from before the person was added
	after int64
	since int64 // the first id that may be read
}

// readables lists the rooms of readable that are asked for, by name.
func (s *Store) readables(ctx context.Context, f store.Find, account string) (map[string]*mayRead, error) {
	w := &filter{args: []any{f.Host, f.Rooms, f.Asker, account}}
	for _, c := range []struct {
		column, value string
	}{{"r.group_id", f.Group}, {"r.theme", f.Theme}, {"r.owner", f.Room}} {
		if c.value != "" {
			w.and(c.column+" =", c.value)
		}
	}
	from := readable // administrators read all groups
	if f.Apart {
		from = "(" + readableApart + ")"
	}
	rooms := make(map[string]*mayRead)
	err := s.rows(ctx, func(r *sql.Rows) error {
		m := new(mayRead)
		if err := r.Scan(&m.Room, &m.Group, &m.GroupName, &m.Theme, &m.ThemeName, &m.named,
			&m.since, &m.after); err != nil {
			return err
		}
		m.after = max(m.after, m.since-1)
		if f.From == "" || m.named {
			rooms[m.Room] = m
		}
		return nil
	}, `SELECT r.owner, r.group_id, r.group_name, r.theme, r.theme_name, r.named, r.since, COALESCE(k.upto, 0)
		FROM `+from+" AS r LEFT JOIN search_marks k ON k.host = $2 AND k.owner = r.owner WHERE 1 = 1"+
		w.where.String(), w.args...)
	if err == nil {
		err = s.visited(ctx, f, rooms)
	}
	return rooms, err
}

// visited adds the rooms that the asker is in now, if they are read by nothing else.
func (s *Store) visited(ctx context.Context, f store.Find, rooms map[string]*mayRead) error {
	since := make(map[string]int64)
	var names []string
	for _, v := range f.Visits {
		if rooms[v.Room] == nil && len(names) < maxIn {
			names, since[v.Room] = append(names, v.Room), int64(store.FirstID(v.Since))
		}
	}
	if len(names) == 0 {
		return nil
	}
	list, args := in(3, names, []any{f.Host, f.Rooms})
	w := &filter{args: args}
	for _, c := range []struct {
		column, value string
	}{{"r.group_id", f.Group}, {"r.theme", f.Theme}, {"r.name", f.Room}} {
		if c.value != "" {
			w.and(c.column+" =", c.value)
		}
	}
	return s.rows(ctx, func(r *sql.Rows) error {
		m := new(mayRead)
		if err := r.Scan(&m.Room, &m.Group, &m.GroupName, &m.Theme, &m.ThemeName, &m.named, &m.after); err != nil {
			return err
		}
		m.since = since[m.Room]
		m.after = max(m.after, m.since-1)
		if f.From == "" || m.named {
			rooms[m.Room] = m
		}
		return nil
	}, `SELECT r.name, r.group_id, COALESCE(g.name, ''), r.theme, COALESCE(t.name, ''),
			CASE WHEN r.group_id = '' THEN COALESCE(x.named, 0) WHEN `+hidden+` THEN 0 ELSE 1 END, COALESCE(k.upto, 0)
		FROM rooms r LEFT JOIN org_groups g ON g.host = $1 AND g.id = r.group_id
		LEFT JOIN themes t ON t.host = $1 AND t.theme_key = r.theme
		LEFT JOIN room_readers x ON x.host = r.host AND x.room = r.name
		LEFT JOIN search_marks k ON k.host = $2 AND k.owner = r.name
		WHERE r.host = $2 AND r.destroyed = 0 AND r.name IN `+list+w.where.String(), w.args...)
}
