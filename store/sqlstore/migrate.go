package sqlstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

func (s *Store) provider() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider("", s.w, dir, goose.WithStore(versions{}), goose.WithAllowOutofOrder(true))
}

// Migrate brings the schema up to date. Doing it again, or from two nodes at once, does no harm: each migration is one
// statement that is safe to repeat.
func (s *Store) Migrate(ctx context.Context) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	if current, newest, err := p.GetVersions(ctx); err != nil {
		return err
	} else if current > newest {
		return fmt.Errorf("the schema has version %d, and this program knows %d at most: it is older than the one that made it", current, newest)
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

// versions keeps goose's table in a form that every engine has; goose's own uses identity columns.
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
	_, err := db.ExecContext(ctx, "INSERT INTO schema_versions (version) VALUES ($1) ON CONFLICT (version) DO NOTHING", r.Version)
	return err
}

func (versions) Delete(ctx context.Context, db database.DBTxConn, version int64) error {
	_, err := db.ExecContext(ctx, "DELETE FROM schema_versions WHERE version = $1", version)
	return err
}

func (versions) GetMigration(ctx context.Context, db database.DBTxConn, version int64) (*database.GetMigrationResult, error) {
	var n int64
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM schema_versions WHERE version = $1", version).Scan(&n); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, database.ErrVersionNotFound
	}
	return &database.GetMigrationResult{IsApplied: true}, nil
}

func (versions) GetLatestVersion(ctx context.Context, db database.DBTxConn) (int64, error) {
	var n, v int64
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(MAX(version), 0) FROM schema_versions").Scan(&n, &v); err != nil {
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
