package durable

import (
	"context"
	"testing"
	"time"

	"parley/testrig"
)

// Messages that waited for somebody come before those sent while they are delivered (RFC 6120, section 10.1).
func TestNothingOvertakesWhatWaited(t *testing.T) {
	b := start(t)
	a, c := b.session("alice"), b.session("bob")
	chat := func(id string) {
		a.say("<message type='chat' id='" + id + "' to='bob@" + testrig.Host + "'><body>" + id + "</body></message>")
	}
	chat("first")
	a.say("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
	a.until("id='p'") // the message waits
	tx, err := b.db.BeginTx(context.Background(), nil)
	if err == nil {
		_, err = tx.Exec("LOCK TABLE offline IN ACCESS EXCLUSIVE MODE")
	}
	if err != nil {
		t.Fatal(err)
	}
	c.say("<presence/>")
	b.wait("SELECT COUNT(*) FROM pg_locks WHERE NOT granted", 1) // bob's client is available for messages
	chat("second")
	b.wait("SELECT COUNT(*) FROM archive WHERE owner = 'bob'", 2) // the message is on its way
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	_, before := c.until("<message ", "id='second'")
	for _, e := range before {
		if e.Attr("id") == "first" {
			return
		}
	}
	t.Error("the later message came first")
}

// wait asks the database until the count is reached.
func (b *bench) wait(query string, want int) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var n int
		if err := b.db.QueryRow(query).Scan(&n); err != nil {
			b.Fatal(err)
		}
		if n >= want {
			return
		}
	}
	b.Fatalf("there are never %d: %s", want, query)
}
