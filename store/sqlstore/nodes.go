package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"

	"parley/store"
)

func (s *Store) CreateNode(ctx context.Context, n store.Node, limit int, as ...store.NodeAffiliation) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO nodes (host, owner, name, config, creator, created) VALUES ($1, $2, $3, $4, $5, $6)",
			n.Host, n.Owner, n.Name, n.Config, n.Creator, micros(n.Created)); err != nil {
			return err
		}
		if err := within(ctx, tx, limit, "SELECT COUNT(*) FROM nodes WHERE host = $1 AND owner = $2", n.Host, n.Owner); err != nil {
			return err
		}
		return writeNodeAffiliations(ctx, tx, n.Host, n.Owner, n.Name, as)
	})
}

func (s *Store) Node(ctx context.Context, host, owner, name string) (store.Node, error) {
	n := store.Node{Host: host, Owner: owner, Name: name}
	var created int64
	err := s.row(ctx, []any{&n.Config, &n.Creator, &created}, "SELECT config, creator, created FROM nodes WHERE host = $1 AND owner = $2 AND name = $3", host, owner, name)
	n.Created = when(created)
	return n, err
}

func (s *Store) Nodes(ctx context.Context, host, owner, after string, limit int) (ns []store.Node, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		n := store.Node{Host: host, Owner: owner}
		var created int64
		err := r.Scan(&n.Name, &n.Config, &n.Creator, &created)
		n.Created = when(created)
		ns = append(ns, n)
		return err
	}, "SELECT name, config, creator, created FROM nodes WHERE host = $1 AND owner = $2 AND name > $3 ORDER BY name LIMIT $4", host, owner, after, limit)
	return ns, err
}

func (s *Store) SetNodeConfig(ctx context.Context, host, owner, name string, config []byte) error {
	return s.one(ctx, "UPDATE nodes SET config = $4 WHERE host = $1 AND owner = $2 AND name = $3", host, owner, name, config)
}

func (s *Store) DeleteNode(ctx context.Context, host, owner, name string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM nodes WHERE host = $1 AND owner = $2 AND name = $3", host, owner, name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		for _, table := range []string{"node_items", "node_affiliations", "node_subscriptions"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE host = $1 AND owner = $2 AND node = $3", host, owner, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) Publish(ctx context.Context, host, owner, node string, limit int, items ...store.NodeItem) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var one int
		err := tx.QueryRowContext(ctx, "SELECT 1 FROM nodes WHERE host = $1 AND owner = $2 AND name = $3"+s.forUpdate(), host, owner, node).Scan(&one)
		if err != nil {
			return err
		}
		for _, it := range items {
			if _, err := tx.ExecContext(ctx, `INSERT INTO node_items (host, owner, node, id, seq, publisher, payload) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (host, owner, node, id) DO UPDATE SET seq = excluded.seq, publisher = excluded.publisher, payload = excluded.payload`,
				host, owner, node, it.ID, int64(it.Seq), it.Publisher, it.Payload); err != nil {
				return err
			}
		}
		var oldest int64
		err = tx.QueryRowContext(ctx, "SELECT seq FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 ORDER BY seq DESC LIMIT 1 OFFSET $4",
			host, owner, node, limit).Scan(&oldest)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 AND seq <= $4", host, owner, node, oldest)
		return err
	})
}

func (s *Store) Items(ctx context.Context, host, owner, node string, p store.ItemPage) (items []store.NodeItem, total int, err error) {
	if err = s.row(ctx, []any{&total}, "SELECT COUNT(*) FROM node_items WHERE host = $1 AND owner = $2 AND node = $3", host, owner, node); err != nil {
		return nil, 0, err
	}
	q := "SELECT id, seq, publisher, payload FROM node_items WHERE host = $1 AND owner = $2 AND node = $3"
	args := []any{host, owner, node}
	add := func(cond string, v any) {
		args = append(args, v)
		q += cond + "$" + strconv.Itoa(len(args))
	}
	for _, edge := range []struct{ id, cond string }{{p.After, " AND seq > "}, {p.Before, " AND seq < "}} {
		if edge.id == "" {
			continue
		}
		var seq int64
		if err := s.row(ctx, []any{&seq}, "SELECT seq FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 AND id = $4", host, owner, node, edge.id); err != nil {
			return nil, 0, err
		}
		add(edge.cond, seq)
	}
	if len(p.IDs) > 0 {
		q += " AND id IN ("
		for i, id := range p.IDs {
			add([]string{", ", ""}[bit(i == 0)], id)
		}
		q += ")"
	}
	q += " ORDER BY seq"
	if p.Backwards {
		q += " DESC"
	}
	add(" LIMIT ", p.Max)
	err = s.rows(ctx, func(r *sql.Rows) error {
		var it store.NodeItem
		err := r.Scan(&it.ID, &it.Seq, &it.Publisher, &it.Payload)
		items = append(items, it)
		return err
	}, q, args...)
	if p.Backwards {
		slices.Reverse(items)
	}
	return items, total, err
}

// in makes a list of placeholders from the n-th on.
func in(n int, values []string, args []any) (string, []any) {
	ps := make([]string, len(values))
	for i, v := range values {
		ps[i] = "$" + strconv.Itoa(n+i)
		args = append(args, v)
	}
	return "(" + strings.Join(ps, ", ") + ")", args
}

// maxIn is how many values one IN list gets.
const maxIn = 200

func (s *Store) LastItems(ctx context.Context, host string, owners, nodes []string) (all []store.OwnedItem, err error) {
	if len(nodes) == 0 || len(nodes) > maxIn {
		nodes = nodes[:min(len(nodes), maxIn)]
	}
	if len(nodes) == 0 {
		return nil, nil
	}
	for part := range slices.Chunk(owners, maxIn) {
		os, args := in(2, part, []any{host})
		ns, args := in(2+len(part), nodes, args)
		err = s.rows(ctx, func(r *sql.Rows) error {
			var it store.OwnedItem
			err := r.Scan(&it.Owner, &it.Node, &it.Config, &it.ID, &it.Seq, &it.Publisher, &it.Payload)
			all = append(all, it)
			return err
		}, `SELECT i.owner, i.node, n.config, i.id, i.seq, i.publisher, i.payload FROM nodes n
			JOIN node_items i ON i.host = n.host AND i.owner = n.owner AND i.node = n.name
			WHERE n.host = $1 AND n.owner IN `+os+` AND n.name IN `+ns+`
			AND i.seq = (SELECT MAX(seq) FROM node_items m WHERE m.host = n.host AND m.owner = n.owner AND m.node = n.name)`, args...)
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Store) Retract(ctx context.Context, host, owner, node string, ids ...string) (gone []string, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		gone = nil
		for _, id := range ids {
			res, err := tx.ExecContext(ctx, "DELETE FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 AND id = $4", host, owner, node, id)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n > 0 {
				gone = append(gone, id)
			}
		}
		return nil
	})
	return gone, err
}

func (s *Store) Purge(ctx context.Context, host, owner, node string) error {
	_, err := s.exec(ctx, "DELETE FROM node_items WHERE host = $1 AND owner = $2 AND node = $3", host, owner, node)
	return err
}

func (s *Store) NodeAffiliations(ctx context.Context, host, owner, node string) (as []store.NodeAffiliation, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var a store.NodeAffiliation
		err := r.Scan(&a.JID, &a.Affiliation)
		as = append(as, a)
		return err
	}, "SELECT jid, affiliation FROM node_affiliations WHERE host = $1 AND owner = $2 AND node = $3 ORDER BY jid", host, owner, node)
	return as, err
}

func (s *Store) SetNodeAffiliations(ctx context.Context, host, owner, node string, limit int, as ...store.NodeAffiliation) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		if err := writeNodeAffiliations(ctx, tx, host, owner, node, as); err != nil {
			return err
		}
		return within(ctx, tx, limit, "SELECT COUNT(*) FROM node_affiliations WHERE host = $1 AND owner = $2 AND node = $3", host, owner, node)
	})
}

func writeNodeAffiliations(ctx context.Context, tx *sql.Tx, host, owner, node string, as []store.NodeAffiliation) error {
	for _, a := range as {
		var err error
		if a.Affiliation == "" || a.Affiliation == "none" {
			_, err = tx.ExecContext(ctx, "DELETE FROM node_affiliations WHERE host = $1 AND owner = $2 AND node = $3 AND jid = $4", host, owner, node, a.JID)
		} else {
			_, err = tx.ExecContext(ctx, `INSERT INTO node_affiliations (host, owner, node, jid, affiliation) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (host, owner, node, jid) DO UPDATE SET affiliation = excluded.affiliation`, host, owner, node, a.JID, a.Affiliation)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) NodeSubscriptions(ctx context.Context, host, owner, node string) ([]store.NodeSubscription, error) {
	return s.subscriptions(ctx, "SELECT node, jid, subid, state FROM node_subscriptions WHERE host = $1 AND owner = $2 AND node = $3 ORDER BY jid", host, owner, node)
}

func (s *Store) SubscriptionsOf(ctx context.Context, host, owner, jid string) ([]store.NodeSubscription, error) {
	return s.subscriptions(ctx, "SELECT node, jid, subid, state FROM node_subscriptions WHERE host = $1 AND owner = $2 AND bare = $3 ORDER BY node, jid", host, owner, jid)
}

func (s *Store) subscriptions(ctx context.Context, q string, args ...any) (ss []store.NodeSubscription, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var sub store.NodeSubscription
		err := r.Scan(&sub.Node, &sub.JID, &sub.SubID, &sub.State)
		ss = append(ss, sub)
		return err
	}, q, args...)
	return ss, err
}

func (s *Store) SetNodeSubscriptions(ctx context.Context, host, owner string, limit int, ss ...store.NodeSubscription) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		for _, sub := range ss {
			if sub.State == "" || sub.State == "none" {
				if _, err := tx.ExecContext(ctx, "DELETE FROM node_subscriptions WHERE host = $1 AND owner = $2 AND node = $3 AND jid = $4", host, owner, sub.Node, sub.JID); err != nil {
					return err
				}
				continue
			}
			bare, _, _ := strings.Cut(sub.JID, "/")
			if _, err := tx.ExecContext(ctx, `INSERT INTO node_subscriptions (host, owner, node, jid, bare, subid, state) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (host, owner, node, jid) DO UPDATE SET subid = excluded.subid, state = excluded.state`,
				host, owner, sub.Node, sub.JID, bare, sub.SubID, sub.State); err != nil {
				return err
			}
			if err := within(ctx, tx, limit, "SELECT COUNT(*) FROM node_subscriptions WHERE host = $1 AND owner = $2 AND node = $3", host, owner, sub.Node); err != nil {
				return err
			}
		}
		return nil
	})
}
