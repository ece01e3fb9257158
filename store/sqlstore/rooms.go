package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"parley/store"
)

const roomColumns = "host, name, group_id, theme, epoch, config, subject, created, destroyed, "

// lastSeq is the number of the newest entry in the archive of room $2 of $1. A MAX for each row of a query would read
// the whole archive on CockroachDB; this reads one entry from its end.
const lastSeq = "COALESCE((SELECT seq FROM room_archive WHERE host = $1 AND room = $2 ORDER BY seq DESC LIMIT 1), 0)"

const selectRoom = "SELECT " + roomColumns + lastSeq + " FROM rooms WHERE host = $1 AND name = $2 AND destroyed = 0"

func scanRoom(r interface{ Scan(...any) error }) (m store.Room, err error) {
	var created, destroyed int64
	err = r.Scan(&m.Host, &m.Name, &m.Group, &m.Theme, &m.Epoch, &m.Config, &m.Subject,
		&created, &destroyed, &m.LastSeq)
	m.Created, m.Destroyed = when(created), when(destroyed)
	return m, err
}

func insertRoom(ctx context.Context, tx *sql.Tx, r store.Room) error {
	_, err := tx.ExecContext(ctx,
		"INSERT INTO rooms (host, name, group_id, theme, epoch, config, subject, created, destroyed) "+
			"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
		r.Host, r.Name, r.Group, r.Theme, r.Epoch, r.Config, r.Subject, micros(r.Created))
	return translate(err)
}

// CreateRoom makes a room with its first affiliations.
func (s *Store) CreateRoom(ctx context.Context, r store.Room, as ...store.Affiliation) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := insertRoom(ctx, tx, r); err != nil {
			return err
		}
		if err := writeAccess(ctx, tx, r.Host, r.Name, r.Access); err != nil {
			return err
		}
		return writeAffiliations(ctx, tx, r.Host, r.Name, as)
	})
}

// ReviveRoom makes a destroyed free room anew under its old name: its archive and affiliations are gone. A room of a
// group or theme is never revived: ErrExists, as for a room that exists.
func (s *Store) ReviveRoom(ctx context.Context, r store.Room, as ...store.Affiliation) error {
	return s.changeRoom(ctx, r.Host, r.Name, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx,
			`UPDATE rooms SET epoch = epoch + 1, config = $3, subject = $4, created = $5, destroyed = 0
			WHERE host = $1 AND name = $2 AND destroyed <> 0 AND group_id = '' AND theme = ''`,
			r.Host, r.Name, r.Config, r.Subject, micros(r.Created))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = store.ErrExists
			}
			return err
		}
		for _, table := range []string{"affiliations", "room_requests", "room_archive"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE host = $1 AND room = $2",
				r.Host, r.Name); err != nil {
				return err
			}
		}
		err = eachHost(ctx, tx, "tasks", func(host string) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM tasks WHERE host = $1 AND room = $2", host, r.Name+"@"+r.Host)
			return err
		})
		if err != nil {
			return err
		}
		err = eachHost(ctx, tx, "scheduled", func(host string) error {
			_, err := tx.ExecContext(ctx, "UPDATE scheduled SET chat = '' WHERE host = $1 AND chat = $2", host,
				r.Name+"@"+r.Host)
			return err
		})
		if err != nil {
			return err
		}
		err = eachHost(ctx, tx, "drafts", func(host string) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM drafts WHERE host = $1 AND chat = $2", host, r.Name+"@"+r.Host)
			return err
		})
		if err != nil {
			return err
		}
		if err := s.forgetTerms(ctx, tx, r.Host, r.Name); err != nil {
			return err
		}
		if err := writeAccess(ctx, tx, r.Host, r.Name, r.Access); err != nil {
			return err
		}
		return writeAffiliations(ctx, tx, r.Host, r.Name, as)
	})
}

func writeAccess(ctx context.Context, tx *sql.Tx, host, room string, a store.RoomAccess) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO room_readers (host, room, readers, named, since_added, several, title)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (host, room) DO UPDATE SET readers = excluded.readers, named = excluded.named,
		since_added = excluded.since_added, several = excluded.several, title = excluded.title`,
		host, room, cmp.Or(a.Readers, store.ReadersMembers), bit(a.Named), bit(a.Since), bit(a.Several), a.Title)
	return err
}

// Room gives a room.
func (s *Store) Room(ctx context.Context, host, name string) (m store.Room, err error) {
	if err := s.settle(ctx, host, name); err != nil {
		return m, err
	}
	found := false
	err = s.rows(ctx, func(r *sql.Rows) (err error) {
		found = true
		m, err = scanRoom(r)
		return err
	}, selectRoom, host, name)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return m, err
}

// RoomExisted says whether a room of this name exists or existed.
func (s *Store) RoomExisted(ctx context.Context, host, name string) (bool, error) {
	var n int64
	err := s.row(ctx, []any{&n}, "SELECT COUNT(*) FROM rooms WHERE host = $1 AND name = $2", host, name)
	return n > 0, err
}

// Rooms gives existing rooms in order of name.
func (s *Store) Rooms(ctx context.Context, host, after string, limit int) (ms []store.Room, err error) {
	if err := s.settleAll(ctx); err != nil {
		return nil, err
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		m, err := scanRoom(r)
		ms = append(ms, m)
		return err
	}, "SELECT "+roomColumns+"0 FROM rooms WHERE host = $1 AND name > $2 AND destroyed = 0 ORDER BY name LIMIT $3",
		host, after, limit)
	return ms, err
}

// SaveRoomConfig writes a room's configuration and what searches need of it.
func (s *Store) SaveRoomConfig(ctx context.Context, host, name string, config []byte, a store.RoomAccess) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx,
			"UPDATE rooms SET config = $3 WHERE host = $1 AND name = $2 AND destroyed = 0", host, name, config)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		return writeAccess(ctx, tx, host, name, a)
	})
}

// SaveRoomSubject writes the message that set a room's subject.
func (s *Store) SaveRoomSubject(ctx context.Context, host, name string, subject []byte) error {
	return s.one(ctx, "UPDATE rooms SET subject = $3 WHERE host = $1 AND name = $2 AND destroyed = 0",
		host, name, subject)
}

// TakeRoom raises a room's epoch and gives the room as it is then.
func (s *Store) TakeRoom(ctx context.Context, host, name string) (m store.Room, err error) {
	err = s.changeRoom(ctx, host, name, func(tx *sql.Tx) error {
		if err := raiseEpoch(ctx, tx, host, name); err != nil {
			return err
		}
		m, err = scanRoom(tx.QueryRowContext(ctx, selectRoom, host, name))
		return err
	})
	return m, err
}

// DestroyRoom marks a room as destroyed.
func (s *Store) DestroyRoom(ctx context.Context, host, name string, at time.Time) error {
	return s.changeRoom(ctx, host, name, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE rooms SET destroyed = $3, epoch = epoch + 1 "+
			"WHERE host = $1 AND name = $2 AND destroyed = 0", host, name, micros(at))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		if err := forgetMarked(ctx, tx, name+"@"+host); err != nil {
			return err
		}
		return s.forgetTerms(ctx, tx, host, name)
	})
}

// Affiliations gives the affiliations of a room.
func (s *Store) Affiliations(ctx context.Context, host, room string) (as []store.Affiliation, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var a store.Affiliation
		var since int64
		err := r.Scan(&a.JID, &a.Affiliation, &a.Nick, &a.Reason, &since)
		a.Since = when(since)
		as = append(as, a)
		return err
	}, "SELECT jid, affiliation, nick, reason, since FROM affiliations WHERE host = $1 AND room = $2 ORDER BY jid",
		host, room)
	return as, err
}

// SetAffiliations writes affiliations in one transaction.
func (s *Store) SetAffiliations(ctx context.Context, host, room string, as ...store.Affiliation) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return writeAffiliations(ctx, tx, host, room, as) })
}

func writeAffiliations(ctx context.Context, tx *sql.Tx, host, room string, as []store.Affiliation) error {
	for _, a := range as {
		var err error
		if a.Affiliation == "" || a.Affiliation == "none" {
			err = deleteAffiliation(ctx, tx, host, room, a.JID)
		} else {
			// The time since when somebody is there stays, unless the new affiliation has no such time.
			_, err = tx.ExecContext(ctx, `INSERT INTO affiliations (host, room, jid, affiliation, nick, reason, since)
				VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (host, room, jid) DO UPDATE SET affiliation = excluded.affiliation, nick = excluded.nick,
				reason = excluded.reason, since = CASE WHEN excluded.since > 0
				AND affiliations.since > 0 THEN affiliations.since ELSE excluded.since END`,
				host, room, a.JID, a.Affiliation, a.Nick, a.Reason, micros(a.Since))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func deleteAffiliation(ctx context.Context, tx *sql.Tx, host, room, jid string) error {
	_, err := tx.ExecContext(ctx,
		"DELETE FROM affiliations WHERE host = $1 AND room = $2 AND jid = $3", host, room, jid)
	return err
}

// RoomsOwned counts the existing free rooms that a person owns.
func (s *Store) RoomsOwned(ctx context.Context, host, jid string) (int, error) {
	var n int64
	err := s.row(ctx, []any{&n}, `SELECT COUNT(*) FROM affiliations a
		JOIN rooms r ON r.host = a.host AND r.name = a.room
		WHERE a.host = $1 AND a.jid = $2 AND a.affiliation = 'owner' AND r.destroyed = 0 AND r.group_id = ''`,
		host, jid)
	return int(n), err
}

// AddRoomRequest keeps a request.
func (s *Store) AddRoomRequest(ctx context.Context, host, room string, q store.RoomRequest, max int) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, max, 1, func() error {
			_, err := tx.ExecContext(ctx, `INSERT INTO room_requests (host, room, jid, nick, since)
				VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (host, room, jid) DO UPDATE SET nick = excluded.nick`,
				host, room, q.JID, q.Nick, micros(q.Since))
			return err
		}, "SELECT COUNT(*) FROM room_requests WHERE host = $1 AND room = $2", host, room)
	})
}

// RoomRequests gives the requests of a room, the oldest first.
func (s *Store) RoomRequests(ctx context.Context, host, room string) (qs []store.RoomRequest, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var q store.RoomRequest
		var since int64
		err := r.Scan(&q.JID, &q.Nick, &since)
		q.Since = when(since)
		qs = append(qs, q)
		return err
	}, "SELECT jid, nick, since FROM room_requests WHERE host = $1 AND room = $2 ORDER BY since, jid", host, room)
	return qs, err
}

// DeleteRoomRequest removes a person's request.
func (s *Store) DeleteRoomRequest(ctx context.Context, host, room, jid string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			"DELETE FROM room_requests WHERE host = $1 AND room = $2 AND jid = $3", host, room, jid)
		return err
	})
}
