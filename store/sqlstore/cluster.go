package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"parley/store"
)

// The rows of nodes, on PostgreSQL and CockroachDB, and on a shared file of SQLite. Times of leases are the database's:
// nodes' clocks may differ.

const dbNow = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS INT8)"

// databaseNow gives the database's time as an expression. A file of SQLite is shared only within one process, whose
// time is the database's.
func (s *Store) databaseNow() string {
	if s.pg {
		return dbNow
	}
	return strconv.FormatInt(time.Now().UnixMicro(), 10)
}

func (s *Store) nodeRows() string {
	return "SELECT n.id, n.incarnation, n.address, n.scope, n.place, n.version, n.started, COALESCE(l.until, " +
		"0), COALESCE(l.until, 0) - " + s.databaseNow() +
		" FROM cluster_nodes n LEFT JOIN cluster_leases l ON l.id = n.id AND l.incarnation = n.incarnation " +
		"WHERE n.id <> '' ORDER BY n.incarnation"
}

func scanNodes(ns *[]store.ClusterNode) func(*sql.Rows) error {
	return func(r *sql.Rows) error {
		var n store.ClusterNode
		var started, left int64
		err := r.Scan(&n.ID, &n.Incarnation, &n.Address, &n.Scope, &n.Place, &n.Version, &started, &n.Until, &left)
		n.Started, n.Lease = when(started), max(0, time.Duration(left)*time.Microsecond)
		*ns = append(*ns, n)
		return err
	}
}

// ClusterNodes gives the nodes there are. ErrNotFound if the schema is from before there were any.
func (s *Store) ClusterNodes(ctx context.Context) (ns []store.ClusterNode, err error) {
	tables := int64(2)
	if s.pg {
		if err := s.row(ctx, []any{&tables}, "SELECT COUNT(*) FROM information_schema.tables "+
			"WHERE table_name IN ('cluster_leases', 'cluster_members') AND table_schema = current_schema()"); err != nil {
			return nil, err
		}
	}
	if tables == 0 {
		return nil, store.ErrNotFound
	}
	if err := s.rows(ctx, scanNodes(&ns), s.nodeRows()); err != nil || tables < 2 {
		return ns, err
	}
	return ns, s.rows(ctx, markMembers(ns), membersQuery)
}

// raising runs a transaction that raises the incarnations of victims. What was begun under them has ended when it
// returns: see fence.go and cut.go.
func (s *Store) raising(ctx context.Context, victims []store.ClusterNode,
	f func(ctx context.Context, tx *sql.Tx) error) error {
	ctx = unfenced(ctx)
	if s.roach {
		err := s.tx(ctx, func(tx *sql.Tx) error { return f(ctx, tx) })
		if err == nil {
			s.cut(ctx, victims)
		}
		return err
	}
	s.cut(ctx, victims)
	for try := 0; ; try++ {
		err := s.tx(ctx, func(tx *sql.Tx) error {
			if err := s.lockRaise(ctx, tx); err != nil {
				return err
			}
			return f(ctx, tx)
		})
		var pe *pgconn.PgError
		if try == 3 || !errors.As(err, &pe) || pe.Code != lockNotAvailable {
			return err
		}
		if err := s.cutHolders(ctx); err != nil {
			return err
		}
	}
}

// raiseWait is how long transactions of dead nodes may keep a claim waiting. Those of a process that was stopped end by
// idle_in_transaction_session_timeout before.
const raiseWait = "7s"

// lockNotAvailable is the code of the error after lock_timeout (PostgreSQL, appendix A).
const lockNotAvailable = "55P03"

// lockRaise waits for all who write under an incarnation, and keeps others from beginning to.
func (s *Store) lockRaise(ctx context.Context, tx *sql.Tx) error {
	if !s.pg {
		return nil
	}
	for _, q := range []string{
		"SET LOCAL lock_timeout = '" + raiseWait + "'",
		"LOCK TABLE cluster_nodes IN EXCLUSIVE MODE", // see lockFence
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// cutHolders ends the connections whose transactions keep a claim waiting: of a process that was stopped while it sent
// a statement, or of a statement that takes long. They are undone.
func (s *Store) cutHolders(ctx context.Context) error {
	n := 0
	err := s.rows(ctx, func(r *sql.Rows) error { n++; return nil },
		`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'relation' AND granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND relation = 'cluster_nodes'::REGCLASS AND mode = 'RowShareLock' AND pid <> pg_backend_pid()`)
	if err == nil && n > 0 {
		s.opts.Log.Warn("ended transactions of the server before, which took too long", "connections", n)
	}
	return err
}

// ClaimNode makes n a node whose lease begins now, and returns its incarnation. dead are nodes that have ended. It
// returns ErrConflict if there is another node that does not serve beside others, or any if n does not, or if a node of
// dead has a new incarnation or has renewed its lease; a dead node whose Until is 0 may have renewed it.
func (s *Store) ClaimNode(ctx context.Context, n store.ClusterNode, lease time.Duration,
	dead ...store.ClusterNode) (incarnation int64, err error) {
	err = s.raising(ctx, dead, func(ctx context.Context, tx *sql.Tx) error {
		incarnation = 0
		locked, err := tx.QueryContext(ctx, "SELECT incarnation FROM cluster_nodes"+s.forUpdate())
		if err != nil {
			return err
		}
		if err := each(locked, func(r *sql.Rows) error {
			var i int64
			err := r.Scan(&i)
			incarnation = max(incarnation, i)
			return err
		}); err != nil {
			return err
		}
		incarnation++
		if err := s.removeDead(ctx, tx, n, dead); err != nil {
			return err
		}
		for _, q := range []struct {
			text string
			args []any
		}{
			// The count outlives the nodes: no incarnation of a node that was deleted comes again.
			{`INSERT INTO cluster_nodes (id, incarnation, address, scope, place, version, started, draining)
				VALUES ('', $1, '', '', '', '', 0, 0) ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation`,
				[]any{incarnation}},
			{`INSERT INTO cluster_nodes (id, incarnation, address, scope, place, version, started, draining)
				VALUES ($1, $2, $3, $4, $5, $6, $7, 0) ON CONFLICT (id) DO UPDATE SET
				incarnation = excluded.incarnation, address = excluded.address, scope = excluded.scope,
				place = excluded.place, version = excluded.version, started = excluded.started, draining = 0`,
				[]any{n.ID, incarnation, n.Address, n.Scope, n.Place, n.Version, micros(n.Started)}},
			{"INSERT INTO cluster_leases (id, incarnation, until) VALUES ($1, $2, " + s.databaseNow() +
				" + $3) ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation, until = excluded.until",
				[]any{n.ID, incarnation, lease.Microseconds()}},
		} {
			if _, err := tx.ExecContext(ctx, q.text, q.args...); err != nil {
				return err
			}
		}
		return joinMember(ctx, tx, n, incarnation)
	})
	return incarnation, err
}

// removeDead removes the rows of dead nodes; ErrConflict if another node lives besides which n cannot serve.
func (s *Store) removeDead(ctx context.Context, tx *sql.Tx, own store.ClusterNode, dead []store.ClusterNode) error {
	rows, err := tx.QueryContext(ctx, s.nodeRows())
	if err != nil {
		return err
	}
	var ns []store.ClusterNode
	if err := each(rows, scanNodes(&ns)); err != nil {
		return err
	}
	if own.Several {
		rows, err := tx.QueryContext(ctx, membersQuery)
		if err != nil {
			return err
		}
		if err := each(rows, markMembers(ns)); err != nil {
			return err
		}
	}
	for _, n := range ns {
		if n.ID == own.ID {
			continue
		}
		gone := false
		for _, d := range dead {
			gone = gone || d.ID == n.ID && d.Incarnation == n.Incarnation && (d.Until == 0 || d.Until == n.Until)
		}
		if !gone && own.Several && n.Several {
			continue
		}
		if !gone {
			return store.ErrConflict
		}
		if err := deleteNode(ctx, tx, n.ID, n.Incarnation); err != nil {
			return err
		}
	}
	return nil
}

func deleteNode(ctx context.Context, tx *sql.Tx, id string, incarnation int64) error {
	for _, table := range []string{"cluster_nodes", "cluster_leases", "cluster_members"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE id = $1 AND incarnation = $2",
			id, incarnation); err != nil {
			return err
		}
	}
	return nil
}

// RenewNode has a node's lease run for a time from now. ErrConflict if another has taken its place.
func (s *Store) RenewNode(ctx context.Context, id string, incarnation int64, lease time.Duration) error {
	err := s.one(unfenced(ctx), "UPDATE cluster_leases SET until = "+s.databaseNow()+
		" + $3 WHERE id = $1 AND incarnation = $2", id, incarnation, lease.Microseconds())
	if errors.Is(err, store.ErrNotFound) {
		return store.ErrConflict
	}
	return err
}

// LeaveNode ends a node in order: the next need not ask whether it lives.
func (s *Store) LeaveNode(ctx context.Context, id string, incarnation int64) error {
	return s.tx(unfenced(ctx), func(tx *sql.Tx) error { return deleteNode(ctx, tx, id, incarnation) })
}
