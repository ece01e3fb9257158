package sqlstore_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/store"
)

// Messages from before the column refers are found by what they refer to once the step has run, also where it was
// interrupted, and more than one page of them.
func TestRefersOfBefore(t *testing.T) {
	onEmpty(t, func(t *testing.T, dsn string) {
		st := raw(t, dsn)
		if err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		db := st.Database()
		for _, q := range []string{
			"DROP INDEX archive_refers", "DROP INDEX room_archive_refers",
			"DELETE FROM schema_versions WHERE version = 1004",
			"ALTER TABLE archive DROP COLUMN refers",
		} {
			if _, err := db.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		fillBefore(t, st.Database(), dsn)
		if err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		kept := open(t, dsn)
		for _, c := range []store.Conversation{{Host: "h", Owner: "romeo", With: "j@x"}, {Host: "h", Room: "romeo"}} {
			es, err := kept.Referring(t.Context(), c, []string{"said", "it's"}, 9)
			if err != nil || len(es) != 3 || es[0].ID != 7 || es[1].Refers != "it's" || es[2].ID != 1500 {
				t.Errorf("%+v: got %+v, %v", c, es, err)
			}
		}
	})
}

// fillBefore writes 2200 messages of which three refer to others.
func fillBefore(t *testing.T, db *sql.DB, dsn string) {
	t.Helper()
	bytes := "BYTEA"
	if strings.HasPrefix(dsn, "sqlite:") {
		bytes = "BLOB"
	}
	special := map[int]string{
		7:    "<reactions xmlns='urn:xmpp:reactions:0' id='said'><reaction>!</reaction></reactions>",
		1100: "<body>new</body><replace xmlns='urn:xmpp:message-correct:0' id='it&apos;s'/>",
		1500: "<replace xmlns='urn:xmpp:message-correct:0' id='said'/>",
		1501: "<body>urn:xmpp:reactions:0</body>",
		1502: "<replace xmlns='urn:xmpp:message-correct:0' id='" + strings.Repeat("x", 300) + "'/>",
		1503: "<broken xmlns='urn:xmpp:message-correct:0' id='said'>",
	}
	var numbers []string
	for n := 1; n <= 2200; n++ {
		if special[n] == "" {
			numbers = append(numbers, fmt.Sprintf("(%d, 'x')", n))
			continue
		}
		numbers = append(numbers, fmt.Sprintf("(%d, '%s')", n,
			strings.ReplaceAll("<message xmlns='jabber:client'>"+special[n]+"</message>", "'", "''")))
	}
	for some := range slices.Chunk(numbers, 300) {
		values := "WITH n (id, stanza) AS (VALUES " + strings.Join(some, ",") + ") "
		for _, q := range []string{
			"INSERT INTO archive (host, owner, id, with_bare, with_res, incoming, origin_id, stanza) " + values +
				"SELECT 'h', 'romeo', id, 'j@x', '', 0, '', " +
				"CAST(stanza AS " + bytes + ") FROM n",
			"INSERT INTO room_archive (host, room, seq, id, nick, occupant_id, sender, origin_id, subject, stanza) " +
				values + "SELECT 'h', 'romeo', id, id, '', '', '', '', 0, CAST(stanza AS " + bytes + ") FROM n",
		} {
			if _, err := db.Exec(q); err != nil {
				t.Fatalf("%.100s: %v", q, err)
			}
		}
	}
}
