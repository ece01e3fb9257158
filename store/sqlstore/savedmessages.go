package sqlstore

import (
	"context"
	"database/sql"
	"math"

	"parley/store"
)

// markedMessages are the tables of messages that people have saved for themselves, and pinned for all. A pin is of a
// room, or of two people of whom each has the message under another id.
const markedMessages = `
CREATE TABLE IF NOT EXISTS saved_messages (
    host TEXT NOT NULL, owner TEXT NOT NULL, id INT8 NOT NULL, chat TEXT NOT NULL, message INT8 NOT NULL,
    PRIMARY KEY (host, owner, chat, message));
CREATE INDEX IF NOT EXISTS saved_messages_id ON saved_messages (host, owner, id);
CREATE TABLE IF NOT EXISTS pins (
    host TEXT NOT NULL, id INT8 NOT NULL, room TEXT NOT NULL, one TEXT NOT NULL, two TEXT NOT NULL,
    message INT8 NOT NULL, other INT8 NOT NULL, maker TEXT NOT NULL,
    PRIMARY KEY (host, room, one, two, message, other));
`

// SaveMessage keeps a message for its owner.
func (s *Store) SaveMessage(ctx context.Context, m store.SavedMessage, limit int) error {
	if err := s.raise(ctx, m.ID); err != nil {
		return err
	}
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx, "INSERT INTO saved_messages (host, owner, id, chat, message) "+
				"VALUES ($1, $2, $3, $4, $5) ON CONFLICT (host, owner, chat, message) DO NOTHING",
				m.Host, m.Owner, int64(m.ID), m.Chat, int64(m.Message))
			return err
		}, "SELECT COUNT(*) FROM saved_messages WHERE host = $1 AND owner = $2", m.Host, m.Owner)
	})
}

// UnsaveMessage removes a message.
func (s *Store) UnsaveMessage(ctx context.Context, host, owner, chat string, message store.ID) error {
	_, err := s.exec(ctx, "DELETE FROM saved_messages WHERE host = $1 AND owner = $2 AND chat = $3 AND message = $4",
		host, owner, chat, int64(message))
	return err
}

// SavedMessages gives what an account has saved, the last first.
func (s *Store) SavedMessages(ctx context.Context, host, owner string, before store.ID,
	limit int) (all []store.SavedMessage, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		m := store.SavedMessage{Host: host, Owner: owner}
		err := r.Scan(&m.ID, &m.Chat, &m.Message)
		all = append(all, m)
		return err
	}, "SELECT id, chat, message FROM saved_messages WHERE host = $1 AND owner = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
		host, owner, int64(before), limit)
	return all, err
}

// forgetMarked removes what people have saved and pinned of a room (bare address).
func forgetMarked(ctx context.Context, tx *sql.Tx, room string) error {
	for table, column := range map[string]string{"saved_messages": "chat", "pins": "room"} {
		err := eachHost(ctx, tx, table, func(host string) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE host = $1 AND "+column+" = $2", host, room)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
