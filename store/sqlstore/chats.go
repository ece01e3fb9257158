package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"parley/store"
)

// The list of an archive's conversations is computed when somebody asks for it; storing a message writes nothing for
// it. The table chats has a row for each conversation, as it was up to the id in chat_marks; newer messages are read
// from the archive. When these become many, the request that read them moves the mark.
const (
	chatsBehind  = 500             // entries that are read each time
	chatsSettled = 5 * time.Minute // an older id is not made any more, and its commit has ended
)

// Chats lists the conversations in an account's archive, the newest first.
func (s *Store) Chats(ctx context.Context, host, user string, limit int) ([]store.Chat, error) {
	if err := s.settle(ctx, host, user); err != nil {
		return nil, err
	}
	var upto int64
	if err := s.row(ctx, []any{&upto}, "SELECT upto FROM chat_marks WHERE host = $1 AND owner = $2",
		host, user); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	// First the newer entries, then the rows: if somebody moves the mark meanwhile, neither misses anything.
	last := make(map[string]store.ID)
	behind, settled := 0, int64(store.FirstID(s.now().Add(-chatsSettled)))
	err := s.rows(ctx, func(r *sql.Rows) error {
		var c store.Chat
		var n int
		err := r.Scan(&c.With, &c.Last, &n)
		last[c.With] = c.Last
		behind += n
		return err
	}, `SELECT with_bare, MAX(id), CAST(SUM(CASE WHEN id < $4 THEN 1 ELSE 0 END) AS INT8) FROM archive
		WHERE host = $1 AND owner = $2 AND id > $3 GROUP BY with_bare`, host, user, upto, settled)
	if err != nil {
		return nil, err
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		var c store.Chat
		err := r.Scan(&c.With, &c.Last)
		last[c.With] = max(last[c.With], c.Last)
		return err
	}, "SELECT chat, last FROM chats WHERE host = $1 AND owner = $2 AND last >= "+firstArchived+
		" ORDER BY last DESC LIMIT $3", host, user, limit)
	if err != nil {
		return nil, err
	}
	if behind > chatsBehind {
		if err := s.moveChatMark(ctx, host, user, settled); err != nil && ctx.Err() == nil {
			s.opts.Log.Warn("cannot keep the list of an account's conversations", "host", host,
				"account", user, "err", err)
		}
	}
	cs := make([]store.Chat, 0, len(last))
	for with, id := range last {
		cs = append(cs, store.Chat{With: with, Last: id})
	}
	slices.SortFunc(cs, func(a, b store.Chat) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.With, b.With))
	})
	return cs[:min(limit, len(cs))], nil
}

// firstArchived is the id with which an archive begins. A conversation whose newest entry is older has expired.
const firstArchived = "COALESCE((SELECT id FROM archive WHERE host = $1 AND owner = $2 ORDER BY id LIMIT 1), 0)"

// moveChatMark adds entries with ids below end to the rows of the conversations.
func (s *Store) moveChatMark(ctx context.Context, host, user string, end int64) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var one int64 // of an account that is deleted meanwhile nothing is to be kept
		err := tx.QueryRowContext(ctx,
			"SELECT 1 FROM users WHERE host = $1 AND name = $2"+s.forUpdate(), host, user).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		var upto int64
		err = tx.QueryRowContext(ctx,
			"SELECT upto FROM chat_marks WHERE host = $1 AND owner = $2", host, user).Scan(&upto)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		for _, q := range []struct {
			text string
			args []any
		}{
			{"DELETE FROM chats WHERE host = $1 AND owner = $2 AND last < " + firstArchived, []any{host, user}},
			{`INSERT INTO chats (host, owner, chat, last) SELECT host, owner, with_bare, MAX(id) FROM archive
				WHERE host = $1 AND owner = $2 AND id > $3 AND id < $4 GROUP BY host, owner, with_bare
				ON CONFLICT (host, owner, chat) DO UPDATE SET last = excluded.last WHERE chats.last < excluded.last`,
				[]any{host, user, upto, end}},
			{"INSERT INTO chat_marks (host, owner, upto) VALUES ($1, $2, $3) " +
				"ON CONFLICT (host, owner) DO UPDATE SET upto = excluded.upto", []any{host, user, end - 1}},
		} {
			if _, err := tx.ExecContext(ctx, q.text, q.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// forgetChats makes the conversations be computed anew, because entries were added among those that are counted
// already.
func (s *Store) forgetChats(ctx context.Context, tx *sql.Tx, host, user string) error {
	for _, table := range []string{"chat_marks", "chats"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE host = $1 AND owner = $2",
			host, user); err != nil {
			return err
		}
	}
	return nil
}
