package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"parley/store"
	"parley/store/words"
)

func (s *Store) ReplaceArchived(ctx context.Context, host, owner string, id store.ID, stanza []byte) error {
	return s.replace(ctx, accountLog, host, owner, int64(id), stanza)
}

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
		if l == roomLog { // nobody has to read it any more
			set = ", subject = 1"
		}
		where := " WHERE host = $1 AND " + l.owner + " = $2 AND id = $3"
		var old []byte
		if err := tx.QueryRowContext(ctx, "SELECT stanza FROM "+l.table+where+s.forUpdate(), host, owner, id).Scan(&old); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE "+l.table+" SET stanza = $4"+set+where, host, owner, id, stanza); err != nil || id > upto {
			return err
		}
		if err := s.removeTerms(ctx, tx, host, owner, postings(nil).add(id, words.Terms(words.Of(old)))); err != nil {
			return err
		}
		return s.insertTerms(ctx, tx, host, owner, postings(nil).add(id, words.Terms(words.Of(stanza))))
	})
}

func (s *Store) ExpireArchive(ctx context.Context, host string, before time.Time, limit int) (n int, err error) {
	if err := s.settleAll(ctx); err != nil {
		return 0, err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		n, err = s.expire(ctx, tx, host, int64(store.FirstID(before)), limit)
		return err
	})
	return n, err
}

// expire removes the oldest entries of some accounts.
func (s *Store) expire(ctx context.Context, tx *sql.Tx, host string, end int64, limit int) (n int, err error) {
	type old struct {
		owner string
		last  int64
		terms postings
	}
	var olds []old
	rows, err := tx.QueryContext(ctx, "SELECT owner, id, stanza FROM archive WHERE host = $1 AND id < $2 ORDER BY owner, id LIMIT $3", host, end, limit)
	if err != nil {
		return 0, err
	}
	err = each(rows, func(r *sql.Rows) error {
		var owner string
		var id int64
		var stanza sql.RawBytes
		if err := r.Scan(&owner, &id, &stanza); err != nil {
			return err
		}
		if len(olds) == 0 || olds[len(olds)-1].owner != owner {
			olds = append(olds, old{owner: owner})
		}
		o := &olds[len(olds)-1]
		o.last = id
		o.terms = o.terms.add(id, words.Terms(words.Of(stanza)))
		n++
		return nil
	})
	for i := 0; i < len(olds) && err == nil; i++ {
		o := &olds[i]
		if _, err = s.lockMark(ctx, tx, host, o.owner); err != nil {
			break
		}
		if _, err = tx.ExecContext(ctx, "DELETE FROM archive WHERE host = $1 AND owner = $2 AND id <= $3", host, o.owner, o.last); err == nil {
			err = s.removeTerms(ctx, tx, host, o.owner, o.terms)
		}
	}
	return n, err
}
