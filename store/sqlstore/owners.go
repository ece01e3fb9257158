package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"parley/store"
)

// Which node has a room. A room that no living node has belongs to whoever takes it first; nobody takes one from a
// living node, unless that gives it away.

// roomOwners are the nodes that have rooms. A node that is none any more has none, whatever its rows say.
const roomOwners = `
CREATE TABLE IF NOT EXISTS room_owners (
    host TEXT NOT NULL, room TEXT NOT NULL, node TEXT NOT NULL, incarnation INT8 NOT NULL,
    PRIMARY KEY (host, room));`

// ClaimRoom is TakeRoom for a node beside others: the room is the node's from then on. If another living node has the
// room it returns a *store.OwnedError, unless that node is from, which gives it away.
func (s *Store) ClaimRoom(ctx context.Context, host, name string, by, from store.RoomOwner) (m store.Room, err error) {
	err = s.changeRoom(ctx, host, name, func(tx *sql.Tx) error {
		// This holds the room's row, so that of two nodes one comes after the other.
		if err := raiseEpoch(ctx, tx, host, name); err != nil {
			return err
		}
		if m, err = scanRoom(tx.QueryRowContext(ctx, selectRoom, host, name)); err != nil {
			return err
		}
		is, err := roomOwner(ctx, tx, host, name)
		if err != nil {
			return err
		}
		if is != (store.RoomOwner{}) && is != by && is != from {
			return &store.OwnedError{Owner: is}
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO room_owners (host, room, node, incarnation) VALUES ($1, $2, $3, $4) "+
			"ON CONFLICT (host, room) DO UPDATE SET node = excluded.node, incarnation = excluded.incarnation",
			host, name, by.Node, by.Incarnation)
		return err
	})
	return m, err
}

// raiseEpoch raises the epoch of a room, so that whoever had the room before keeps nothing more in it.
func raiseEpoch(ctx context.Context, tx *sql.Tx, host, name string) error {
	_, err := tx.ExecContext(ctx,
		"UPDATE rooms SET epoch = epoch + 1 WHERE host = $1 AND name = $2 AND destroyed = 0", host, name)
	return err
}

// roomOwner gives the living node that has a room; the zero value for none.
func roomOwner(ctx context.Context, tx *sql.Tx, host, name string) (is store.RoomOwner, err error) {
	err = tx.QueryRowContext(ctx, "SELECT o.node, o.incarnation FROM room_owners o JOIN cluster_nodes n "+
		"ON n.id = o.node AND n.incarnation = o.incarnation WHERE o.host = $1 AND o.room = $2",
		host, name).Scan(&is.Node, &is.Incarnation)
	if errors.Is(err, sql.ErrNoRows) {
		return store.RoomOwner{}, nil
	}
	return is, err
}

// ReleaseRoom says that whoever claimed a room last has it no more, if that gave it this epoch.
func (s *Store) ReleaseRoom(ctx context.Context, host, name string, epoch int64) error {
	return s.changeRoom(ctx, host, name, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM room_owners WHERE host = $1 AND room = $2 AND EXISTS "+
			"(SELECT 1 FROM rooms WHERE host = $1 AND name = $2 AND epoch = $3)", host, name, epoch)
		return err
	})
}
