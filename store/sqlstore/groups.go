package sqlstore

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"parley/store"
)

// selectGroup selects groups; a condition on the table g is to be appended.
const selectGroup = "SELECT g.host, g.id, g.slug, g.room, g.name, g.description, g.private, g.themes_by, " +
	"g.created, g.deleted, " +
	"g.kind, g.mandatory, g.mention_by, g.guests, g.emoji, g.photo_hash, g.since_join, g.react_by " +
	"FROM org_groups g WHERE "

func scanGroup(r interface{ Scan(...any) error }) (g store.Group, err error) {
	var created, deleted int64
	err = r.Scan(&g.Host, &g.ID, &g.Slug, &g.Room, &g.Name, &g.Description, &g.Private, &g.ThemesBy, &created, &deleted,
		&g.Kind, &g.Mandatory, &g.MentionBy, &g.Guests, &g.Emoji, &g.PhotoHash, &g.SinceJoin, &g.ReactBy)
	g.Created, g.Deleted = when(created), when(deleted)
	return g, err
}

// localUser gives the localpart of a JID of this host; "" for another host.
func localUser(host, jid string) string {
	user, domain, ok := strings.Cut(jid, "@")
	if !ok || domain != host {
		return ""
	}
	return user
}

// CreateGroup makes a group, its main room and its first members in one transaction, with the bookmarks of those
// members who are users of g.Host.
func (s *Store) CreateGroup(ctx context.Context, g store.Group, r store.Room, ms []store.Member,
	b store.Bookmark) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO org_groups (host, id, slug, room, created, deleted, name,
			description, private, themes_by, kind, mandatory, mention_by, guests, emoji, since_join, react_by)
			VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
			append([]any{g.Host, g.ID, g.Slug, g.Room, micros(g.Created)}, whatGroupIs(g)...)...)
		if err != nil {
			return err
		}
		if err := insertRoom(ctx, tx, r); err != nil {
			return err
		}
		return s.writeMembers(ctx, tx, g.Host, g.ID, ms, []store.Bookmark{b})
	})
}

// whatGroupIs gives the values of a group that can be changed, except its photo.
func whatGroupIs(g store.Group) []any {
	return []any{
		g.Name,
		g.Description,
		bit(g.Private),
		g.ThemesBy,
		g.Kind,
		g.Mandatory,
		g.MentionBy,
		bit(g.Guests),
		g.Emoji,
		bit(g.SinceJoin),
		g.ReactBy,
	}
}

// writeMembers changes members, and the bookmarks of people who join or leave.
func (s *Store) writeMembers(
	ctx context.Context, tx *sql.Tx, host, id string, ms []store.Member, bs []store.Bookmark,
) error {
	for _, m := range ms {
		var was string
		err := tx.QueryRowContext(ctx, "SELECT role FROM members WHERE host = $1 AND group_id = $2 AND jid = $3",
			host, id, m.JID).Scan(&was)
		if err != nil && err != sql.ErrNoRows {
			return err
		}
		if m.Role == "" {
			_, err = tx.ExecContext(ctx,
				"DELETE FROM members WHERE host = $1 AND group_id = $2 AND jid = $3", host, id, m.JID)
		} else {
			if m.Since.IsZero() {
				m.Since = s.now()
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO members (host, group_id, jid, role, since)
				VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (host, group_id, jid) DO UPDATE SET role = excluded.role`,
				host, id, m.JID, m.Role, micros(m.Since))
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
			if err := s.writeBookmark(ctx, tx, host, user, b); err != nil {
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
	}, selectGroup+where+" AND g.deleted = 0", args...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return g, err
}

// Group gives a group, existing or deleted, by its id.
func (s *Store) Group(ctx context.Context, host, id string) (store.Group, error) {
	return s.group(ctx, "g.host = $1 AND g.id = $2", host, id)
}

// GroupBySlug gives a group, existing or deleted, by its slug.
func (s *Store) GroupBySlug(ctx context.Context, host, slug string) (store.Group, error) {
	return s.group(ctx, "g.host = $1 AND g.slug = $2", host, slug)
}

func (s *Store) groups(ctx context.Context, q string, args ...any) (gs []store.Group, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		g, err := scanGroup(r)
		gs = append(gs, g)
		return err
	}, q, args...)
	return gs, err
}

// Groups gives existing groups in order of slug, at most limit, beginning behind after.
func (s *Store) Groups(ctx context.Context, host, after string, limit int) ([]store.Group, error) {
	return s.groups(ctx, selectGroup+
		"g.host = $1 AND g.slug > $2 AND g.deleted = 0 ORDER BY g.slug LIMIT $3", host, after, limit)
}

// GroupsOf gives the groups of which jid is a member, not those that ban jid.
func (s *Store) GroupsOf(ctx context.Context, host, jid string) ([]store.Group, error) {
	return s.groups(ctx,
		selectGroup+"g.host = $1 AND g.deleted = 0 AND g.id IN (SELECT m.group_id FROM members m "+
			"WHERE m.host = $1 AND m.jid = $2 AND m.role <> $3) ORDER BY g.slug", host, jid, store.RoleBanned)
}

// OwnedGroups counts the groups that jid owns, and those it owned that were deleted after since.
func (s *Store) OwnedGroups(ctx context.Context, host, jid string, since time.Time) (n int, err error) {
	err = s.row(ctx, []any{&n}, `SELECT COUNT(*) FROM members m
		JOIN org_groups g ON g.host = m.host AND g.id = m.group_id
		WHERE m.host = $1 AND m.jid = $2 AND m.role = $3 AND (g.deleted = 0 OR g.deleted > $4)`,
		host, jid, store.RoleOwner, micros(since))
	return n, err
}

// UpdateGroup writes a group's name, description, privacy, ThemesBy and settings.
func (s *Store) UpdateGroup(ctx context.Context, g store.Group) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE org_groups
			SET name = $3, description = $4, private = $5, themes_by = $6, kind = $7, mandatory = $8, mention_by = $9,
			guests = $10, emoji = $11, since_join = $12, react_by = $13
			WHERE host = $1 AND id = $2 AND deleted = 0`, append([]any{g.Host, g.ID}, whatGroupIs(g)...)...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		return nil
	})
}

// DeleteGroup marks a group as deleted and its rooms as destroyed, and removes the bookmarks of its rooms.
func (s *Store) DeleteGroup(ctx context.Context, host, id string, at time.Time) error {
	return s.changeRoom(ctx, "", "", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx,
			"UPDATE org_groups SET deleted = $3 WHERE host = $1 AND id = $2 AND deleted = 0", host, id, micros(at))
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
			if _, err := tx.ExecContext(ctx,
				"UPDATE rooms SET destroyed = $3, epoch = epoch + 1 WHERE host = $1 AND name = $2",
				m.host, m.name, micros(at)); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM bookmarks WHERE host = $1 AND room = $2",
				host, m.name+"@"+m.host); err != nil {
				return err
			}
			if err := s.forgetTerms(ctx, tx, m.host, m.name); err != nil {
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

// Members gives all members of a group, with those it bans.
func (s *Store) Members(ctx context.Context, host, id string) (ms []store.Member, err error) {
	err = s.rows(ctx, scanMembers(&ms),
		"SELECT jid, role, since FROM members WHERE host = $1 AND group_id = $2 ORDER BY jid", host, id)
	return ms, err
}

// Member gives one member of a group.
func (s *Store) Member(ctx context.Context, host, id, jid string) (m store.Member, err error) {
	var ms []store.Member
	err = s.rows(ctx, scanMembers(&ms),
		"SELECT jid, role, since FROM members WHERE host = $1 AND group_id = $2 AND jid = $3", host, id, jid)
	if err != nil || len(ms) == 0 {
		return m, orNotFound(err)
	}
	return ms[0], nil
}

// Memberships gives the rows of a person in all groups, by group.
func (s *Store) Memberships(ctx context.Context, host, jid string) (map[string]store.Member, error) {
	ms := make(map[string]store.Member)
	err := s.rows(ctx, func(r *sql.Rows) error {
		var group string
		var since int64
		m := store.Member{JID: jid}
		err := r.Scan(&group, &m.Role, &since)
		m.Since = when(since)
		ms[group] = m
		return err
	}, "SELECT group_id, role, since FROM members WHERE host = $1 AND jid = $2", host, jid)
	return ms, err
}

// SetMembers adds, changes or (role "") removes members in one transaction.
func (s *Store) SetMembers(ctx context.Context, host, id string, ms []store.Member, bs []store.Bookmark) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var deleted int64
		if err := tx.QueryRowContext(ctx, "SELECT deleted FROM org_groups WHERE host = $1 AND id = $2"+s.forUpdate(),
			host, id).Scan(&deleted); err != nil {
			return err
		}
		if deleted != 0 {
			return store.ErrNotFound
		}
		return s.writeMembers(ctx, tx, host, id, ms, bs)
	})
}
