package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cockroachdb/cockroach-go/v2/crdb"

	"parley/store"
	"parley/wire"
)

// Entries that correct or react to another one have its id in the column refers. Few do: the indexes are partial.
const refersIndexes = `
CREATE INDEX IF NOT EXISTS archive_refers ON archive (host, owner, refers, id) WHERE refers <> '';
CREATE INDEX IF NOT EXISTS room_archive_refers ON room_archive (host, room, refers, id) WHERE refers <> '';`

// of gives the table of a conversation, and the condition for its entries with the arguments of that.
func (l log) of(c store.Conversation) (where string, args []any) {
	if l == roomLog {
		return " WHERE host = $1 AND room = $2", []any{c.Host, c.Room}
	}
	return " WHERE host = $1 AND owner = $2 AND with_bare = $3", []any{c.Host, c.Owner, c.With}
}

// conversation gives the log that has a conversation, whose pending entries it moves to the database.
func (s *Store) conversation(ctx context.Context, c store.Conversation) (log, error) {
	if c.Room != "" {
		return roomLog, s.settle(ctx, c.Host, c.Room)
	}
	return accountLog, s.settle(ctx, c.Host, c.Owner)
}

// Referring gives the entries of a conversation that refer to one of some ids, in order of time.
func (s *Store) Referring(ctx context.Context, c store.Conversation, ids []string,
	limit int) ([]store.Archived, error) {
	l, err := s.conversation(ctx, c)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	where, args := l.of(c)
	cond, list, err := oneOfAll(s, "refers", "TEXT", len(args)+1, ids)
	if err != nil {
		return nil, err
	}
	// The planner takes a partial index only for a query that says its condition.
	q := "SELECT " + l.columns + " FROM " + l.table + where + " AND refers <> '' AND " + cond +
		fmt.Sprintf(" ORDER BY id DESC LIMIT $%d", len(args)+2)
	return s.newestOf(ctx, q, append(args, list, limit)...)
}

// enoughBytes is how much of the stanzas that refer to others, or are named by them, is read at once.
const enoughBytes = 16 << 20

// newestOf runs a query that gives the newest entries first, until it has enough, and gives them in order of time.
func (s *Store) newestOf(ctx context.Context, q string, args ...any) (es []store.Archived, err error) {
	size := 0
	_, err = s.rowsUntil(ctx, func(e store.Archived) bool {
		es, size = append(es, e), size+len(e.Stanza)
		return size <= enoughBytes
	}, q, args...)
	slices.Reverse(es)
	return es, err
}

// Entries gives those entries of a conversation that have one of some archive ids, in order of time.
func (s *Store) Entries(ctx context.Context, c store.Conversation, ids []store.ID) ([]store.Archived, error) {
	l, err := s.conversation(ctx, c)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	where, args := l.of(c)
	cond, list, err := oneOfAll(s, "id", "INT8", len(args)+1, ids)
	if err != nil {
		return nil, err
	}
	var es []store.Archived
	err = s.rows(ctx, scanArchived(&es),
		"SELECT "+l.columns+" FROM "+l.table+where+" AND "+cond+" ORDER BY id", append(args, list)...)
	return es, err
}

// Named gives the entries of a conversation whose id attribute is one of some, among the newest before an id.
func (s *Store) Named(ctx context.Context, c store.Conversation, attrs []string, before store.ID,
	look int) ([]store.Archived, error) {
	l, err := s.conversation(ctx, c)
	if err != nil || len(attrs) == 0 {
		return nil, err
	}
	where, args := l.of(c)
	if before != 0 {
		args = append(args, int64(before))
		where += fmt.Sprintf(" AND id < $%d", len(args))
	}
	cond, list, err := oneOfAll(s, "origin_id", "TEXT", len(args)+1, attrs)
	if err != nil {
		return nil, err
	}
	// The ids are not in an index: each message would pay for one, and only few are asked for.
	q := "SELECT " + l.columns + " FROM (SELECT * FROM " + l.table + where +
		fmt.Sprintf(" ORDER BY id DESC LIMIT $%d) AS newest WHERE ", len(args)+2) + cond + " ORDER BY id DESC"
	return s.newestOf(ctx, q, append(args, list, look)...)
}

// oneOfAll is the condition that a column has one of at most store.MaxReferred values, which are one argument, the nth.
func oneOfAll[T string | store.ID](s *Store, column, kind string, n int,
	values []T) (cond string, list any, err error) {
	values = values[:min(len(values), store.MaxReferred)]
	if s.pg {
		return fmt.Sprintf("%s = ANY($%d::%s[])", column, n, kind), values, nil
	}
	b, err := json.Marshal(values)
	return fmt.Sprintf("%s IN (SELECT value FROM json_each($%d))", column, n), string(b), err
}

// addRefers adds the column to both archives and fills it in. It may be interrupted and repeated.
func addRefers(ctx context.Context, db *sql.DB) error {
	for _, l := range []log{accountLog, roomLog} {
		if err := addColumn(l.table, "refers", "TEXT NOT NULL DEFAULT ''")(ctx, db); err != nil {
			return err
		}
		if err := fillRefers(ctx, db, l); err != nil {
			return fmt.Errorf("what the messages in %s refer to: %w", l.table, err)
		}
	}
	return statements(refersIndexes)(ctx, db)
}

// refersPage is how many entries fillRefers reads at once.
const refersPage = 1000

// entryKey is the key of an entry in either table: a room's has a number instead of an id.
type entryKey struct {
	host, owner string
	id          int64
}

type refersRow struct {
	entryKey
	refers string
}

// fillRefers reads an archive in order of its key, and writes the column of the few entries that refer to others.
func fillRefers(ctx context.Context, db *sql.DB, l log) error {
	key := "id"
	if l == roomLog {
		key = "seq"
	}
	q := fmt.Sprintf("SELECT host, %[2]s, %[3]s, stanza FROM %[1]s WHERE (host, %[2]s, %[3]s) > ($1, $2, $3) "+
		"ORDER BY host, %[2]s, %[3]s LIMIT %[4]d", l.table, l.owner, key, refersPage)
	set := fmt.Sprintf("UPDATE %s SET refers = $4 WHERE host = $1 AND %s = $2 AND %s = $3", l.table, l.owner, key)
	for at := (entryKey{}); ; {
		n, found, err := readRefers(ctx, db, q, &at)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			if err := writeRefers(ctx, db, set, found); err != nil {
				return err
			}
		}
		if n < refersPage {
			return nil
		}
	}
}

// readRefers reads the entries after a place, how many there are, and moves the place on.
func readRefers(ctx context.Context, db *sql.DB, q string, at *entryKey) (n int, found []refersRow, err error) {
	rows, err := db.QueryContext(ctx, q, at.host, at.owner, at.id)
	if err != nil {
		return 0, nil, err
	}
	err = each(rows, func(r *sql.Rows) error {
		n++
		var stanza sql.RawBytes
		if err := r.Scan(&at.host, &at.owner, &at.id, &stanza); err != nil {
			return err
		}
		if id := refersOf(stanza); id != "" {
			found = append(found, refersRow{*at, id})
		}
		return nil
	})
	return n, found, err
}

func writeRefers(ctx context.Context, db *sql.DB, set string, found []refersRow) error {
	return crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		for _, f := range found {
			if _, err := tx.ExecContext(ctx, set, f.host, f.owner, f.id, f.refers); err != nil {
				return err
			}
		}
		return nil
	})
}

// refersOf gives what a kept message refers to, as writers do since there is the column.
func refersOf(stanza []byte) string {
	if !bytes.Contains(stanza, []byte(store.NSCorrect)) && !bytes.Contains(stanza, []byte(store.NSReactions)) {
		return ""
	}
	st, err := wire.ParseStanza(stanza, wire.Limits{Stanza: 1 << 20, Depth: 100, Attrs: 200})
	if err != nil {
		return ""
	}
	return store.RefersOf(st)
}
