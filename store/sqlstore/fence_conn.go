package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// lockFence keeps others from raising an incarnation until the transaction has ended. ClaimNode takes the table
// EXCLUSIVE, which waits for whoever has it in this mode, and lets nobody else have it meanwhile. Locks of rows would
// do too, but each would be written to the row and to the log, and PostgreSQL keeps a list for every set of
// transactions that have one row locked at a time.
//
// The lock is taken before the transaction has a snapshot, and the row is read in a statement of its own: after a wait
// it is read as the one who was waited for has left it, whatever the isolation (PostgreSQL's manual, LOCK).
const lockFence = "LOCK TABLE cluster_nodes IN ROW SHARE MODE"

// lockFenceAlone is lockFence where no transaction was begun by name. SELECT takes the table in this mode if it may
// lock rows of it (PostgreSQL's manual, 13.3.1); this one locks none.
const lockFenceAlone = "SELECT 1 FROM cluster_nodes WHERE FALSE FOR KEY SHARE"

// connectionName is the name of connections that write for a node (application_name): whoever raises it ends them.
func connectionName(id string, incarnation int64) string {
	return applicationName + " " + id + " " + strconv.FormatInt(incarnation, 10)
}

// name has a connection bear its node's name before it first takes the lock, unless store.dsn names it. The database
// says which name it has, also after a transaction was undone.
func (h *holding) name(b *pgx.Batch, c *pgx.Conn) {
	is := c.PgConn().ParameterStatus("application_name")
	if is != applicationName && !strings.HasPrefix(is, applicationName+" ") {
		return
	}
	if want := connectionName(h.id, h.incarnation); is != want {
		b.Queue("SET application_name = " + quote(want))
	}
}

// quote makes a text of SQL.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// beginFence is sent together with what begins a transaction, so that the fence costs no round trip.
func (h *holding) beginFence(b *pgx.Batch, roach bool) {
	if !roach { // CockroachDB has one isolation, in which reading the row is enough
		b.Queue(lockFence)
	}
	b.Queue(checkFence, h.id, h.incarnation)
}

// fencedConnector makes connections that look at the fence.
type fencedConnector struct {
	fence *fence
	driver.Connector
}

// Connect is of driver.Connector.
func (c fencedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := raw.(*stdlib.Conn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("store: a connection of an unknown kind: %T", raw), raw.Close())
	}
	roach := conn.Conn().PgConn().ParameterStatus("crdb_version") != ""
	return &fencedConn{Conn: conn, fence: c.fence, roach: roach}, nil
}

// fencedConn is a connection on which every transaction, and every statement outside of one, looks at the fence.
// Queries outside of a transaction write nothing, which a test makes sure of.
type fencedConn struct {
	*stdlib.Conn
	fence *fence
	roach bool
}

// within says whether a transaction is open.
func (c *fencedConn) within() bool { return c.Conn.Conn().PgConn().TxStatus() != 'I' }

// BeginTx is of driver.ConnBeginTx.
func (c *fencedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	h, err := c.fence.holds(ctx)
	if err != nil {
		return nil, err
	}
	// On CockroachDB a transaction begins with its savepoint: see ExecContext.
	if h == nil || c.roach || c.Conn.Conn().IsClosed() {
		return c.Conn.BeginTx(ctx, o)
	}
	var level pgx.TxIsoLevel // as connected has set it
	switch l := sql.IsolationLevel(o.Isolation); l {
	case sql.LevelDefault:
	case sql.LevelSerializable:
		level = pgx.Serializable
	default:
		return nil, fmt.Errorf("store: isolation %v", l)
	}
	var b pgx.Batch
	b.BeginTx(pgx.TxOptions{IsoLevel: level})
	h.name(&b, c.Conn.Conn())
	h.beginFence(&b, c.roach)
	r := c.Conn.Conn().SendBatch(ctx, &b)
	tx := &fencedTx{ctx, r.Tx()}
	if err := c.finish(r, b.QueuedQueries); err != nil {
		if back := tx.Rollback(); back != nil && !errors.Is(back, pgx.ErrTxClosed) {
			err = errors.Join(err, back)
		}
		return nil, err
	}
	return tx, nil
}

// fencedTx is a driver.Tx.
type fencedTx struct {
	ctx context.Context
	pgx.Tx
}

// Commit is of driver.Tx.
func (t *fencedTx) Commit() error { return t.Tx.Commit(t.ctx) }

// Rollback is of driver.Tx.
func (t *fencedTx) Rollback() error { return t.Tx.Rollback(t.ctx) }

// The statements of package crdb that begin a transaction's work, and begin it again.
const (
	roachSavepoint = "SAVEPOINT cockroach_restart"
	roachAgain     = "ROLLBACK TO SAVEPOINT cockroach_restart"
)

// ExecContext is of driver.ExecerContext.
func (c *fencedConn) ExecContext(ctx context.Context, q string, values []driver.NamedValue) (driver.Result, error) {
	within := c.within()
	begins := c.roach && within && (q == roachSavepoint || q == roachAgain)
	if within && !begins || c.Conn.Conn().IsClosed() {
		return c.Conn.ExecContext(ctx, q, values)
	}
	h, err := c.fence.holds(ctx)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return c.Conn.ExecContext(ctx, q, values)
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v.Value
	}
	var b pgx.Batch
	var changed int64
	count := func(t pgconn.CommandTag) error { changed = t.RowsAffected(); return nil }
	switch {
	case begins:
		b.Queue(q)
		h.name(&b, c.Conn.Conn())
		h.beginFence(&b, c.roach)
	case c.roach: // by name: not every version takes what is sent together for one transaction
		b.Queue("BEGIN")
		h.name(&b, c.Conn.Conn())
		h.beginFence(&b, c.roach)
		b.Queue(q, args...).Exec(count)
		b.Queue("COMMIT")
	default: // what is sent together is one transaction
		h.name(&b, c.Conn.Conn())
		b.Queue(lockFenceAlone)
		b.Queue(checkFence, h.id, h.incarnation)
		b.Queue(q, args...).Exec(count)
	}
	err = c.finish(c.Conn.Conn().SendBatch(ctx, &b), b.QueuedQueries)
	if err != nil && !within && !c.Conn.Conn().IsClosed() && c.within() {
		_, back := c.Conn.Conn().Exec(ctx, "ROLLBACK")
		err = errors.Join(err, back)
	}
	return driver.RowsAffected(changed), err
}

// finish reads what statements that were sent together have come to.
func (c *fencedConn) finish(r pgx.BatchResults, qs []*pgx.QueuedQuery) error {
	checking := false
	for _, q := range qs {
		checking = q.SQL == checkFence
		if q.Fn != nil {
			if err := q.Fn(r); err != nil {
				break
			}
		} else if _, err := r.Exec(); err != nil {
			break
		}
	}
	err := r.Close()
	var pe *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case checking && errors.As(err, &pe) && pe.Code == divisionByZero:
		return c.fence.refuse()
	case pgconn.SafeToRetry(err): // nothing was sent
		return driver.ErrBadConn
	}
	return err
}

// divisionByZero is the code of the error with which checkFence fails (PostgreSQL, appendix A).
const divisionByZero = "22012"
