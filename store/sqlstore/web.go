package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"parley/store"
)

const webSessionColumns = "host, hash, owner, created, seen, expires, proven, remote, agent"

// webSessionOf are the same columns, beside those of other tables.
const webSessionOf = "w.host, w.hash, w.owner, w.created, w.seen, w.expires, w.proven, w.remote, w.agent"

func scanWebSession(r interface{ Scan(...any) error }) (w store.WebSession, err error) {
	var created, seen, expires, proven int64
	err = r.Scan(&w.Host, &w.Hash, &w.Owner, &created, &seen, &expires, &proven, &w.Remote, &w.Agent)
	w.Created, w.Seen, w.Expires, w.Proven = when(created), when(seen), when(expires), when(proven)
	return w, err
}

// CreateWebSession keeps a session, and only the newest max of its owner.
func (s *Store) CreateWebSession(ctx context.Context, w store.WebSession, limit int) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx,
			"INSERT INTO web_sessions ("+webSessionColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			w.Host, w.Hash, w.Owner, micros(w.Created), micros(w.Seen), micros(w.Expires), micros(w.Proven),
			w.Remote, w.Agent); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM web_sessions
			WHERE host = $1 AND owner = $2 AND (expires <= $3 OR hash IN (
			SELECT hash FROM web_sessions WHERE host = $1 AND owner = $2 AND hash <> $4
			ORDER BY seen DESC, hash LIMIT 1000 OFFSET $5))`,
			w.Host, w.Owner, micros(w.Created), w.Hash, limit-1)
		if err == nil {
			_, err = tx.ExecContext(ctx,
				"UPDATE users SET last_seen = $3 WHERE host = $1 AND name = $2 AND last_seen < $3",
				w.Host, w.Owner, micros(w.Seen))
		}
		return err
	})
}

// WebSession gives a session that has not expired at a moment.
func (s *Store) WebSession(ctx context.Context, host, hash string, at time.Time) (w store.WebSession, err error) {
	found := false
	err = s.rows(ctx, func(r *sql.Rows) (err error) {
		found = true
		w, err = scanWebSession(r)
		return err
	}, "SELECT "+webSessionColumns+
		" FROM web_sessions WHERE host = $1 AND hash = $2 AND expires > $3", host, hash, micros(at))
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return w, err
}

// WebSessionAndOwner is WebSession with its owner, in one statement.
func (s *Store) WebSessionAndOwner(ctx context.Context, host, hash string,
	at time.Time) (w store.WebSession, p store.Person, err error) {
	found := false
	err = s.rows(ctx, func(r *sql.Rows) (err error) {
		found = true
		var created, seen, expires, proven int64
		p, err = scanPerson(after{r, []any{&w.Host, &w.Hash, &w.Owner, &created, &seen, &expires, &proven, &w.Remote,
			&w.Agent}})
		w.Created, w.Seen, w.Expires, w.Proven = when(created), when(seen), when(expires), when(proven)
		return err
	}, "SELECT "+webSessionOf+", "+s.personColumns()+personTables+
		" JOIN web_sessions w ON w.host = u.host AND w.owner = u.name WHERE w.host = $1 AND w.hash = $2 AND w.expires > $3",
		host, hash, micros(at))
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return w, p, err
}

// after scans a row into what is first, and then into what it is asked for.
type after struct {
	row   interface{ Scan(...any) error }
	first []any
}

func (a after) Scan(to ...any) error { return a.row.Scan(append(a.first, to...)...) }

// WebSessionsOf gives an owner's sessions that have not expired at a moment, the last used first.
func (s *Store) WebSessionsOf(ctx context.Context, host, owner string,
	at time.Time) (ws []store.WebSession, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		w, err := scanWebSession(r)
		ws = append(ws, w)
		return err
	}, "SELECT "+webSessionColumns+" FROM web_sessions WHERE host = $1 AND owner = $2 AND expires > $3 "+
		"ORDER BY seen DESC, hash", host, owner, micros(at))
	return ws, err
}

// TouchWebSession notes that a session and its account were used, until when the session is valid now, and Proven if it
// is not zero.
func (s *Store) TouchWebSession(ctx context.Context, w store.WebSession) error {
	_, err := s.exec(ctx,
		"UPDATE users SET last_seen = $3 WHERE host = $1 AND last_seen < $3 "+
			"AND name = (SELECT owner FROM web_sessions WHERE host = $1 AND hash = $2)", w.Host, w.Hash, micros(w.Seen))
	if err != nil {
		return err
	}
	return s.one(ctx,
		"UPDATE web_sessions SET seen = $3, expires = $4, proven = CASE "+
			"WHEN CAST($5 AS INT8) > 0 THEN CAST($5 AS INT8) ELSE proven END WHERE host = $1 AND hash = $2",
		w.Host, w.Hash, micros(w.Seen), micros(w.Expires), micros(w.Proven))
}

// DeleteWebSessions ends all sessions of an owner except the one with the hash but ("" for none).
func (s *Store) DeleteWebSessions(ctx context.Context, host, owner, but string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM push_subscriptions WHERE host = $1 AND owner = $2 "+
			"AND session <> $3", host, owner, but); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM web_sessions WHERE host = $1 AND owner = $2 AND hash <> $3",
			host, owner, but)
		return err
	})
}

// DeleteWebSession ends one session of an owner.
func (s *Store) DeleteWebSession(ctx context.Context, host, owner, hash string) error {
	if _, err := s.exec(ctx, "DELETE FROM push_subscriptions WHERE host = $1 AND owner = $2 AND session = $3",
		host, owner, hash); err != nil {
		return err
	}
	return s.one(ctx, "DELETE FROM web_sessions WHERE host = $1 AND owner = $2 AND hash = $3", host, owner, hash)
}

// AddAudit adds an entry.
func (s *Store) AddAudit(ctx context.Context, host string, e store.AuditEntry) error {
	if err := s.raise(ctx, e.ID); err != nil {
		return err
	}
	_, err := s.exec(ctx,
		"INSERT INTO audit_log (host, id, actor, action, target, detail, remote, door) "+
			"VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		host, int64(e.ID), e.Actor, e.Action, e.Target, e.Detail, e.Remote, e.Door)
	return err
}

// errUndo undoes a transaction that was only to find something out.
var errUndo = errors.New("store: undone")

// AuditKept says whether an entry of the audit log is kept. A transaction that adds it and whose answer was lost may
// not be over yet: to add an entry with the same key waits for it.
func (s *Store) AuditKept(ctx context.Context, host string, id store.ID) (bool, error) {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx,
			"INSERT INTO audit_log (host, id, actor, action, target, detail, remote, door) "+
				"VALUES ($1, $2, '', '', '', '', '', '')", host, int64(id)); err != nil {
			return err
		}
		return errUndo
	})
	switch {
	case errors.Is(err, errUndo):
		return false, nil
	case errors.Is(err, store.ErrExists):
		return true, nil
	}
	return false, err
}

// AuditEntries gives the chosen entries, the newest first.
func (s *Store) AuditEntries(ctx context.Context, host string, f store.AuditFilter) (es []store.AuditEntry, err error) {
	where, args := " WHERE host = $1", []any{host}
	add := func(text string, v any) {
		args = append(args, v)
		where += " AND " + text + "$" + strconv.Itoa(len(args))
	}
	if f.Actor != "" {
		add("actor = ", f.Actor)
	}
	if f.Target != "" {
		add("target = ", f.Target)
	}
	if f.Action != "" {
		args = append(args, f.Action, like.Replace(f.Action)+".%")
		n := len(args)
		where += " AND (action = $" + strconv.Itoa(n-1) + " OR action LIKE $" + strconv.Itoa(n) + ` ESCAPE '\')`
	}
	if f.Before > 0 {
		add("id < ", int64(f.Before))
	}
	args = append(args, f.Limit)
	err = s.rows(ctx, func(r *sql.Rows) error {
		var e store.AuditEntry
		err := r.Scan(&e.ID, &e.Actor, &e.Action, &e.Target, &e.Detail, &e.Remote, &e.Door)
		es = append(es, e)
		return err
	}, "SELECT id, actor, action, target, detail, remote, door FROM audit_log"+where+" ORDER BY id DESC LIMIT $"+
		strconv.Itoa(len(args)), args...)
	return es, err
}

const mailColumns = "host, id, recipient, subject, plain, html, invite, state, attempts, due, error, done"

func (s *Store) mails(ctx context.Context, rest string, args ...any) (ms []store.Mail, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var m store.Mail
		var due, done int64
		err := r.Scan(&m.Host, &m.ID, &m.To, &m.Subject, &m.Text, &m.HTML, &m.Invitation, &m.State,
			&m.Attempts, &due, &m.Error, &done)
		m.Due, m.Done = when(due), when(done)
		ms = append(ms, m)
		return err
	}, "SELECT "+mailColumns+" FROM outbox WHERE host = $1"+rest, args...)
	return ms, err
}

// AddMail puts a mail into the outbox.
func (s *Store) AddMail(ctx context.Context, m store.Mail) error {
	if err := s.raise(ctx, m.ID); err != nil {
		return err
	}
	_, err := s.exec(ctx, insertMail, mailArgs(m)...)
	return err
}

const insertMail = "INSERT INTO outbox (" + mailColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"

func mailArgs(m store.Mail) []any {
	return []any{
		m.Host, int64(m.ID), m.To, m.Subject, m.Text, m.HTML, m.Invitation, m.State, m.Attempts,
		micros(m.Due), m.Error, micros(m.Done),
	}
}

// DueMails gives waiting mails that are due at a moment, the longest overdue first.
func (s *Store) DueMails(ctx context.Context, host string, at time.Time, limit int) ([]store.Mail, error) {
	return s.mails(ctx, " AND state = 'waiting' AND due <= $2 ORDER BY due, id LIMIT $3", host, micros(at), limit)
}

// ClaimMail puts off the next attempt of a mail and counts this one.
func (s *Store) ClaimMail(ctx context.Context, m store.Mail, until time.Time) error {
	n, err := s.exec(ctx,
		"UPDATE outbox SET attempts = attempts + 1, due = $4 WHERE host = $1 AND id = $2 AND state = 'waiting' "+
			"AND attempts = $3", m.Host, int64(m.ID), m.Attempts, micros(until))
	if err == nil && n == 0 {
		err = store.ErrConflict
	}
	return err
}

// SetMail writes state, due, error and done.
func (s *Store) SetMail(ctx context.Context, m store.Mail) error {
	return s.one(ctx, `UPDATE outbox SET state = $3, due = $4, error = $5, done = $6, plain = CASE
		WHEN CAST($7 AS INT8) = 1 THEN '' ELSE plain END, html = CASE WHEN CAST($7 AS INT8) = 1 THEN '' ELSE html END
		WHERE host = $1 AND id = $2`, m.Host, int64(m.ID), m.State, micros(m.Due), m.Error, micros(m.Done),
		bit(m.State == store.MailSent || m.State == store.MailDropped))
}

// Mails gives mails older than before (0: the newest of all), the newest first.
func (s *Store) Mails(ctx context.Context, host string, before store.ID, limit int) ([]store.Mail, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return s.mails(ctx, " AND id < $2 ORDER BY id DESC LIMIT $3", host, int64(before), limit)
}

// MailsOf gives the mails of an invitation, the newest first.
func (s *Store) MailsOf(ctx context.Context, host, invitation string) ([]store.Mail, error) {
	return s.mails(ctx, " AND invite = $2 AND invite <> '' ORDER BY id DESC", host, invitation)
}

// CountMails counts the mails in each state.
func (s *Store) CountMails(ctx context.Context, host string) (map[string]int, error) {
	counts := make(map[string]int)
	err := s.rows(ctx, func(r *sql.Rows) error {
		var state string
		var n int
		err := r.Scan(&state, &n)
		counts[state] = n
		return err
	}, "SELECT state, COUNT(*) FROM outbox WHERE host = $1 GROUP BY state", host)
	return counts, err
}

// SecondFactor gives a person's second factor.
func (s *Store) SecondFactor(ctx context.Context, host, owner string) (f store.SecondFactor, err error) {
	var recovery string
	err = s.row(ctx, []any{&f.Secret, &f.Confirmed, &f.LastStep, &recovery},
		"SELECT secret, confirmed, last_step, recovery FROM second_factors WHERE host = $1 AND owner = $2", host, owner)
	if err == nil {
		err = json.Unmarshal([]byte(recovery), &f.Recovery)
	}
	return f, err
}

const setFactor = `INSERT INTO second_factors (host, owner, secret, confirmed, last_step, recovery)
	VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (host, owner) DO UPDATE SET secret = excluded.secret, confirmed = excluded.confirmed,
	last_step = excluded.last_step, recovery = excluded.recovery`

func factorArgs(host, owner string, f store.SecondFactor) []any {
	if f.Recovery == nil {
		f.Recovery = []string{}
	}
	recovery, err := json.Marshal(f.Recovery)
	if err != nil { // strings always can
		panic(err)
	}
	return []any{host, owner, f.Secret, bit(f.Confirmed), f.LastStep, string(recovery)}
}

// SetSecondFactor writes a person's second factor.
func (s *Store) SetSecondFactor(ctx context.Context, host, owner string, f store.SecondFactor) error {
	_, err := s.exec(ctx, setFactor, factorArgs(host, owner, f)...)
	return err
}

// UseSecondFactor changes a second factor in a transaction.
func (s *Store) UseSecondFactor(ctx context.Context, host, owner string, use func(*store.SecondFactor) error) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var f store.SecondFactor
		var recovery string
		err := tx.QueryRowContext(ctx,
			"SELECT secret, confirmed, last_step, recovery FROM second_factors WHERE host = $1 AND owner = $2"+
				s.forUpdate(), host, owner).
			Scan(&f.Secret, &f.Confirmed, &f.LastStep, &recovery)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(recovery), &f.Recovery); err != nil {
			return err
		}
		if err := use(&f); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, setFactor, factorArgs(host, owner, f)...)
		return err
	})
}

// DeleteSecondFactor removes a person's second factor.
func (s *Store) DeleteSecondFactor(ctx context.Context, host, owner string) error {
	_, err := s.exec(ctx, "DELETE FROM second_factors WHERE host = $1 AND owner = $2", host, owner)
	return err
}

// AppPasswords gives a person's app passwords in order of creation.
func (s *Store) AppPasswords(ctx context.Context, host, owner string) (ps []store.AppPassword, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var p store.AppPassword
		var created, used int64
		err := r.Scan(&p.ID, &p.Name, &p.Keys, &created, &used)
		p.Created, p.Used = when(created), when(used)
		ps = append(ps, p)
		return err
	}, "SELECT id, name, keys, created, used FROM app_passwords WHERE host = $1 AND owner = $2 ORDER BY created, id",
		host, owner)
	return ps, err
}

// AddAppPassword keeps an app password.
func (s *Store) AddAppPassword(ctx context.Context, host, owner string, p store.AppPassword, limit int) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx,
				"INSERT INTO app_passwords (host, owner, id, name, keys, created, used) "+
					"VALUES ($1, $2, $3, $4, $5, $6, $7)",
				host, owner, p.ID, p.Name, p.Keys, micros(p.Created), micros(p.Used))
			return err
		}, "SELECT COUNT(*) FROM app_passwords WHERE host = $1 AND owner = $2", host, owner)
	})
}

// UseAppPassword notes when an app password was last used.
func (s *Store) UseAppPassword(ctx context.Context, host, owner, id string, at time.Time) error {
	return s.one(ctx, "UPDATE app_passwords SET used = $4 WHERE host = $1 AND owner = $2 AND id = $3",
		host, owner, id, micros(at))
}

// DeleteAppPassword removes an app password, and the tokens of clients that signed in with it.
func (s *Store) DeleteAppPassword(ctx context.Context, host, owner, id string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx,
			"DELETE FROM app_passwords WHERE host = $1 AND owner = $2 AND id = $3", host, owner, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM tokens WHERE host = $1 AND owner = $2 AND app = $3", host, owner, id)
		return err
	})
}

// RevokePrograms removes everything that programs sign in with: app passwords, API tokens, tokens of clients.
func (s *Store) RevokePrograms(ctx context.Context, host, owner string) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return clearOut(ctx, tx, host, owner, programs) })
}

const apiTokenColumns = "host, hash, owner, name, scopes, created, expires, used"

func (s *Store) apiTokens(ctx context.Context, rest string, args ...any) (ts []store.APIToken, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var t store.APIToken
		var created, expires, used int64
		err := r.Scan(&t.Host, &t.Hash, &t.Owner, &t.Name, &t.Scopes, &created, &expires, &used)
		t.Created, t.Expires, t.Used = when(created), when(expires), when(used)
		ts = append(ts, t)
		return err
	}, "SELECT "+apiTokenColumns+" FROM api_tokens WHERE host = $1"+rest, args...)
	return ts, err
}

// AddAPIToken keeps a token.
func (s *Store) AddAPIToken(ctx context.Context, t store.APIToken, limit int) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx,
				"INSERT INTO api_tokens ("+apiTokenColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
				t.Host, t.Hash, t.Owner, t.Name, t.Scopes, micros(t.Created), micros(t.Expires), micros(t.Used))
			return err
		}, "SELECT COUNT(*) FROM api_tokens WHERE host = $1 AND owner = $2", t.Host, t.Owner)
	})
}

// APIToken gives a token that has not expired at a moment.
func (s *Store) APIToken(ctx context.Context, host, hash string, at time.Time) (store.APIToken, error) {
	ts, err := s.apiTokens(ctx, " AND hash = $2 AND (expires = 0 OR expires > $3)", host, hash, micros(at))
	if err == nil && len(ts) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.APIToken{}, err
	}
	return ts[0], nil
}

// APITokensOf gives the tokens of an owner.
func (s *Store) APITokensOf(ctx context.Context, host, owner string) ([]store.APIToken, error) {
	return s.apiTokens(ctx, " AND owner = $2 ORDER BY created, hash", host, owner)
}

// APITokens gives a page of all tokens, in order of owner and time, and how many there are.
func (s *Store) APITokens(ctx context.Context, host string,
	offset, limit int) (ts []store.APIToken, total int, err error) {
	if err := s.row(ctx, []any{&total}, "SELECT COUNT(*) FROM api_tokens WHERE host = $1", host); err != nil {
		return nil, 0, err
	}
	ts, err = s.apiTokens(ctx, " ORDER BY owner, created, hash LIMIT $2 OFFSET $3", host, limit, offset)
	return ts, total, err
}

// UseAPIToken notes when a token was last used.
func (s *Store) UseAPIToken(ctx context.Context, host, hash string, at time.Time) error {
	return s.one(ctx, "UPDATE api_tokens SET used = $3 WHERE host = $1 AND hash = $2", host, hash, micros(at))
}

// DeleteAPIToken removes a token of an owner.
func (s *Store) DeleteAPIToken(ctx context.Context, host, owner, hash string) error {
	return s.one(ctx, "DELETE FROM api_tokens WHERE host = $1 AND owner = $2 AND hash = $3", host, owner, hash)
}
