// Package durable tests what a client is told of its stanzas while the database stands still: PostgreSQL with a locked
// table, which looks to a server like a hanging database.
package durable

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/testrig"
	"parley/testrig/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	address = "room@groups." + testrig.Host
	enable  = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
	request = "<r xmlns='urn:xmpp:sm:3'/>"
	query   = "<iq type='set' id='%s' to='" + address + "'><query xmlns='urn:xmpp:mam:2'>" +
		"<set xmlns='http://jabber.org/protocol/rsm'><max>50</max><before/></set></query></iq>"
)

type bench struct {
	*testing.T
	rig *testrig.Rig
	db  *sql.DB
}

func start(t *testing.T) *bench {
	t.Helper()
	dsn := pgtest.DSN(t)
	r := testrig.Start(t, func(c *config.Config) { c.Store.DSN = dsn })
	r.Account("alice", "bob", "carol")
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &bench{t, r, db}
}

// lock makes every write to the rooms' archive wait until the function is called.
func (b *bench) lock() (unlock func()) {
	b.Helper()
	tx, err := b.db.BeginTx(context.Background(), nil)
	if err == nil {
		_, err = tx.Exec("LOCK TABLE room_archive IN ROW EXCLUSIVE MODE")
	}
	if err == nil {
		_, err = tx.Exec("LOCK TABLE room_archive IN SHARE MODE") // readers go on
	}
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			b.Fatal(err)
		}
	}
}

type client struct {
	*testrig.Client
	b *bench
}

func (b *bench) signIn(name string) client {
	b.Helper()
	c, err := b.rig.Connect("tcp", testrig.Host)
	if err == nil {
		err = c.SignIn(name, testrig.Password)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return client{c, b}
}

func (b *bench) session(name string) client {
	b.Helper()
	c := b.signIn(name)
	if err := c.Bind("x"); err != nil {
		b.Fatal(err)
	}
	return c
}

func (c client) say(xml string) {
	c.b.Helper()
	if err := c.Write(xml); err != nil {
		c.b.Fatal(err)
	}
}

// until reads on to an element that has all of these in it, and gives it with what came before.
func (c client) until(parts ...string) (it *testrig.Element, before []*testrig.Element) {
	c.b.Helper()
next:
	for {
		e, err := c.Next()
		if err != nil {
			c.b.Fatalf("waiting for %q: %v", parts, err)
		}
		s := strings.ReplaceAll(e.String(), `"`, "'")
		for _, p := range parts {
			if !strings.Contains(s, p) {
				before = append(before, e)
				continue next
			}
		}
		return e, before
	}
}

// acknowledged asks how many stanzas are handled.
func (c client) acknowledged() int {
	c.b.Helper()
	c.say(request)
	e, _ := c.until("<a ", "urn:xmpp:sm:3")
	return c.number(e.Attr("h"))
}

// handled waits until so many stanzas are counted: an answer may be on its way before its question is.
func (c client) handled(n int) {
	c.b.Helper()
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		h := c.acknowledged()
		if h == n {
			return
		}
		if h > n || time.Now().After(late) {
			c.b.Fatalf("%d are acknowledged of %d", h, n)
		}
	}
}

func (c client) number(s string) int {
	c.b.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		c.b.Fatal(err)
	}
	return n
}

func (c client) enter() {
	c.b.Helper()
	c.say("<presence to='" + address + "/" + c.Address[:3] +
		"'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")
}

// open makes the client create the room as a persistent one.
func (c client) open() {
	c.b.Helper()
	c.enter()
	c.until("201")
	c.say("<iq type='set' id='instant' to='" + address +
		"'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
		"<field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query></iq>")
	c.until("id='instant'", "type='result'")
}

func groupchat(id string) string {
	return fmt.Sprintf("<message type='groupchat' id='%s' to='%s'><body>%s</body></message>", id, address, id)
}

// archived counts how often a message is in the room's archive.
func (c client) archived(ids ...string) map[string]int {
	c.b.Helper()
	c.say(fmt.Sprintf(query, "count"))
	_, before := c.until("<iq ", "id='count'", "type='result'")
	n := make(map[string]int)
	for _, e := range before {
		if r := e.Find("result"); r != nil {
			n[r.Find("body").Text]++
		}
	}
	for _, id := range ids {
		if n[id] != 1 {
			c.b.Errorf("%s is in the archive %d times", id, n[id])
		}
	}
	return n
}

// A message to a room counts as handled when it is committed (XEP-0198, section 4), and later messages do not before
// it.
func TestRoomMessageIsAcknowledgedWithItsCommit(t *testing.T) {
	b := start(t)
	a := b.session("alice")
	a.open()
	a.say(enable)
	a.until("<enabled ")
	a.say("<iq type='get' id='p0'><ping xmlns='urn:xmpp:ping'/></iq>")
	a.until("id='p0'")
	a.handled(1)
	unlock := b.lock()
	for _, id := range []string{"one", "two", "three"} { // a client does not wait for each
		a.say(groupchat(id))
	}
	a.say("<iq type='get' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>")
	a.until("id='p1'") // the stream goes on
	if h := a.acknowledged(); h != 1 {
		t.Errorf("%d are acknowledged while the message of a room is nowhere", h)
	}
	unlock()
	a.until("id='three'")
	a.say("<iq type='get' id='p2' to='" + address + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	a.until("id='p2'")
	a.handled(6)
	a.archived("one", "two", "three")
}

// A client that comes back waits for its stanzas under way and need not send them again; if it does, they are
// recognised.
func TestResumptionWaitsForWhatIsUnderWay(t *testing.T) {
	for name, late := range map[string]bool{"done in time": false, "done later": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			a := b.session("alice")
			a.open()
			a.say(enable)
			e, _ := a.until("<enabled ")
			previd := e.Attr("id")
			unlock := b.lock()
			a.say(groupchat("one") + groupchat("two") + "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
			a.until("id='p'") // all was read
			a.Close()

			a = b.signIn("alice")
			a.say("<resume xmlns='urn:xmpp:sm:3' h='0' previd='" + previd + "'/>")
			if !late {
				unlock()
			}
			e, _ = a.until("<resumed ")
			h := a.number(e.Attr("h"))
			if want := map[bool]int{false: 3, true: 0}[late]; h != want {
				t.Fatalf("resumed with %d, not %d", h, want)
			}
			if late {
				a.say(groupchat("one") + groupchat("two") +
					"<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>" + groupchat("three"))
				unlock()
			} else {
				a.say(groupchat("three"))
			}
			a.until("id='three'")
			a.handled(4)
			a.archived("one", "two", "three")
		})
	}
}

// The answer to a client's request to a room includes the effects of its earlier stanzas there (RFC 6120, section
// 10.1).
func TestRoomAnswersInOrder(t *testing.T) {
	b := start(t)
	a, c := b.session("alice"), b.session("carol")
	a.open()
	unlock := b.lock()
	a.say(groupchat("between") + "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
	a.until("id='p'") // the room has the message
	c.enter()
	c.say(fmt.Sprintf(query, "mam"))
	c.say("<iq type='get' id='info' to='" + address + "'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
	unlock()
	_, before := c.until("<iq ", "id='mam'", "type='result'")
	joined, seen := false, false
	for _, e := range before {
		s := e.String()
		joined = joined || strings.Contains(s, "110")
		seen = seen || strings.Contains(s, "between")
	}
	if !joined {
		t.Error("the archive was read before its reader was in the room")
	}
	if !seen {
		t.Error("a message is neither in the archive's answer nor was it shown before")
	}
	info, _ := c.until("id='info'")
	if s := strings.ReplaceAll(info.String(), `"`, "'"); !strings.Contains(s, "var='muc#roominfo_occupants'") ||
		!strings.Contains(s, "<value>2</value>") {
		t.Errorf("the room does not know yet who is in it: %s", s)
	}
}
