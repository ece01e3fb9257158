package testrig_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/acts"
	"parley/store"
	"parley/testrig"
	"parley/webchat"
)

// seen gives who has seen a message.
func (c *chatter) seen(id, message, query string) string {
	c.t.Helper()
	var s webchat.Seen
	if status := c.do("GET", in(id, "/messages/", message, "/seen", query), nil, &s); status >= 400 {
		return http.StatusText(status)
	}
	var all []string
	for _, a := range s.People {
		all = append(all, a.Name)
	}
	return fmt.Sprint(s.Count, " ", strings.Join(all, " "), " ", s.More)
}

// Who has seen a message is told to its author, by how far people have read and what they have said since.
func TestSeenBy(t *testing.T) {
	r, _, g := verona(t, "juliet", "nurse", "tybalt", "paris")
	for _, name := range []string{"juliet", "nurse", "tybalt"} {
		addTo(t, r, g, name)
	}
	room := g.Room + "@groups." + testrig.Host
	romeo, juliet := newChatter(t, r, "romeo"), newChatter(t, r, "juliet")
	nurse, paris := newChatter(t, r, "nurse"), newChatter(t, r, "paris")
	m := romeo.say(room, "Hear me")
	if s := romeo.seen(room, m.ID, ""); s != "0  false" {
		t.Errorf("at first: %s", s)
	}
	juliet.must("PUT", in(room, "/read"), map[string]string{"message": m.ID}, nil)
	c := signIn(t, r, "tybalt") // its client tells of no marks, but says something
	joinRoom(t, c, room, "Tybalt")
	saysIn(t, c, room, "no", "<body>No</body>")
	romeo.fresh(room, "No")
	if s := romeo.seen(room, m.ID, ""); s != "2 juliet tybalt false" {
		t.Errorf("seen: %s", s)
	}
	if s := romeo.seen(room, m.ID, "?limit=1") + "; " + romeo.seen(room, m.ID, "?limit=1&offset=1"); s !=
		"2 juliet true; 2 tybalt false" {
		t.Errorf("in parts: %s", s)
	}
	for name, who := range map[string]*chatter{"juliet": juliet, "nurse": nurse, "paris": paris} {
		if s := who.seen(room, m.ID, ""); s != "Forbidden" && s != "Not Found" {
			t.Errorf("%s is told %s", name, s)
		}
	}
	one := []store.Member{{JID: "juliet@" + testrig.Host}}
	if err := r.Node.Org.SetMembers(t.Context(), acts.Operator, testrig.Host, g.ID, one); err != nil {
		t.Fatal(err)
	}
	if s := romeo.seen(room, m.ID, ""); s != "1 tybalt false" {
		t.Errorf("who has left: %s", s)
	}

	// Of many people only the number is told.
	var many []store.Member
	for i := range 100 {
		many = append(many, store.Member{JID: fmt.Sprintf("guard%d@%s", i, testrig.Host), Role: store.RoleMember})
	}
	for _, m := range many {
		u := store.User{Host: testrig.Host, Name: strings.TrimSuffix(m.JID, "@"+testrig.Host)}
		if err := r.Node.Store.CreateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Node.Org.SetMembers(t.Context(), acts.Operator, testrig.Host, g.ID, many); err != nil {
		t.Fatal(err)
	}
	if s := romeo.seen(room, m.ID, ""); s != "1  false" {
		t.Errorf("of many: %s", s)
	}

	// An organization need not want it.
	off := "false"
	if _, err := r.Node.Settings().Change(t.Context(), testrig.Host, "",
		map[string]*string{"chat.seen": &off}); err != nil {
		t.Fatal(err)
	}
	if s := romeo.seen(room, m.ID, ""); s != "Forbidden" {
		t.Errorf("switched off: %s", s)
	}

	// Between two people it is the other's client that says so.
	atRomeo, atNurse := "romeo@"+testrig.Host, "nurse@"+testrig.Host
	d := romeo.say(atNurse, "Nurse!")
	got := nurse.fresh(atRomeo, "Nurse!")
	if s := romeo.seen(atNurse, d.ID, ""); s != "0  false" {
		t.Errorf("between two: %s", s)
	}
	nurse.must("PUT", in(atRomeo, "/read"), map[string]string{"message": got.ID}, nil)
	if s := romeo.seen(atNurse, d.ID, ""); s != "1 nurse false" {
		t.Errorf("between two, seen: %s", s)
	}
}
