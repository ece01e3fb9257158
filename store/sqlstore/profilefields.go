package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"

	"parley/store"
)

// profileFields are the tables of profile fields and of their values.
const profileFields = `
CREATE TABLE IF NOT EXISTS profile_fields (
    host TEXT NOT NULL, field TEXT NOT NULL, name TEXT NOT NULL, name_fr TEXT NOT NULL, kind TEXT NOT NULL,
    choices TEXT NOT NULL, seen_by TEXT NOT NULL, by_admins INT8 NOT NULL, searched INT8 NOT NULL, listed INT8 NOT NULL,
    place INT8 NOT NULL,
    PRIMARY KEY (host, field));
CREATE TABLE IF NOT EXISTS person_fields (
    host TEXT NOT NULL, owner TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (host, owner, field));
CREATE INDEX IF NOT EXISTS person_fields_field ON person_fields (host, field);
`

// ProfileFields gives all fields of a host in their order.
func (s *Store) ProfileFields(ctx context.Context, host string) (fs []store.ProfileField, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var f store.ProfileField
		var choices string
		err := r.Scan(&f.Key, &f.Name, &f.NameFR, &f.Kind, &choices, &f.SeenBy, &f.ByAdmins,
			&f.Searched, &f.Listed, &f.Place)
		if err == nil && choices != "" {
			err = json.Unmarshal([]byte(choices), &f.Choices)
		}
		fs = append(fs, f)
		return err
	}, `SELECT field, name, name_fr, kind, choices, seen_by, by_admins, searched, listed, place
		FROM profile_fields WHERE host = $1 ORDER BY place, field`, host)
	return fs, err
}

// SetProfileField defines a field, or changes the field with that key.
func (s *Store) SetProfileField(ctx context.Context, host string, f store.ProfileField) error {
	choices := ""
	if len(f.Choices) > 0 {
		b, err := json.Marshal(f.Choices)
		if err != nil {
			return err
		}
		choices = string(b)
	}
	_, err := s.exec(ctx, `INSERT INTO profile_fields
			(host, field, name, name_fr, kind, choices, seen_by, by_admins, searched, listed, place)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (host, field) DO UPDATE SET name = excluded.name, name_fr = excluded.name_fr, kind = excluded.kind,
			choices = excluded.choices, seen_by = excluded.seen_by, by_admins = excluded.by_admins,
			searched = excluded.searched, listed = excluded.listed, place = excluded.place`,
		host, f.Key, f.Name, f.NameFR, f.Kind, choices, f.SeenBy, bit(f.ByAdmins),
		bit(f.Searched), bit(f.Listed), f.Place)
	return err
}

// DeleteProfileField removes a field with its values.
func (s *Store) DeleteProfileField(ctx context.Context, host, key string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM profile_fields WHERE host = $1 AND field = $2", host, key)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM person_fields WHERE host = $1 AND field = $2", host, key)
		return err
	})
}

// fieldValues gives in SQL the profile fields that u has, as a list in JSON of pairs of key and value: see readFields.
// It is no object, as CockroachDB 21 makes a join of it, and would have nothing for a key where there is no row.
func (s *Store) fieldValues() string {
	pairs := "json_group_array(json_array(f.field, f.value))"
	if s.pg {
		pairs = "CAST(json_agg(json_build_array(f.field, f.value)) AS TEXT)"
	}
	return "(SELECT " + pairs + " FROM person_fields f WHERE f.host = u.host AND f.owner = u.name)"
}

// fieldMatches is SQL that says whether one of u's profile fields matches the pattern in place of ?. It looks only at
// fields that the search includes and, with open, only at those that everybody of the organization sees.
func (s *Store) fieldMatches(open bool) string {
	seen := ""
	if open {
		seen = " AND d.seen_by = ''"
	}
	return `EXISTS (SELECT 1 FROM person_fields f JOIN profile_fields d ON d.host = f.host AND d.field = f.field
		WHERE f.host = u.host AND f.owner = u.name AND d.searched <> 0` + seen + " AND " + s.fold() +
		`(f.value) LIKE ? ESCAPE '\')`
}

// writeFields stores the changed values of a person's profile fields.
func writeFields(ctx context.Context, tx *sql.Tx, was map[string]string, p store.Person) error {
	for field := range was {
		if p.Fields[field] != "" {
			continue
		}
		_, err := tx.ExecContext(ctx,
			"DELETE FROM person_fields WHERE host = $1 AND owner = $2 AND field = $3", p.Host, p.Name, field)
		if err != nil {
			return err
		}
	}
	for field, value := range p.Fields {
		if value == "" || value == was[field] {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO person_fields (host, owner, field, value) VALUES ($1, $2, $3, $4)
			ON CONFLICT (host, owner, field) DO UPDATE SET value = excluded.value`, p.Host, p.Name, field, value)
		if err != nil {
			return err
		}
	}
	return nil
}

// readFields reads the text that fieldValues selects; nil if there is none.
func readFields(text sql.NullString) (values map[string]string, err error) {
	if !text.Valid || text.String == "[]" {
		return nil, nil
	}
	var pairs [][2]string
	err = json.Unmarshal([]byte(text.String), &pairs)
	values = make(map[string]string, len(pairs))
	for _, p := range pairs {
		values[p[0]] = p[1]
	}
	return present(values), err
}

// present gives the values that are not empty; nil if none is.
func present(values map[string]string) map[string]string {
	kept := maps.Clone(values)
	maps.DeleteFunc(kept, func(_, v string) bool { return v == "" })
	if len(kept) == 0 {
		return nil
	}
	return kept
}
