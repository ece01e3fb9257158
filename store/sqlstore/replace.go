package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
	"parley/store/fulltext"
)

// ReplaceArchived replaces the stanza of an entry.
func (s *Store) ReplaceArchived(ctx context.Context, host, owner string, id store.ID, stanza []byte) error {
	return s.replace(ctx, accountLog, host, owner, int64(id), stanza)
}

// ReplaceInRoom replaces the stanza of an entry in a room's archive and makes it Quiet.
func (s *Store) ReplaceInRoom(ctx context.Context, host, room string, id store.ID, stanza []byte) error {
	return s.replace(ctx, roomLog, host, room, int64(id), stanza)
}

// replace puts a stanza in another's place. By the words of the old one it is not found any more.
func (s *Store) replace(ctx context.Context, l log, host, owner string, id int64, stanza []byte) error {
	if err := s.settle(ctx, host, owner); err != nil {
		return err
	}
	if err := s.prepareTerms(ctx); err != nil {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		upto, err := s.lockMark(ctx, tx, host, owner)
		if err != nil {
			return err
		}
		set := ""
		if l == roomLog { // the entry becomes quiet: nobody has to read it
			set = ", subject = 1"
		}
		where := " WHERE host = $1 AND " + l.owner + " = $2 AND id = $3"
		var old []byte
		if err := tx.QueryRowContext(ctx,
			"SELECT stanza FROM "+l.table+where+s.forUpdate(), host, owner, id).Scan(&old); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE "+l.table+" SET stanza = $4"+set+where, host,
			owner, id, stanza); err != nil || id > upto {
			return err
		}
		if err := s.removeTerms(ctx, tx, host, owner,
			postings(nil).add(id, fulltext.Terms(fulltext.Words(old)))); err != nil {
			return err
		}
		return s.insertTerms(ctx, tx, host, owner, postings(nil).add(id, fulltext.Terms(fulltext.Words(stanza))))
	})
}
