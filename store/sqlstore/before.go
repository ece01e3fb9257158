package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Before the baseline the schema was made of 119 migrations that only ever added tables: later attributes of groups,
// people, themes and others stood in tables of their own beside them. takeOver converts such a database, once.

// Of the schema before the baseline.
const (
	lastBefore   = 484 // its last migration
	countBefore  = 119
	firstVersion = 1000 // of the baseline
)

// besides is a table whose rows have become columns of another one. Rows belong together by on, in which t is the table
// that stays and b the side table.
type besides struct {
	table, stays, on string
	columns          []folded
}

type folded struct {
	from, to, kind string
}

const (
	textColumn = "TEXT NOT NULL DEFAULT ''"
	intColumn  = "INT8 NOT NULL DEFAULT 0"
)

var foldedTables = []besides{
	{"group_settings", "org_groups", "b.host = t.host AND b.group_id = t.id", []folded{
		{"kind", "kind", textColumn},
		{"mandatory", "mandatory", textColumn},
		{"mention_by", "mention_by", textColumn},
		{"guests", "guests", intColumn},
		{"emoji", "emoji", textColumn},
		{"photo_hash", "photo_hash", textColumn},
	}},
	{"group_history", "org_groups", "b.host = t.host AND b.group_id = t.id", []folded{
		{"since_join", "since_join", intColumn},
	}},
	{"person_shown", "people", "b.host = t.host AND b.owner = t.owner", []folded{
		{"email", "shown_email", textColumn},
		{"phone", "shown_phone", textColumn},
		{"title", "shown_title", textColumn},
		{"department", "shown_department", textColumn},
	}},
	{"theme_details", "themes", "b.host = t.host AND b.theme_key = t.theme_key", []folded{
		{"archived", "archived", intColumn},
		{"source_room", "source_room", textColumn},
		{"source_id", "source_id", intColumn},
		{"thread", "thread", textColumn},
	}},
	{"affiliation_since", "affiliations", "b.host = t.host AND b.room = t.room AND b.jid = t.jid", []folded{
		{"since", "since", intColumn},
	}},
	{"node_upkeep", "nodes", "b.host = t.host AND b.owner = t.owner AND b.node = t.name", []folded{
		{"expire", "expire", intColumn},
		{"purge_offline", "purge_offline", intColumn},
	}},
	{"token_apps", "tokens", "b.host = t.host AND b.owner = t.owner AND b.client = t.client", []folded{
		{"app", "app", textColumn},
	}},
	{"retentions", "users", "b.host = t.host AND b.owner = t.name", []folded{
		{"said", "retention_set", intColumn},
		{"own", "retention_own", intColumn},
	}},
}

// emptied are tables that nothing has written to for long: the audit log before it had doors, and invitations before
// they were links.
var emptied = []string{
	"DROP TABLE IF EXISTS audit",
	"DROP TABLE IF EXISTS invitations",
	"DROP INDEX IF EXISTS rooms_group", // rooms_of_group, which needs no host
}

// takeOver moves the side tables of a database from before the baseline into columns. It does nothing with a new
// database, and may be interrupted and repeated.
func takeOver(ctx context.Context, db *sql.DB) error {
	var before, newest int64
	err := db.QueryRowContext(ctx,
		"SELECT COUNT(*), COALESCE(MAX(version), 0) FROM schema_versions WHERE version BETWEEN 1 AND 999").
		Scan(&before, &newest)
	if err != nil || before == 0 {
		return err
	}
	if newest != lastBefore || before != countBefore {
		return tooOld(newest)
	}
	for _, b := range foldedTables {
		if err := b.fold(ctx, db); err != nil {
			return fmt.Errorf("take over %s: %w", b.table, err)
		}
	}
	for _, s := range emptied {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	_, err = db.ExecContext(ctx, "DELETE FROM schema_versions WHERE version BETWEEN 1 AND 999")
	return err
}

// tooOld gives the error for a database from before the baseline that is not taken over, and says what to do.
func tooOld(schema int64) error {
	return fmt.Errorf("the database has schema version %d, from before the baseline, and this program takes "+
		"over %d only: start the last version of parley from before the baseline once, which brings it there",
		schema, lastBefore)
}

func (b besides) fold(ctx context.Context, db *sql.DB) error {
	for _, c := range b.columns {
		if err := addColumn(b.stays, c.to, c.kind)(ctx, db); err != nil {
			return err
		}
	}
	if has(ctx, db, b.columns[0].from, b.table) != nil { // another run has done it before
		return nil
	}
	var set []string
	for _, c := range b.columns {
		set = append(set, fmt.Sprintf("%s = (SELECT b.%s FROM %s b WHERE %s)", c.to, c.from, b.table, b.where()))
	}
	q := "UPDATE " + b.stays + " SET " + strings.Join(set, ", ") + " WHERE EXISTS (SELECT 1 FROM " + b.table +
		" b WHERE " + b.where() + ")"
	if _, err := db.ExecContext(ctx, q); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, "DROP TABLE IF EXISTS "+b.table)
	return err
}

// where is on as an UPDATE of the table has it, which not every engine gives a short name.
func (b besides) where() string { return strings.ReplaceAll(b.on, "t.", b.stays+".") }
