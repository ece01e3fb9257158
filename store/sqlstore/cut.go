package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"parley/store"
)

// Whoever raises an incarnation waits for the transactions that were begun under it, and others who want to write wait
// behind. A process that was stopped would keep all of them waiting, until the database ends its transactions.
// So the connections of the victims are ended first.
//
// On CockroachDB nobody waits, and a transaction that was begun before may be committed afterwards: it comes before in
// the order of transactions. So the connections are ended once the incarnation is raised. What is begun on new ones is
// refused.

// cutTime bounds how long the end of a victim's connections is waited for, and cutPause how often it is looked at.
const (
	cutTime  = time.Second
	cutPause = 20 * time.Millisecond
)

// cut ends the connections that write for nodes. What it may not end, or what does not end at once, is waited for when
// the incarnation is raised.
func (s *Store) cut(ctx context.Context, victims []store.ClusterNode) {
	if !s.pg || len(victims) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cutTime)
	defer cancel()
	names := make([]string, len(victims))
	for i, n := range victims {
		names[i] = connectionName(n.ID, n.Incarnation)
	}
	end := s.endConnections
	if s.roach {
		end = s.endSessions
	}
	for ended := 0; ; {
		n, err := end(ctx, names)
		if err != nil {
			s.opts.Log.Debug("cannot end the connections of a dead server", "err", err)
			return
		}
		if n == 0 {
			if ended > 0 {
				s.opts.Log.Info("ended the connections of a dead server", "connections", ended)
			}
			return
		}
		ended = max(ended, n)
		select {
		case <-time.After(cutPause):
		case <-ctx.Done():
			return
		}
	}
}

// endConnections ends those connections to PostgreSQL that there still are, and returns how many there were.
func (s *Store) endConnections(ctx context.Context, names []string) (n int, err error) {
	return n, s.rows(ctx, func(*sql.Rows) error { n++; return nil }, `SELECT pg_terminate_backend(pid)
		FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY($1::TEXT[])
			AND pid <> pg_backend_pid()`, names)
}

// endSessions is endConnections on CockroachDB, whose statement for it takes no parameters.
func (s *Store) endSessions(ctx context.Context, names []string) (n int, err error) {
	for _, name := range names {
		more, err := s.exec(unfenced(ctx), "CANCEL SESSIONS IF EXISTS (SELECT session_id "+
			"FROM [SHOW CLUSTER SESSIONS] WHERE application_name = "+quote(name)+")")
		if err != nil {
			return n, err
		}
		n += int(more)
	}
	return n, nil
}

// thereAsSeen says whether a node that is thought to be dead is there as it was seen, and so may be cut.
func (s *Store) thereAsSeen(ctx context.Context, victim store.ClusterNode) (bool, error) {
	ns, err := s.ClusterNodes(ctx)
	if err != nil {
		return false, err
	}
	for _, n := range ns {
		if n.ID == victim.ID && n.Incarnation == victim.Incarnation {
			return victim.Until == 0 || victim.Until == n.Until, nil
		}
	}
	return false, nil
}
