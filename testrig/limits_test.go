package testrig_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"parley/config"
	"parley/testrig"
)

// limit tries one limit of what is stored for an account: set stores the i-th thing, n of them are accepted, and the
// next is refused with an error of this type and condition.
type limit struct {
	name, tables string
	n            int
	set          func(i int) string // an iq's payload
	typ, to      string             // type and address of the iq; "": set, the account
	errType      string
	condition    string
}

const nsStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"

func command(node string) string {
	return "<command xmlns='http://jabber.org/protocol/commands' action='execute' node='" + node + "'/>"
}

// repeated is n elements, each with its number.
func repeated(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func limitsOfAnAccount() []limit {
	publish := func(node string, item func(i int) string) func(int) string {
		return func(i int) string {
			return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='" + node + "'>" +
				item(i) + "</publish></pubsub>"
		}
	}
	return []limit{
		{
			name:      "contacts",
			tables:    "contacts",
			n:         2,
			errType:   "wait",
			condition: "resource-constraint",
			set: func(i int) string {
				return fmt.Sprintf("<query xmlns='jabber:iq:roster'><item jid='x%d@c.example'/></query>", i)
			},
		},
		{
			name:      "private elements",
			tables:    "private_data",
			n:         2,
			errType:   "wait",
			condition: "resource-constraint",
			set: func(i int) string {
				return fmt.Sprintf("<query xmlns='jabber:iq:private'><e xmlns='x%d'/></query>", i)
			},
		},
		{
			name:      "a private element's size",
			tables:    "private_data",
			n:         1,
			errType:   "modify",
			condition: "not-acceptable",
			set: func(i int) string {
				return "<query xmlns='jabber:iq:private'><e xmlns='x0'>" + strings.Repeat("x", i*1024) + "</e></query>"
			},
		},
		{
			name:      "bookmarks",
			tables:    "bookmarks",
			n:         2,
			errType:   "wait",
			condition: "resource-constraint",
			set: publish("urn:xmpp:bookmarks:1", func(i int) string {
				return fmt.Sprintf("<item id='r%d@c.example'><conference xmlns='urn:xmpp:bookmarks:1'/></item>", i)
			}),
		},
		{
			name:      "nodes",
			tables:    "nodes",
			n:         2,
			errType:   "wait",
			condition: "resource-constraint",
			set: func(i int) string {
				return publish(fmt.Sprint("n", i), func(int) string { return "<item id='1'><a xmlns='a'/></item>" })(i)
			},
		},
		{
			name:      "items' bytes",
			tables:    "node_items node_usage",
			n:         2,
			errType:   "wait",
			condition: "resource-constraint",
			set: func(i int) string {
				return publish(fmt.Sprint("n", i%2), func(int) string {
					return "<item id='1'><a xmlns='a'>" + strings.Repeat("x", 200+800*i) + "</a></item>"
				})(i)
			},
		},
		{
			name:      "blocked addresses",
			tables:    "blocked",
			n:         2,
			errType:   "wait",
			condition: "resource-constraint",
			set: func(i int) string {
				return "<block xmlns='urn:xmpp:blocking'>" +
					repeated(500, "<item jid='x"+fmt.Sprint(i)+"-%d@c.example'/>") + "</block>"
			},
		},
		{
			name:      "rules of the archive",
			tables:    "kv",
			n:         1,
			errType:   "wait",
			condition: "resource-constraint",
			set: func(i int) string {
				return "<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never>" +
					repeated(500+i, "<jid>x%d@c.example</jid>") + "</never></prefs>"
			},
		},
		{
			name:      "apps that are woken",
			tables:    "kv",
			n:         20,
			errType:   "wait",
			condition: "resource-constraint",
			set: func(i int) string {
				return fmt.Sprintf("<enable xmlns='urn:xmpp:push:0' jid='push.c.example' node='%d'/>", i)
			},
		},
		{
			name:      "invitations",
			tables:    "invites invite_events",
			n:         100,
			to:        testrig.Host,
			errType:   "wait",
			condition: "resource-constraint",
			set: func(int) string {
				return command("urn:xmpp:invite#invite")
			},
		},
		{
			name:      "bytes of files",
			tables:    "uploads",
			n:         2,
			typ:       "get",
			to:        "upload." + testrig.Host,
			errType:   "wait",
			condition: "resource-constraint",
			set: func(i int) string {
				return fmt.Sprintf("<request xmlns='urn:xmpp:http:upload:0' filename='%d.txt' size='1024'/>", i)
			},
		},
	}
}

// bounded is what bounds the other tables with an owner, and which test says so.
var bounded = map[string]string{
	"archive": "time: TestRetentionOfAccounts",
	"offline": "feature/offline/testdata: offline.xmpp, bytes.xmpp",
	"rosters": "one row: the roster's version; contacts that are gone count as contacts do: " +
		"storetest RosterVersions",
	"node_affiliations":  "storetest Limits",
	"node_subscriptions": "storetest Limits, pubsub/testdata/limits.xmpp",
	"node_options":       "one for each subscription",
	"node_redirects":     "as many as nodes: storetest Nodes",
	"reports":            "storetest Reports; who is reported is blocked all the same",
	"tokens":             "the oldest give way: storetest Tokens",
	"web_sessions":       "the oldest give way: storetest WebSessions",
	"push_subscriptions": "one for each of web_sessions: storetest PushSubscriptions",
	"app_passwords":      "storetest Factors",
	"api_tokens":         "storetest APITokens",
	"second_factors":     "one row",
	"people":             "one row",
	"person_fields":      "one for each profile field, of which there are 50: TestProfileFieldsAreDefined",
	"displayed":          "storetest Displayed",
	"mentions":           "time; storetest Mentions",
	"follows":            "one for each theme",
	"chats":              "conversations of the archive: storetest ManyChats",
	"archive_heads":      "one row",
	"chat_marks":         "one row",
	"search_terms":       "words of the archive",
	"search_marks":       "one row",
	"digests":            "one row",
	"quiet_hours":        "one row",
	"saved_messages":     "TestSavedMessages",
	"places":             "those used last: storetest Places",
	"sidebars":           "one row",
	"drafts":             "100 for each person: TestDrafts",
	"scheduled":          "100 for each person: TestScheduled",
}

// Everything that is stored for an account has a limit, and an error when it is reached.
func TestLimitsOfAnAccount(t *testing.T) {
	dir := ""
	r := testrig.Start(t, func(c *config.Config) {
		c.Accounts.MaxContacts, c.Accounts.MaxBookmarks, c.Accounts.PrivateElements, c.Accounts.PrivateElementSize = 2,
			2, 2, 1024
		c.PubSub.Nodes, c.PubSub.ItemSize, c.PubSub.Bytes = 2, 2048, 2048
		c.Upload.Quota = 2048
		dir = c.DataDir
	})
	covered := maps.Clone(bounded)
	for i, l := range limitsOfAnAccount() {
		for _, table := range strings.Fields(l.tables) {
			covered[table] = l.name
		}
		t.Run(l.name, func(t *testing.T) {
			who := fmt.Sprint("person", i)
			r.Account(who)
			var b strings.Builder
			fmt.Fprintf(&b, "%s signs in\n", who)
			to, typ := "", cmp.Or(l.typ, "set")
			if l.to != "" {
				to = " to='" + l.to + "'"
			}
			for n := range l.n + 1 {
				fmt.Fprintf(&b, "%s sends: <iq type='%s' id='%d'%s>%s</iq>\n", who, typ, n, to, l.set(n))
				if n < l.n {
					fmt.Fprintf(&b, "%s gets: <iq type='result' id='%d'/>\n", who, n)
				} else {
					fmt.Fprintf(&b, "%s gets: <iq type='error' id='%d'><error type='%s'><%s xmlns='%s'/>"+
						"</error></iq>\n", who, n, l.errType, l.condition, nsStanzas)
				}
			}
			r.Run(t, b.String())
		})
	}
	for _, table := range owned(t, dir) {
		if covered[table] == "" {
			t.Errorf("nothing says what bounds the table %s", table)
		}
	}
}

// owned gives the tables whose rows have an owner.
func owned(t *testing.T, dir string) (names []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("databases in %s: %v, %v", dir, files, err)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c "+
		"WHERE m.type = 'table' AND c.name = 'owner'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || !slices.Contains(names, "contacts") {
		t.Fatal(err, names)
	}
	return names
}
