package testrig_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/store"
	"parley/testrig"
	"parley/webchat"
)

// pins gives the texts of what is pinned.
func (c *chatter) pins(id string) string {
	c.t.Helper()
	var l webchat.Pins
	c.must("GET", in(id, "/pins"), nil, &l)
	var all []string
	for _, p := range l.Pins {
		by := ""
		if p.By != nil {
			by = p.By.Name + ": "
		}
		all = append(all, by+p.Message.Text)
	}
	return strings.Join(all, ", ")
}

// pinned waits until so many messages are pinned.
func (c *chatter) pinned(id string, want ...string) {
	c.t.Helper()
	c.want("pins", func(data string) bool {
		var e struct {
			Conversation string
			Pinned       []string
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			c.t.Fatal(err)
		}
		return e.Conversation == id && slices.Equal(e.Pinned, want)
	})
}

// A moderator pins messages of a group: everyone sees them, clients are told in words, and a removed one is pinned no
// more.
func TestPinsInGroup(t *testing.T) {
	r, _, g := verona(t, "juliet", "paris")
	addTo(t, r, g, "juliet")
	room := g.Room + "@groups." + testrig.Host
	romeo, juliet, paris := newChatter(t, r, "romeo"), newChatter(t, r, "juliet"), newChatter(t, r, "paris")
	c := signIn(t, r, "romeo")
	joinRoom(t, c, room, "Romeo")
	one, two := juliet.say(room, "read me"), juliet.say(room, "and me")
	pin := func(by *chatter, m webchat.Message) int {
		return by.do("PUT", in(room, "/messages/", m.ID, "/pin"), nil, nil)
	}
	if status := pin(juliet, one); status != http.StatusForbidden {
		t.Errorf("by a member: %d", status)
	}
	if status := pin(paris, one); status != http.StatusForbidden && status != http.StatusNotFound {
		t.Errorf("by a stranger: %d", status)
	}
	for range 2 {
		if status := pin(romeo, one); status != http.StatusNoContent {
			t.Fatalf("by a moderator: %d", status)
		}
	}
	juliet.pinned(room, one.ID)
	told := wantMessage(t, c, func(e *testrig.Element) bool { return strings.Contains(content(e, "body"), "pinned") })
	if text := content(told, "body"); !strings.HasPrefix(text, "/me pinned a message: “read me” http") ||
		!strings.HasSuffix(text, "/"+one.ID) {
		t.Errorf("clients read %q", text)
	}
	pin(romeo, two)
	juliet.pinned(room, two.ID, one.ID)
	if p := juliet.history(room); !slices.Equal(p.Pinned, []string{two.ID, one.ID}) {
		t.Errorf("history: %v", p.Pinned)
	}
	if l := juliet.pins(room); l != "romeo: and me, romeo: read me" {
		t.Errorf("pinned: %s", l)
	}
	if status := juliet.do("DELETE", in(room, "/messages/", one.ID, "/pin"), nil, nil); status != http.StatusForbidden {
		t.Errorf("unpinned by a member: %d", status)
	}
	juliet.must("DELETE", in(room, "/messages/", two.ID), nil, nil)
	romeo.pinned(room, one.ID)
	romeo.must("DELETE", in(room, "/messages/", one.ID, "/pin"), nil, nil)
	juliet.pinned(room)
	if l := juliet.pins(room); l != "" {
		t.Errorf("left: %s", l)
	}

	// The limit.
	for i := range 50 {
		p := store.Pin{Host: testrig.Host, ID: r.Node.IDs.Next(), Room: room, Message: store.ID(i + 1)}
		if err := r.Node.Store.AddPin(t.Context(), p, 50); err != nil {
			t.Fatal(err)
		}
	}
	if status := pin(romeo, juliet.say(room, "one more")); status != http.StatusForbidden {
		t.Errorf("past the limit: %d", status)
	}
}

// Both of two people pin and unpin what they have said to each other, each by the ids of their own archive.
func TestPinsOfTwo(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet")
	romeo, juliet := newChatter(t, r, "romeo"), newChatter(t, r, "juliet")
	atRomeo, atJuliet := "romeo@"+testrig.Host, "juliet@"+testrig.Host
	romeo.say(atJuliet, "wilt thou be gone?")
	got := juliet.fresh(atRomeo, "wilt thou be gone?")
	juliet.must("PUT", in(atRomeo, "/messages/", got.ID, "/pin"), nil, nil)
	mine := romeo.history(atJuliet).Messages[0]
	romeo.pinned(atJuliet, mine.ID)
	juliet.pinned(atRomeo, got.ID)
	romeo.message(atJuliet, func(m webchat.Message, fresh bool) bool {
		return fresh && m.Kind == "me" && m.Text == "pinned a message: “wilt thou be gone?”"
	})
	for _, l := range []string{romeo.pins(atJuliet), juliet.pins(atRomeo)} {
		if l != "juliet: wilt thou be gone?" {
			t.Errorf("pinned: %s", l)
		}
	}
	romeo.must("DELETE", in(atJuliet, "/messages/", mine.ID, "/pin"), nil, nil)
	juliet.pinned(atRomeo)
	juliet.must("PUT", in(atRomeo, "/messages/", got.ID, "/pin"), nil, nil)
	romeo.pinned(atJuliet, mine.ID)
	romeo.must("DELETE", in(atJuliet, "/messages/", mine.ID), nil, nil)
	juliet.pinned(atRomeo)
	if l := romeo.pins(atJuliet) + juliet.pins(atRomeo); l != "" {
		t.Errorf("left: %s", l)
	}
}
