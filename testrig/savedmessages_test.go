package testrig_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/acts"
	"parley/store"
	"parley/testrig"
	"parley/webchat"
)

// saved gives what somebody has saved, in short.
func (c *chatter) saved() string {
	c.t.Helper()
	var l webchat.SavedList
	c.must("GET", "/saved-messages", nil, &l)
	var all []string
	for _, m := range l.Saved {
		switch {
		case m.Message == nil:
			all = append(all, m.Lost)
		case m.Message.Removed != nil:
			all = append(all, "removed")
		default:
			all = append(all, m.Where+": "+m.Message.Text)
		}
	}
	return strings.Join(all, ", ")
}

// Messages are saved for oneself alone, listed as they are now, and lost with the right to read them.
func TestSavedMessages(t *testing.T) {
	r, _, g := verona(t, "juliet", "paris")
	addTo(t, r, g, "juliet")
	room, atRomeo := g.Room+"@groups."+testrig.Host, "romeo@"+testrig.Host
	romeo, juliet, second := newChatter(t, r, "romeo"), newChatter(t, r, "juliet"), newChatter(t, r, "juliet")
	paris := newChatter(t, r, "paris")
	one, two, three := romeo.say(room, "one"), romeo.say(room, "two"), juliet.say(atRomeo, "three")
	save := func(where, message string) {
		t.Helper()
		juliet.must("PUT", in(where, "/messages/", message, "/saved"), nil, nil)
	}
	save(room, one.ID)
	save(room, two.ID)
	save(room, one.ID)
	save(atRomeo, three.ID)
	second.want("saved", func(data string) bool {
		return strings.Contains(data, three.ID) && strings.Contains(data, `"saved":true`)
	})
	where := g.Name + ": "
	if l := juliet.saved(); l != "romeo: three, "+where+"two, "+where+"one" {
		t.Errorf("saved: %s", l)
	}
	var marks webchat.SavedMarks
	juliet.must("GET", "/saved-messages/marks", nil, &marks)
	if len(marks.Saved) != 3 || marks.Saved[2] != (webchat.SavedMark{Conversation: room, ID: one.ID}) {
		t.Errorf("marks: %v", marks)
	}
	if l := romeo.saved(); l != "" {
		t.Errorf("romeo has saved %s", l)
	}
	for what, at := range map[string]string{
		"who may not read": in(room, "/messages/", one.ID, "/saved"),
		"no message":       in(atRomeo, "/messages/0000000000001/saved"),
	} {
		if status := paris.do("PUT", at, nil, nil); status != http.StatusNotFound && status != http.StatusForbidden {
			t.Errorf("%s: %d", what, status)
		}
	}

	// As they are now.
	romeo.must("PUT", in(room, "/messages/", one.ID), map[string]string{"text": "one and a half"}, nil)
	romeo.must("DELETE", in(room, "/messages/", two.ID), nil, nil)
	if l := juliet.saved(); l != "romeo: three, removed, "+where+"one and a half" {
		t.Errorf("changed: %s", l)
	}
	m := []store.Member{{JID: "juliet@" + testrig.Host}}
	if err := r.Node.Org.SetMembers(t.Context(), acts.Operator, testrig.Host, g.ID, m); err != nil {
		t.Fatal(err)
	}
	if l := juliet.saved(); l != "romeo: three, right, right" {
		t.Errorf("after leaving: %s", l)
	}
	juliet.must("DELETE", in(room, "/messages/", two.ID, "/saved"), nil, nil)
	second.want("saved", func(data string) bool { return strings.Contains(data, `"saved":false`) })
	if l := juliet.saved(); l != "romeo: three, right" {
		t.Errorf("taken out: %s", l)
	}

	// The limit.
	for i := range 498 {
		x := store.SavedMessage{Host: testrig.Host, Owner: "juliet", ID: r.Node.IDs.Next(), Chat: room,
			Message: store.ID(i + 1)}
		if err := r.Node.Store.SaveMessage(t.Context(), x, 500); err != nil {
			t.Fatal(err)
		}
	}
	if status := juliet.do("PUT", in(atRomeo, "/messages/", juliet.say(atRomeo, "more").ID, "/saved"), nil,
		nil); status != http.StatusForbidden {
		t.Errorf("past the limit: %d", status)
	}
	if !strings.Contains(strings.Join(juliet.lostSince(), " "), "right") {
		t.Error("the parts of a long list differ")
	}
}

// lostSince walks the whole list of what somebody has saved, and gives what is lost.
func (c *chatter) lostSince() (lost []string) {
	c.t.Helper()
	for before := ""; ; {
		var l webchat.SavedList
		c.must("GET", "/saved-messages?before="+before, nil, &l)
		for _, m := range l.Saved {
			lost = append(lost, m.Lost)
		}
		if before = l.More; before == "" {
			return lost
		}
	}
}
