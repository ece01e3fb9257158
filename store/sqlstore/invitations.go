package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"parley/store"
)

func (s *Store) CreateInvitation(ctx context.Context, i store.Invitation, limit int) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM invitations WHERE host = $1 AND owner = $2 AND expires <= $3", i.Host, i.Inviter, micros(i.Created)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO invitations (host, hash, owner, account, contact, username, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			i.Host, i.Hash, i.Inviter, bit(i.Account), bit(i.Contact), i.Username, micros(i.Created), micros(i.Expires)); err != nil {
			return err
		}
		return within(ctx, tx, limit, "SELECT COUNT(*) FROM invitations WHERE host = $1 AND owner = $2", i.Host, i.Inviter)
	})
}

const invitationQuery = "SELECT owner, account, contact, username, created, expires FROM invitations WHERE host = $1 AND hash = $2 AND expires > $3"

func scanInvitation(r interface{ Scan(...any) error }, host, hash string) (store.Invitation, error) {
	i := store.Invitation{Host: host, Hash: hash}
	var created, expires int64
	err := r.Scan(&i.Inviter, &i.Account, &i.Contact, &i.Username, &created, &expires)
	i.Created, i.Expires = when(created), when(expires)
	return i, translate(err)
}

func (s *Store) Invitation(ctx context.Context, host, hash string, at time.Time) (i store.Invitation, err error) {
	found := false
	err = s.rows(ctx, func(r *sql.Rows) (err error) {
		found = true
		i, err = scanInvitation(r, host, hash)
		return err
	}, invitationQuery, host, hash, micros(at))
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return i, err
}

func (s *Store) TakeInvitation(ctx context.Context, host, hash string, at time.Time) (i store.Invitation, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if i, err = scanInvitation(tx.QueryRowContext(ctx, invitationQuery+s.forUpdate(), host, hash, micros(at)), host, hash); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM invitations WHERE host = $1 AND hash = $2", host, hash)
		return err
	})
	return i, err
}
