package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"parley/store"
)

// CountOffline gives how many messages wait, and their bytes.
func (s *Store) CountOffline(ctx context.Context, host, user string) (n int, bytes int64, err error) {
	if err := s.settle(ctx, host, user); err != nil {
		return 0, 0, err
	}
	err = s.row(ctx, []any{&n, &bytes},
		"SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(stanza)), 0) AS INT8) FROM offline "+
			"WHERE host = $1 AND owner = $2 AND expires > $3", host, user, s.now().UnixMicro())
	return n, bytes, err
}

// TakeOffline gives waiting messages in order, at most limit.
func (s *Store) TakeOffline(ctx context.Context, host, user string, limit int) (es []store.OfflineEntry, err error) {
	if err := s.settle(ctx, host, user); err != nil {
		return nil, err
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		e := store.OfflineEntry{Host: host, Owner: user}
		var expires int64
		if err := r.Scan(&e.ID, &expires, &e.Stanza); err != nil {
			return err
		}
		e.Expires = when(expires)
		es = append(es, e)
		return nil
	}, "SELECT id, expires, stanza FROM offline WHERE host = $1 AND owner = $2 AND expires > $3 ORDER BY id LIMIT $4",
		host, user, s.now().UnixMicro(), limit)
	return es, err
}

const (
	dropOfflinePg     = "DELETE FROM offline WHERE host = $1 AND owner = $2 AND (id = ANY($3) OR expires <= $4)"
	dropOfflineSQLite = "DELETE FROM offline " +
		"WHERE host = $1 AND owner = $2 AND (id IN (SELECT value FROM json_each($3)) OR expires <= $4)"
)

// DropOffline removes the messages with these ids and those that have expired.
func (s *Store) DropOffline(ctx context.Context, host, user string, ids ...store.ID) error {
	if err := s.settle(ctx, host, user); err != nil {
		return err
	}
	numbers := make([]int64, len(ids))
	for i, id := range ids {
		numbers[i] = int64(id)
	}
	now := s.now().UnixMicro()
	if s.pg {
		_, err := s.exec(ctx, dropOfflinePg, host, user, numbers, now)
		return err
	}
	list, err := json.Marshal(numbers)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, dropOfflineSQLite, host, user, string(list), now)
	return err
}

// Private gives the element of a name.
func (s *Store) Private(ctx context.Context, host, user, space, local string) (data []byte, err error) {
	err = s.row(ctx, []any{&data},
		"SELECT data FROM private_data WHERE host = $1 AND owner = $2 AND space = $3 AND local = $4",
		host, user, space, local)
	return data, err
}

// SetPrivate keeps an element.
func (s *Store) SetPrivate(ctx context.Context, host, user, space, local string, data []byte, limit int) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx, `INSERT INTO private_data (host, owner, space, local, data)
				VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (host, owner, space, local) DO UPDATE SET data = excluded.data`,
				host, user, space, local, data)
			return err
		}, "SELECT COUNT(*) FROM private_data WHERE host = $1 AND owner = $2 AND space NOT LIKE 'parley:%' "+
			"AND space <> 'vcard-temp'", host, user)
	})
}

// PrivateOwners gives the accounts of a host that have an element of this name.
func (s *Store) PrivateOwners(ctx context.Context, host, space, local string) (names []string, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		names = append(names, name)
		return err
	}, "SELECT owner FROM private_data WHERE host = $1 AND space = $2 AND local = $3 ORDER BY owner",
		host, space, local)
	return names, err
}

// AllPrivate gives every element of an account, in order of namespace and name.
func (s *Store) AllPrivate(ctx context.Context, host, user string) (all [][]byte, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var data []byte
		if err := r.Scan(&data); err != nil {
			return err
		}
		all = append(all, data)
		return nil
	}, "SELECT data FROM private_data WHERE host = $1 AND owner = $2 ORDER BY space, local", host, user)
	return all, err
}

// Bookmarks gives all bookmarks of a user.
func (s *Store) Bookmarks(ctx context.Context, host, user string) (bs []store.Bookmark, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var b store.Bookmark
		var updated int64
		if err := r.Scan(&b.Room, &b.Name, &b.Nick, &b.Password, &b.Autojoin, &b.Extensions, &updated); err != nil {
			return err
		}
		b.Updated = when(updated)
		bs = append(bs, b)
		return nil
	}, "SELECT room, name, nick, password, autojoin, extensions, updated FROM bookmarks "+
		"WHERE host = $1 AND owner = $2 ORDER BY room", host, user)
	return bs, err
}

// SetBookmarks writes bookmarks.
func (s *Store) SetBookmarks(ctx context.Context, host, user string, limit int, bs ...store.Bookmark) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, len(bs), func() error {
			for _, b := range bs {
				if err := s.writeBookmark(ctx, tx, host, user, b); err != nil {
					return err
				}
			}
			return nil
		}, `SELECT COUNT(*) FROM bookmarks WHERE host = $1 AND owner = $2 AND room NOT IN (
			SELECT r.name || '@' || r.host FROM rooms r JOIN members m ON m.group_id = r.group_id
			WHERE m.host = $1 AND m.jid = $3 AND m.role <> 'banned')`, host, user, user+"@"+host)
	})
}

func (s *Store) writeBookmark(ctx context.Context, tx *sql.Tx, host, user string, b store.Bookmark) error {
	if b.Updated.IsZero() {
		b.Updated = s.now()
	}
	_, err := tx.ExecContext(ctx,
		`INSERT INTO bookmarks (host, owner, room, name, nick, password, autojoin, extensions, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (host, owner, room) DO UPDATE SET name = excluded.name, nick = excluded.nick,
		password = excluded.password, autojoin = excluded.autojoin, extensions = excluded.extensions,
		updated = excluded.updated`,
		host, user, b.Room, b.Name, b.Nick, b.Password, bit(b.Autojoin), b.Extensions, micros(b.Updated))
	return err
}

// DeleteBookmarks removes bookmarks, and ignores rooms that are not bookmarked.
func (s *Store) DeleteBookmarks(ctx context.Context, host, user string, rooms ...string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, room := range rooms {
			if _, err := tx.ExecContext(ctx, "DELETE FROM bookmarks WHERE host = $1 AND owner = $2 AND room = $3",
				host, user, room); err != nil {
				return err
			}
		}
		return nil
	})
}

// Get gives the value of a key.
func (s *Store) Get(ctx context.Context, host, key string) (v []byte, err error) {
	err = s.row(ctx, []any{&v}, "SELECT v FROM kv WHERE host = $1 AND k = $2", host, key)
	return v, err
}

// Put writes the value of a key.
func (s *Store) Put(ctx context.Context, host, key string, value []byte) error {
	if value == nil {
		return errors.New("store: no value")
	}
	_, err := s.exec(ctx, "INSERT INTO kv (host, k, v) VALUES ($1, $2, $3) "+
		"ON CONFLICT (host, k) DO UPDATE SET v = excluded.v", host, key, value)
	return err
}

// PutFirst writes the value of a key that has none, and returns the value that the key has then: this one, or that of
// another process that came first.
func (s *Store) PutFirst(ctx context.Context, host, key string, value []byte) ([]byte, error) {
	if value == nil {
		return nil, errors.New("store: no value")
	}
	if _, err := s.exec(ctx, "INSERT INTO kv (host, k, v) VALUES ($1, $2, $3) ON CONFLICT (host, k) DO NOTHING",
		host, key, value); err != nil {
		return nil, err
	}
	return s.Get(ctx, host, key)
}

// Delete removes a key.
func (s *Store) Delete(ctx context.Context, host, key string) error {
	_, err := s.exec(ctx, "DELETE FROM kv WHERE host = $1 AND k = $2", host, key)
	return err
}

// Take removes a key if it has this value, and says whether it did.
func (s *Store) Take(ctx context.Context, host, key string, value []byte) (bool, error) {
	n, err := s.exec(ctx, "DELETE FROM kv WHERE host = $1 AND k = $2 AND v = $3", host, key, value)
	return n > 0, err
}
