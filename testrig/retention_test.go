package testrig_test

import (
	"testing"
	"time"

	"parley/config"
	"parley/store"
	"parley/testrig"
)

// Each host keeps its people's messages as long as it says, others as long as all.
func TestRetention(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		c.Archive.Retention = 30 * 24 * time.Hour
		c.Hosts[1].ArchiveRetention = 24 * time.Hour
	})
	r.Account("romeo", "juliet@second.example")
	old := store.FirstID(time.Now().Add(-7 * 24 * time.Hour))
	for host, owner := range map[string]string{testrig.Host: "romeo", testrig.Second: "juliet"} {
		e := &store.ArchiveEntry{Host: host, Owner: owner, ID: old, With: "nurse@c.example", Incoming: true, Stanza: []byte("<message xmlns='jabber:client' from='nurse@c.example'><body>x</body></message>")}
		if err := r.Node.Store.Commit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	r.Restart() // what is too old goes at the start, then every hour
	count := func(host, owner string) int {
		es, _, _, err := r.Node.Store.ReadArchive(t.Context(), host, owner, store.Page{Max: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(es)
	}
	for late := time.Now().Add(15 * time.Second); count(testrig.Second, "juliet") > 0; {
		if time.Now().After(late) {
			t.Fatal("it is still there")
		}
	}
	if n := count(testrig.Host, "romeo"); n != 1 {
		t.Errorf("the other host has %d", n)
	}
}
