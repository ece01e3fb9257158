package testrig_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/config"
	"parley/people"
	"parley/testrig"
)

// Fates of a column that can hold a local address, in any form, when the account is deleted.
const (
	cleared   = "cleared"           // this test writes it there, and it is gone afterwards
	tombstone = "tombstone"         // that there was an account of the name
	audited   = "audit"             // a record of acts: nobody may do anything by it
	archived  = "archive of others" // messages that others received or wrote
	never     = "never"             // it holds none: ids, choices, hashes, names of other things
)

// columns is every column of text or bytes of the schema: table | what: columns | …
const columns = `
users | cleared: name | never: keys full_name last_status
rosters | cleared: owner
contacts | cleared: owner jid request | never: name subscription member_of
archive | cleared: owner | archive of others: with_bare stanza | never: with_res origin_id refers
offline | cleared: owner | archive of others: stanza
private_data | cleared: owner | archive of others: data | never: space local
bookmarks | cleared: owner | archive of others: extensions name | never: room nick password
kv | cleared: k | archive of others: v
rooms | cleared: config | archive of others: subject | never: name group_id theme
affiliations | cleared: jid | never: room affiliation nick | archive of others: reason
room_archive | archive of others: sender stanza | never: room nick occupant_id origin_id refers
org_groups | never: id slug room name themes_by | archive of others: description | never: kind mandatory mention_by emoji photo_hash react_by
members | cleared: jid | never: group_id role
themes | cleared: creator | never: theme_key group_id slug room name source_room thread
theme_people | cleared: jid | never: theme_key role
nodes | cleared: owner | audit: creator | archive of others: config | never: name
node_items | cleared: owner publisher | archive of others: payload id | never: node
node_affiliations | cleared: owner jid | never: node affiliation
node_subscriptions | cleared: owner jid bare | never: node subid state
tokens | cleared: owner | never: client mechanism salt app
uploads | cleared: owner | never: id name content_type
blocked | cleared: owner jid
reports | cleared: owner | audit: who messages note | never: reason
search_terms | cleared: owner | never: term ids
search_marks | cleared: owner
room_readers | never: room readers title
node_options | cleared: owner jid | never: node options
node_redirects | cleared: owner | archive of others: uri | never: name
room_requests | cleared: jid | never: room nick
group_photos | never: group_id mime hash data
group_requests | cleared: jid | never: group_id reason
group_teams | never: group_id team_id role
member_grants | cleared: jid | never: group_id own
teams | never: id slug name emoji description mention_by
team_members | cleared: name | never: team_id
team_defaults | never: team_id group_id
follows | cleared: owner | never: theme_key state
displayed | cleared: owner | archive of others: chat
mentions | cleared: owner | never: room
webhooks | audit: creator | never: id direction name group_id theme token url secret events
deliveries | archive of others: body | never: hook room event state error
hook_keys | never: hook idem
shared | audit: creator | archive of others: body | never: team kind name
domain_rules | never: domain action note
people | cleared: owner | never: role email email_key phone title department lang shown_email shown_phone shown_title shown_department
invites | cleared: owner username | archive of others: note | never: id kind email lang state
invite_events | audit: actor detail | never: invite kind
web_sessions | cleared: owner | never: hash remote agent
push_subscriptions | cleared: owner | never: session endpoint p256dh auth
audit_log | audit: actor target detail remote | never: action door
versions | never: kind id
outbox | archive of others: subject plain html | never: recipient invite state error
second_factors | cleared: owner | never: secret recovery
app_passwords | cleared: owner | never: id name keys
api_tokens | cleared: owner | never: hash name scopes
node_usage | cleared: owner
node_shares | cleared: creator
upload_retractions | never: id
hook_begun | never: hook idem
group_jobs | never: group_id
digests | cleared: owner | never: every
settings | audit: changed_by | never: name value
former_accounts | tombstone: name
journal | never: id
id_marks | never: node
cluster_nodes | never: id address scope place version
cluster_leases | never: id
cluster_members | never: id
cluster_changes | never: id
cluster_votes | never: suspect reporter
archive_heads | cleared: owner
room_owners | never: room node
chats | cleared: owner | archive of others: chat
chat_marks | cleared: owner
places | cleared: owner | never: network
quiet_hours | cleared: owner | never: zone
profile_fields | never: field name name_fr kind choices seen_by
person_fields | cleared: owner | never: field value
tasks | cleared: one two maker assignee done_by | never: room message | archive of others: what link
saved_messages | cleared: owner | archive of others: chat
pins | cleared: one two maker | never: room
sidebars | cleared: owner | archive of others: body
drafts | cleared: owner chat | archive of others: body
scheduled | cleared: owner chat | archive of others: body more failed
links | never: link name name_fr url icon roles teams
message_actions | never: id name name_fr icon url secret roles teams only_in tells
`

// form is how a column names the account where it does not hold the whole address, and the other values that make the
// row a possible one.
var forms = map[string]string{
	"kv.k":                         "mam/prefs/zed",
	"rooms.config":                 `{"persistent":true,"hats":[{"uri":"urn:a","title":"A"}],"worn":{"zed@example.org":["urn:a"]}}`,
	"contacts.request":             "<presence from='zed@example.org' type='subscribe'/>",
	"node_subscriptions.jid":       "zed@example.org/phone",
	"node_options.jid":             "zed@example.org/phone",
	"contacts.request with":        "jid=zed@example.org",
	"node_subscriptions.jid with":  "bare=zed@example.org",
	"node_subscriptions.bare with": "jid=zed@example.org",
	"drafts.chat":                  "zed@example.org",
	"scheduled.chat":               "zed@example.org",
	"tasks.one":                    "zed@example.org",
	"tasks.two":                    "zed@example.org",
	"tasks.maker":                  "zed@example.org",
	"tasks.assignee":               "zed@example.org",
	"tasks.done_by":                "zed@example.org",
	"pins.one":                     "zed@example.org",
	"pins.two":                     "zed@example.org",
	"pins.maker":                   "zed@example.org",
}

// TestDepartedFromSchema: when an account is deleted, no table keeps anything that names it, except the columns listed
// here with their reason.
func TestDepartedFromSchema(t *testing.T) {
	var file string
	r := testrig.Start(t, func(c *config.Config) { file = filepath.Join(c.DataDir, "parley.db") })
	r.Account("!!queen", "zed", "juliet")
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rules := make(map[string]map[string]string)
	for line := range strings.Lines(strings.TrimSpace(columns)) {
		parts := strings.Split(strings.TrimSpace(line), " | ")
		rules[parts[0]] = make(map[string]string)
		for _, p := range parts[1:] {
			rule, names, _ := strings.Cut(p, ": ")
			for _, name := range strings.Fields(names) {
				rules[parts[0]][name] = rule
			}
		}
	}
	type cell struct{ table, column string }
	var written []cell
	for table, cols := range schema(t, db) {
		for _, c := range cols {
			switch rule := rules[table][c.name]; {
			case c.name == "host" || c.number:
			case rule == cleared:
				write(t, db, table, c.name, cols)
				written = append(written, cell{table, c.name})
			case !slices.Contains([]string{tombstone, audited, archived, never}, rule):
				t.Errorf("%s.%s: what becomes of an address in it when the account is deleted has to be said here (%q)",
					table, c.name, rule)
			}
			delete(rules[table], c.name)
		}
		for name := range rules[table] {
			t.Errorf("%s has no column %s", table, name)
		}
		delete(rules, table)
	}
	for table := range rules {
		t.Errorf("there is no table %s", table)
	}
	count := func(c cell) (n int) {
		q := fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE CAST(%s AS TEXT) LIKE '%%zed%%'", c.table, c.column)
		if c.table == "contacts" {
			q += " AND removed = 0" // a removed contact stays, so that clients learn that it is gone
		}
		if err := db.QueryRow(q).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range written {
		if count(c) == 0 {
			t.Fatalf("%s.%s: nothing was written", c.table, c.column)
		}
	}
	if err := r.Node.People(testrig.Host).Delete(context.Background(), people.System, "zed"); err != nil {
		t.Fatal(err)
	}
	for _, c := range written {
		if n := count(c); n > 0 {
			t.Errorf("%s.%s: %d rows name the account that was deleted", c.table, c.column, n)
		}
	}
	if n := count(cell{"former_accounts", "name"}); n != 1 {
		t.Errorf("there are %d tombstones", n)
	}
}

type column struct {
	name   string
	number bool
	key    bool
}

// schema gives the columns of each table.
func schema(t *testing.T, db *sql.DB) map[string][]column {
	t.Helper()
	rows, err := db.Query("SELECT m.name, c.name, c.type, c.pk > 0 FROM sqlite_schema m JOIN " +
		"pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> " +
		"'schema_versions' ORDER BY m.name, c.cid")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := make(map[string][]column)
	for rows.Next() {
		var table, typ string
		var c column
		if err := rows.Scan(&table, &c.name, &typ, &c.key); err != nil {
			t.Fatal(err)
		}
		switch typ {
		case "INT8", "INTEGER":
			c.number = true
		case "TEXT", "BYTEA", "BLOB":
		default:
			t.Fatalf("%s.%s is of type %s: say here whether it can hold an address", table, c.name, typ)
		}
		out[table] = append(out[table], c)
	}
	if err := rows.Err(); err != nil || len(out) < 50 {
		t.Fatalf("the schema has %d tables: %v", len(out), err)
	}
	return out
}

// write puts the account into one column of a table.
func write(t *testing.T, db *sql.DB, table, name string, cols []column) {
	t.Helper()
	value, ok := forms[table+"."+name]
	if !ok {
		value = "zed"
		if slices.Contains([]string{"jid", "bare", "creator", "publisher"}, name) {
			value = "zed@example.org"
		}
	}
	with, also, _ := strings.Cut(forms[table+"."+name+" with"], "=")
	var names, marks []string
	var args []any
	for i, c := range cols {
		v := any("")
		switch {
		case c.name == name:
			v = value
		case c.name == with:
			v = also
		case c.name == "host":
			v = testrig.Host
			if table == "rooms" {
				v = "groups.example.org"
			}
		// Rows of one table have keys of their own.
		case c.number && c.key && (table == "tasks" || table == "scheduled"):
			v = slices.IndexFunc(cols, func(c column) bool { return c.name == name })
		case c.number:
			v = 0
		case c.key:
			v = "k" + fmt.Sprint(len(name)) // rows of one table have keys of their own
		case c.name == "config" || c.name == "extensions" || c.name == "subject" || c.name == "keys":
			v = nil
		}
		if c.name == "email_key" || c.name == "slug" {
			v = "" // unique where it is not empty
		}
		if table == "app_passwords" && c.name == "keys" {
			v = []byte{}
		}
		names, marks, args = append(names, c.name), append(marks, fmt.Sprintf("$%d", i+1)), append(args, v)
	}
	q := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT DO NOTHING",
		table, strings.Join(names, ", "), strings.Join(marks, ", "))
	if _, err := db.Exec(q, args...); err != nil {
		t.Fatalf("%s.%s: %v", table, name, err)
	}
}
