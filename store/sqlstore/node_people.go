package sqlstore

import (
	"context"
	"database/sql"
	"strings"

	"parley/store"
)

// NodeAffiliations gives the affiliations of a node, in order of JID.
func (s *Store) NodeAffiliations(ctx context.Context,
	host, owner, node string) (as []store.NodeAffiliation, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var a store.NodeAffiliation
		err := r.Scan(&a.JID, &a.Affiliation)
		as = append(as, a)
		return err
	}, "SELECT jid, affiliation FROM node_affiliations WHERE host = $1 AND owner = $2 AND node = $3 ORDER BY jid",
		host, owner, node)
	return as, err
}

// NodeRoles gives a person's (bare JID) affiliations to all nodes of an owner, in order of node.
func (s *Store) NodeRoles(ctx context.Context, host, owner, jid string) (rs []store.NodeRole, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var role store.NodeRole
		err := r.Scan(&role.Node, &role.Affiliation)
		rs = append(rs, role)
		return err
	}, "SELECT node, affiliation FROM node_affiliations WHERE host = $1 AND owner = $2 AND jid = $3 ORDER BY node",
		host, owner, jid)
	return rs, err
}

// SetNodeAffiliations writes affiliations in one transaction.
func (s *Store) SetNodeAffiliations(ctx context.Context, host, owner, node string, limit int,
	as ...store.NodeAffiliation) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, len(as), func() error {
			return writeNodeAffiliations(ctx, tx, host, owner, node, as)
		}, "SELECT COUNT(*) FROM node_affiliations WHERE host = $1 AND owner = $2 AND node = $3", host, owner, node)
	})
}

func writeNodeAffiliations(ctx context.Context, tx *sql.Tx, host, owner, node string,
	as []store.NodeAffiliation) error {
	for _, a := range as {
		var err error
		if a.Affiliation == "" || a.Affiliation == "none" {
			_, err = tx.ExecContext(ctx,
				"DELETE FROM node_affiliations WHERE host = $1 AND owner = $2 AND node = $3 AND jid = $4",
				host, owner, node, a.JID)
		} else {
			_, err = tx.ExecContext(ctx, `INSERT INTO node_affiliations (host, owner, node, jid, affiliation)
				VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (host, owner, node, jid) DO UPDATE SET affiliation = excluded.affiliation`,
				host, owner, node, a.JID, a.Affiliation)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// NodeSubscriptions gives the subscriptions of a node, in order of JID.
func (s *Store) NodeSubscriptions(ctx context.Context, host, owner, node string) ([]store.NodeSubscription, error) {
	return s.subscriptions(ctx, "s.node = $3 ORDER BY s.jid", host, owner, node)
}

// SubscriptionsOf gives the subscriptions of a person (bare JID) and of its resources at all nodes of an owner.
func (s *Store) SubscriptionsOf(ctx context.Context, host, owner, jid string) ([]store.NodeSubscription, error) {
	return s.subscriptions(ctx, "s.bare = $3 ORDER BY s.node, s.jid", host, owner, jid)
}

func (s *Store) subscriptions(ctx context.Context, which string, args ...any) (ss []store.NodeSubscription, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var sub store.NodeSubscription
		var expires int64
		err := r.Scan(&sub.Node, &sub.JID, &sub.SubID, &sub.State, &sub.Options, &expires)
		sub.Expires = when(expires)
		ss = append(ss, sub)
		return err
	}, `SELECT s.node, s.jid, s.subid, s.state, o.options, COALESCE(o.expires, 0) FROM node_subscriptions s
		LEFT JOIN node_options o ON o.host = s.host AND o.owner = s.owner AND o.node = s.node AND o.jid = s.jid
		WHERE s.host = $1 AND s.owner = $2 AND `+which, args...)
	return ss, err
}

// writeOptions keeps a row only for subscriptions with other than the default options.
func writeOptions(ctx context.Context, tx *sql.Tx, host, owner string, sub store.NodeSubscription) error {
	if sub.State == "" || sub.State == "none" || sub.Options == nil && sub.Expires.IsZero() {
		_, err := tx.ExecContext(ctx,
			"DELETE FROM node_options WHERE host = $1 AND owner = $2 AND node = $3 AND jid = $4",
			host, owner, sub.Node, sub.JID)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO node_options (host, owner, node, jid, options, expires)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (host, owner, node, jid) DO UPDATE SET options = excluded.options, expires = excluded.expires`,
		host, owner, sub.Node, sub.JID, sub.Options, micros(sub.Expires))
	return err
}

// SetNodeSubscriptions writes subscriptions in one transaction.
func (s *Store) SetNodeSubscriptions(ctx context.Context, host, owner string, limit int,
	ss ...store.NodeSubscription) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		for _, sub := range ss {
			if err := writeOptions(ctx, tx, host, owner, sub); err != nil {
				return err
			}
			if sub.State == "" || sub.State == "none" {
				if _, err := tx.ExecContext(ctx,
					"DELETE FROM node_subscriptions WHERE host = $1 AND owner = $2 AND node = $3 AND jid = $4",
					host, owner, sub.Node, sub.JID); err != nil {
					return err
				}
				continue
			}
			bare, _, _ := strings.Cut(sub.JID, "/")
			if err := within(ctx, tx, limit, 1, func() error {
				_, err := tx.ExecContext(ctx, `INSERT INTO node_subscriptions (host, owner, node, jid, bare, subid,
					state) VALUES ($1, $2, $3, $4, $5, $6, $7)
					ON CONFLICT (host, owner, node, jid) DO UPDATE SET subid = excluded.subid, state = excluded.state`,
					host, owner, sub.Node, sub.JID, bare, sub.SubID, sub.State)
				return err
			}, "SELECT COUNT(*) FROM node_subscriptions WHERE host = $1 AND owner = $2 AND node = $3",
				host, owner, sub.Node); err != nil {
				return err
			}
		}
		return nil
	})
}
