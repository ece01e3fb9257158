package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"parley/store"
)

const contactColumns = "jid, name, subscription, ask, member_of, approved, request, in_roster, removed, version"

func scanContact(r interface{ Scan(...any) error }) (c store.Contact, removed bool, err error) {
	var groups string
	err = r.Scan(&c.JID, &c.Name, &c.Subscription, &c.Ask, &groups, &c.Approved, &c.Request,
		&c.InRoster, &removed, &c.Version)
	if err == nil && groups != "" {
		err = json.Unmarshal([]byte(groups), &c.Groups)
	}
	return c, removed, err
}

// Roster gives all contacts, also those not InRoster, and the current version (0: never changed).
func (s *Store) Roster(ctx context.Context, host, user string) (cs []store.Contact, version int64, err error) {
	// The version is read first: a change in between shows contacts that are newer, which does no harm.
	err = s.row(ctx, []any{&version}, "SELECT version FROM rosters WHERE host = $1 AND owner = $2", host, user)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, 0, err
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		c, _, err := scanContact(r)
		cs = append(cs, c)
		return err
	}, "SELECT "+contactColumns+
		" FROM contacts WHERE host = $1 AND owner = $2 AND removed = 0 ORDER BY jid", host, user)
	return cs, version, err
}

// RosterSince gives what changed after a version.
func (s *Store) RosterSince(ctx context.Context, host, user string,
	since int64) (changed []store.Contact, removed []store.Removed, now int64, ok bool, err error) {
	err = s.row(ctx, []any{&now}, "SELECT version FROM rosters WHERE host = $1 AND owner = $2", host, user)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, nil, 0, false, err
	}
	if since > now || since < 0 {
		return nil, nil, now, false, nil
	}
	ok = true
	err = s.rows(ctx, func(r *sql.Rows) error {
		c, gone, err := scanContact(r)
		if c.JID == forgotten {
			ok = false
		} else if gone {
			removed = append(removed, store.Removed{JID: c.JID, Version: c.Version})
		} else {
			changed = append(changed, c)
		}
		return err
	}, "SELECT "+contactColumns+
		" FROM contacts WHERE host = $1 AND owner = $2 AND version > $3 ORDER BY version", host, user, since)
	if err != nil || !ok {
		return nil, nil, now, false, err
	}
	return changed, removed, now, true, nil
}

// forgotten is the address of a row that stands for all removed contacts up to its version that are no longer
// remembered.
const forgotten = ""

// forget keeps the newest notes of removed contacts and deletes the older ones.
func forget(ctx context.Context, tx *sql.Tx, host, user string, limit int) error {
	const where = " FROM contacts WHERE host = $1 AND owner = $2 AND removed = 1 AND jid <> ''"
	var last int64
	err := tx.QueryRowContext(ctx, "SELECT version"+where+" ORDER BY version DESC LIMIT 1 OFFSET $3",
		host, user, limit).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE"+where+" AND version <= $3", host, user, last); err != nil {
		return err
	}
	return insertContact(ctx, tx, host, user,
		store.Contact{JID: forgotten, Subscription: store.SubNone, Version: last}, "", true)
}

// Contact gives one contact.
func (s *Store) Contact(ctx context.Context, host, user, jid string) (c store.Contact, err error) {
	found := false
	err = s.rows(ctx, func(r *sql.Rows) (err error) {
		found = true
		c, _, err = scanContact(r)
		return err
	}, "SELECT "+contactColumns+
		" FROM contacts WHERE host = $1 AND owner = $2 AND jid = $3 AND removed = 0", host, user, jid)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return c, err
}

// UpdateContact changes one contact in a transaction.
func (s *Store) UpdateContact(ctx context.Context, host, user, jid string, limit int,
	f func(*store.Contact) (bool, error)) (out store.Contact, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		version, err := s.lockRoster(ctx, tx, host, user)
		if err != nil {
			return err
		}
		c, gone, err := scanContact(tx.QueryRowContext(ctx,
			"SELECT "+contactColumns+" FROM contacts WHERE host = $1 AND owner = $2 AND jid = $3", host, user, jid))
		had := err == nil && !gone
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if !had {
			c = store.Contact{JID: jid, Subscription: store.SubNone}
		}
		before := c
		remove, err := f(&c)
		if err != nil {
			out = before
			out.Version = 0
			return err
		}
		if !had && remove {
			return store.ErrNotFound
		}
		// contacts and people who ask have a limit each
		if limit > 0 && !remove && (!had || c.InRoster && !before.InRoster) {
			var n int
			if err := tx.QueryRowContext(ctx,
				"SELECT COUNT(*) FROM contacts WHERE host = $1 AND owner = $2 AND removed = 0 AND in_roster = $3",
				host, user, bit(c.InRoster)).Scan(&n); err != nil {
				return err
			}
			if n >= limit {
				return store.ErrLimit
			}
		}
		version++
		c.JID, c.Version = jid, version
		out = c
		if err := writeContact(ctx, tx, host, user, c, remove); err != nil || !remove || limit <= 0 {
			return err
		}
		return forget(ctx, tx, host, user, limit)
	})
	if errors.Is(err, store.ErrNoChange) {
		return out, nil
	}
	return out, err
}

// lockRoster takes the roster's row, made if need be, so that changes of one roster come one after the other.
func (s *Store) lockRoster(ctx context.Context, tx *sql.Tx, host, user string) (version int64, err error) {
	if _, err := tx.ExecContext(ctx,
		"INSERT INTO rosters (host, owner, version) VALUES ($1, $2, 0) ON CONFLICT (host, owner) DO NOTHING",
		host, user); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, "SELECT version FROM rosters WHERE host = $1 AND owner = $2"+s.forUpdate(),
		host, user).Scan(&version)
	return version, err
}

func writeContact(ctx context.Context, tx *sql.Tx, host, user string, c store.Contact, remove bool) error {
	if remove {
		c = store.Contact{JID: c.JID, Subscription: store.SubNone, Version: c.Version}
	}
	groups := ""
	if len(c.Groups) > 0 {
		b, err := json.Marshal(c.Groups)
		if err != nil {
			return err
		}
		groups = string(b)
	}
	if err := insertContact(ctx, tx, host, user, c, groups, remove); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx,
		"UPDATE rosters SET version = $3 WHERE host = $1 AND owner = $2", host, user, c.Version)
	return err
}

func insertContact(ctx context.Context, tx *sql.Tx, host, user string, c store.Contact,
	groups string, removed bool) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO contacts (host, owner, jid, name, subscription, ask, member_of, approved,
		request, in_roster, removed, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (host, owner, jid) DO UPDATE SET name = excluded.name, subscription = excluded.subscription,
		ask = excluded.ask, member_of = excluded.member_of, approved = excluded.approved, request = excluded.request,
		in_roster = excluded.in_roster, removed = excluded.removed, version = excluded.version`,
		host, user, c.JID, c.Name, c.Subscription, bit(c.Ask), groups, bit(c.Approved), c.Request,
		bit(c.InRoster), bit(removed), c.Version)
	return err
}
