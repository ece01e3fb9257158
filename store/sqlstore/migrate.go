package sqlstore

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed baseline.sql
var baselineSQL string

// step migrates the schema from one version to the next. It may be repeated, and run from two nodes at once.
type step struct {
	version int64
	do      func(ctx context.Context, db *sql.DB) error
}

// steps are all of them. Those that were released are never changed; the next one has a higher number:
//
//	{1104, addColumn("teams", "colour", "TEXT NOT NULL DEFAULT ''")},
//	{1105, statements("CREATE INDEX IF NOT EXISTS …")},
var steps = []step{
	{1000, takeOver},
	{1001, statements(baselineSQL)},
	{1002, addColumn("org_groups", "react_by", "TEXT NOT NULL DEFAULT 'members'")},
	{1003, statements(profileFields)},
	{1004, addRefers},
	{1010, statements(pushSubscriptions)},
	{1012, statements(tasksTable)},
	{1014, statements(links)},
	{1016, statements(actions)},
	{1018, addColumn("displayed", "marked", "INT8 NOT NULL DEFAULT 0")},
	{1019, statements(markedMessages)},
	{1020, addColumn("room_readers", "several", "INT8 NOT NULL DEFAULT 0")},
	{1021, addColumn("room_readers", "title", "TEXT NOT NULL DEFAULT ''")},
	{1022, statements(scheduledTable)},
	{1023, statements(deskTables)},
	{1024, statements(clusterTables + archiveHeads + roomOwners)},
}

// statements is a step that executes SQL statements in order.
func statements(text string) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		for _, s := range split(text) {
			if _, err := db.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("%.80s: %w", s, err)
			}
		}
		return nil
	}
}

// split gives the statements of a text, without comments. A semicolon always ends a statement.
func split(text string) (all []string) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			b.WriteString(line)
		}
	}
	for s := range strings.SplitSeq(b.String(), ";") {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// addColumn is a step that adds a column to a table, unless it is there: not every engine has ADD COLUMN IF NOT EXISTS.
// kind is the type, with NOT NULL and a default for the rows there are.
func addColumn(table, column, kind string) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		for has(ctx, db, column, table) != nil {
			_, err := db.ExecContext(ctx, "ALTER TABLE "+table+" ADD COLUMN "+column+" "+kind)
			if err == nil || has(ctx, db, column, table) == nil { // another node has done it meanwhile
				return nil
			}
			var refused *pgconn.PgError
			if !errors.As(err, &refused) || refused.Code != duplicateColumn {
				return fmt.Errorf("add column %s to %s: %w", column, table, err)
			}
			// Another node is at it: CockroachDB shows a column only when it is there in every row.
			select {
			case <-ctx.Done():
				return fmt.Errorf("add column %s to %s: %w", column, table, ctx.Err())
			case <-time.After(100 * time.Millisecond):
			}
		}
		return nil
	}
}

// duplicateColumn is the code of an error where a column is there, or is being added (PostgreSQL, appendix A).
const duplicateColumn = "42701"

// has returns an error if there is no such column or table.
func has(ctx context.Context, db *sql.DB, column, table string) error {
	rows, err := db.QueryContext(ctx, "SELECT "+column+" FROM "+table+" LIMIT 0")
	if err != nil {
		return err
	}
	return errors.Join(rows.Close(), rows.Err())
}

func (s *Store) provider() (*goose.Provider, error) {
	var all []*goose.Migration
	for _, st := range steps {
		all = append(all, goose.NewGoMigration(st.version, &goose.GoFunc{RunDB: st.do}, nil))
	}
	return goose.NewProvider("", s.w, nil, goose.WithStore(versions{}), goose.WithAllowOutofOrder(true),
		goose.WithGoMigrations(all...), goose.WithDisableGlobalRegistry(true))
}

// Migrate brings the schema up to date. Doing it again, or from two nodes at once, does no harm. The error says what to
// do where the database was made by another version of this program, which this one cannot take over.
func (s *Store) Migrate(ctx context.Context) error {
	if !s.pg { // goose keeps one connection for itself while a step uses another
		s.connections(2, 4)
		defer s.connections(1, 4)
	}
	p, err := s.provider()
	if err != nil {
		return err
	}
	if current, newest, err := p.GetVersions(ctx); err != nil {
		return err
	} else if current > newest {
		return fmt.Errorf("the schema has version %d, and this program knows %d at most: it is older than the one "+
			"that made it", current, newest)
	}
	done, err := p.Up(ctx)
	for _, r := range done {
		s.opts.Log.Debug("migrated", "version", r.Source.Version, "took", r.Duration)
	}
	return err
}

// MigrationStatus gives the version of the schema and the newest there is.
func (s *Store) MigrationStatus(ctx context.Context) (current, newest int64, err error) {
	p, err := s.provider()
	if err != nil {
		return 0, 0, err
	}
	return p.GetVersions(ctx)
}

// versions keeps goose's table in a form that every engine supports; goose's own uses identity columns.
type versions struct{}

func (versions) Tablename() string { return "schema_versions" }

func (versions) CreateVersionTable(ctx context.Context, db database.DBTxConn) error {
	_, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_versions (version INT8 NOT NULL PRIMARY KEY)")
	return err
}

func (versions) TableExists(ctx context.Context, db database.DBTxConn) (bool, error) {
	var n int64
	err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM schema_versions").Scan(&n)
	return err == nil, nil
}

func (versions) Insert(ctx context.Context, db database.DBTxConn, r database.InsertRequest) error {
	_, err := db.ExecContext(ctx,
		"INSERT INTO schema_versions (version) VALUES ($1) ON CONFLICT (version) DO NOTHING", r.Version)
	return err
}

func (versions) Delete(ctx context.Context, db database.DBTxConn, version int64) error {
	_, err := db.ExecContext(ctx, "DELETE FROM schema_versions WHERE version = $1", version)
	return err
}

func (versions) GetMigration(ctx context.Context, db database.DBTxConn,
	version int64) (*database.GetMigrationResult, error) {
	var n int64
	if err := db.QueryRowContext(ctx,
		"SELECT COUNT(*) FROM schema_versions WHERE version = $1", version).Scan(&n); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, database.ErrVersionNotFound
	}
	return &database.GetMigrationResult{IsApplied: true}, nil
}

func (versions) GetLatestVersion(ctx context.Context, db database.DBTxConn) (int64, error) {
	var n, v int64
	if err := db.QueryRowContext(ctx,
		"SELECT COUNT(*), COALESCE(MAX(version), 0) FROM schema_versions").Scan(&n, &v); err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, database.ErrVersionNotFound
	}
	return v, nil
}

func (versions) ListMigrations(ctx context.Context, db database.DBTxConn) ([]*database.ListMigrationsResult, error) {
	rows, err := db.QueryContext(ctx, "SELECT version FROM schema_versions ORDER BY version DESC")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	defer rows.Close()
	var out []*database.ListMigrationsResult
	for rows.Next() {
		r := &database.ListMigrationsResult{IsApplied: true}
		if err := rows.Scan(&r.Version); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, errors.Join(rows.Err())
}
