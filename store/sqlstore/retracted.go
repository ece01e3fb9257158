package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/store"
)

// RetractUpload notes that a message with a file was retracted.
func (s *Store) RetractUpload(ctx context.Context, host, id, owner string) (due bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		n := int64(0)
		for _, q := range []struct {
			text string
			args []any
		}{
			{"INSERT INTO upload_retractions (host, id, due) SELECT host, id, 0 FROM uploads " +
				"WHERE host = $1 AND id = $2 AND owner = $3 AND done = 1 AND expires > 0 " +
				"ON CONFLICT (host, id) DO NOTHING", []any{host, id, owner}},
			{"UPDATE upload_retractions SET due = due + 1 WHERE host = $1 AND id = $2", []any{host, id}},
		} {
			res, err := tx.ExecContext(ctx, q.text, q.args...)
			if err != nil {
				return err
			}
			k, err := res.RowsAffected()
			if err != nil {
				return err
			}
			n += k
		}
		due = n > 0
		return nil
	})
	return due, err
}

// RetractedUploads gives the files that have to be checked.
func (s *Store) RetractedUploads(ctx context.Context, host string, limit int) (us []store.RetractedUpload, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var u store.RetractedUpload
		var created int64
		err := r.Scan(&u.Host, &u.ID, &u.Owner, &u.Name, &u.ContentType, &u.Size, &created, &u.Times)
		u.Created, u.Done = when(created), true
		us = append(us, u)
		return err
	}, "SELECT u.host, u.id, u.owner, u.name, u.content_type, u.size, u.created, r.due "+
		"FROM upload_retractions r JOIN uploads u ON u.host = r.host AND u.id = r.id WHERE r.host = $1 AND r.due > 0 "+
		"ORDER BY u.id LIMIT $2", host, limit)
	return us, err
}

// KeepUpload notes that a file was checked and stays.
func (s *Store) KeepUpload(ctx context.Context, u store.RetractedUpload) error {
	_, err := s.exec(ctx, "UPDATE upload_retractions SET due = 0 WHERE host = $1 AND id = $2 AND due = $3",
		u.Host, u.ID, u.Times)
	return err
}

// referenceMargin is how much older than an upload, by its own clock, a message may seem that has its address.
const referenceMargin = time.Minute

// UploadReferred reads the messages stored since the file was uploaded, one archive after the other.
func (s *Store) UploadReferred(ctx context.Context, u store.Upload) (bool, error) {
	if err := s.settleAll(ctx); err != nil {
		return false, err
	}
	since := int64(store.FirstID(u.Created.Add(-referenceMargin)))
	for _, in := range []struct {
		whose string // asks for the archives: their hosts and names
		found string // looks into one; $1 is its host, $2 its name
		text  string // the column
		args  []any
	}{
		{"SELECT host, name FROM users",
			"SELECT 1 FROM archive WHERE host = $1 AND owner = $2 AND id >= $4 AND ", "stanza", []any{since}},
		{"SELECT host, name FROM rooms",
			"SELECT 1 FROM room_archive WHERE host = $1 AND room = $2 AND id >= $4 AND ", "stanza", []any{since}},
		{"SELECT host, name FROM rooms WHERE subject IS NOT NULL",
			"SELECT 1 FROM rooms WHERE host = $1 AND name = $2 AND ", "subject", nil},
		{"SELECT DISTINCT host, owner FROM nodes",
			"SELECT 1 FROM node_items WHERE host = $1 AND owner = $2 AND seq >= $4 AND ", "payload", []any{since}},
		{"SELECT DISTINCT host, owner FROM private_data",
			"SELECT 1 FROM private_data WHERE host = $1 AND owner = $2 AND ", "data", nil},
		{"SELECT DISTINCT host, '' FROM kv", "SELECT 1 FROM kv WHERE host = $1 AND k >= $2 AND ", "v", nil},
		{"SELECT DISTINCT host, owner FROM reports",
			"SELECT 1 FROM reports WHERE host = $1 AND owner = $2 AND ", "messages", nil},
	} {
		var places [][2]string
		err := s.rows(ctx, func(r *sql.Rows) error {
			var p [2]string
			err := r.Scan(&p[0], &p[1])
			places = append(places, p)
			return err
		}, in.whose)
		if err != nil {
			return false, err
		}
		has, needle := s.contains(in.text, u.ID)
		for _, p := range places {
			var one int
			err := s.row(ctx, []any{&one}, in.found+has+" LIMIT 1", append([]any{p[0], p[1], needle}, in.args...)...)
			if err == nil {
				return true, nil
			}
			if !errors.Is(err, store.ErrNotFound) {
				return false, err
			}
		}
	}
	return false, nil
}

// contains looks for ASCII in a column of bytes, or of text; it is the third argument.
func (s *Store) contains(column, ascii string) (condition string, arg any) {
	if s.pg {
		if column != "messages" {
			column = "encode(" + column + ", 'escape')"
		}
		return column + " LIKE $3", "%" + like.Replace(ascii) + "%"
	}
	return "INSTR(CAST(" + column + " AS BLOB), $3) > 0", []byte(ascii)
}
