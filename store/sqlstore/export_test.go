package sqlstore

import "context"

// PretendNewer marks the schema as one that a later version of the program has made.
func (s *Store) PretendNewer(ctx context.Context) error {
	_, err := s.exec(ctx, "INSERT INTO schema_versions (version) VALUES (99999)")
	return err
}
