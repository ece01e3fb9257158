package sqlstore

import (
	"bufio"
	"context"
	"database/sql"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/pressly/goose/v3"
)

// PretendNewer marks the schema as made by a later version of the program.
func (s *Store) PretendNewer(ctx context.Context) error {
	_, err := s.exec(ctx, "INSERT INTO schema_versions (version) VALUES (99999)")
	return err
}

// AddStep has the schema go on with one more step until the test ends.
func AddStep(t testing.TB, version int64, do func(ctx context.Context, db *sql.DB) error) {
	was := steps
	steps = append(slices.Clone(steps), step{version, do})
	t.Cleanup(func() { steps = was })
}

// AddColumn is a step that adds a column.
func AddColumn(table, column, kind string) func(ctx context.Context, db *sql.DB) error {
	return addColumn(table, column, kind)
}

// Shares says whether other processes can reach the database.
func (s *Store) Shares() bool { return s.pg }

// Database is what the store writes to.
func (s *Store) Database() *sql.DB { return s.w }

// MigrateBefore makes the schema from before the baseline, by the migrations of that time up to one of them.
func (s *Store) MigrateBefore(ctx context.Context, upTo int64) error {
	p, err := goose.NewProvider("", s.w, os.DirFS("testdata/before"), goose.WithStore(versions{}))
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, upTo)
	return err
}

// Folded gives the tables that stood beside others, with the table that stays and the columns by their names before.
func Folded() map[string]FoldedTable {
	all := make(map[string]FoldedTable)
	for _, b := range foldedTables {
		f := FoldedTable{Stays: b.stays, Columns: make(map[string]string)}
		for _, c := range b.columns {
			f.Columns[c.from] = c.to
		}
		all[b.table] = f
	}
	return all
}

// FoldedTable says where the columns of a table have gone.
type FoldedTable struct {
	Stays   string
	Columns map[string]string
}

// FoldFirst does the first part of what an interrupted takeOver has done.
func FoldFirst(ctx context.Context, db *sql.DB) error { return foldedTables[0].fold(ctx, db) }

// IndexedTerms says how many messages the index has under a word, in all archives.
func (s *Store) IndexedTerms(ctx context.Context, term string) (n int, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var b []byte
		if err := r.Scan(&b); err != nil {
			return err
		}
		ids, err := unpackIDs(nil, b)
		n += len(ids)
		return err
	}, "SELECT ids FROM search_terms WHERE term = $1", []byte(term))
	return n, err
}

// Analyze has the database look at its tables, as it does by itself sooner or later.
func (s *Store) Analyze(ctx context.Context) error {
	_, err := s.exec(ctx, "ANALYZE")
	return err
}

// Child runs one test of this package in a process of its own, with more in its environment, and reads what that says.
func Child(t *testing.T, test string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+test+"$")
	c.Env = append(os.Environ(), env...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewScanner(out)
}
