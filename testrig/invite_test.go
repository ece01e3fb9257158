package testrig_test

import (
	"strings"
	"testing"

	"parley/testrig"
)

func signIn(t *testing.T, r *testrig.Rig, name string) *testrig.Client {
	t.Helper()
	c, err := r.Connect("tls", testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.SignIn(name, testrig.Password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind("x"); err != nil {
		t.Fatal(err)
	}
	return c
}

// do writes and waits for the answer with this id, or for an element with this local name.
func do(t *testing.T, c *testrig.Client, stanza, id string) *testrig.Element {
	t.Helper()
	if stanza != "" {
		if err := c.Write(stanza); err != nil {
			t.Fatal(err)
		}
	}
	for {
		e, err := c.Next()
		if err != nil {
			t.Fatalf("waiting for %s: %v", id, err)
		}
		if e.Attr("id") == id || e.Find(id) != nil {
			return e
		}
	}
}

func token(t *testing.T, e *testrig.Element) string {
	t.Helper()
	for _, f := range e.Find("x").Children {
		if f.Attr("var") == "uri" {
			_, tok, ok := strings.Cut(f.Find("value").Text, "preauth=")
			tok, _, _ = strings.Cut(tok, ";")
			if ok {
				return tok
			}
		}
	}
	t.Fatalf("no token in %s", e)
	return ""
}

func TestInvitations(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("!romeo", "juliet", "tybalt")
	romeo := signIn(t, r, "romeo")
	do(t, romeo, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "r")
	do(t, romeo, "<presence/>", "presence")
	form := "<x xmlns='jabber:x:data' type='submit'><field var='username'><value>benvolio</value></field>" +
		"<field var='roster-subscription'><value>1</value></field></x>"
	e := do(t, romeo, "<iq type='set' id='i' to='example.org'><command xmlns='http://jabber.org/protocol/commands' "+
		"node='urn:xmpp:invite#create-account' action='complete'>"+form+"</command></iq>", "i")
	tok := token(t, e)

	stranger, err := r.Connect("tls", testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stranger.Close)
	if err := stranger.Begin(); err != nil {
		t.Fatal(err)
	}
	iq := func(id, typ, payload string) *testrig.Element {
		return do(t, stranger, "<iq xmlns='jabber:client' type='"+typ+"' id='"+id+"'>"+payload+"</iq>", id)
	}
	if e := iq("1", "set", "<preauth xmlns='urn:xmpp:pars:0' token='"+tok+"'/>"); e.Attr("type") != "result" {
		t.Fatal(e)
	}
	register := func(id, name string) *testrig.Element {
		return iq(id, "set", "<query xmlns='jabber:iq:register'><username>"+name+"</username><password>"+
			testrig.Password+"</password></query>")
	}
	if e := register("2", "mercutio"); e.Find("not-acceptable") == nil {
		t.Errorf("another name: %s", e)
	}
	if e := register("3", "benvolio"); e.Attr("type") != "result" {
		t.Fatal(e)
	}
	if e := do(t, romeo, "", "item"); e.Find("item").Attr("jid") != "benvolio@example.org" ||
		e.Find("item").Attr("subscription") != "both" {
		t.Errorf("the inviter's roster: %s", e)
	}
	if e := do(t, signIn(t, r, "benvolio"), "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
		"r"); e.Find("item").Attr("jid") != "romeo@example.org" {
		t.Errorf("the new account's roster: %s", e)
	}
	// Once.
	if err := stranger.Write("<iq xmlns='jabber:client' type='set' id='4'><preauth xmlns='urn:xmpp:pars:0' token='" +
		tok + "'/></iq>"); err != nil {
		t.Fatal(err)
	}
	if e := do(t, stranger, "", "4"); e.Find("item-not-found") == nil {
		t.Errorf("a token that was used: %s", e)
	}
}

// A subscription with a token is accepted at once, and answered with a subscription in return (XEP-0379).
func TestInvitedContact(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("juliet", "tybalt")
	juliet, tybalt := signIn(t, r, "juliet"), signIn(t, r, "tybalt")
	tok := token(t, do(t, juliet,
		"<iq type='set' id='i' to='example.org'>"+
			"<command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite'/></iq>", "i"))
	do(t, tybalt, "<presence/>", "presence")
	do(t, tybalt, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "r")
	if err := tybalt.Write("<presence to='juliet@example.org' type='subscribe'>" +
		"<preauth xmlns='urn:xmpp:pars:0' token='" + tok + "'/></presence>"); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for !seen["subscribed"] || !seen["subscribe"] {
		e, err := tybalt.Next()
		if err != nil {
			t.Fatalf("%v after %v", err, seen)
		}
		if e.Name.Local == "presence" {
			seen[e.Attr("type")] = true
		}
	}
	do(t, tybalt, "<presence to='juliet@example.org' type='subscribed'/>", "item")
	e := do(t, juliet, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "r")
	if e.Find("item").Attr("subscription") != "both" {
		t.Errorf("got %s", e)
	}
}
