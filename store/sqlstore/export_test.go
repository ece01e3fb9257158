package sqlstore

import (
	"context"
	"database/sql"
)

// PretendNewer marks the schema as one that a later version of the program has made.
func (s *Store) PretendNewer(ctx context.Context) error {
	_, err := s.exec(ctx, "INSERT INTO schema_versions (version) VALUES (99999)")
	return err
}

// PretendUnmigrated takes away what a migration in the middle has made.
func (s *Store) PretendUnmigrated(ctx context.Context) error {
	if _, err := s.exec(ctx, "DROP TABLE kv"); err != nil {
		return err
	}
	_, err := s.exec(ctx, "DELETE FROM schema_versions WHERE version = 9")
	return err
}

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
