package testrig_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"parley/testrig"
	"parley/webchat"
)

// readUpTo waits for the event that tells how far somebody has read.
func (c *chatter) readUpTo(id, message string, unread int) {
	c.t.Helper()
	c.want("read", func(data string) bool {
		var e struct {
			Conversation, Read string
			Unread             int
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			c.t.Fatal(err)
		}
		return e.Conversation == id && e.Read == message && e.Unread == unread
	})
}

// Messages that were read are marked as unread from one on, one's own among them, on every device; reading on and
// saying something end that.
func TestMarkUnread(t *testing.T) {
	r, _, g := verona(t, "juliet", "paris")
	addTo(t, r, g, "juliet")
	room, atJuliet := g.Room+"@groups."+testrig.Host, "juliet@"+testrig.Host
	romeo, other, juliet := newChatter(t, r, "romeo"), newChatter(t, r, "romeo"), newChatter(t, r, "juliet")
	c := signIn(t, r, "romeo")
	for where, to := range map[string]string{room: room, "romeo@" + testrig.Host: atJuliet} {
		one, two := juliet.say(where, "one"), juliet.say(where, "two")
		juliet.say(where, "three")
		var mine [3]webchat.Message
		for i := range mine {
			mine[i] = romeo.say(to, strings.Repeat("!", i+1))
		}
		page := romeo.history(to)
		at := len(page.Messages) - 6 // ids of the other's archive are others, between two people
		if page.Messages[at].Text != one.Text || page.Messages[at+1].Text != two.Text {
			t.Fatalf("%s: %+v", to, page.Messages)
		}
		first, second := page.Messages[at].ID, page.Messages[at+1].ID
		var left webchat.Unread
		romeo.must("PUT", in(to, "/messages/", second, "/unread"), nil, &left)
		if left.Unread != 5 || left.Read != first {
			t.Errorf("%s: %+v", to, left)
		}
		other.readUpTo(to, first, 5)
		if x, _ := romeo.conversation(to); *x.Unread != 5 || x.Read != first {
			t.Errorf("%s in the list: %d unread, read %s", to, *x.Unread, x.Read)
		}
		mark := do(t, c, "<iq type='get' id='mds'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
			"<items node='urn:xmpp:mds:displayed:0'><item id='"+to+"'/></items></pubsub></iq>", "mds")
		if id := mark.Find("stanza-id"); id == nil || id.Attr("id") != first {
			t.Errorf("%s: the mark is %s", to, mark)
		}

		// Reading on.
		romeo.must("PUT", in(to, "/read"), map[string]string{"message": mine[0].ID}, &left)
		if left.Unread != 2 {
			t.Errorf("%s, read on: %+v", to, left)
		}
		other.readUpTo(to, mine[0].ID, 2)
		romeo.say(to, "and more")
		if x, _ := romeo.conversation(to); *x.Unread != 0 {
			t.Errorf("%s, something said: %d", to, *x.Unread)
		}

		// From the first message on there is nothing that was read.
		oldest := romeo.history(to).Messages[0]
		romeo.must("PUT", in(to, "/messages/", oldest.ID, "/unread"), nil, &left)
		if left.Unread < 7 || left.Read >= oldest.ID {
			t.Errorf("%s, all: %+v", to, left)
		}
		romeo.must("PUT", in(to, "/read"), map[string]string{"message": romeo.history(to).Messages[6].ID}, &left)
	}
	paris := newChatter(t, r, "paris")
	m := juliet.say(room, "secret")
	if status := paris.do("PUT", in(room, "/messages/", m.ID, "/unread"), nil, nil); status != http.StatusForbidden &&
		status != http.StatusNotFound {
		t.Errorf("paris: %d", status)
	}
	if status := romeo.do("PUT", in(room, "/messages/0000000000001/unread"), nil, nil); status != http.StatusNotFound {
		t.Errorf("no message: %d", status)
	}
}
