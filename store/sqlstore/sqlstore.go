// Package sqlstore keeps everything in SQLite, PostgreSQL or CockroachDB, with one set of queries.
package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/clock"
	"parley/store"
)

// Options of a store.
type Options struct {
	Log            *slog.Logger
	Clock          clock.Clock // asked when something is kept, and whether something kept is old
	MaxConnections int         // to PostgreSQL or CockroachDB; readers of SQLite are few whatever it says. 0: 16
	CommitBatch    int         // most rows of one group commit. 0: 512
	Migrate        bool        // bring the schema up to date
	IDs            *store.IDs  // gives ids to entries that have none; nil: the store has its own
	Inspect        bool        // only for the schema: of SQLite the journal is left alone, and Commit refused

	// Shared is for several stores on one file of SQLite in one process, as the simulator has them: there is no
	// journal, every batch is a transaction as on PostgreSQL, and nothing is synced to the disk.
	Shared bool
	// Driver changes how SQLite is reached; nil does not. The simulator delays and fails calls with it.
	Driver func(driver.Driver) driver.Driver

	journalSize int64 // size of one of the journal's files; 0: segmentSize
}

// Store is a store.Store. Safe from any goroutine.
type Store struct {
	opts      Options
	pg        bool     // PostgreSQL or CockroachDB
	roach     bool     // CockroachDB
	path      string   // of SQLite's file
	w, r      *sql.DB  // for SQLite: one writer, some readers; else the same pool
	stmts     sync.Map // SQLite: *sql.Stmt by stmtKey
	preparing sync.Map // chan struct{} by stmtKey, closed when stmts has the statement or preparing it has failed
	writer    writer
	beside    atomic.Bool // other nodes write to the database
	app       *appender   // SQLite only
	mover     *mover
	fence     fence
	marked    atomic.Int64 // the mark of highest.go is not below this
	asked     atomic.Int64 // see Asked
}

var _ store.Store = (*Store)(nil)

// Open connects: dsn is "sqlite:PATH", or "postgres://…" for PostgreSQL and CockroachDB. An error says in plain words
// what cannot be reached; it never holds a password.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = 16
	}
	if o.CommitBatch <= 0 {
		o.CommitBatch = 512
	}
	if o.IDs == nil {
		o.IDs = &store.IDs{Clock: o.Clock}
	}
	s := &Store{opts: o, fence: fence{raised: make(chan struct{})}}
	s.writer.free.L, s.writer.closed = &s.writer.mu, true
	s.writer.unused.New = newRequest
	var err error
	switch scheme, rest, _ := strings.Cut(dsn, ":"); scheme {
	case "sqlite":
		err = s.openSQLite(rest)
	case "postgres", "postgresql":
		err = s.openPostgres(ctx, dsn)
	default:
		return nil, fmt.Errorf("store: unknown kind %q: it is sqlite:PATH or postgres://…", scheme)
	}
	if err == nil {
		if err = s.Ping(ctx); err != nil {
			err = errors.Join(err, s.closeDatabase())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("store: cannot open %s: %w", redact(dsn), err)
	}
	if o.Migrate {
		if err := s.Migrate(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("store: migrate %s: %w", redact(dsn), err), s.closeDatabase())
		}
	}
	if o.Inspect {
		return s, nil
	}
	if !s.pg && !o.Shared {
		if err := s.openJournal(ctx, strings.TrimPrefix(dsn, "sqlite:")); err != nil {
			return nil, errors.Join(fmt.Errorf("store: cannot open %s: %w", redact(dsn), err), s.closeDatabase())
		}
	}
	s.writer.closed = false
	return s, nil
}

// now gives the time of the clock that the store was opened with.
func (s *Store) now() time.Time { return s.opts.Clock.Now() }

// redact gives a DSN without its password.
func redact(dsn string) string {
	if u, err := url.Parse(dsn); err == nil && u.User != nil {
		return u.Redacted()
	}
	if strings.HasPrefix(dsn, "sqlite:") {
		return dsn
	}
	return "the database"
}

// openSQLite: WAL, and each commit synced to the disk. One connection writes; transactions take the lock when they
// begin, so that none fails in the middle.
func (s *Store) openSQLite(path string) (err error) {
	if path == "" {
		return errors.New("the path is missing: sqlite:PATH")
	}
	s.path = path
	if err := private(path); err != nil {
		return err
	}
	q := "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)&_pragma=wal_autocheckpoint(4000)&_txlock=immediate"
	if s.opts.Shared {
		q = strings.Replace(q, "synchronous(FULL)", "synchronous(OFF)", 1)
	}
	if s.w, err = s.sqlite("file:" + path + q); err != nil {
		return err
	}
	if s.r, err = s.sqlite("file:" + path + q + "&_pragma=query_only(1)"); err != nil {
		return err
	}
	s.connections(1, 4)
	return nil
}

// connections sets how many connections to SQLite write and read at once. In a shared file there is no limit, because
// its driver decides what waits.
func (s *Store) connections(writers, readers int) {
	idle := readers
	if s.opts.Shared {
		writers, readers, idle = 0, 0, 100
	}
	s.w.SetMaxOpenConns(writers)
	s.w.SetMaxIdleConns(idle)
	s.r.SetMaxOpenConns(readers)
	s.r.SetMaxIdleConns(idle)
}

// sqlite opens a database of SQLite by its name.
func (s *Store) sqlite(name string) (*sql.DB, error) {
	if s.opts.Driver == nil {
		return sql.Open("sqlite", name)
	}
	return sql.OpenDB(connector{s.opts.Driver(new(sqlite.Driver)), name}), nil
}

// connector is a driver.Connector for a driver that has none.
type connector struct {
	driver driver.Driver
	name   string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.name) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// Ping asks whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.w.PingContext(ctx) }

// Close finishes the commits that have been accepted, then closes the database.
func (s *Store) Close() error {
	var err error
	if s.writer.close() && s.app != nil {
		err = s.closeJournal()
	}
	return errors.Join(err, s.closeDatabase())
}

func (s *Store) closeDatabase() error {
	if s.r != s.w {
		return errors.Join(s.r.Close(), s.w.Close())
	}
	return s.w.Close()
}

// stmt gives the prepared statement for a text on SQLite; nil elsewhere, where pgx keeps them for each connection.
func (s *Store) stmt(ctx context.Context, db *sql.DB, q string) (*sql.Stmt, error) {
	if s.pg {
		return nil, nil
	}
	k := stmtKey{db, q}
	for {
		if st, ok := s.stmts.Load(k); ok {
			return st.(*sql.Stmt), nil
		}
		done := make(chan struct{})
		other, busy := s.preparing.LoadOrStore(k, done)
		if !busy {
			return s.prepare(ctx, k, done)
		}
		select {
		case <-other.(chan struct{}):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// prepare prepares a statement, unless another has done so since stmt looked, and then closes done. Only one prepares
// it: a second statement would have to be closed, which waits for its connection.
func (s *Store) prepare(ctx context.Context, k stmtKey, done chan struct{}) (*sql.Stmt, error) {
	defer close(done)
	defer s.preparing.Delete(k)
	if st, ok := s.stmts.Load(k); ok {
		return st.(*sql.Stmt), nil
	}
	st, err := k.db.PrepareContext(ctx, k.q)
	if err != nil {
		return nil, err
	}
	s.stmts.Store(k, st)
	return st, nil
}

// stmtKey is a statement of a pool.
type stmtKey struct {
	db *sql.DB
	q  string
}

// Asked says how often the database was asked for something: by a query, a statement that changes something, or a
// transaction. Group commits do not count.
func (s *Store) Asked() int64 { return s.asked.Load() }

// exec runs a statement that changes something and says how many rows it has changed.
func (s *Store) exec(ctx context.Context, q string, args ...any) (int64, error) {
	s.asked.Add(1)
	if a := s.current(ctx); a != nil {
		return a.exec(ctx, q, args...)
	}
	res, err := s.alone(ctx, q, args...)
	if err != nil {
		return 0, translate(err)
	}
	return res.RowsAffected()
}

// one runs a statement that has to change something: ErrNotFound otherwise.
func (s *Store) one(ctx context.Context, q string, args ...any) error {
	n, err := s.exec(ctx, q, args...)
	if err == nil && n == 0 {
		return store.ErrNotFound
	}
	return err
}

// rows runs a query and gives each row to scan.
func (s *Store) rows(ctx context.Context, scan func(*sql.Rows) error, q string, args ...any) error {
	s.asked.Add(1)
	if a := s.current(ctx); a != nil {
		return a.rows(ctx, scan, q, args...)
	}
	st, err := s.stmt(ctx, s.r, q)
	if err != nil {
		return err
	}
	var rows *sql.Rows
	if st != nil {
		rows, err = st.QueryContext(ctx, args...)
	} else {
		rows, err = s.r.QueryContext(ctx, q, args...)
	}
	if err != nil {
		return translate(err)
	}
	return each(rows, scan)
}

func each(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row runs a query for one row: ErrNotFound if it finds none.
func (s *Store) row(ctx context.Context, dest []any, q string, args ...any) error {
	found := false
	err := s.rows(ctx, func(r *sql.Rows) error {
		found = true
		return r.Scan(dest...)
	}, q, args...)
	if err == nil && !found {
		return store.ErrNotFound
	}
	return err
}

// tx runs f in a transaction, which may be begun again: f does nothing but SQL, and starts from nothing each time.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	s.asked.Add(1)
	if a := s.current(ctx); a != nil {
		return a.part(ctx, f)
	}
	if s.roach {
		return translate(crdb.ExecuteTx(crdb.WithMaxRetries(ctx, maxRetries), s.w, nil, f))
	}
	return s.txAgain(ctx, sql.LevelDefault, f)
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// forUpdate is hung on a SELECT whose rows the transaction will change; SQLite has the whole database locked already.
func (s *Store) forUpdate() string {
	if s.pg {
		return " FOR UPDATE"
	}
	return ""
}

// translate turns a violated key into ErrExists.
func translate(err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "23505" {
		return store.ErrExists
	}
	var se *sqlite.Error
	if errors.As(err, &se) &&
		(se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || se.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE) {
		return store.ErrExists
	}
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	return err
}

// micros and when keep times as microseconds; 0 is the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func when(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
