package testrig_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/config"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// TestFollowing: a theme does not wake for somebody who left it on purpose; for somebody idle it sleeps, and wakes at
// the next message.
func TestFollowing(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) { c.Web.URL = "https://chat.example.org" })
	r.Account("romeo", "juliet", "nurse")
	ctx, o := context.Background(), r.Node.Org
	romeo, nurse := signIn(t, r, "romeo"), signIn(t, r, "nurse")
	g, err := o.CreateGroup(ctx, acts.System, testrig.Host, newGroup("Verona", "romeo", "juliet", "nurse"))
	if err != nil {
		t.Fatal(err)
	}
	const room = "verona.feast@groups.example.org"
	do(t, romeo, "<presence id='j' to='"+room+
		"/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	enters := func(user string) bool {
		t.Helper()
		bs, err := r.Node.Store.Bookmarks(ctx, testrig.Host, user)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range bs {
			if b.Room == room {
				return b.Autojoin
			}
		}
		t.Fatalf("%s has no bookmark of the theme: %+v", user, bs)
		return false
	}
	is := func(what string, romeo, juliet, nurse bool) {
		t.Helper()
		if got := [3]bool{enters("romeo"), enters("juliet"), enters("nurse")}; got != [3]bool{romeo, juliet, nurse} {
			t.Errorf("%s: %v", what, got)
		}
	}
	is("a new theme", true, true, true)
	do(t, nurse, "<iq type='set' id='b'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
		"<publish node='urn:xmpp:bookmarks:1'><item id='"+room+
		"'><conference xmlns='urn:xmpp:bookmarks:1' name='x'/></item></publish></pubsub></iq>", "b")
	if err := o.DozeIdle(ctx, testrig.Host, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	is("a theme that is not idle", true, true, false)
	if err := o.DozeIdle(ctx, testrig.Host, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	is("an idle theme", true, false, false)

	th, err := o.ThemeOfRoom(ctx, testrig.Host, jid.MustParse(room))
	if err != nil {
		t.Fatal(err)
	}
	// The line in the group's room has the theme's page and its address.
	line := "New theme: Feast: https://chat.example.org/g/verona/t/" + th.Key + " xmpp:" + room + "?join"
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		es, _, _, err := r.Node.Store.ReadRoom(ctx, "groups."+testrig.Host, g.Room, store.Page{Max: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(es) == 1 && strings.Contains(string(es[0].Stanza), line) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the group's room has %d lines, not %q", len(es), line)
		}
	}
	do(t, romeo, "<message type='groupchat' id='m' to='"+room+"'><body>Anybody here?</body></message>", "m")
	for deadline := time.Now().Add(time.Minute); !enters("juliet"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody is woken")
		}
	}
	is("what is said", true, true, false)
	// Not twice within the hour, and not for people who have left: for the nurse the store keeps why.
	if err := o.DozeIdle(ctx, testrig.Host, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if more, err := o.WakeTheme(ctx, testrig.Host, th.Key); err != nil || !more {
		t.Errorf("woken again: %v, %v", more, err)
	}
	is("a second silence", true, false, false)
	for user, want := range map[string]string{
		"romeo":  store.FollowYes,
		"juliet": store.FollowSleep,
		"nurse":  store.FollowMuted,
	} {
		if state, _, err := r.Node.Store.Follow(ctx, testrig.Host, th.Key, user); err != nil || state != want {
			t.Errorf("%s is %s, %v", user, state, err)
		}
	}
	// By a line, and by writing.
	do(t, nurse, "<presence id='j' to='"+room+
		"/Nurse'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	do(t, nurse, "<message type='groupchat' id='f' to='"+room+"'><body>!follow</body></message>", "f")
	for deadline := time.Now().Add(time.Minute); !enters("nurse"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("!follow does nothing")
		}
	}
	// A person who has left a mandatory group enters it again at the next session.
	if err := o.SetMandatory(ctx, acts.System, testrig.Host, g.ID, "everyone"); err != nil {
		t.Fatal(err)
	}
	main := "verona@groups.example.org"
	do(t, signIn(t, r, "juliet"),
		"<iq type='set' id='d'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
			"<retract node='urn:xmpp:bookmarks:1'><item id='"+main+"'/></retract></pubsub></iq>", "d")
	again := signIn(t, r, "juliet")
	e := do(t, again, "<iq type='get' id='g'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
		"<items node='urn:xmpp:bookmarks:1'/></pubsub></iq>", "g")
	if !marked(e, main) {
		t.Errorf("the group is not entered again: %s", e)
	}
	do(t, again, "<iq type='set' id='d'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
		"<retract node='urn:xmpp:bookmarks:1'><item id='"+main+"'/></retract></pubsub></iq>", "d")
	if e = do(t, signIn(t, r, "juliet"),
		"<iq type='get' id='g'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/>"+
			"</pubsub></iq>", "g"); marked(e, main) {
		t.Errorf("twice on one day: %s", e)
	}
	if role, err := o.RoleOf(ctx, testrig.Host, g.ID, jid.MustParse("juliet@"+testrig.Host)); err != nil ||
		role != store.RoleMember {
		t.Errorf("without the bookmark they are %q, %v", role, err)
	}
}

// marked says whether a room has a bookmark with autojoin.
func marked(e *testrig.Element, room string) bool {
	for _, it := range e.Find("items").Children {
		if c := it.Find("conference"); it.Attr("id") == room && c != nil && c.Attr("autojoin") == "true" {
			return true
		}
	}
	return false
}
