package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"parley/store"
)

// setDisplayed keeps a place. What was marked as unread stays so beyond the place to which somebody reads on.
const setDisplayed = `INSERT INTO displayed (host, owner, chat, id, marked) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (host, owner, chat) DO UPDATE SET id = excluded.id,
		marked = CASE WHEN excluded.marked > 0 THEN excluded.marked
			WHEN displayed.marked > excluded.id THEN displayed.marked ELSE 0 END
	WHERE displayed.id < excluded.id OR excluded.marked > 0`

// SetDisplayed keeps how far an account has read.
func (s *Store) SetDisplayed(ctx context.Context, host, user string, limit int, ds ...store.Displayed) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, len(ds), func() error {
			for _, d := range ds {
				if _, err := tx.ExecContext(ctx, setDisplayed, host, user, d.Chat, int64(d.ID),
					int64(d.Marked)); err != nil {
					return err
				}
			}
			return nil
		}, "SELECT COUNT(*) FROM displayed WHERE host = $1 AND owner = $2", host, user)
	})
}

// Displayed gives how far an account has read each conversation, in order of Chat.
func (s *Store) Displayed(ctx context.Context, host, user string) (ds []store.Displayed, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var d store.Displayed
		err := r.Scan(&d.Chat, &d.ID, &d.Marked)
		ds = append(ds, d)
		return err
	}, "SELECT chat, id, marked FROM displayed WHERE host = $1 AND owner = $2 ORDER BY chat", host, user)
	return ds, err
}

// RoomNews is NewsOf one room.
func (s *Store) RoomNews(ctx context.Context, host, room, sender string, after store.ID,
	limit int) (store.News, error) {
	all, err := s.NewsOf(ctx, host, sender, map[string]store.ID{room: after}, limit)
	n, ok := all[room]
	if err == nil && !ok {
		err = store.ErrNotFound
	}
	return n, err
}

// news is $1 the rooms' domain, $2 the person, $3 the list, $4 one less than how many entries count. It reads backwards
// by the index of ids, for each room: last is the newest message, low the first that counts if there are more than
// that, own the person's newest one among those, and after what the person ($5, $6) has marked as unread. Without
// MATERIALIZED SQLite looks for low anew at each entry that it counts. The column subject says that an entry is quiet,
// of which a subject is one kind.
const news = `, e AS MATERIALIZED (SELECT l.name AS name, l.past AS past,
		(SELECT a.id FROM room_archive a WHERE a.host = $1 AND a.room = l.name AND a.subject = 0
			ORDER BY a.id DESC LIMIT 1) AS last,
		COALESCE((SELECT a.id FROM room_archive a WHERE a.host = $1 AND a.room = l.name AND a.subject = 0
			AND a.id > l.past ORDER BY a.id DESC LIMIT 1 OFFSET $4), 0) AS low,
		COALESCE((SELECT d.marked FROM displayed d WHERE d.host = $5 AND d.owner = $6
			AND d.chat = l.name || '@' || $1), 0) AS marked
		FROM l),
	o AS MATERIALIZED (SELECT e.name AS name, e.last AS last, e.low AS low,
		COALESCE((SELECT MAX(a.id) FROM room_archive a WHERE a.host = $1 AND a.room = e.name AND a.subject = 0
			AND a.id > e.past AND a.id >= e.low AND a.id > e.marked AND a.sender = $2), e.past) AS own
		FROM e)
	SELECT o.name, o.own, (SELECT COUNT(*) FROM room_archive u WHERE u.host = $1 AND u.room = o.name AND u.subject = 0
		AND u.id > o.own AND u.id >= o.low), m.id, m.stanza, m.sender, m.seq
	FROM o JOIN room_archive m ON m.host = $1 AND m.room = o.name AND m.id = o.last`

// NewsOf gives the news of many rooms in one statement.
func (s *Store) NewsOf(ctx context.Context, host, sender string, after map[string]store.ID,
	limit int) (map[string]store.News, error) {
	all := make(map[string]store.News, len(after))
	if len(after) == 0 || limit < 1 {
		return all, nil
	}
	for room := range after {
		if err := s.settle(ctx, host, room); err != nil {
			return nil, err
		}
	}
	with, list, err := s.list(after)
	if err != nil {
		return nil, err
	}
	owner, at, _ := strings.Cut(sender, "@")
	err = s.rows(ctx, func(r *sql.Rows) error {
		var name string
		var n store.News
		err := r.Scan(&name, &n.Since, &n.Unread, &n.Last.ID, &n.Last.Stanza, &n.Last.Sender, &n.Last.Seq)
		all[name] = n
		return err
	}, with+news, host, sender, list, limit-1, at, owner)
	return all, err
}

// list begins a statement with the table l of names and ids, which is the parameter $3.
func (s *Store) list(ids map[string]store.ID) (with, arg string, err error) {
	b, err := json.Marshal(ids)
	from := "json_each($3)"
	if s.pg {
		from = "jsonb_each_text(CAST($3 AS JSONB))"
	}
	with = "WITH l AS MATERIALIZED (SELECT key AS name, CAST(value AS INT8) AS past FROM " + from + ")"
	return with, string(b), err
}

// Newest gives the newest entries of each of several conversations in one statement.
func (s *Store) Newest(ctx context.Context, host, user string, withs []string,
	limit int) (map[string][]store.ChatEntry, error) {
	all := make(map[string][]store.ChatEntry, len(withs))
	if len(withs) == 0 || limit < 1 {
		return all, nil
	}
	if err := s.settle(ctx, host, user); err != nil {
		return nil, err
	}
	ids := make(map[string]store.ID, len(withs))
	for _, w := range withs {
		ids[w] = 0
	}
	with, list, err := s.list(ids)
	if err != nil {
		return nil, err
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		var name string
		var e store.ChatEntry
		var incoming, marked int64
		err := r.Scan(&name, &e.ID, &incoming, &e.Stanza, &marked)
		e.Incoming, e.Marked = incoming != 0, int64(e.ID) <= marked
		all[name] = append(all[name], e)
		return err
	}, with+`, f AS MATERIALIZED (SELECT l.name AS name, COALESCE((SELECT a.id FROM archive a WHERE a.host = $1
			AND a.owner = $2 AND a.with_bare = l.name ORDER BY a.id DESC LIMIT 1 OFFSET $4), 0) AS low,
			COALESCE((SELECT d.marked FROM displayed d WHERE d.host = $1 AND d.owner = $2 AND d.chat = l.name), 0) AS marked
			FROM l)
		SELECT f.name, a.id, a.incoming, a.stanza, f.marked FROM f JOIN archive a ON a.host = $1 AND a.owner = $2
			AND a.with_bare = f.name AND a.id >= f.low ORDER BY f.name, a.id DESC`, host, user, list, limit-1)
	return all, err
}

// ChatSince gives the newest entries of a conversation after an id, the newest first, with their direction.
func (s *Store) ChatSince(ctx context.Context, host, user, with string, after store.ID,
	limit int) (es []store.ChatEntry, err error) {
	if err := s.settle(ctx, host, user); err != nil {
		return nil, err
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		var e store.ChatEntry
		var incoming, marked int64
		err := r.Scan(&e.ID, &incoming, &e.Stanza, &marked)
		e.Incoming, e.Marked = incoming != 0, int64(e.ID) <= marked
		es = append(es, e)
		return err
	},
		`SELECT id, incoming, stanza, COALESCE((SELECT d.marked FROM displayed d
			WHERE d.host = $1 AND d.owner = $2 AND d.chat = $3), 0) FROM archive WHERE host = $1 AND owner = $2 AND with_bare = $3 AND id > $4
			ORDER BY id DESC LIMIT $5`, host, user, with, int64(after), limit)
	return es, err
}
