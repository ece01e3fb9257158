package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/store"
	"parley/wire/jid"
)

const userColumns = "host, name, keys, disabled, admin, full_name, created, last_seen, last_status"

func scanUser(r interface{ Scan(...any) error }) (u store.User, err error) {
	var created, seen int64
	err = r.Scan(&u.Host, &u.Name, &u.Keys, &u.Disabled, &u.Admin, &u.FullName, &created, &seen, &u.LastStatus)
	u.Created, u.LastSeen = when(created), when(seen)
	return u, err
}

// CreateUser makes an account.
func (s *Store) CreateUser(ctx context.Context, u store.User) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return s.insertUser(ctx, tx, u) })
}

// insertUser makes the account with everything that an account has from the start.
func (s *Store) insertUser(ctx context.Context, tx *sql.Tx, u store.User) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO users ("+userColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		u.Host, u.Name, u.Keys, bit(u.Disabled), bit(u.Admin), u.FullName, micros(u.Created),
		micros(u.LastSeen), u.LastStatus)
	if err != nil {
		return err
	}
	if err := nameIsFree(ctx, tx, u); err != nil {
		return err
	}
	return s.arrive(ctx, tx, u.Host, u.Name)
}

// User gives an account.
func (s *Store) User(ctx context.Context, host, name string) (u store.User, err error) {
	found := false
	err = s.rows(ctx, func(r *sql.Rows) (err error) {
		found = true
		u, err = scanUser(r)
		return err
	}, "SELECT "+userColumns+" FROM users WHERE host = $1 AND name = $2", host, name)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return u, err
}

// Users gives accounts in order of Name, at most limit, beginning behind after.
func (s *Store) Users(ctx context.Context, host, after string, limit int) (us []store.User, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		u, err := scanUser(r)
		us = append(us, u)
		return err
	}, "SELECT "+userColumns+" FROM users WHERE host = $1 AND name > $2 ORDER BY name LIMIT $3", host, after, limit)
	return us, err
}

// CountUsers counts the accounts of a host.
func (s *Store) CountUsers(ctx context.Context, host string) (n int, err error) {
	err = s.row(ctx, []any{&n}, "SELECT COUNT(*) FROM users WHERE host = $1", host)
	return n, err
}

// SetKeys sets the keys of a new password and removes the account's tokens and web sessions.
func (s *Store) SetKeys(ctx context.Context, host, name string, keys []byte) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE users SET keys = $3 WHERE host = $1 AND name = $2", host, name, keys)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		return clearOut(ctx, tx, host, name, signedIn)
	})
}

var (
	signedIn = []string{"tokens", "web_sessions", "push_subscriptions"} // end with the password
	programs = []string{"app_passwords", "api_tokens", "tokens"}        // sign in without the password
)

// clearOut empties tables of an account's own rows.
func clearOut(ctx context.Context, tx *sql.Tx, host, owner string, tables []string) error {
	for _, table := range tables {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE host = $1 AND owner = $2",
			host, owner); err != nil {
			return err
		}
	}
	return nil
}

// UpgradeKeys replaces the keys old by other keys of the same password.
func (s *Store) UpgradeKeys(ctx context.Context, host, name string, old, now []byte) error {
	n, err := s.exec(ctx, "UPDATE users SET keys = $4 WHERE host = $1 AND name = $2 AND keys = $3",
		host, name, old, now)
	if err == nil && n == 0 {
		err = store.ErrConflict
	}
	return err
}

// SetDisabled disables or enables an account.
func (s *Store) SetDisabled(ctx context.Context, host, name string, disabled bool) error {
	return s.one(ctx, "UPDATE users SET disabled = $3 WHERE host = $1 AND name = $2", host, name, bit(disabled))
}

// anywhere is the pattern of what has a word in it, in small letters.
func anywhere(word string) string { return "%" + like.Replace(strings.ToLower(word)) + "%" }

// like escapes what means something in a pattern.
var like = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// FindUsers gives a page of enabled accounts in order of name, how many there are in all, and how many come before the
// page.
func (s *Store) FindUsers(ctx context.Context, host string, words []string,
	p store.UserPage) (us []store.User, total, before int, err error) {
	where, args := " FROM users u WHERE host = $1 AND disabled = 0", []any{host}
	for _, w := range words {
		args = append(args, anywhere(jid.Typed(w)), anywhere(w))
		n := strconv.Itoa(len(args))
		where += " AND (name LIKE $" + strconv.Itoa(len(args)-1) + ` ESCAPE '\' OR ` + s.fold() +
			`(full_name) LIKE $` + n +
			` ESCAPE '\' OR ` + strings.ReplaceAll(s.fieldMatches(true), "?", "$"+n) + `)`
	}
	page, order, all := where, " ORDER BY name", len(args)
	for _, edge := range []struct{ sign, name string }{{">", p.After}, {"<", p.Before}} {
		if edge.name != "" {
			args = append(args, edge.name)
			page += " AND name " + edge.sign + " $" + strconv.Itoa(len(args))
		}
	}
	if p.Last {
		order += " DESC"
	}
	args = append(args, p.Max, p.Offset)
	err = s.rows(ctx, func(r *sql.Rows) error {
		u := store.User{Host: host}
		var created int64
		err := r.Scan(&u.Name, &u.FullName, &u.Admin, &created)
		u.Created = when(created)
		us = append(us, u)
		return err
	}, "SELECT name, full_name, admin, created"+page+order+" LIMIT $"+strconv.Itoa(len(args)-1)+" OFFSET $"+
		strconv.Itoa(len(args)), args...)
	if p.Last {
		slices.Reverse(us)
	}
	if err == nil {
		err = s.row(ctx, []any{&total}, "SELECT COUNT(*)"+where, args[:all]...)
	}
	if err == nil && len(us) > 0 {
		err = s.row(ctx, []any{&before}, "SELECT COUNT(*)"+where+" AND name < $"+strconv.Itoa(all+1),
			append(args[:all:all], us[0].Name)...)
	}
	return us, total, before, err
}

// FullNames asks for all names in one statement.
func (s *Store) FullNames(ctx context.Context, host string, names []string) (map[string]string, error) {
	list, among, err := s.among(names)
	if err != nil {
		return nil, err
	}
	full := make(map[string]string, len(names))
	err = s.rows(ctx, func(r *sql.Rows) error {
		var name, fullName string
		err := r.Scan(&name, &fullName)
		full[name] = fullName
		return err
	}, "SELECT name, full_name FROM users WHERE host = $1 AND disabled = 0 AND name "+among, host, list)
	return full, err
}

// among gives the argument $2 that holds some texts, and the condition that a text is one of them.
func (s *Store) among(texts []string) (list any, is string, err error) {
	if s.pg {
		return texts, "= ANY($2)", nil
	}
	b, err := json.Marshal(texts)
	return string(b), "IN (SELECT value FROM json_each($2))", err
}

// HaveWaiting asks for all names in one statement.
func (s *Store) HaveWaiting(ctx context.Context, host string, names []string) (some []string, err error) {
	for _, name := range names {
		if err := s.settle(ctx, host, name); err != nil {
			return nil, err
		}
	}
	list, among, err := s.among(names)
	if err != nil {
		return nil, err
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		some = append(some, name)
		return err
	}, "SELECT DISTINCT owner FROM offline WHERE host = $1 AND owner "+among+" ORDER BY owner", host, list)
	return some, err
}

// SetAdmin says whether an account may administer the host.
func (s *Store) SetAdmin(ctx context.Context, host, name string, admin bool) error {
	return s.one(ctx, "UPDATE users SET admin = $3 WHERE host = $1 AND name = $2", host, name, bit(admin))
}

// SetFullName sets an account's full name.
func (s *Store) SetFullName(ctx context.Context, host, name, full string) error {
	return s.one(ctx, "UPDATE users SET full_name = $3 WHERE host = $1 AND name = $2", host, name, full)
}

// SetLastSeen notes when an account was last online, and its last status text (XEP-0012).
func (s *Store) SetLastSeen(ctx context.Context, host, name string, at time.Time, status string) error {
	return s.one(ctx, "UPDATE users SET last_seen = $3, last_status = $4 WHERE host = $1 AND name = $2",
		host, name, micros(at), status)
}

// owned are the tables whose rows are an account's own, by its host and owner.
var owned = []string{
	"rosters",
	"contacts",
	"follows",
	"archive",
	"archive_heads",
	"chats",
	"chat_marks",
	"offline",
	"private_data",
	"bookmarks",
	"blocked",
	"reports",
	"nodes",
	"node_items",
	"node_affiliations",
	"node_subscriptions",
	"node_options",
	"node_usage",
	"node_redirects",
	"displayed",
	"saved_messages",
	"mentions",
	"tokens",
	"people",
	"person_fields",
	"invites",
	"web_sessions",
	"push_subscriptions",
	"second_factors",
	"app_passwords",
	"api_tokens",
	"digests",
	"quiet_hours",
	"scheduled",
	"sidebars",
	"drafts",
	"places",
}

// DeleteUser removes an account with all that is its own, and its address from what others own, on every host:
// affiliations, memberships, subscriptions.
func (s *Store) DeleteUser(ctx context.Context, host, name string) error {
	if err := s.settle(ctx, host, name); err != nil {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM users WHERE host = $1 AND name = $2", host, name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		if err := endLinks(ctx, tx, host, name); err != nil {
			return err
		}
		if err := clearOut(ctx, tx, host, name, owned); err != nil {
			return err
		}
		if err := s.forgetTerms(ctx, tx, host, name); err != nil {
			return err
		}
		// Package upload removes the files: it looks for expired ones.
		if _, err := tx.ExecContext(ctx, "UPDATE uploads SET expires = 1, owner = '' WHERE host = $1 AND owner = $2",
			host, name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM team_members WHERE host = $1 AND name = $2",
			host, name); err != nil {
			return err
		}
		if err := endElsewhere(ctx, tx, name+"@"+host); err != nil {
			return err
		}
		return entombUser(ctx, tx, host, name, s.now())
	})
}

func orNotFound(err error) error {
	if err == nil {
		return store.ErrNotFound
	}
	return err
}
