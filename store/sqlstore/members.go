package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"parley/store"
)

// The nodes of a cluster, besides what cluster.go has of every node.

// clusterTables are the nodes that serve beside others, what they say of silent ones, and the counters of changes that
// a node could not tell another one of.
const clusterTables = `
CREATE TABLE IF NOT EXISTS cluster_members (
    id TEXT NOT NULL, incarnation INT8 NOT NULL,
    PRIMARY KEY (id));
CREATE TABLE IF NOT EXISTS cluster_votes (
    suspect TEXT NOT NULL, suspect_incarnation INT8 NOT NULL, reporter TEXT NOT NULL,
    reporter_incarnation INT8 NOT NULL, until INT8 NOT NULL,
    PRIMARY KEY (suspect, reporter));
CREATE TABLE IF NOT EXISTS cluster_changes (
    id TEXT NOT NULL, changes INT8 NOT NULL,
    PRIMARY KEY (id));`

const membersQuery = "SELECT id, incarnation FROM cluster_members"

// markMembers sets Several of the nodes that serve beside others.
func markMembers(ns []store.ClusterNode) func(*sql.Rows) error {
	return func(r *sql.Rows) error {
		var id string
		var incarnation int64
		err := r.Scan(&id, &incarnation)
		for i := range ns {
			if ns[i].ID == id && ns[i].Incarnation == incarnation {
				ns[i].Several = true
			}
		}
		return err
	}
}

// joinMember records that a node serves beside others, or that it does not.
func joinMember(ctx context.Context, tx *sql.Tx, n store.ClusterNode, incarnation int64) error {
	if !n.Several {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO cluster_members (id, incarnation) VALUES ($1, $2) "+
		"ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation", n.ID, incarnation)
	return err
}

// ShootNode deletes a dead node, and so raises what it writes under; ErrConflict if the node is another incarnation by
// now, or has renewed its lease, or if the node that says so is none any more.
func (s *Store) ShootNode(ctx context.Context, victim, own store.ClusterNode) error {
	there, err := s.thereAsSeen(ctx, victim)
	if err != nil {
		return err
	}
	if !there {
		return store.ErrConflict
	}
	return s.raising(ctx, []store.ClusterNode{victim}, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT id, incarnation FROM cluster_nodes WHERE id IN ($1, $2) ORDER BY id"+
			s.forUpdate(), victim.ID, own.ID)
		if err != nil {
			return err
		}
		there := 0
		if err := each(rows, func(r *sql.Rows) error {
			var id string
			var incarnation int64
			err := r.Scan(&id, &incarnation)
			if id == victim.ID && incarnation == victim.Incarnation || id == own.ID && incarnation == own.Incarnation {
				there++
			}
			return err
		}); err != nil {
			return err
		}
		if there != 2 {
			return store.ErrConflict
		}
		res, err := tx.ExecContext(ctx, "DELETE FROM cluster_leases WHERE id = $1 AND incarnation = $2 AND until = $3",
			victim.ID, victim.Incarnation, victim.Until)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 && victim.Until != 0 {
			return store.ErrConflict
		}
		return deleteNode(ctx, tx, victim.ID, victim.Incarnation)
	})
}

// SuspectNode records that a node, which renews its lease, cannot be heard by another one. It returns the ids of all
// that have said so of it within a time, and of all that hold a lease.
func (s *Store) SuspectNode(ctx context.Context, suspect, own store.ClusterNode,
	within time.Duration) (say, all []string, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		say, all = nil, nil
		_, err := tx.ExecContext(ctx, `INSERT INTO cluster_votes
			(suspect, suspect_incarnation, reporter, reporter_incarnation, until) VALUES ($1, $2, $3, $4, `+
			s.databaseNow()+` + $5) ON CONFLICT (suspect, reporter) DO UPDATE SET
			suspect_incarnation = excluded.suspect_incarnation,
			reporter_incarnation = excluded.reporter_incarnation, until = excluded.until`,
			suspect.ID, suspect.Incarnation, own.ID, own.Incarnation, within.Microseconds())
		if err != nil {
			return err
		}
		for _, q := range []struct {
			into *[]string
			text string
			args []any
		}{
			{&all, "SELECT n.id FROM cluster_nodes n JOIN cluster_leases l ON l.id = n.id " +
				"AND l.incarnation = n.incarnation WHERE n.id <> '' AND l.until > " + s.databaseNow() + " ORDER BY n.id", nil},
			{&say, "SELECT v.reporter FROM cluster_votes v JOIN cluster_nodes n ON n.id = v.reporter " +
				"AND n.incarnation = v.reporter_incarnation WHERE v.suspect = $1 AND v.suspect_incarnation = $2 " +
				"AND v.until > " + s.databaseNow() + " ORDER BY v.reporter", []any{suspect.ID, suspect.Incarnation}},
		} {
			rows, err := tx.QueryContext(ctx, q.text, q.args...)
			if err != nil {
				return err
			}
			if err := each(rows, func(r *sql.Rows) error {
				var id string
				err := r.Scan(&id)
				*q.into = append(*q.into, id)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return say, all, err
}

// NoteChange counts that a node has changed something of which it could not tell another one.
func (s *Store) NoteChange(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "INSERT INTO cluster_changes (id, changes) VALUES ($1, 1) "+
		"ON CONFLICT (id) DO UPDATE SET changes = cluster_changes.changes + 1", id)
	return err
}

// ChangesNoted returns the counters of NoteChange, by node.
func (s *Store) ChangesNoted(ctx context.Context) (map[string]int64, error) {
	all := make(map[string]int64)
	return all, s.rows(ctx, func(r *sql.Rows) error {
		var id string
		var n int64
		err := r.Scan(&id, &n)
		all[id] = n
		return err
	}, "SELECT id, changes FROM cluster_changes")
}
