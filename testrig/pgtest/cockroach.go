package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"
)

// CockroachDSN gives a fresh database of the CockroachDB that the environment names, dropped when the test ends; the
// test is skipped if it names none.
func CockroachDSN(t testing.TB) string {
	t.Helper()
	d := cockroach(t)
	t.Cleanup(func() {
		if err := d.drop(); err != nil {
			t.Error(err)
		}
	})
	return d.dsn
}

// CockroachCopy gives a database like CockroachDSN, but as make has left one: it is called once, and every test after
// that gets the same database with all rows deleted, as changes of the schema are slow there. One test has it at a
// time. All callers in a process make the same, and have Main.
func CockroachCopy(t testing.TB, make func(dsn string) error) string {
	t.Helper()
	roachTurn.Lock()
	t.Cleanup(roachTurn.Unlock)
	if roach.db == nil {
		roach = cockroach(t)
		if err := make(roach.dsn); err != nil {
			t.Fatal(err)
		}
		return roach.dsn
	}
	if err := roach.empty(); err != nil {
		t.Fatal(err)
	}
	return roach.dsn
}

var (
	roach     roachDatabase // of CockroachCopy
	roachTurn sync.Mutex
)

// roachDatabase is a database of the CockroachDB that the environment names.
type roachDatabase struct {
	name, dsn string
	db        *sql.DB
}

func cockroach(t testing.TB) (d roachDatabase) {
	t.Helper()
	base := os.Getenv(Cockroach)
	if base == "" {
		t.Skipf("%s names no CockroachDB", Cockroach)
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	d.name = fmt.Sprintf("parley_test_%d_%d", os.Getpid(), time.Now().UnixNano())
	u.Path = "/" + d.name
	d.dsn = u.String()
	if d.db, err = sql.Open("pgx", d.dsn); err != nil {
		t.Fatal(err)
	}
	if _, err := d.db.ExecContext(context.Background(), "CREATE DATABASE "+d.name); err != nil {
		t.Fatal(err)
	}
	return d
}

// empty deletes every row but those that say which schema it is.
func (d *roachDatabase) empty() error {
	rows, err := d.db.Query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND " +
		"table_name <> 'schema_versions'")
	if err != nil {
		return err
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range tables {
		if _, err := d.db.Exec("DELETE FROM " + name); err != nil {
			return err
		}
	}
	return nil
}

func (d *roachDatabase) drop() error {
	if d.db == nil {
		return nil
	}
	_, err := d.db.Exec("DROP DATABASE " + d.name + " CASCADE")
	return errors.Join(err, d.db.Close())
}
