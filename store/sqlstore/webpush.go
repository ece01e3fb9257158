package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"parley/store"
)

// pushSubscriptions is the table of where browsers are woken.
const pushSubscriptions = `
CREATE TABLE IF NOT EXISTS push_subscriptions (
    host TEXT NOT NULL, owner TEXT NOT NULL, session TEXT NOT NULL, endpoint TEXT NOT NULL, p256dh TEXT NOT NULL,
    auth TEXT NOT NULL,
    PRIMARY KEY (host, owner, session));
CREATE INDEX IF NOT EXISTS push_subscriptions_endpoint ON push_subscriptions (endpoint);
`

// SetPushSubscription keeps a session's subscription. Those of sessions that are over are removed as well.
func (s *Store) SetPushSubscription(ctx context.Context, host string, p store.PushSubscription) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM push_subscriptions WHERE endpoint = $1 OR host = $2 AND owner = $3
			AND session NOT IN (SELECT hash FROM web_sessions WHERE host = $2 AND owner = $3)`,
			p.Endpoint, host, p.Owner); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO push_subscriptions (host, owner, session, endpoint, p256dh, auth)
			SELECT host, owner, hash, CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT) FROM web_sessions
			WHERE host = $1 AND owner = $2 AND hash = $3
			ON CONFLICT (host, owner, session) DO UPDATE SET endpoint = excluded.endpoint, p256dh = excluded.p256dh,
			auth = excluded.auth`, host, p.Owner, p.Session, p.Endpoint, p.Key, p.Auth)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		return nil
	})
}

// DeletePushSubscription removes a session's subscription.
func (s *Store) DeletePushSubscription(ctx context.Context, host, owner, session, endpoint string) error {
	return s.one(ctx, "DELETE FROM push_subscriptions WHERE host = $1 AND owner = $2 AND session = $3 "+
		"AND (endpoint = $4 OR CAST($4 AS TEXT) = '')", host, owner, session, endpoint)
}

// PushSubscriptionsOf gives the subscriptions of an owner's sessions that are not over.
func (s *Store) PushSubscriptionsOf(ctx context.Context, host, owner string,
	at, used time.Time) (ps []store.PushSubscription, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		p := store.PushSubscription{Owner: owner}
		err := r.Scan(&p.Session, &p.Endpoint, &p.Key, &p.Auth)
		ps = append(ps, p)
		return err
	}, `SELECT p.session, p.endpoint, p.p256dh, p.auth FROM push_subscriptions p
		JOIN web_sessions w ON w.host = p.host AND w.hash = p.session AND w.owner = p.owner
		WHERE p.host = $1 AND p.owner = $2 AND w.expires > $3 AND w.seen > $4 ORDER BY p.session`,
		host, owner, micros(at), micros(used))
	return ps, err
}

// PushSubscribers gives the owners of subscriptions.
func (s *Store) PushSubscribers(ctx context.Context, host string) (names []string, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		names = append(names, name)
		return err
	}, "SELECT DISTINCT owner FROM push_subscriptions WHERE host = $1 ORDER BY owner", host)
	return names, err
}
