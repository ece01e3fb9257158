package sqlstore

import (
	"context"
	"database/sql"
	"strings"

	"parley/store"
)

// Written tells for each account of a host how many bytes of its messages between two ids archives keep, its own
// archive and those of a service's rooms. It reads only the entries between, one archive after the other.
func (s *Store) Written(ctx context.Context, host, rooms string, since, until store.ID,
	tell func(account string, bytes int64)) error {
	if err := s.settleAll(ctx); err != nil {
		return err
	}
	names, err := s.names(ctx, "SELECT name FROM users WHERE host = $1", host)
	if err != nil {
		return err
	}
	for _, name := range names {
		var bytes int64
		if err := s.row(ctx, []any{&bytes}, `SELECT CAST(COALESCE(SUM(LENGTH(stanza)), 0) AS INT8) FROM archive
			WHERE host = $1 AND owner = $2 AND id >= $3 AND id < $4 AND (incoming = 0 OR with_bare = $5)`,
			host, name, int64(since), int64(until), name+"@"+host); err != nil {
			return err
		}
		if bytes > 0 {
			tell(name, bytes)
		}
	}
	places, err := s.names(ctx, "SELECT name FROM rooms WHERE host = $1", rooms)
	if err != nil {
		return err
	}
	for _, room := range places {
		err := s.rows(ctx, func(r *sql.Rows) error {
			var sender string
			var bytes int64
			if err := r.Scan(&sender, &bytes); err != nil {
				return err
			}
			if name, at, ok := strings.Cut(sender, "@"); ok && at == host {
				tell(name, bytes)
			}
			return nil
		}, `SELECT sender, CAST(COALESCE(SUM(LENGTH(stanza)), 0) AS INT8) FROM room_archive
			WHERE host = $1 AND room = $2 AND id >= $3 AND id < $4 GROUP BY sender`,
			rooms, room, int64(since), int64(until))
		if err != nil {
			return err
		}
	}
	return nil
}
