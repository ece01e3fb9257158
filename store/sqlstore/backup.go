package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Engines that the store runs on.
const (
	SQLite      = "SQLite"
	PostgreSQL  = "PostgreSQL"
	CockroachDB = "CockroachDB"
)

// Engine says which it is.
func (s *Store) Engine() string {
	switch {
	case s.roach:
		return CockroachDB
	case s.pg:
		return PostgreSQL
	}
	return SQLite
}

// ErrOtherTools is returned by Backup for a database that has its own backup tools.
var ErrOtherTools = errors.New("store: this database is backed up with its own tools")

// Backup copies a SQLite database to a file that is empty or missing, while the database is in use. Every entry that
// was acknowledged before is in the copy: Backup moves the journal's entries to the database first, and then reads
// everything in one transaction.
func (s *Store) Backup(ctx context.Context, file string) error {
	if s.pg {
		return ErrOtherTools
	}
	if err := s.settleAll(ctx); err != nil {
		return fmt.Errorf("move the journal to the database: %w", err)
	}
	// the readers of the store may only read
	db, err := sql.Open("sqlite", "file:"+s.path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", file)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return syncFile(file)
}

func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// CheckCopy checks that a file is a whole SQLite database of this program, and gives the version of its schema.
func CheckCopy(ctx context.Context, file string) (schema int64, err error) {
	if err := isSQLite(file); err != nil {
		return 0, err
	}
	s := &Store{}
	if err := s.openSQLite(file); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.closeDatabase()) }()
	var bad []string
	if err := s.rows(ctx, func(r *sql.Rows) error {
		var line string
		err := r.Scan(&line)
		bad = append(bad, line)
		return err
	}, "PRAGMA integrity_check(5)"); err != nil {
		return 0, err
	}
	if len(bad) != 1 || bad[0] != "ok" {
		return 0, fmt.Errorf("the database is damaged: %s", strings.Join(bad, "; "))
	}
	schema, newest, err := s.MigrationStatus(ctx)
	if err == nil && schema == 0 {
		err = errors.New("it is no database of parley's")
	}
	if err == nil && schema > newest {
		err = fmt.Errorf("a newer parley has made it: its schema has version %d, and this program knows %d at most",
			schema, newest)
	}
	if err == nil && schema < firstVersion && schema != lastBefore {
		err = tooOld(schema)
	}
	return schema, err
}

// isSQLite looks at the file's first bytes, because opening a file that does not exist would create it.
func isSQLite(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 16)
	if _, err := io.ReadFull(f, head); err != nil || string(head) != "SQLite format 3\x00" {
		return errors.New("it is no SQLite database")
	}
	return nil
}

// Detach makes a copy independent: it will never take over a journal of the database that it was copied from.
func Detach(ctx context.Context, file string) (err error) {
	s := &Store{}
	if err := s.openSQLite(file); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.closeDatabase()) }()
	id := make([]byte, 16)
	rand.Read(id)
	if _, err := s.exec(ctx, "UPDATE journal SET id = $1, number = 0, off = 0", id); err != nil {
		return err
	}
	_, err = s.exec(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// Left gives the existing files of a SQLite database: the database itself and the files beside it.
func Left(path string) (files []string) {
	for _, end := range []string{"", "-wal", "-shm", ".journal0", ".journal1", ".journal.new"} {
		if _, err := os.Lstat(path + end); !errors.Is(err, fs.ErrNotExist) {
			files = append(files, path+end)
		}
	}
	return files
}

// Usage says how large the database is and what it holds of one host; unknown values are -1.
type Usage struct {
	Bytes       int64 // of the whole database
	Archived    int64 // messages of accounts
	RoomEntries int64 // and of rooms
	Files       int64 // uploaded files
	FileBytes   int64
}

// Usage counts; that may take a while where there is much.
func (s *Store) Usage(ctx context.Context, host string) (u Usage, err error) {
	if u.Bytes, err = s.databaseSize(ctx); err != nil {
		return u, err
	}
	for _, q := range []struct {
		text string
		to   []any
	}{
		{"SELECT COUNT(*) FROM archive WHERE host = $1", []any{&u.Archived}},
		{"SELECT COUNT(*) FROM room_archive WHERE host = $1", []any{&u.RoomEntries}},
		{"SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS INT8) FROM uploads WHERE host = $1 AND done = 1",
			[]any{&u.Files, &u.FileBytes}},
	} {
		if err := s.row(ctx, q.to, q.text, host); err != nil {
			return u, err
		}
	}
	return u, nil
}

func (s *Store) databaseSize(ctx context.Context) (n int64, err error) {
	switch {
	case s.roach: // it is spread over nodes, and has its own console for that
		return -1, nil
	case s.pg:
		return n, s.row(ctx, []any{&n}, "SELECT pg_database_size(current_database())")
	}
	for _, name := range Left(s.path) {
		if i, err := os.Stat(name); err == nil {
			n += i.Size()
		}
	}
	return n, nil
}
