package sqlstore

import (
	"context"
	"database/sql"
	"slices"

	"parley/store"
)

const selectTheme = "SELECT t.host, t.theme_key, t.group_id, t.slug, t.room, t.name, t.restricted, t.creator, " +
	"t.created, t.closed, " +
	"t.archived, t.source_room, t.source_id, t.thread FROM themes t WHERE "

func (s *Store) themes(ctx context.Context, q string, args ...any) (ts []store.Theme, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var t store.Theme
		var created, closed int64
		err := r.Scan(&t.Host, &t.Key, &t.Group, &t.Slug, &t.Room, &t.Name, &t.Restricted,
			&t.Creator, &created, &closed, &t.Archived, &t.Source.Room, &t.Source.ID, &t.Source.Thread)
		t.Created, t.Closed = when(created), when(closed)
		ts = append(ts, t)
		return err
	}, q, args...)
	return ts, err
}

// CreateTheme makes a theme, its room, its list and the bookmarks of those followers (bare JIDs) who are users of the
// host, in one transaction.
func (s *Store) CreateTheme(ctx context.Context, t store.Theme, r store.Room, followers []string, b store.Bookmark,
	list ...store.Member) error {
	if t.First != nil {
		if err := s.raise(ctx, t.First.ID); err != nil {
			return err
		}
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO themes (host, theme_key, group_id, slug, room, name, restricted,
			creator, created, closed, archived, source_room, source_id, thread)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			t.Host, t.Key, t.Group, t.Slug, t.Room, t.Name, bit(t.Restricted), t.Creator,
			micros(t.Created), micros(t.Closed), bit(t.Archived), t.Source.Room, int64(t.Source.ID), t.Source.Thread)
		if err != nil {
			return err
		}
		if err := insertRoom(ctx, tx, r); err != nil {
			return err
		}
		if err := writeFirst(ctx, tx, t.First); err != nil {
			return err
		}
		if err := s.writeThemeList(ctx, tx, t.Host, t.Key, list); err != nil {
			return err
		}
		for _, jid := range followers {
			if user := localUser(t.Host, jid); user != "" {
				if err := s.writeBookmark(ctx, tx, t.Host, user, b); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// writeFirst has an archive begin: nobody else writes it yet, so it needs no journal.
func writeFirst(ctx context.Context, tx *sql.Tx, e *store.RoomEntry) error {
	if e == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO "+roomInto+" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		e.Host, e.Room, e.Seq, int64(e.ID), e.Nick, e.OccupantID, e.Sender, e.OriginID, bit(e.Subject), e.Stanza,
		e.Refers)
	return err
}

// Theme gives a theme by its key.
func (s *Store) Theme(ctx context.Context, host, key string) (t store.Theme, err error) {
	ts, err := s.themes(ctx, selectTheme+"t.host = $1 AND t.theme_key = $2", host, key)
	if err != nil || len(ts) == 0 {
		return t, orNotFound(err)
	}
	return ts[0], nil
}

// Themes gives the themes of a group in order of creation.
func (s *Store) Themes(ctx context.Context, host, group string) ([]store.Theme, error) {
	return s.themes(ctx, selectTheme+"t.host = $1 AND t.group_id = $2 ORDER BY t.created, t.theme_key", host, group)
}

// UpdateTheme writes a theme's name, Restricted, Closed and Archived.
func (s *Store) UpdateTheme(ctx context.Context, t store.Theme) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx,
			"UPDATE themes SET name = $3, restricted = $4, closed = $5, archived = $6 WHERE host = $1 "+
				"AND theme_key = $2", t.Host, t.Key, t.Name, bit(t.Restricted), micros(t.Closed), bit(t.Archived))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		return nil
	})
}

// ThemeList gives the people of a restricted theme and those who are banned from a theme.
func (s *Store) ThemeList(ctx context.Context, host, key string) (ms []store.Member, err error) {
	err = s.rows(ctx, scanMembers(&ms),
		"SELECT jid, role, since FROM theme_people WHERE host = $1 AND theme_key = $2 ORDER BY jid", host, key)
	return ms, err
}

// SetThemeList adds, changes or (role "") removes entries of a theme's list.
func (s *Store) SetThemeList(ctx context.Context, host, key string, ms ...store.Member) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return s.writeThemeList(ctx, tx, host, key, ms) })
}

func (s *Store) writeThemeList(ctx context.Context, tx *sql.Tx, host, key string, ms []store.Member) error {
	for _, m := range ms {
		var err error
		if m.Role == "" {
			_, err = tx.ExecContext(ctx,
				"DELETE FROM theme_people WHERE host = $1 AND theme_key = $2 AND jid = $3", host, key, m.JID)
		} else {
			if m.Since.IsZero() {
				m.Since = s.now()
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO theme_people (host, theme_key, jid, role, since)
				VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (host, theme_key, jid) DO UPDATE SET role = excluded.role`,
				host, key, m.JID, m.Role, micros(m.Since))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ChangeThemeList changes a theme's list (role "" removes) in one transaction.
func (s *Store) ChangeThemeList(ctx context.Context, host, key string, ms []store.Member, come, gone []string,
	b store.Bookmark) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.writeThemeList(ctx, tx, host, key, ms); err != nil {
			return err
		}
		for _, user := range come {
			if err := s.writeBookmark(ctx, tx, host, user, b); err != nil {
				return err
			}
		}
		for _, user := range gone {
			if _, err := tx.ExecContext(ctx, "DELETE FROM bookmarks WHERE host = $1 AND owner = $2 AND room = $3",
				host, user, b.Room); err != nil {
				return err
			}
		}
		return nil
	})
}

// Bookmarkers gives the users who have a bookmark of a room under this name, in order.
func (s *Store) Bookmarkers(ctx context.Context, host, room, name string) (users []string, err error) {
	return s.owners(ctx, "SELECT owner FROM bookmarks WHERE host = $1 AND room = $2 AND name = $3", host, room, name)
}

// RenameBookmarks renames the bookmarks of a room that still have its old name, of these users (at most 1000), and
// gives their owners.
func (s *Store) RenameBookmarks(ctx context.Context, host, room, old, name string,
	users []string) (renamed []string, err error) {
	if len(users) == 0 {
		return nil, nil
	}
	list, args := in(5, users, []any{host, room, old, name})
	return s.owners(ctx, "UPDATE bookmarks SET name = $4 WHERE host = $1 AND room = $2 AND name = $3 AND owner IN "+
		list+" RETURNING owner", args...)
}

// DropBookmarks removes all bookmarks of a room and gives their owners.
func (s *Store) DropBookmarks(ctx context.Context, host, room string) (users []string, err error) {
	return s.owners(ctx, "DELETE FROM bookmarks WHERE host = $1 AND room = $2 RETURNING owner", host, room)
}

// owners runs a statement that says whose rows it has changed, in order of their names.
func (s *Store) owners(ctx context.Context, q string, args ...any) (users []string, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		users = nil
		rows, err := tx.QueryContext(ctx, q, args...)
		if err != nil {
			return err
		}
		return each(rows, func(r *sql.Rows) error {
			var u string
			err := r.Scan(&u)
			users = append(users, u)
			return err
		})
	})
	slices.Sort(users)
	return users, err
}
