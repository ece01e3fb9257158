// Package sqlitetest gives tests databases that are migrated already. A hundred migrations take
// longer than most tests do.
package sqlitetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"parley/store/sqlstore"
)

var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "parley-sqlite")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "db")
	st, err := sqlstore.Open(context.Background(), "sqlite:"+path, sqlstore.Options{Migrate: true})
	if err != nil {
		return nil, err
	}
	if err := st.Close(); err != nil { // SQLite's log is merged into the file
		return nil, err
	}
	return os.ReadFile(path)
})

// Put writes an empty database of today's schema to a path where no file is.
func Put(t testing.TB, path string) {
	t.Helper()
	b, err := migrated()
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
