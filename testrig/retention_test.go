package testrig_test

import (
	"testing"
	"time"

	"parley/config"
	"parley/store"
	"parley/testrig"
)

// keep puts a message of a week ago in archives, by host and account.
func keep(t *testing.T, r *testrig.Rig, owners ...[2]string) {
	old := store.FirstID(time.Now().Add(-7 * 24 * time.Hour))
	for _, o := range owners {
		e := &store.ArchiveEntry{
			Host:     o[0],
			Owner:    o[1],
			ID:       old,
			With:     "nurse@c.example",
			Incoming: true,
			Stanza:   []byte("<message xmlns='jabber:client' from='nurse@c.example'><body>x</body></message>"),
		}
		if err := r.Node.Store.Commit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// kept counts the messages in an archive; with gone it waits until none is left.
func kept(t *testing.T, r *testrig.Rig, host, owner string, gone bool) int {
	for late := time.Now().Add(time.Minute); ; {
		es, _, _, err := r.Node.Store.ReadArchive(t.Context(), host, owner, store.Page{Max: 10})
		if err != nil {
			t.Fatal(err)
		}
		if !gone || len(es) == 0 {
			return len(es)
		}
		if time.Now().After(late) {
			t.Fatalf("the message of %s is still there", owner)
		}
	}
}

// Each host keeps its people's messages as long as it says, others as long as all.
func TestRetention(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		c.Archive.Retention = 30 * 24 * time.Hour
		c.Hosts[1].ArchiveRetention = 24 * time.Hour
	})
	r.Account("romeo", "juliet@second.example")
	keep(t, r, [2]string{testrig.Host, "romeo"}, [2]string{testrig.Second, "juliet"})
	r.Restart() // messages that are too old are removed at the start, then every hour
	kept(t, r, testrig.Second, "juliet", true)
	if n := kept(t, r, testrig.Host, "romeo", false); n != 1 {
		t.Errorf("the other host has %d", n)
	}
}

// A retention set for one account applies to it and to no other.
func TestRetentionOfAccounts(t *testing.T) {
	const day = 24 * time.Hour
	r := testrig.Start(t, func(c *config.Config) { c.Archive.Retention = 3 * day })
	r.Account("aaron", "juliet", "nurse", "romeo", "tybalt@second.example", "zed")
	for name, said := range map[string]store.Retention{
		"juliet": {Set: store.Forever},
		"nurse":  {Set: 30 * day, Own: day},
		"romeo":  {Own: 30 * day},
	} {
		if err := r.Node.Store.SetRetention(t.Context(), testrig.Host,
			name, func(r *store.Retention) { *r = said }); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"aaron", "juliet", "nurse", "romeo", "zed"} {
		keep(t, r, [2]string{testrig.Host, name})
	}
	r.Restart()
	for _, name := range []string{"aaron", "romeo", "zed"} { // accounts are processed in this order
		kept(t, r, testrig.Host, name, true)
	}
	for _, name := range []string{"juliet", "nurse"} {
		if n := kept(t, r, testrig.Host, name, false); n != 1 {
			t.Errorf("of %s %d are there", name, n)
		}
	}
}

// Messages that are too old are no longer in a room's archive, nor shown to people who enter.
func TestRoomRetention(t *testing.T) {
	const day = 24 * time.Hour
	r := testrig.Start(t, func(c *config.Config) { c.Rooms.Retention, c.Rooms.Create = 3*day, "anyone" })
	service := "groups." + testrig.Host
	room := store.Room{
		Host:    service,
		Name:    "r",
		Config:  []byte(`{"persistent":true,"public":true,"archive":true}`),
		Created: time.Now(),
	}
	ctx, st := t.Context(), r.Node.Store
	if err := st.CreateRoom(ctx, room, store.Affiliation{JID: "nurse@example.org", Affiliation: "owner"}); err != nil {
		t.Fatal(err)
	}
	taken, err := st.TakeRoom(ctx, service, "r")
	if err != nil {
		t.Fatal(err)
	}
	for i, age := range []time.Duration{7 * day, day} {
		e := &store.RoomEntry{
			Host:  service,
			Room:  "r",
			Epoch: taken.Epoch,
			Seq:   int64(i + 1),
			ID:    store.FirstID(time.Now().Add(-age)),
			Nick:  "Nurse",
			Stanza: []byte("<message xmlns='jabber:client' type='groupchat' from='r@" + service +
				"/Nurse'><body>x</body></message>"),
		}
		if err := st.Commit(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	r.Restart()
	for late := time.Now().Add(time.Minute); ; {
		es, _, _, err := r.Node.Store.ReadRoom(ctx, service, "r", store.Page{Max: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(es) == 1 {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("%d messages are there", len(es))
		}
	}
}
