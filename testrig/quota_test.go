package testrig_test

import (
	"fmt"
	"strings"
	"testing"

	"parley/config"
	"parley/store"
	"parley/testrig"
)

// Rows that the server adds to an account's lists do not count against the account's limits.
func TestServersOwnRowsDoNotCount(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		c.Accounts.MaxBookmarks, c.Accounts.MaxContacts, c.Accounts.PrivateElements = 2, 2, 2
	})
	r.Account("romeo", "juliet", "x1", "x2", "x3")
	script := `administrator does: POST /groups {"slug":"verona","name":"Verona","kind":"private","owner":"romeo"}
administrator does: PUT /groups/verona/members/juliet@example.org {"role":"member"}
`
	for i := range 5 {
		script += fmt.Sprintf("administrator does: POST /groups/verona/themes {\"name\":\"Theme %d\"}\n", i)
	}
	script += "juliet signs in\n"
	bookmark := func(id, room, answer string) {
		script += "juliet sends: <iq type='set' id='" + id + "'><pubsub xmlns='http://jabber.org/protocol/pubsub'>" +
			"<publish node='urn:xmpp:bookmarks:1'><item id='" + room +
			"@c.example'><conference xmlns='urn:xmpp:bookmarks:1'/></item></publish></pubsub></iq>\n" +
			"juliet gets: <iq type='" + answer + "' id='" + id + "'/>\n"
	}
	bookmark("b1", "a", "result")
	bookmark("b2", "b", "result")
	bookmark("b3", "c", "error")
	bookmark("b4", "b", "result")
	// Requests from others do not use up room for contacts, and contacts none for requests.
	for i := 1; i <= 3; i++ {
		script += fmt.Sprintf("x%d signs in\nx%d sends: <presence type='subscribe' to='juliet@example.org'/>\n", i, i)
		if i < 3 {
			script += fmt.Sprintf("x%d forgets\n", i) // one after the other
		}
	}
	script += "x3 gets: <presence type='error'/>\njuliet forgets\n"
	for i, answer := range []string{"result", "result", "error"} {
		script += fmt.Sprintf("juliet sends: <iq type='set' id='c%d'><query xmlns='jabber:iq:roster'>"+
			"<item jid='y%d@c.example'/></query></iq>\n", i, i)
		if answer == "error" {
			script += fmt.Sprintf("juliet gets: <iq type='error' id='c%d'/>\n", i)
		} else {
			script += "juliet forgets\n"
		}
	}
	// The server's own data beside her private elements.
	script += "juliet sends: <iq type='set' id='p'><enable xmlns='urn:xmpp:push:0' jid='push.c.example' node='n'/>" +
		"</iq>\njuliet gets: <iq type='result' id='p'/>\n"
	for i, answer := range []string{"result", "result", "error"} {
		script += fmt.Sprintf("juliet sends: <iq type='set' id='e%d'><query xmlns='jabber:iq:private'>"+
			"<e xmlns='x%d'/></query></iq>\njuliet gets: <iq type='%s' id='e%d'/>\n", i, i, answer, i)
	}
	r.Run(t, script)
}

// A reader who does not ask for pages gets all of a bounded list.
func TestNothingIsCut(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("romeo")
	ctx, st := t.Context(), r.Node.Store
	const n = 403
	var bs []store.Bookmark
	for i := range n {
		bs = append(bs, store.Bookmark{Room: fmt.Sprintf("r%d@c.example", i)})
	}
	if err := st.SetBookmarks(ctx, testrig.Host, "romeo", 0, bs...); err != nil {
		t.Fatal(err)
	}
	r.Run(t, `romeo signs in
romeo sends: <iq type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='n'/><configure><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#node_config</value></field><field var='pubsub#max_items'><value>1000</value></field></x></configure></pubsub></iq>
romeo gets: <iq type='result' id='1'/>`)
	for i := range n {
		item := store.NodeItem{ID: fmt.Sprint("i", i), Seq: store.ID(i + 1), Payload: []byte("<a xmlns='a'/>")}
		if err := st.Publish(ctx, testrig.Host, "romeo", "n", store.Keep{Items: 1000}, item); err != nil {
			t.Fatal(err)
		}
	}
	const groups = 620
	for i := range groups {
		id := fmt.Sprintf("g%03d", i)
		g := store.Group{
			Host:          testrig.Host,
			ID:            id,
			Slug:          id,
			Room:          id,
			Name:          id,
			ThemesBy:      "members",
			GroupSettings: store.GroupSettings{Kind: "public"},
		}
		if err := st.CreateGroup(ctx, g, store.Room{Host: "groups." + testrig.Host, Name: id, Group: id},
			nil, store.Bookmark{}); err != nil {
			t.Fatal(err)
		}
	}
	c := signInAt(t, r, "romeo", testrig.Host, "x")
	ask := func(to, payload string) string {
		t.Helper()
		if err := c.Write("<iq type='get' id='q' to='" + to + "'>" + payload + "</iq>"); err != nil {
			t.Fatal(err)
		}
		for {
			e, err := c.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e.Attr("id") == "q" {
				return e.String()
			}
		}
	}
	items := func(node, more string) string {
		return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='" + node + "'" + more + "/></pubsub>"
	}
	disco := func(node string) string {
		return "<query xmlns='http://jabber.org/protocol/disco#items'" + node + "/>"
	}
	for _, q := range []struct {
		what, to, payload string
		want              int
	}{
		{"bookmarks", "romeo@example.org", items("urn:xmpp:bookmarks:1", ""), n},
		{"items", "romeo@example.org", items("n", ""), n},
		{"the newest items", "romeo@example.org", items("n", " max_items='300'"), 300},
		{"items of disco", "romeo@example.org", disco(" node='n'"), n},
		{"rooms", "groups.example.org", disco(""), groups},
		{"spaces", "spaces.example.org", disco(""), groups},
	} {
		got := ask(q.to, q.payload)
		if count := strings.Count(got, "<item ") + strings.Count(got, "<item>"); count != q.want ||
			q.want == n && strings.Contains(got, "rsm") {
			t.Errorf("%s: %d, want %d: %.300s", q.what, count, q.want, got)
		}
	}
	// Page by page: the spaces too.
	got := ask("spaces.example.org",
		"<query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'>"+
			"<max>2</max><after>g300</after></set></query>")
	if !strings.Contains(got, "'g301'") || !strings.Contains(got, "'g302'") || strings.Contains(got, "'g303'") ||
		!strings.Contains(got, ">620<") {
		t.Errorf("a page of spaces: %s", got)
	}
}

// Themes are started at a pace, and a group has so many.
func TestThemesHaveAPaceAndABound(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) { c.Groups.ThemePace, c.Groups.MaxThemes = 3, 5 })
	r.Account("romeo", "juliet")
	script := `administrator does: POST /groups {"slug":"verona","name":"Verona","kind":"private","owner":"romeo"}
administrator does: PUT /groups/verona/members/juliet@example.org {"role":"member"}
`
	r.Run(t, script)
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	script = ""
	start := func(who, id, answer string) {
		script += who + " sends: <iq type='set' id='" + id +
			"' to='spaces.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='" + g.ID +
			"'><item><conference xmlns='urn:xmpp:bookmarks:1' name='" + who + " " + id +
			"'/></item></publish></pubsub></iq>\n" + who + " gets: <iq type='" + answer + "' id='" + id + "'/>\n"
	}
	for _, who := range []string{"juliet", "romeo"} {
		script += who + " signs in\n"
		for i := range 4 {
			answer := "result"
			if i == 3 || who == "romeo" && i == 2 {
				answer = "error" // of the pace; of the bound
			}
			start(who, fmt.Sprint("t", i), answer)
		}
	}
	r.Run(t, script)
	ts, err := r.Node.Org.Themes(t.Context(), testrig.Host, g.ID, personOf("romeo"))
	if err != nil || len(ts) != 5 {
		t.Errorf("%d themes, %v", len(ts), err)
	}
}
