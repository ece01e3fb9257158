package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/store/sqlstore"
	"parley/testrig/pgtest"
)

// onEmpty runs f on an empty database of each engine.
func onEmpty(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, "sqlite:"+filepath.Join(t.TempDir(), "db")) })
	t.Run("postgres", func(t *testing.T) { f(t, pgtest.DSN(t)) })
	t.Run("cockroach", func(t *testing.T) { f(t, pgtest.CockroachDSN(t)) })
}

// raw opens a database as it is.
func raw(t *testing.T, dsn string) *sqlstore.Store {
	t.Helper()
	st, err := sqlstore.Open(t.Context(), dsn, sqlstore.Options{Inspect: true})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// column is a column of a table.
type column struct{ name, kind, null string }

// schemaOf gives the columns of each table, in order, and the names of all indexes.
func schemaOf(t *testing.T, db *sql.DB, sqlite bool) (tables map[string][]column, indexes []string) {
	t.Helper()
	q := `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
		WHERE table_schema = 'public' AND column_name <> 'rowid' ORDER BY table_name, ordinal_position`
	qi := "SELECT tablename || ' ' || indexname FROM pg_indexes WHERE schemaname = 'public'"
	if sqlite {
		q = `SELECT m.name, c.name, c.type, CASE WHEN c."notnull" = 1 THEN 'NO' ELSE 'YES' END
			FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name <> 'journal' ORDER BY m.name, c.cid`
		qi = "SELECT tbl_name || ' ' || name FROM sqlite_master WHERE type = 'index'"
	}
	tables = make(map[string][]column)
	rows, err := db.Query(q)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		var c column
		if err := rows.Scan(&table, &c.name, &c.kind, &c.null); err != nil {
			t.Fatal(err)
		}
		tables[table] = append(tables[table], c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	names, err := db.Query(qi)
	if err != nil {
		t.Fatal(err)
	}
	defer names.Close()
	for names.Next() {
		var name string
		if err := names.Scan(&name); err != nil {
			t.Fatal(err)
		}
		indexes = append(indexes, name)
	}
	slices.Sort(indexes)
	return tables, indexes
}

// row is a row by the names of its columns, with everything as text.
type row map[string]string

func rowsOf(t *testing.T, db *sql.DB, table string) (all []row) {
	t.Helper()
	rs, err := db.Query("SELECT * FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rs.Close()
	names, err := rs.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rs.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		if err := rs.Scan(values...); err != nil {
			t.Fatal(err)
		}
		r := make(row)
		for i, name := range names {
			switch v := (*values[i].(*any)).(type) {
			case []byte:
				r[name] = string(v)
			default:
				r[name] = fmt.Sprint(v)
			}
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b row) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return all
}

// keys are columns that tables belong together by, and that a table has no two equal of.
var keys = []string{
	"host", "owner", "id", "group_id", "theme_key", "room", "jid", "node", "name", "client",
	"slug", "fresh", "seq", "hash", "domain", "theme", "k", "version", "email_key", "term", "network", "kind", "team",
	"team_id", "chat", "space", "local",
}

// fill puts rows with different values into every table; tables beside others get one row less.
func fill(t *testing.T, db *sql.DB, tables map[string][]column) {
	t.Helper()
	for table, columns := range tables {
		if table == "schema_versions" {
			continue
		}
		many := 4
		if _, beside := sqlstore.Folded()[table]; beside {
			many = 3
		}
		for n := 1; n <= many; n++ {
			var names, places []string
			var values []any
			for i, c := range columns {
				names = append(names, c.name)
				places = append(places, fmt.Sprintf("$%d", i+1))
				number := strings.Contains(strings.ToUpper(c.kind), "INT")
				binary := strings.Contains(strings.ToUpper(c.kind), "BYTEA") ||
					strings.Contains(strings.ToUpper(c.kind), "BYTES")
				isKey := slices.Contains(keys, c.name)
				switch {
				case number && isKey:
					values = append(values, n)
				case number:
					values = append(values, 1000*n+i)
				case binary:
					values = append(values, fmt.Appendf(nil, "%s.%s.%d", table, c.name, n))
				case isKey:
					values = append(values, fmt.Sprintf("k%d", n))
				default:
					values = append(values, fmt.Sprintf("%s.%s.%d", table, c.name, n))
				}
			}
			q := "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES (" +
				strings.Join(places, ", ") + ")"
			if _, err := db.Exec(q, values...); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
		}
	}
}

// A database from before the baseline is taken over with all its contents, also if the conversion was interrupted, and
// is then like a new one.
func TestTakeOver(t *testing.T) {
	onEmpty(t, func(t *testing.T, dsn string) {
		for _, interrupted := range []bool{false, true} {
			t.Run(fmt.Sprintf("interrupted %v", interrupted), func(t *testing.T) {
				if interrupted {
					dsn = another(t, dsn)
				}
				takeOver(t, dsn, interrupted)
			})
		}
	})
}

// another returns an empty database of the same engine.
func another(t *testing.T, dsn string) string {
	switch {
	case strings.HasPrefix(dsn, "sqlite:"):
		return "sqlite:" + filepath.Join(t.TempDir(), "db")
	case strings.Contains(t.Name(), "cockroach"):
		return pgtest.CockroachDSN(t)
	}
	return pgtest.DSN(t)
}

func takeOver(t *testing.T, dsn string, interrupted bool) {
	sqlite := strings.HasPrefix(dsn, "sqlite:")
	st := raw(t, dsn)
	if err := st.MigrateBefore(t.Context(), 484); err != nil {
		t.Fatal(err)
	}
	db := st.Database()
	tables, _ := schemaOf(t, db, sqlite)
	fill(t, db, tables)
	before := make(map[string][]row)
	for table := range tables {
		before[table] = rowsOf(t, db, table)
	}
	if interrupted {
		if err := sqlstore.FoldFirst(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time there is nothing to do
		if err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st = raw(t, dsn)
	db = st.Database()
	now, indexes := schemaOf(t, db, sqlite)
	fresh := raw(t, another(t, dsn))
	if err := fresh.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, wantIndexes := schemaOf(t, fresh.Database(), sqlite)
	for table := range maps.Keys(want) {
		if !reflect.DeepEqual(now[table], want[table]) {
			t.Errorf("%s: taken over %v, made today %v", table, now[table], want[table])
		}
	}
	for table := range now {
		if want[table] == nil {
			t.Errorf("%s is left", table)
		}
	}
	if !slices.Equal(indexes, wantIndexes) {
		t.Errorf("indexes: taken over %v, made today %v", indexes, wantIndexes)
	}
	for table := range want {
		if table != "schema_versions" {
			compare(t, table, before, rowsOf(t, db, table))
		}
	}
	for _, s := range []*sqlstore.Store{st, fresh} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	usable, err := sqlstore.Open(t.Context(), dsn, sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := usable.Close(); err != nil {
		t.Error(err)
	}
}

// compare looks in the converted tables for every value of before.
func compare(t *testing.T, table string, before map[string][]row, now []row) {
	t.Helper()
	if len(now) != len(before[table]) {
		t.Errorf("%s: %d rows, and before %d", table, len(now), len(before[table]))
		return
	}
	for _, was := range before[table] {
		i := slices.IndexFunc(now, func(is row) bool {
			for name, v := range was {
				if is[name] != v {
					return false
				}
			}
			return true
		})
		if i < 0 {
			t.Errorf("%s: there is no %v any more", table, was)
			continue
		}
		for side, f := range sqlstore.Folded() {
			if f.Stays == table {
				compareSide(t, side, f, before[side], was, now[i])
			}
		}
	}
}

func compareSide(t *testing.T, side string, f sqlstore.FoldedTable, before []row, was, is row) {
	t.Helper()
	n := was["host"] // the host tells the rows apart: here each row has another
	i := slices.IndexFunc(before, func(b row) bool { return b["host"] == n })
	for from, to := range f.Columns {
		want := ""
		switch {
		case i >= 0:
			want = before[i][from]
		case is[to] == "0":
			want = "0"
		}
		if is[to] != want {
			t.Errorf("%s of %s: %s is %q, and was %q", side, n, to, is[to], want)
		}
	}
}

// A database that was not brought to the end of the schema before the baseline is left alone.
func TestTakeOverTooOld(t *testing.T) {
	onEmpty(t, func(t *testing.T, dsn string) {
		st := raw(t, dsn)
		defer st.Close()
		if err := st.MigrateBefore(t.Context(), 460); err != nil {
			t.Fatal(err)
		}
		err := st.Migrate(t.Context())
		if err == nil || !strings.Contains(err.Error(), "schema version 460") ||
			!strings.Contains(err.Error(), "the last version of parley") {
			t.Errorf("got %v", err)
		}
		if _, err := st.Database().Exec("SELECT kind FROM group_settings"); err != nil {
			t.Errorf("it was touched: %v", err)
		}
	})
}

// A backup of a database from before the baseline is good where a start takes it over, and else refused by name.
func TestCopyFromBefore(t *testing.T) {
	for schema, good := range map[int64]bool{484: true, 460: false} {
		path := filepath.Join(t.TempDir(), "db")
		st := raw(t, "sqlite:"+path)
		if err := st.MigrateBefore(t.Context(), schema); err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := sqlstore.CheckCopy(t.Context(), path)
		if got != schema || (err == nil) != good ||
			err != nil && !strings.Contains(err.Error(), "from before the baseline") {
			t.Errorf("schema %d: got %d, %v", schema, got, err)
		}
	}
}

// A step adds a column to the rows there are, once, also from two nodes at once.
func TestAddColumn(t *testing.T) {
	onEmpty(t, func(t *testing.T, dsn string) {
		st := raw(t, dsn)
		if err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Database().Exec("INSERT INTO kv (host, k, v) VALUES ('h', 'k', 'v')"); err != nil {
			t.Fatal(err)
		}
		sqlstore.AddStep(t, 1999, sqlstore.AddColumn("kv", "colour", "TEXT NOT NULL DEFAULT 'red'"))
		other := raw(t, dsn)
		var wg sync.WaitGroup
		for _, s := range []*sqlstore.Store{st, other} {
			wg.Go(func() {
				if err := s.Migrate(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var colour string
		if err := st.Database().QueryRow("SELECT colour FROM kv WHERE host = 'h'").
			Scan(&colour); err != nil || colour != "red" {
			t.Errorf("got %q, %v", colour, err)
		}
		if current, newest, err := st.MigrationStatus(t.Context()); err != nil || current != 1999 || newest != 1999 {
			t.Errorf("version %d of %d, %v", current, newest, err)
		}
		for _, s := range []*sqlstore.Store{st, other} {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
