package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"parley/store"
)

// Photos of groups, requests for membership, and groups that come back.

// SetGroupPhoto writes a photo and its hash.
func (s *Store) SetGroupPhoto(ctx context.Context, host, id string, p store.Photo) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var n int64
		if err := tx.QueryRowContext(ctx, "SELECT deleted FROM org_groups WHERE host = $1 AND id = $2"+s.forUpdate(),
			host, id).Scan(&n); err != nil {
			return err
		}
		if n != 0 {
			return store.ErrNotFound
		}
		if len(p.Data) == 0 {
			p.Hash = ""
		}
		_, err := tx.ExecContext(ctx,
			"UPDATE org_groups SET photo_hash = $3 WHERE host = $1 AND id = $2", host, id, p.Hash)
		if err != nil {
			return err
		}
		if p.Hash == "" {
			_, err = tx.ExecContext(ctx, "DELETE FROM group_photos WHERE host = $1 AND group_id = $2", host, id)
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO group_photos (host, group_id, mime, hash, data)
			VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (host, group_id) DO UPDATE SET mime = excluded.mime, hash = excluded.hash,
			data = excluded.data`, host, id, p.Type, p.Hash, p.Data)
		return err
	})
}

// GroupPhoto gives a group's photo.
func (s *Store) GroupPhoto(ctx context.Context, host, id string) (p store.Photo, err error) {
	err = s.row(ctx, []any{&p.Type, &p.Hash, &p.Data},
		"SELECT mime, hash, data FROM group_photos WHERE host = $1 AND group_id = $2", host, id)
	return p, err
}

// PutGroupRequest keeps a request.
func (s *Store) PutGroupRequest(ctx context.Context, host, id string, r store.GroupRequest, limit int) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx, `INSERT INTO group_requests (host, group_id, jid, reason, since)
				VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (host, group_id, jid) DO UPDATE SET reason = excluded.reason`,
				host, id, r.JID, r.Reason, micros(r.Since))
			return err
		}, "SELECT COUNT(*) FROM group_requests WHERE host = $1 AND group_id = $2", host, id)
	})
}

// GroupRequests gives the requests of a group in order of time.
func (s *Store) GroupRequests(ctx context.Context, host, id string) (rs []store.GroupRequest, err error) {
	err = s.rows(ctx, func(rows *sql.Rows) error {
		var r store.GroupRequest
		var since int64
		err := rows.Scan(&r.JID, &r.Reason, &since)
		r.Since = when(since)
		rs = append(rs, r)
		return err
	}, "SELECT jid, reason, since FROM group_requests WHERE host = $1 AND group_id = $2 ORDER BY since, jid", host, id)
	return rs, err
}

// DropGroupRequest removes a request.
func (s *Store) DropGroupRequest(ctx context.Context, host, id, jid string) error {
	return s.one(ctx, "DELETE FROM group_requests WHERE host = $1 AND group_id = $2 AND jid = $3", host, id, jid)
}

// DeletedGroups gives groups that were deleted after since, in order of slug.
func (s *Store) DeletedGroups(ctx context.Context, host string, since time.Time) ([]store.Group, error) {
	return s.groups(ctx, selectGroup+"g.host = $1 AND g.deleted > $2 ORDER BY g.slug", host, micros(since))
}

// RestoreGroup wakes the rooms that were destroyed together with the group: a room that was destroyed separately stays
// so.
func (s *Store) RestoreGroup(ctx context.Context, host, id string, users []string, bs []store.Bookmark) error {
	return s.changeRoom(ctx, "", "", func(tx *sql.Tx) error {
		var deleted int64
		if err := tx.QueryRowContext(ctx, "SELECT deleted FROM org_groups WHERE host = $1 AND id = $2"+s.forUpdate(),
			host, id).Scan(&deleted); err != nil {
			return err
		}
		if deleted == 0 {
			return store.ErrNotFound
		}
		if _, err := tx.ExecContext(ctx,
			"UPDATE org_groups SET deleted = 0 WHERE host = $1 AND id = $2", host, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx,
			"UPDATE rooms SET destroyed = 0, epoch = epoch + 1 WHERE group_id = $1 AND destroyed = $2",
			id, deleted); err != nil {
			return err
		}
		for _, u := range users {
			for _, b := range bs {
				if err := s.writeBookmark(ctx, tx, host, u, b); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
