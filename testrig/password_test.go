package testrig_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/admin/api"
	"parley/people"
	"parley/store"
	"parley/testrig"
)

// TestPasswordElsewhere: setting a password by any door voids the links for a new one, signs out browsers and other
// clients, and is in the audit log with the actor.
func TestPasswordElsewhere(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!friar", "juliet")
	ctx, p := context.Background(), r.Node.People(testrig.Host)
	line := r.Line(t)
	set := func(iq string) string {
		return "<iq type='set' id='set' to='example.org'>" + iq + "</iq>"
	}
	for _, d := range []struct {
		door, actor string
		do          func(juliet *testrig.Client)
	}{
		{"her own client", "juliet", func(juliet *testrig.Client) {
			if e := do(t, juliet, set("<query xmlns='jabber:iq:register'><username>juliet</username><password>"+
				testrig.Password+"</password></query>"), "set"); e.Attr("type") != "result" {
				t.Errorf("%s", e)
			}
			if e := do(t, juliet, "<iq type='get' id='still'><ping xmlns='urn:xmpp:ping'/></iq>",
				"still"); e.Attr("type") != "result" {
				t.Error("the client that has set it is signed out")
			}
		}},
		{"the command line", "", func(*testrig.Client) {
			if err := line.Do("PUT", "/people/juliet/password",
				`{"password": "`+testrig.Password+`"}`, nil); err != nil {
				t.Error(err)
			}
		}},
		{"an administrator's client", "friar", func(*testrig.Client) {
			form := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>" +
				"<value>http://jabber.org/protocol/admin</value></field><field var='accountjid'>" +
				"<value>juliet@example.org</value></field><field var='password'><value>" +
				testrig.Password + "</value></field></x>"
			if e := do(t, signIn(t, r, "friar"), set("<command xmlns='http://jabber.org/protocol/commands' "+
				"node='http://jabber.org/protocol/admin#change-user-password'>"+form+"</command>"),
				"set"); e.Attr("type") != "result" {
				t.Errorf("%s", e)
			}
		}},
	} {
		browser, other, juliet := r.Browser(t), signIn(t, r, "juliet"), (*testrig.Client)(nil)
		browser.SignIn("juliet")
		if juliet, _ = r.Connect("tls", testrig.Host); juliet.SignIn("juliet", testrig.Password) != nil ||
			juliet.Bind("setting") != nil {
			t.Fatal("no second client")
		}
		_, token, err := p.Reset(ctx, people.System, "juliet", false)
		if err != nil {
			t.Fatal(err)
		}
		d.do(juliet)
		var dead *people.Dead
		if _, err := p.NewPassword(ctx, people.Actor{Door: acts.Link}, token,
			"Another-one-2026!"); !errors.As(err, &dead) {
			t.Errorf("%s: an older link for a new password: %v", d.door, err)
		}
		if page := browser.Get("/"); page.Status != 303 {
			t.Errorf("%s: a browser is still signed in: %d", d.door, page.Status)
		}
		for {
			if _, err := other.Next(); err != nil {
				break
			}
		}
		es, err := r.Node.Store.AuditEntries(ctx, testrig.Host,
			store.AuditFilter{Target: "juliet@example.org", Action: "person.password", Limit: 1})
		if err != nil || len(es) != 1 || es[0].Actor != d.actor || time.Since(es[0].ID.Time()) > time.Minute {
			t.Errorf("%s: the audit log has %+v, %v", d.door, es, err)
		}
		juliet.Close()
	}
	// A password that two kinds of clients would encode differently is refused at every door, with the reason.
	if err := line.Do("PUT", "/people/juliet/password", `{"password": "Azerty²2026!"}`, nil); err == nil ||
		!strings.Contains(err.Error(), "two ways") {
		t.Errorf("the command line: %v", err)
	}
	if err := p.SetPassword(ctx, people.System, "juliet", "Azerty²2026!"); err == nil ||
		!strings.Contains(err.Error(), "two ways") {
		t.Errorf("a page: %v", err)
	}
}

// TestOneState: an archived account that is enabled can sign in; somebody who uses only pages was seen too.
func TestOneState(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!!queen", "juliet")
	ctx := context.Background()
	line := r.Line(t)
	var u api.Person
	if err := line.Do("GET", "/people/juliet", "", &u); err != nil || !u.LastSeen.IsZero() {
		t.Fatalf("%+v %v", u, err)
	}
	r.Browser(t).SignIn("juliet")
	if err := line.Do("GET", "/people/juliet", "", &u); err != nil || time.Since(u.LastSeen) > time.Minute {
		t.Errorf("she was on the pages: %+v %v", u, err)
	}
	yes := true
	if _, err := r.Node.People(testrig.Host).Update(ctx, people.System, "juliet",
		people.Change{Archived: &yes}); err != nil {
		t.Fatal(err)
	}
	if err := line.Do("PATCH", "/people/juliet", `{"disabled": false}`, nil); err != nil {
		t.Fatal(err)
	}
	if u, err := r.Node.Store.Person(ctx, testrig.Host, "juliet"); err != nil || u.State() != store.StateActive {
		t.Errorf("enabled, and %s: %v", u.State(), err)
	}
	signIn(t, r, "juliet")
}
