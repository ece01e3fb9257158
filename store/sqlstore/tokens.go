package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// tokenColumns ends with the app password that an installation signs in with.
const tokenColumns = "host, owner, client, fresh, mechanism, salt, issued, expires, uses, app"

// Tokens gives the tokens of an installation, the fresh one first, also expired ones.
func (s *Store) Tokens(ctx context.Context, host, owner, client string) (ts []store.Token, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var t store.Token
		var issued, expires int64
		err := r.Scan(&t.Host, &t.Owner, &t.Client, &t.Fresh, &t.Mechanism, &t.Salt, &issued, &expires, &t.Uses, &t.App)
		t.Issued, t.Expires = when(issued), when(expires)
		ts = append(ts, t)
		return err
	}, "SELECT "+tokenColumns+
		" FROM tokens WHERE host = $1 AND owner = $2 AND client = $3 ORDER BY fresh DESC", host, owner, client)
	return ts, err
}

// PutToken keeps a fresh token and replaces the installation's fresh one.
func (s *Store) PutToken(ctx context.Context, t store.Token, max int) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		// Tokens of another password that the installation signed in with go: they would outlive that.
		_, err := tx.ExecContext(ctx, "DELETE FROM tokens WHERE host = $1 AND owner = $2 AND client = $3 AND app <> $4",
			t.Host, t.Owner, t.Client, t.App)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx,
			"INSERT INTO tokens ("+tokenColumns+`) VALUES ($1, $2, $3, 1, $4, $5, $6, $7, 0, $8)
			ON CONFLICT (host, owner, client, fresh) DO UPDATE SET mechanism = excluded.mechanism, salt = excluded.salt,
				issued = excluded.issued, expires = excluded.expires, uses = 0, app = excluded.app`,
			t.Host, t.Owner, t.Client, t.Mechanism, t.Salt, micros(t.Issued), micros(t.Expires), t.App)
		if err != nil {
			return err
		}
		// The newcomer stays, whatever the clocks say.
		_, err = tx.ExecContext(ctx, `DELETE FROM tokens WHERE host = $1 AND owner = $2 AND client IN (
			SELECT client FROM tokens WHERE host = $1 AND owner = $2 AND client <> $3
			GROUP BY client ORDER BY MAX(expires) DESC, client LIMIT 1000 OFFSET $4)`, t.Host, t.Owner, t.Client, max-1)
		return err
	})
}

// UseToken makes t the token that its installation uses and removes the one before.
func (s *Store) UseToken(ctx context.Context, t store.Token, count int64) error {
	q, args := "UPDATE tokens SET uses = uses", []any{t.Host, t.Owner, t.Client, bit(t.Fresh), t.Salt}
	where := " WHERE host = $1 AND owner = $2 AND client = $3 AND fresh = $4 AND salt = $5"
	if count > 0 {
		q, where, args = "UPDATE tokens SET uses = $6", where+" AND uses < $6", append(args, count)
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, q+where, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = store.ErrConflict
			}
			return err
		}
		if !t.Fresh {
			return nil
		}
		if _, err := tx.ExecContext(ctx,
			"DELETE FROM tokens WHERE host = $1 AND owner = $2 AND client = $3 AND fresh = 0",
			t.Host, t.Owner, t.Client); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE tokens SET fresh = 0 WHERE host = $1 AND owner = $2 AND client = $3",
			t.Host, t.Owner, t.Client)
		return err
	})
}

// DeleteTokens removes an installation's tokens or, with "", those of the whole account.
func (s *Store) DeleteTokens(ctx context.Context, host, owner, client string) error {
	_, err := s.exec(ctx, "DELETE FROM tokens WHERE host = $1 AND owner = $2 AND (client = $3 OR $3 = '')",
		host, owner, client)
	return err
}
