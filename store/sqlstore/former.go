package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"parley/store"
)

// elsewhere lists the places where rows of others hold an account's address, on every host. Columns that can hold an
// address and are not listed are named, with the reason, in the test that walks the schema.
var elsewhere = []struct{ table, where string }{
	{"affiliations", "jid = $2"},
	{"room_requests", "jid = $2"},
	{"members", "jid = $2"},
	{"member_grants", "jid = $2"},
	{"group_requests", "jid = $2"},
	{"theme_people", "jid = $2"},
	{"tasks", "room = '' AND (one = $2 OR two = $2) AND maker IN ('', $2) AND assignee IN ('', $2)"},
	{"pins", "(one = $2 OR two = $2)"},
	{"drafts", "chat = $2"},
	{"node_affiliations", "jid = $2"},
	{"node_subscriptions", "bare = $2"},
	{"node_shares", "creator = $2"},
	{"node_options", "(jid = $2 OR jid LIKE $3 ESCAPE '\\')"},
	{"blocked", "(jid = $2 OR jid LIKE $3 ESCAPE '\\')"},
}

// namedIn are columns that give rights and whose rows stay: the creator of a theme may manage it, the publisher of an
// item may retract it. Tasks of others stay when somebody is gone whom they name, and so does
// what they want to send to somebody who is gone.
var namedIn = []struct{ table, column string }{
	{"themes", "creator"},
	{"node_items", "publisher"},
	{"tasks", "one"},
	{"tasks", "two"},
	{"tasks", "maker"},
	{"tasks", "assignee"},
	{"tasks", "done_by"},
	{"pins", "maker"},
	{"scheduled", "chat"},
}

// endElsewhere removes an address from other accounts' rows.
func endElsewhere(ctx context.Context, tx *sql.Tx, jid string) error {
	for _, e := range elsewhere {
		err := eachHost(ctx, tx, e.table, func(host string) error {
			args := []any{host, jid}
			if strings.Contains(e.where, "$3") {
				args = append(args, like.Replace(jid)+"/%")
			}
			_, err := tx.ExecContext(ctx, "DELETE FROM "+e.table+" WHERE host = $1 AND "+e.where, args...)
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, e := range namedIn {
		err := eachHost(ctx, tx, e.table, func(host string) error {
			_, err := tx.ExecContext(ctx,
				"UPDATE "+e.table+" SET "+e.column+" = '' WHERE host = $1 AND "+e.column+" = $2", host, jid)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachHost calls f for each domain that has rows in a table; it finds each by one look into the key.
func eachHost(ctx context.Context, tx *sql.Tx, table string, f func(host string) error) error {
	after := ""
	for {
		var host sql.NullString
		if err := tx.QueryRowContext(ctx,
			"SELECT MIN(host) FROM "+table+" WHERE host > $1", after).Scan(&host); err != nil {
			return err
		}
		if !host.Valid {
			return nil
		}
		if err := f(host.String); err != nil {
			return err
		}
		after = host.String
	}
}

// endLinks ends the links that could still set the password of a deleted account.
func endLinks(ctx context.Context, tx *sql.Tx, host, name string) error {
	if _, err := tx.ExecContext(ctx,
		`DELETE FROM invite_events WHERE host = $1 AND invite IN (SELECT id FROM invites
			WHERE host = $1 AND (username = $2 OR owner = $2))`, host, name); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM invites WHERE host = $1 AND username = $2", host, name)
	return err
}

// entombUser notes that an account of this name was deleted.
func entombUser(ctx context.Context, tx *sql.Tx, host, name string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO former_accounts (host, name, times, deleted, settled)
		VALUES ($1, $2, 1, $3, 0)
		ON CONFLICT (host, name) DO UPDATE SET times = former_accounts.times + 1,
		deleted = excluded.deleted, settled = 0`, host, name, micros(at))
	return err
}

// nameIsFree returns ErrReserved for a name whose last account was deleted too recently, or whose deletion is not
// finished.
func nameIsFree(ctx context.Context, tx *sql.Tx, u store.User) error {
	var deleted int64
	var settled bool
	err := tx.QueryRowContext(ctx, "SELECT deleted, settled FROM former_accounts WHERE host = $1 AND name = $2",
		u.Host, u.Name).Scan(&deleted, &settled)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil && (!settled || deleted > micros(u.FreeSince)) {
		err = store.ErrReserved
	}
	return err
}

func (s *Store) former(ctx context.Context, where string, args ...any) (fs []store.Former, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var f store.Former
		var deleted int64
		err := r.Scan(&f.Host, &f.Name, &f.Times, &deleted)
		f.Deleted = when(deleted)
		fs = append(fs, f)
		return err
	}, "SELECT host, name, times, deleted FROM former_accounts WHERE "+where, args...)
	return fs, err
}

// Former gives the tombstone of a name.
func (s *Store) Former(ctx context.Context, host, name string) (store.Former, error) {
	fs, err := s.former(ctx, "host = $1 AND name = $2", host, name)
	if err == nil && len(fs) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Former{}, err
	}
	return fs[0], nil
}

// Formers gives all tombstones of a host, in order of name.
func (s *Store) Formers(ctx context.Context, host string) ([]store.Former, error) {
	return s.former(ctx, "host = $1 ORDER BY name", host)
}

// Untold gives the deletions that rooms, nodes and contact lists have not all processed yet.
func (s *Store) Untold(ctx context.Context) ([]store.Former, error) {
	return s.former(ctx, "settled = 0 ORDER BY host, name")
}

// MarkTold notes that rooms, nodes and contact lists have processed the deletion of an account.
func (s *Store) MarkTold(ctx context.Context, host, name string) error {
	return s.one(ctx, "UPDATE former_accounts SET settled = 1 WHERE host = $1 AND name = $2", host, name)
}

func (s *Store) names(ctx context.Context, q string, args ...any) (names []string, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		names = append(names, name)
		return err
	}, q, args...)
	return names, err
}

// Holders gives the accounts of a host that have an address in their contact list, or a subscription request from it.
func (s *Store) Holders(ctx context.Context, host, jid string) ([]string, error) {
	return s.names(ctx, "SELECT owner FROM contacts WHERE host = $1 AND jid = $2 AND removed = 0 ORDER BY owner",
		host, jid)
}

// RoomsWithoutOwner gives the existing free rooms that nobody owns except, perhaps, the address besides.
// Conversations of several people, which nobody owns, are not among them.
func (s *Store) RoomsWithoutOwner(ctx context.Context, host, besides string) ([]string, error) {
	return s.names(ctx, `SELECT r.name FROM rooms r WHERE r.host = $1 AND r.destroyed = 0
		AND r.group_id = '' AND NOT EXISTS (
		SELECT 1 FROM affiliations a WHERE a.host = r.host AND a.room = r.name AND a.affiliation = 'owner'
		AND a.jid <> $2) AND NOT EXISTS (SELECT 1 FROM room_readers x WHERE x.host = r.host AND x.room = r.name
		AND x.several = 1) ORDER BY r.name`, host, besides)
}

// NodesWithoutOwner gives the nodes of a service that nobody owns except, perhaps, the address besides.
func (s *Store) NodesWithoutOwner(ctx context.Context, host, besides string) ([]string, error) {
	return s.names(ctx, `SELECT n.name FROM nodes n WHERE n.host = $1 AND n.owner = '' AND NOT EXISTS (
		SELECT 1 FROM node_affiliations a WHERE a.host = n.host AND a.owner = '' AND a.node = n.name
		AND a.affiliation = 'owner' AND a.jid <> $2) ORDER BY n.name`, host, besides)
}

// RoomConfigs gives the names and configurations of existing free rooms, in order of name.
func (s *Store) RoomConfigs(ctx context.Context, host, after string, limit int) (ms []store.Room, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		m := store.Room{Host: host}
		err := r.Scan(&m.Name, &m.Config)
		ms = append(ms, m)
		return err
	}, "SELECT name, config FROM rooms WHERE host = $1 AND name > $2 AND destroyed = 0 AND group_id = '' "+
		"ORDER BY name LIMIT $3", host, after, limit)
	return ms, err
}

// FreeName makes a name available at once, as if its last account had been deleted long ago.
func (s *Store) FreeName(ctx context.Context, host, name string) error {
	return s.one(ctx, "UPDATE former_accounts SET deleted = 1 WHERE host = $1 AND name = $2", host, name)
}
