package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/store"
)

// CreateNode makes a node with its first affiliations.
func (s *Store) CreateNode(ctx context.Context, n store.Node, limit int, as ...store.NodeAffiliation) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		insert := func() error {
			_, err := tx.ExecContext(ctx,
				`INSERT INTO nodes (host, owner, name, config, creator, created, expire, purge_offline)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
				n.Host, n.Owner, n.Name, n.Config, n.Creator, micros(n.Created), toMicros(n.Upkeep.Expire),
				bit(n.Upkeep.PurgeOffline))
			return err
		}
		if err := within(ctx, tx, limit, 1, func() error {
			return within(ctx, tx, n.Share, 1, insert,
				"SELECT COUNT(*) FROM nodes WHERE host = $1 AND owner = $2 AND creator = $3",
				n.Host, n.Owner, n.Creator)
		}, "SELECT COUNT(*) FROM nodes WHERE host = $1 AND owner = $2", n.Host, n.Owner); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM node_redirects WHERE host = $1 AND owner = $2 AND name = $3",
			n.Host, n.Owner, n.Name); err != nil {
			return err
		}
		return writeNodeAffiliations(ctx, tx, n.Host, n.Owner, n.Name, as)
	})
}

// Node gives a node.
func (s *Store) Node(ctx context.Context, host, owner, name string) (store.Node, error) {
	n := store.Node{Host: host, Owner: owner, Name: name}
	var created int64
	err := s.row(ctx, []any{&n.Config, &n.Creator, &created},
		"SELECT config, creator, created FROM nodes WHERE host = $1 AND owner = $2 AND name = $3", host, owner, name)
	n.Created = when(created)
	return n, err
}

// Nodes gives an owner's nodes in order of name, at most limit, beginning behind after.
func (s *Store) Nodes(ctx context.Context, host, owner, after string, limit int) (ns []store.Node, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		n := store.Node{Host: host, Owner: owner}
		var created int64
		err := r.Scan(&n.Name, &n.Config, &n.Creator, &created)
		n.Created = when(created)
		ns = append(ns, n)
		return err
	}, "SELECT name, config, creator, created FROM nodes WHERE host = $1 AND owner = $2 AND name > $3 "+
		"ORDER BY name LIMIT $4", host, owner, after, limit)
	return ns, err
}

// SetNodeConfig writes Config and Upkeep.
func (s *Store) SetNodeConfig(ctx context.Context, n store.Node) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx,
			"UPDATE nodes SET config = $4, expire = $5, purge_offline = $6 "+
				"WHERE host = $1 AND owner = $2 AND name = $3",
			n.Host, n.Owner, n.Name, n.Config, toMicros(n.Upkeep.Expire), bit(n.Upkeep.PurgeOffline))
		if err != nil {
			return err
		}
		if rows, err := res.RowsAffected(); err != nil || rows == 0 {
			return orNotFound(err)
		}
		return nil
	})
}

// DeleteNode removes a node with all that belongs to it.
func (s *Store) DeleteNode(ctx context.Context, host, owner, name, redirect string, limit int) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx,
			"DELETE FROM nodes WHERE host = $1 AND owner = $2 AND name = $3", host, owner, name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		for _, table := range []string{"node_items", "node_affiliations", "node_subscriptions", "node_options"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE host = $1 AND owner = $2 AND node = $3",
				host, owner, name); err != nil {
				return err
			}
		}
		if redirect == "" {
			return nil
		}
		return s.leaveRedirect(ctx, tx, host, owner, name, redirect, limit)
	})
}

func (s *Store) leaveRedirect(ctx context.Context, tx *sql.Tx, host, owner, name, uri string, limit int) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO node_redirects (host, owner, name, uri, created)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (host, owner, name) DO UPDATE SET uri = excluded.uri, created = excluded.created`,
		host, owner, name, uri, micros(s.now())); err != nil {
		return err
	}
	var oldest int64
	err := tx.QueryRowContext(ctx,
		"SELECT created FROM node_redirects WHERE host = $1 AND owner = $2 ORDER BY created DESC LIMIT 1 OFFSET $3",
		host, owner, limit).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = tx.ExecContext(ctx,
			"DELETE FROM node_redirects WHERE host = $1 AND owner = $2 AND created <= $3", host, owner, oldest)
	}
	return err
}

// NodeRedirect gives the redirect that a deleted node left.
func (s *Store) NodeRedirect(ctx context.Context, host, owner, name string) (uri string, err error) {
	err = s.row(ctx, []any{&uri},
		"SELECT uri FROM node_redirects WHERE host = $1 AND owner = $2 AND name = $3", host, owner, name)
	return uri, err
}

// Publish keeps items under their ids, as far as k says.
func (s *Store) Publish(ctx context.Context, host, owner, node string, k store.Keep, items ...store.NodeItem) error {
	for _, it := range items {
		if err := s.raise(ctx, it.Seq); err != nil {
			return err
		}
	}
	err := s.tx(ctx, func(tx *sql.Tx) error {
		creator, added, err := s.writeItems(ctx, tx, host, owner, node, items)
		if err != nil {
			return err
		}
		if err := keepNewest(ctx, tx, host, owner, node, k); err != nil {
			return err
		}
		for _, l := range limitsOf(k, owner, creator) {
			if err := l.take(ctx, tx, host, added); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrLimit) {
		return s.publishInFull(ctx, host, owner, node, k, items)
	}
	return err
}

// writeItems writes items of a node, which exists and is locked. It gives the node's creator and how many bytes the
// items have.
func (s *Store) writeItems(ctx context.Context, tx *sql.Tx, host, owner, node string,
	items []store.NodeItem) (creator string, added int64, err error) {
	if err := tx.QueryRowContext(ctx, "SELECT creator FROM nodes WHERE host = $1 AND owner = $2 AND name = $3"+
		s.forUpdate(), host, owner, node).Scan(&creator); err != nil {
		return "", 0, err
	}
	for _, it := range items {
		added += int64(len(it.Payload))
		if _, err := tx.ExecContext(ctx, `INSERT INTO node_items (host, owner, node, id, seq, publisher, payload)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (host, owner, node, id) DO UPDATE SET seq = excluded.seq, publisher = excluded.publisher,
			payload = excluded.payload`,
			host, owner, node, it.ID, int64(it.Seq), it.Publisher, it.Payload); err != nil {
			return "", 0, err
		}
	}
	return creator, added, nil
}

// publishInFull publishes items that were refused because the node or its owner is at or above a limit: items that
// replace others and add nothing are kept all the same.
func (s *Store) publishInFull(ctx context.Context, host, owner, node string, k store.Keep,
	items []store.NodeItem) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		creator, _, err := s.writeItems(ctx, tx, host, owner, node, nil) // nobody else publishes to the node meanwhile
		if err != nil {
			return err
		}
		limits := limitsOf(k, owner, creator)
		had := make([]int64, len(limits))
		for i, l := range limits {
			if had[i], err = l.lock(ctx, tx, host); err != nil {
				return err
			}
		}
		hadItems, err := countItems(ctx, tx, host, owner, node)
		if err != nil {
			return err
		}
		if _, _, err := s.writeItems(ctx, tx, host, owner, node, items); err != nil {
			return err
		}
		if !k.Refuse {
			if err := keepNewest(ctx, tx, host, owner, node, k); err != nil {
				return err
			}
		}
		if has, err := countItems(ctx, tx, host, owner, node); err != nil {
			return err
		} else if k.Refuse && has > max(int64(k.Items), hadItems) {
			return store.ErrFull
		}
		for i, l := range limits {
			if err := l.settle(ctx, tx, host, max(l.most, had[i])); err != nil {
				return err
			}
		}
		return nil
	})
}

func countItems(ctx context.Context, tx *sql.Tx, host, owner, node string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM node_items WHERE host = $1 AND owner = $2 AND node = $3",
		host, owner, node).Scan(&n)
	return n, err
}

func keepNewest(ctx context.Context, tx *sql.Tx, host, owner, node string, k store.Keep) error {
	var oldest int64
	err := tx.QueryRowContext(ctx,
		"SELECT seq FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 ORDER BY seq DESC LIMIT 1 OFFSET $4",
		host, owner, node, k.Items).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil && k.Refuse {
		return store.ErrFull
	}
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 AND seq <= $4",
		host, owner, node, oldest)
	return err
}

// Items gives a page of items, and how many items there are in all.
func (s *Store) Items(ctx context.Context, host, owner, node string,
	p store.ItemPage) (items []store.NodeItem, total int, err error) {
	if err = s.row(ctx, []any{&total},
		"SELECT COUNT(*) FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 AND seq >= $4",
		host, owner, node, int64(p.Since)); err != nil {
		return nil, 0, err
	}
	q := "SELECT id, seq, publisher, payload FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 AND seq >= $4"
	args := []any{host, owner, node, int64(p.Since)}
	add := func(cond string, v any) {
		args = append(args, v)
		q += cond + "$" + strconv.Itoa(len(args))
	}
	for _, edge := range []struct{ id, cond string }{{p.After, " AND seq > "}, {p.Before, " AND seq < "}} {
		if edge.id == "" {
			continue
		}
		var seq int64
		if err := s.row(ctx, []any{&seq},
			"SELECT seq FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 AND id = $4",
			host, owner, node, edge.id); err != nil {
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

// LastItems gives the newest item of each node that has one of these names and owners.
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
			AND i.seq = (SELECT m.seq FROM node_items m WHERE m.host = n.host AND m.owner = n.owner AND m.node = n.name
				ORDER BY m.seq DESC LIMIT 1)`, args...)
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Retract removes items and gives the ids of those that existed.
func (s *Store) Retract(ctx context.Context, host, owner, node string, ids ...string) (gone []string, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		gone = nil
		for _, id := range ids {
			res, err := tx.ExecContext(ctx,
				"DELETE FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 AND id = $4",
				host, owner, node, id)
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

// Purge removes all items of a node.
func (s *Store) Purge(ctx context.Context, host, owner, node string) error {
	_, err := s.exec(ctx, "DELETE FROM node_items WHERE host = $1 AND owner = $2 AND node = $3", host, owner, node)
	return err
}

// PurgeOffline removes the items of a publisher (bare JID) in those of an owner's nodes that have PurgeOffline set, and
// gives them without payloads.
func (s *Store) PurgeOffline(ctx context.Context, host, owner, publisher string) (gone []store.OwnedItem, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		it := store.OwnedItem{Owner: owner}
		err := r.Scan(&it.Node, &it.Config, &it.ID, &it.Seq, &it.Publisher)
		gone = append(gone, it)
		return err
	}, `SELECT i.node, n.config, i.id, i.seq, i.publisher FROM nodes n
		JOIN node_items i ON i.host = n.host AND i.owner = n.owner AND i.node = n.name
		WHERE n.host = $1 AND n.owner = $2 AND n.purge_offline = 1 AND i.publisher = $3 ORDER BY i.node, i.seq`,
		host, owner, publisher)
	if err != nil || len(gone) == 0 {
		return nil, err
	}
	return gone, s.tx(ctx, func(tx *sql.Tx) error {
		for _, it := range gone { // the sequence number too: an item that was published again meanwhile stays
			if _, err := tx.ExecContext(ctx,
				"DELETE FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 AND id = $4 AND seq = $5",
				host, owner, it.Node, it.ID, int64(it.Seq)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ExpireNodes removes items older than their nodes' Expire, and subscriptions past their Expires.
func (s *Store) ExpireNodes(ctx context.Context, host string, now time.Time) error {
	type node struct {
		owner, name string
		keep        int64
	}
	var nodes []node
	err := s.rows(ctx, func(r *sql.Rows) error {
		var n node
		err := r.Scan(&n.owner, &n.name, &n.keep)
		nodes = append(nodes, n)
		return err
	}, "SELECT owner, name, expire FROM nodes WHERE host = $1 AND expire > 0", host)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		oldest := store.FirstID(now.Add(-time.Duration(n.keep) * time.Microsecond))
		if _, err := s.exec(ctx, "DELETE FROM node_items WHERE host = $1 AND owner = $2 AND node = $3 AND seq < $4",
			host, n.owner, n.name, int64(oldest)); err != nil {
			return err
		}
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		const over = " WHERE host = $1 AND expires > 0 AND expires <= $2"
		if _, err := tx.ExecContext(ctx, `DELETE FROM node_subscriptions WHERE host = $1 AND (owner, node, jid) IN
			(SELECT owner, node, jid FROM node_options`+over+")", host, micros(now)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM node_options"+over, host, micros(now))
		return err
	})
}
