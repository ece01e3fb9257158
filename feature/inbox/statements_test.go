package inbox_test

import (
	"context"
	"fmt"
	"testing"

	"parley/acts"
	"parley/feature/inbox"
	"parley/muc/muctest"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// world is an account with conversations.
type world struct {
	*muctest.Rig
	org *org.Org
	ids store.IDs
}

func (w *world) ok(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// group makes a group in which nurse says n things, the last of which mentions juliet. It gives the room's address.
func (w *world) group(name string, n int) string {
	w.T.Helper()
	ctx := context.Background()
	juliet, nurse := jid.MustParse("juliet@"+muctest.Domain), jid.MustParse("nurse@"+muctest.Domain)
	g, err := w.org.CreateGroup(ctx, acts.System, muctest.Domain,
		org.NewGroup{Name: name, Kind: org.Private, Owner: nurse, Members: []jid.JID{juliet}})
	w.ok(err)
	room := w.org.RoomJID(muctest.Domain, g.Room)
	r, err := w.Store.TakeRoom(ctx, room.Domain(), room.Local())
	w.ok(err)
	for i := range n {
		id := w.ids.Next()
		w.ok(w.Store.Commit(ctx, &store.RoomEntry{
			Host:   room.Domain(),
			Room:   room.Local(),
			Epoch:  r.Epoch,
			Seq:    int64(i + 1),
			ID:     id,
			Sender: nurse.String(),
			Stanza: fmt.Appendf(nil, "<message xmlns='jabber:client'><body>%d</body></message>", i),
		}))
		if i == n-1 {
			w.ok(w.Store.AddMentions(ctx, muctest.Domain, room.String(), id, "juliet"))
		}
	}
	return room.String()
}

// chat has somebody and juliet write to each other: "r" is a message that she gets, "s" one that she sends, "m" a
// marker that she sends.
func (w *world) chat(with, script string) {
	w.T.Helper()
	for _, c := range script {
		payload := "<body>" + string(c) + "</body>"
		if c == 'm' {
			payload = "<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>"
		}
		w.ok(w.Store.Commit(context.Background(), &store.ArchiveEntry{
			Host:     muctest.Domain,
			Owner:    "juliet",
			ID:       w.ids.Next(),
			With:     with,
			Incoming: c == 'r',
			Stanza:   []byte("<message xmlns='jabber:client'>" + payload + "</message>"),
		}))
	}
}

// TestStatements checks that the list of conversations costs the same with many conversations as with few.
func TestStatements(t *testing.T) {
	w := &world{}
	var box *inbox.Inbox
	w.Rig = muctest.New(t, func(x *muctest.Rig) (func(context.Context), error) {
		w.org = org.New(x.Store, org.Config{})
		box = inbox.New(x.Host, x.Store, w.org, inbox.Config{})
		return func(context.Context) {}, nil
	})
	w.User("juliet", "nurse")
	list := func() (all map[string]inbox.Conversation, cost int64) {
		t.Helper()
		_, err := box.Conversations(context.Background(), "juliet") // what groups are like is in memory then
		w.ok(err)
		before := w.Store.Asked()
		cs, err := box.Conversations(context.Background(), "juliet")
		w.ok(err)
		all = make(map[string]inbox.Conversation)
		for _, c := range cs {
			all[c.With.String()] = c
		}
		return all, w.Store.Asked() - before
	}
	var rooms []string
	for i := range 3 {
		rooms = append(rooms, w.group(fmt.Sprint("g", i), i+1))
		w.chat(fmt.Sprintf("p%d@example.net", i), "srr")
	}
	w.chat("long@example.net", "srrrrrrrrm") // of which the newest few entries do not tell all
	all, few := list()
	if len(all) != 7 {
		t.Fatalf("%d conversations", len(all))
	}
	for i := 3; i < 60; i++ {
		rooms = append(rooms, w.group(fmt.Sprint("g", i), i%5))
		w.chat(fmt.Sprintf("p%d@example.net", i), "srmr"[:1+i%4])
	}
	all, many := list()
	if few != many || many > 12 {
		t.Errorf("%d statements with few conversations, %d with many", few, many)
	}
	for with, want := range map[string]struct {
		unread int
		last   string
	}{
		rooms[2]:           {3, "2"},
		rooms[9]:           {4, "3"},
		"p0@example.net":   {2, "r"},
		"p4@example.net":   {0, "s"},
		"p6@example.net":   {1, "r"},
		"p7@example.net":   {2, "r"},
		"long@example.net": {8, "r"},
	} {
		c := all[with]
		_, kept := c.Latest()
		last := "<message xmlns='jabber:client'><body>" + want.last + "</body></message>"
		if c.Unread != want.unread || string(kept) != last {
			t.Errorf("%s: %d unread, last %s; want %+v", with, c.Unread, kept, want)
		}
	}
	if _, ok := all[rooms[5]]; ok {
		t.Error("a room where nothing was said is listed")
	}
	news, err := w.org.News(context.Background(), muctest.Domain, jid.MustParse("juliet@"+muctest.Domain), true)
	w.ok(err)
	for _, n := range news {
		if n.Mentions != 1 {
			t.Errorf("%s mentions her %d times", n.Room, n.Mentions)
		}
	}
}
