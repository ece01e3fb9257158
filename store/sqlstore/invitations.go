package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"parley/store"
)

const inviteColumns = "host, id, generation, owner, kind, account, contact, username, email, lang, note, state, " +
	"uses, max_uses, created, expires"

func scanInvite(r interface{ Scan(...any) error }) (i store.Invitation, err error) {
	var created, expires int64
	err = r.Scan(&i.Host, &i.ID, &i.Generation, &i.Inviter, &i.Kind, &i.Account, &i.Contact, &i.Username, &i.Email,
		&i.Lang, &i.Note, &i.State, &i.Uses, &i.MaxUses, &created, &expires)
	i.Created, i.Expires = when(created), when(expires)
	return i, translate(err)
}

func (s *Store) addInviteEvent(ctx context.Context, tx *sql.Tx, host, id string, e store.InvitationEvent) error {
	if err := s.raiseIn(ctx, tx, e.ID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx,
		"INSERT INTO invite_events (host, invite, id, kind, actor, detail) VALUES ($1, $2, $3, $4, $5, $6)",
		host, id, int64(e.ID), e.Kind, e.Actor, e.Detail)
	return err
}

// CreateInvitation keeps an invitation with its first event.
func (s *Store) CreateInvitation(ctx context.Context, i store.Invitation, limit int, e store.InvitationEvent) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			if _, err := tx.ExecContext(ctx,
				"INSERT INTO invites ("+inviteColumns+
					") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
				i.Host, i.ID, i.Generation, i.Inviter, i.Kind, bit(i.Account), bit(i.Contact), i.Username, i.Email,
				i.Lang, i.Note, i.State, i.Uses, i.MaxUses, micros(i.Created), micros(i.Expires)); err != nil {
				return err
			}
			return s.addInviteEvent(ctx, tx, i.Host, i.ID, e)
		}, "SELECT COUNT(*) FROM invites WHERE host = $1 AND owner = $2 AND state = 'open' AND expires > $3",
			i.Host, i.Inviter, micros(i.Created))
	})
}

// Invitation gives an invitation by its id.
func (s *Store) Invitation(ctx context.Context, host, id string) (i store.Invitation, err error) {
	found := false
	err = s.rows(ctx, func(r *sql.Rows) (err error) {
		found = true
		i, err = scanInvite(r)
		return err
	}, "SELECT "+inviteColumns+" FROM invites WHERE host = $1 AND id = $2", host, id)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return i, err
}

// Invitations gives a page of the chosen invitations, the newest first, and how many are chosen in all.
func (s *Store) Invitations(ctx context.Context, host string,
	f store.InvitationFilter) (is []store.Invitation, total int, err error) {
	where, args := " WHERE host = $1", []any{host}
	for _, c := range [][2]string{{"kind", f.Kind}, {"username", f.Username}, {"owner", f.Inviter}} {
		if c[1] != "" {
			args = append(args, c[1])
			where += " AND " + c[0] + " = $" + strconv.Itoa(len(args))
		}
	}
	if err := s.row(ctx, []any{&total}, "SELECT COUNT(*) FROM invites"+where, args...); err != nil {
		return nil, 0, err
	}
	n := len(args)
	err = s.rows(ctx, func(r *sql.Rows) error {
		i, err := scanInvite(r)
		is = append(is, i)
		return err
	}, "SELECT "+inviteColumns+" FROM invites"+where+" ORDER BY created DESC, id LIMIT $"+strconv.Itoa(n+1)+" OFFSET $"+
		strconv.Itoa(n+2), append(args, f.Limit, f.Offset)...)
	return is, total, err
}

// UpdateInvitation changes an invitation in a transaction.
func (s *Store) UpdateInvitation(ctx context.Context, host, id string,
	f func(*store.Invitation) (store.InvitationEvent, error)) (i store.Invitation, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if i, err = scanInvite(tx.QueryRowContext(ctx,
			"SELECT "+inviteColumns+" FROM invites WHERE host = $1 AND id = $2"+s.forUpdate(), host, id)); err != nil {
			return err
		}
		e, err := f(&i)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx,
			"UPDATE invites SET generation = $3, email = $4, state = $5, expires = $6, note = $7 "+
				"WHERE host = $1 AND id = $2",
			host, id, i.Generation, i.Email, i.State, micros(i.Expires), i.Note); err != nil {
			return err
		}
		return s.addInviteEvent(ctx, tx, host, id, e)
	})
	return i, err
}

// UseInvitation counts one use of an invitation that can be used and has this generation.
func (s *Store) UseInvitation(ctx context.Context, host, id string, generation int, at time.Time, u *store.User,
	e store.InvitationEvent) (i store.Invitation, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if i, err = scanInvite(tx.QueryRowContext(ctx,
			"SELECT "+inviteColumns+" FROM invites WHERE host = $1 AND id = $2"+s.forUpdate(), host, id)); err != nil {
			return err
		}
		if i.Generation != generation || !i.Good(at) {
			return store.ErrNotFound
		}
		if i.Uses++; i.Uses >= i.MaxUses {
			i.State = store.InviteAccepted
		}
		if _, err := tx.ExecContext(ctx, "UPDATE invites SET uses = $3, state = $4 WHERE host = $1 AND id = $2",
			host, id, i.Uses, i.State); err != nil {
			return err
		}
		if u != nil {
			if err := s.inviteAccount(ctx, tx, i, u); err != nil {
				return err
			}
		}
		return s.addInviteEvent(ctx, tx, host, id, e)
	})
	return i, err
}

// inviteAccount gives the account of an invitation its password, or makes the account.
func (s *Store) inviteAccount(ctx context.Context, tx *sql.Tx, i store.Invitation, u *store.User) error {
	var keys []byte
	err := tx.QueryRowContext(ctx, "SELECT keys FROM users WHERE host = $1 AND name = $2"+s.forUpdate(),
		u.Host, u.Name).Scan(&keys)
	reset := i.Kind == store.KindReset
	switch {
	case errors.Is(err, sql.ErrNoRows) && !reset:
		return s.insertUser(ctx, tx, store.User{
			Host:      u.Host,
			Name:      u.Name,
			Keys:      u.Keys,
			FullName:  u.FullName,
			Created:   u.Created,
			FreeSince: u.FreeSince,
		})
	case err != nil:
		return err
	// an account without a password is for the person invited to it
	case len(keys) > 0 && !reset || i.Username != u.Name:
		return store.ErrExists
	}
	if _, err := tx.ExecContext(ctx, "UPDATE users SET keys = $3 WHERE host = $1 AND name = $2",
		u.Host, u.Name, u.Keys); err != nil {
		return err
	}
	if u.FullName != "" && !reset {
		if _, err := tx.ExecContext(ctx, "UPDATE users SET full_name = $3 WHERE host = $1 AND name = $2",
			u.Host, u.Name, u.FullName); err != nil {
			return err
		}
	}
	if reset { // somebody else may have had control of the account
		if err := clearOut(ctx, tx, u.Host, u.Name, programs); err != nil {
			return err
		}
	}
	return clearOut(ctx, tx, u.Host, u.Name, signedIn)
}

// InvitationEvents gives the history of an invitation, the oldest event first.
func (s *Store) InvitationEvents(ctx context.Context, host, id string) (es []store.InvitationEvent, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var e store.InvitationEvent
		err := r.Scan(&e.ID, &e.Kind, &e.Actor, &e.Detail)
		es = append(es, e)
		return err
	}, "SELECT id, kind, actor, detail FROM invite_events WHERE host = $1 AND invite = $2 ORDER BY id", host, id)
	return es, err
}

// AddInvitationEvent adds an event to the history of an invitation.
func (s *Store) AddInvitationEvent(ctx context.Context, host, id string, e store.InvitationEvent) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return s.addInviteEvent(ctx, tx, host, id, e) })
}
