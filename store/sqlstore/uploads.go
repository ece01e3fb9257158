package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"parley/store"
)

const uploadColumns = "host, id, owner, name, content_type, size, created, expires, done"

func scanUpload(r interface{ Scan(...any) error }) (u store.Upload, err error) {
	var created, expires int64
	err = r.Scan(&u.Host, &u.ID, &u.Owner, &u.Name, &u.ContentType, &u.Size, &created, &expires, &u.Done)
	u.Created, u.Expires = when(created), when(expires)
	return u, err
}

// CreateUpload keeps a slot.
func (s *Store) CreateUpload(ctx context.Context, u store.Upload, files int, quota int64) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx,
			"INSERT INTO uploads ("+uploadColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
			u.Host, u.ID, u.Owner, u.Name, u.ContentType, u.Size, micros(u.Created), micros(u.Expires)); err != nil {
			return err
		}
		var n int
		var sum int64
		if err := tx.QueryRowContext(ctx,
			"SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS INT8) FROM uploads WHERE host = $1 AND owner = $2",
			u.Host, u.Owner).Scan(&n, &sum); err != nil {
			return err
		}
		if files > 0 && n > files || quota > 0 && sum > quota {
			return store.ErrLimit
		}
		return nil
	})
}

func (s *Store) uploads(ctx context.Context, where string, args ...any) (us []store.Upload, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		u, err := scanUpload(r)
		us = append(us, u)
		return err
	}, "SELECT "+uploadColumns+" FROM uploads WHERE "+where, args...)
	return us, err
}

// Upload gives a file by its id.
func (s *Store) Upload(ctx context.Context, host, id string) (store.Upload, error) {
	us, err := s.uploads(ctx, "host = $1 AND id = $2", host, id)
	if err == nil && len(us) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Upload{}, err
	}
	return us[0], nil
}

// FinishUpload notes that the file has been uploaded.
func (s *Store) FinishUpload(ctx context.Context, host, id string) error {
	n, err := s.exec(ctx, "UPDATE uploads SET done = 1 WHERE host = $1 AND id = $2 AND done = 0", host, id)
	if err == nil && n == 0 {
		return store.ErrConflict
	}
	return err
}

// ExpiredUploads gives files that expired before now, and slots made before unused that were never used.
func (s *Store) ExpiredUploads(ctx context.Context, host string, now, unused time.Time,
	limit int) ([]store.Upload, error) {
	return s.uploads(ctx, "host = $1 AND ((expires > 0 AND expires <= $2) OR (done = 0 AND created <= $3)) LIMIT $4",
		host, micros(now), micros(unused), limit)
}

// DeleteUpload removes a file.
func (s *Store) DeleteUpload(ctx context.Context, host, id string) error {
	if _, err := s.exec(ctx, "DELETE FROM upload_retractions WHERE host = $1 AND id = $2", host, id); err != nil {
		return err
	}
	return s.one(ctx, "DELETE FROM uploads WHERE host = $1 AND id = $2", host, id)
}

// UploadsOf gives all files of an account.
func (s *Store) UploadsOf(ctx context.Context, host, owner string) ([]store.Upload, error) {
	return s.uploads(ctx, "host = $1 AND owner = $2 ORDER BY created, id", host, owner)
}
