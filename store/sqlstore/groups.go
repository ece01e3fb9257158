package sqlstore

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"parley/store"
)

const groupColumns = "host, id, slug, room, name, description, private, themes_by, created, deleted"

func scanGroup(r interface{ Scan(...any) error }) (g store.Group, err error) {
	var created, deleted int64
	err = r.Scan(&g.Host, &g.ID, &g.Slug, &g.Room, &g.Name, &g.Description, &g.Private, &g.ThemesBy, &created, &deleted)
	g.Created, g.Deleted = when(created), when(deleted)
	return g, err
}

// localUser gives the localpart of a JID of this host; "" if it is of another.
func localUser(host, jid string) string {
	user, domain, ok := strings.Cut(jid, "@")
	if !ok || domain != host {
		return ""
	}
	return user
}

func (s *Store) CreateGroup(ctx context.Context, g store.Group, r store.Room, ms []store.Member, b store.Bookmark) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO org_groups ("+groupColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)",
			g.Host, g.ID, g.Slug, g.Room, g.Name, g.Description, bit(g.Private), g.ThemesBy, micros(g.Created))
		if err != nil {
			return err
		}
		if err := insertRoom(ctx, tx, r); err != nil {
			return err
		}
		return writeMembers(ctx, tx, g.Host, g.ID, ms, []store.Bookmark{b})
	})
}

// writeMembers changes members and the bookmarks of those who come or go.
func writeMembers(ctx context.Context, tx *sql.Tx, host, id string, ms []store.Member, bs []store.Bookmark) error {
	for _, m := range ms {
		var was string
		err := tx.QueryRowContext(ctx, "SELECT role FROM members WHERE host = $1 AND group_id = $2 AND jid = $3", host, id, m.JID).Scan(&was)
		if err != nil && err != sql.ErrNoRows {
			return err
		}
		if m.Role == "" {
			_, err = tx.ExecContext(ctx, "DELETE FROM members WHERE host = $1 AND group_id = $2 AND jid = $3", host, id, m.JID)
		} else {
			if m.Since.IsZero() {
				m.Since = time.Now()
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO members (host, group_id, jid, role, since) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (host, group_id, jid) DO UPDATE SET role = excluded.role`, host, id, m.JID, m.Role, micros(m.Since))
		}
		if err != nil {
			return err
		}
		in := func(role string) bool { return role != "" && role != store.RoleBanned }
		user := localUser(host, m.JID)
		if user == "" || in(was) == in(m.Role) {
			continue
		}
		if !in(m.Role) { // of all its rooms: also of themes that are closed, or that few know of
			_, err = tx.ExecContext(ctx, `DELETE FROM bookmarks WHERE host = $1 AND owner = $2
				AND room IN (SELECT name || '@' || host FROM rooms WHERE group_id = $3)`, host, user, id)
			if err != nil {
				return err
			}
			continue
		}
		for _, b := range bs {
			if err := writeBookmark(ctx, tx, host, user, b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) group(ctx context.Context, where string, args ...any) (g store.Group, err error) {
	found := false
	err = s.rows(ctx, func(r *sql.Rows) (err error) {
		found = true
		g, err = scanGroup(r)
		return err
	}, "SELECT "+groupColumns+" FROM org_groups WHERE "+where+" AND deleted = 0", args...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return g, err
}

func (s *Store) Group(ctx context.Context, host, id string) (store.Group, error) {
	return s.group(ctx, "host = $1 AND id = $2", host, id)
}

func (s *Store) GroupBySlug(ctx context.Context, host, slug string) (store.Group, error) {
	return s.group(ctx, "host = $1 AND slug = $2", host, slug)
}

func (s *Store) groups(ctx context.Context, q string, args ...any) (gs []store.Group, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		g, err := scanGroup(r)
		gs = append(gs, g)
		return err
	}, q, args...)
	return gs, err
}

func (s *Store) Groups(ctx context.Context, host, after string, limit int) ([]store.Group, error) {
	return s.groups(ctx, "SELECT "+groupColumns+" FROM org_groups WHERE host = $1 AND slug > $2 AND deleted = 0 ORDER BY slug LIMIT $3", host, after, limit)
}

func (s *Store) GroupsOf(ctx context.Context, host, jid string) ([]store.Group, error) {
	return s.groups(ctx, "SELECT g.host, g.id, g.slug, g.room, g.name, g.description, g.private, g.themes_by, g.created, g.deleted "+
		"FROM members m JOIN org_groups g ON g.host = m.host AND g.id = m.group_id "+
		"WHERE m.host = $1 AND m.jid = $2 AND m.role <> $3 AND g.deleted = 0 ORDER BY g.slug", host, jid, store.RoleBanned)
}

func (s *Store) UpdateGroup(ctx context.Context, g store.Group) error {
	return s.one(ctx, "UPDATE org_groups SET name = $3, description = $4, private = $5, themes_by = $6 WHERE host = $1 AND id = $2 AND deleted = 0",
		g.Host, g.ID, g.Name, g.Description, bit(g.Private), g.ThemesBy)
}

func (s *Store) DeleteGroup(ctx context.Context, host, id string, at time.Time) error {
	return s.changeRoom(ctx, "", "", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE org_groups SET deleted = $3 WHERE host = $1 AND id = $2 AND deleted = 0", host, id, micros(at))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		type room struct{ host, name string }
		var rooms []room
		rows, err := tx.QueryContext(ctx, "SELECT host, name FROM rooms WHERE group_id = $1 AND destroyed = 0", id)
		if err != nil {
			return err
		}
		if err := each(rows, func(r *sql.Rows) error {
			var m room
			err := r.Scan(&m.host, &m.name)
			rooms = append(rooms, m)
			return err
		}); err != nil {
			return err
		}
		for _, m := range rooms {
			if _, err := tx.ExecContext(ctx, "UPDATE rooms SET destroyed = $3, epoch = epoch + 1 WHERE host = $1 AND name = $2", m.host, m.name, micros(at)); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM bookmarks WHERE host = $1 AND room = $2", host, m.name+"@"+m.host); err != nil {
				return err
			}
		}
		return nil
	})
}

func scanMembers(ms *[]store.Member) func(*sql.Rows) error {
	return func(r *sql.Rows) error {
		var m store.Member
		var since int64
		err := r.Scan(&m.JID, &m.Role, &since)
		m.Since = when(since)
		*ms = append(*ms, m)
		return err
	}
}

func (s *Store) Members(ctx context.Context, host, id string) (ms []store.Member, err error) {
	err = s.rows(ctx, scanMembers(&ms), "SELECT jid, role, since FROM members WHERE host = $1 AND group_id = $2 ORDER BY jid", host, id)
	return ms, err
}

func (s *Store) Member(ctx context.Context, host, id, jid string) (m store.Member, err error) {
	var ms []store.Member
	err = s.rows(ctx, scanMembers(&ms), "SELECT jid, role, since FROM members WHERE host = $1 AND group_id = $2 AND jid = $3", host, id, jid)
	if err != nil || len(ms) == 0 {
		return m, orNotFound(err)
	}
	return ms[0], nil
}

func (s *Store) SetMembers(ctx context.Context, host, id string, ms []store.Member, bs []store.Bookmark) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var deleted int64
		if err := tx.QueryRowContext(ctx, "SELECT deleted FROM org_groups WHERE host = $1 AND id = $2"+s.forUpdate(), host, id).Scan(&deleted); err != nil {
			return err
		}
		if deleted != 0 {
			return store.ErrNotFound
		}
		return writeMembers(ctx, tx, host, id, ms, bs)
	})
}

const themeColumns = "host, theme_key, group_id, slug, room, name, restricted, creator, created, closed"

func (s *Store) themes(ctx context.Context, q string, args ...any) (ts []store.Theme, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var t store.Theme
		var created, closed int64
		err := r.Scan(&t.Host, &t.Key, &t.Group, &t.Slug, &t.Room, &t.Name, &t.Restricted, &t.Creator, &created, &closed)
		t.Created, t.Closed = when(created), when(closed)
		ts = append(ts, t)
		return err
	}, q, args...)
	return ts, err
}

func (s *Store) CreateTheme(ctx context.Context, t store.Theme, r store.Room, followers []string, b store.Bookmark) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO themes ("+themeColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			t.Host, t.Key, t.Group, t.Slug, t.Room, t.Name, bit(t.Restricted), t.Creator, micros(t.Created), micros(t.Closed))
		if err != nil {
			return err
		}
		if err := insertRoom(ctx, tx, r); err != nil {
			return err
		}
		for _, jid := range followers {
			if user := localUser(t.Host, jid); user != "" {
				if err := writeBookmark(ctx, tx, t.Host, user, b); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *Store) Theme(ctx context.Context, host, key string) (t store.Theme, err error) {
	ts, err := s.themes(ctx, "SELECT "+themeColumns+" FROM themes WHERE host = $1 AND theme_key = $2", host, key)
	if err != nil || len(ts) == 0 {
		return t, orNotFound(err)
	}
	return ts[0], nil
}

func (s *Store) Themes(ctx context.Context, host, group string) ([]store.Theme, error) {
	return s.themes(ctx, "SELECT "+themeColumns+" FROM themes WHERE host = $1 AND group_id = $2 ORDER BY created, theme_key", host, group)
}

func (s *Store) UpdateTheme(ctx context.Context, t store.Theme) error {
	return s.one(ctx, "UPDATE themes SET name = $3, restricted = $4, closed = $5 WHERE host = $1 AND theme_key = $2",
		t.Host, t.Key, t.Name, bit(t.Restricted), micros(t.Closed))
}

func (s *Store) ThemeList(ctx context.Context, host, key string) (ms []store.Member, err error) {
	err = s.rows(ctx, scanMembers(&ms), "SELECT jid, role, since FROM theme_people WHERE host = $1 AND theme_key = $2 ORDER BY jid", host, key)
	return ms, err
}

func (s *Store) SetThemeList(ctx context.Context, host, key string, ms ...store.Member) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, m := range ms {
			var err error
			if m.Role == "" {
				_, err = tx.ExecContext(ctx, "DELETE FROM theme_people WHERE host = $1 AND theme_key = $2 AND jid = $3", host, key, m.JID)
			} else {
				if m.Since.IsZero() {
					m.Since = time.Now()
				}
				_, err = tx.ExecContext(ctx, `INSERT INTO theme_people (host, theme_key, jid, role, since) VALUES ($1, $2, $3, $4, $5)
					ON CONFLICT (host, theme_key, jid) DO UPDATE SET role = excluded.role`, host, key, m.JID, m.Role, micros(m.Since))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
