package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// SetDisplayed keeps how far an account has read.
func (s *Store) SetDisplayed(ctx context.Context, host, user string, limit int, ds ...store.Displayed) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, len(ds), func() error {
			for _, d := range ds {
				if _, err := tx.ExecContext(ctx, `INSERT INTO displayed (host, owner, chat, id) VALUES ($1, $2, $3, $4)
					ON CONFLICT (host, owner, chat) DO UPDATE SET id = excluded.id WHERE displayed.id < excluded.id`,
					host, user, d.Chat, int64(d.ID)); err != nil {
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
		err := r.Scan(&d.Chat, &d.ID)
		ds = append(ds, d)
		return err
	}, "SELECT chat, id FROM displayed WHERE host = $1 AND owner = $2 ORDER BY chat", host, user)
	return ds, err
}

// RoomNews reads backwards by the index of ids. The column subject says that an entry is quiet, of
// which a subject is one kind.
func (s *Store) RoomNews(ctx context.Context, host, room, sender string, after store.ID,
	limit int) (n store.News, err error) {
	if err := s.settle(ctx, host, room); err != nil {
		return n, err
	}
	n.Since = after
	l := &n.Last
	if err := s.row(ctx, []any{&l.ID, &l.Stanza, &l.Sender, &l.Seq}, `SELECT id, stanza, sender, seq FROM room_archive
		WHERE host = $1 AND room = $2 AND subject = 0 ORDER BY id DESC LIMIT 1`, host, room); err != nil {
		return n, err
	}
	if l.ID <= after {
		return n, nil
	}
	own := false
	err = s.rows(ctx, func(r *sql.Rows) error {
		var from string
		var id store.ID
		if err := r.Scan(&from, &id); err != nil {
			return err
		}
		if from == sender && !own {
			own, n.Since = true, id
		}
		if !own {
			n.Unread++
		}
		return nil
	}, `SELECT sender, id FROM room_archive WHERE host = $1 AND room = $2 AND id > $3 AND subject = 0
		ORDER BY id DESC LIMIT $4`, host, room, int64(after), limit)
	return n, err
}

// ChatSince gives the newest entries of a conversation after an id, the newest first, with their direction.
func (s *Store) ChatSince(ctx context.Context, host, user, with string, after store.ID,
	limit int) (es []store.ChatEntry, err error) {
	if err := s.settle(ctx, host, user); err != nil {
		return nil, err
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		var e store.ChatEntry
		var incoming int64
		err := r.Scan(&e.ID, &incoming, &e.Stanza)
		e.Incoming = incoming != 0
		es = append(es, e)
		return err
	},
		`SELECT id, incoming, stanza FROM archive WHERE host = $1 AND owner = $2 AND with_bare = $3 AND id > $4
			ORDER BY id DESC LIMIT $5`, host, user, with, int64(after), limit)
	return es, err
}
