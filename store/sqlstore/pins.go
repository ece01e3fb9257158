package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

const ofConversation = " FROM pins WHERE host = $1 AND room = $2 AND one = $3 AND two = $4"

// AddPin pins a message.
func (s *Store) AddPin(ctx context.Context, p store.Pin, limit int) error {
	if err := s.raise(ctx, p.ID); err != nil {
		return err
	}
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx, "INSERT INTO pins (host, id, room, one, two, message, other, maker) "+
				"VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (host, room, one, two, message, other) DO NOTHING",
				p.Host, int64(p.ID), p.Room, p.One, p.Two, int64(p.Message), int64(p.Other), p.Maker)
			return err
		}, "SELECT COUNT(*)"+ofConversation, p.Host, p.Room, p.One, p.Two)
	})
}

// DeletePins unpins a message.
func (s *Store) DeletePins(ctx context.Context, p store.Pin) (bool, error) {
	n, err := s.exec(ctx, "DELETE"+ofConversation+" AND (message = $5 AND message > 0 OR other = $6 AND other > 0)",
		p.Host, p.Room, p.One, p.Two, int64(p.Message), int64(p.Other))
	return n > 0, err
}

// Pins gives the pins of a conversation, the last first.
func (s *Store) Pins(ctx context.Context, p store.Pin) (all []store.Pin, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		x := store.Pin{Host: p.Host, Room: p.Room, One: p.One, Two: p.Two}
		err := r.Scan(&x.ID, &x.Message, &x.Other, &x.Maker)
		all = append(all, x)
		return err
	}, "SELECT id, message, other, maker"+ofConversation+" ORDER BY id DESC", p.Host, p.Room, p.One, p.Two)
	return all, err
}

// PinnedConversations gives the conversations that have pins.
func (s *Store) PinnedConversations(ctx context.Context, host string) (all []store.Pin, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		p := store.Pin{Host: host}
		err := r.Scan(&p.Room, &p.One, &p.Two)
		all = append(all, p)
		return err
	}, "SELECT DISTINCT room, one, two FROM pins WHERE host = $1 ORDER BY room, one, two", host)
	return all, err
}
