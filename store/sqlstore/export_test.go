package sqlstore

import "context"

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
