package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// deskTables are the tables of how people have arranged the chat, and of what they have not sent yet.
const deskTables = `
CREATE TABLE IF NOT EXISTS sidebars (
    host TEXT NOT NULL, owner TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (host, owner));
CREATE TABLE IF NOT EXISTS drafts (
    host TEXT NOT NULL, owner TEXT NOT NULL, chat TEXT NOT NULL, body TEXT NOT NULL, written INT8 NOT NULL,
    PRIMARY KEY (host, owner, chat));
CREATE INDEX IF NOT EXISTS drafts_chat ON drafts (host, chat);
`

// Sidebar gives how an account has arranged its conversations.
func (s *Store) Sidebar(ctx context.Context, host, owner string) (body string, err error) {
	found := false
	err = s.rows(ctx, func(r *sql.Rows) error {
		found = true
		return r.Scan(&body)
	}, "SELECT body FROM sidebars WHERE host = $1 AND owner = $2", host, owner)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return body, err
}

// SetSidebar keeps how an account has arranged its conversations.
func (s *Store) SetSidebar(ctx context.Context, host, owner, body string) error {
	return s.one(ctx, "INSERT INTO sidebars (host, owner, body) "+
		"SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT) "+
		"WHERE EXISTS (SELECT 1 FROM users WHERE host = $1 AND name = $2) "+
		"ON CONFLICT (host, owner) DO UPDATE SET body = excluded.body", host, owner, body)
}

// Drafts gives an account's drafts, the newest first.
func (s *Store) Drafts(ctx context.Context, host, owner string) (ds []store.Draft, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var d store.Draft
		var at int64
		err := r.Scan(&d.Chat, &d.Text, &at)
		d.At = when(at)
		ds = append(ds, d)
		return err
	}, "SELECT chat, body, written FROM drafts WHERE host = $1 AND owner = $2 ORDER BY written DESC, chat", host, owner)
	return ds, err
}

// SetDraft keeps a draft, or removes it if it has no text.
func (s *Store) SetDraft(ctx context.Context, host, owner string, d store.Draft, limit int) error {
	if d.Text == "" {
		_, err := s.exec(ctx, "DELETE FROM drafts WHERE host = $1 AND owner = $2 AND chat = $3", host, owner, d.Chat)
		return err
	}
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			res, err := tx.ExecContext(ctx, "INSERT INTO drafts (host, owner, chat, body, written) "+
				"SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS INT8) "+
				"WHERE EXISTS (SELECT 1 FROM users WHERE host = $1 AND name = $2) "+
				"ON CONFLICT (host, owner, chat) DO UPDATE SET body = excluded.body, written = excluded.written",
				host, owner, d.Chat, d.Text, micros(d.At))
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return orNotFound(err)
			}
			return nil
		}, "SELECT COUNT(*) FROM drafts WHERE host = $1 AND owner = $2", host, owner)
	})
}
