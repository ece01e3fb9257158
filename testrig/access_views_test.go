package testrig_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"parley/admin/api"
	"parley/testrig"
)

// visitor is somebody with all that they may knock with.
type visitor struct {
	name  string
	c     *testrig.Client
	web   *testrig.Browser // nil: of another server
	token string           // for the API
}

// views are the places that show something of a group. The letters of the table say for which rights a place shows the
// group's own room, its open theme and its restricted theme; "" shows them to nobody. People of another server see only
// the views that say so.
var views = []struct {
	name   string
	needs  [3]string
	remote bool
	see    func(t *testing.T, v visitor, g gate) [3]bool
}{
	{"!search", [3]string{"a", "a", "ax"}, false, func(t *testing.T, v visitor, g gate) [3]bool {
		answer := words(t, v.c, "notify@"+testrig.Host, "!search "+g.word)
		return g.in(answer, "xmpp:", "?join")
	}},
	{"inbox", [3]string{"i", "i", "ix"}, false, func(t *testing.T, v visitor, g gate) [3]bool {
		id := fresh()
		got := ""
		for _, e := range gather(t, v.c, "<iq type='get' id='"+id+"'><inbox xmlns='urn:xmpp:inbox:1'/></iq>", id) {
			if x := e.Find("entry"); x != nil {
				got += "'" + x.Attr("jid") + "'"
			}
		}
		return g.in(got, "'", "'")
	}},
	// nobody is in the restricted theme
	{"bookmarks", [3]string{"i", "i", ""}, false, func(t *testing.T, v visitor, g gate) [3]bool {
		return g.in(ask(t, v.c, v.bare(), "get", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
			"<items node='urn:xmpp:bookmarks:1'/></pubsub>").String(), "id='", "'")
	}},
	{"list of spaces", [3]string{"i", "", ""}, false, func(t *testing.T, v visitor, g gate) [3]bool {
		const node = "{https://movim.eu}spaces_subscriptions_node"
		e := ask(t, v.c, v.bare(), "get",
			"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='"+node+"'/></pubsub>")
		listed := strings.Contains(e.String(), "id='"+g.id+"'")
		// To pin it is for the same.
		pinned := ok(ask(t, v.c, v.bare(), "set",
			"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='"+node+"'><item id='"+g.id+
				"'><subscription xmlns='urn:xmpp:pubsub:subscription:0' server='spaces."+testrig.Host+"' node='"+g.id+
				"'/></item></publish></pubsub>"))
		if listed != pinned {
			t.Errorf("listed: %v, pinned: %v", listed, pinned)
		}
		return [3]bool{listed}
	}},
	{"space", [3]string{"k", "t", "x"}, true, func(t *testing.T, v visitor, g gate) [3]bool {
		at := "spaces." + testrig.Host
		items := ask(t, v.c, at, "get",
			"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='"+g.id+"'/></pubsub>").String()
		seen := g.in(items, "id='", "'")
		names := g.in(ask(t, v.c, at, "get",
			"<query xmlns='http://jabber.org/protocol/disco#items' node='"+g.id+"'/>").String(), "name='", "'")
		meta := ask(t, v.c, at, "get", "<query xmlns='http://jabber.org/protocol/disco#info' node='"+g.id+"'/>")
		info := ok(meta)
		// People who see addresses in its rooms see its owner.
		if owner := strings.Contains(meta.String(), ">owner@"+testrig.Host+"<"); owner != (info &&
			(!g.hidden || v.name == "moderator" || v.name == "owner" || v.name == "admin")) {
			t.Errorf("%s, %s: the owner is named: %v", g.slug, v.name, owner)
		}
		listed := strings.Contains(ask(t, v.c, at, "get",
			"<query xmlns='http://jabber.org/protocol/disco#items'/>").String(), "'"+g.id+"'")
		if names != seen || info != seen[0] || listed != seen[0] {
			t.Errorf("items %v, names %v, metadata %v, listed %v", seen, names, info, listed)
		}
		return seen
	}},
	{"pages", [3]string{"k", "t", "x"}, false, func(t *testing.T, v visitor, g gate) (seen [3]bool) {
		for i := range seen {
			p := v.web.Get(g.page(i))
			if seen[i] = p.Status == http.StatusOK; !seen[i] && p.Status != http.StatusNotFound {
				t.Errorf("%s: %d", g.page(i), p.Status)
			}
		}
		main := v.web.Get(g.page(0)).Text
		for i := 1; i < 3; i++ {
			if linked := strings.Contains(main, g.page(i)); linked != seen[i] {
				t.Errorf("%s is linked: %v, is there: %v", g.page(i), linked, seen[i])
			}
		}
		return seen
	}},
	{"links to messages", [3]string{"a", "a", "ax"}, false, func(t *testing.T, v visitor, g gate) (seen [3]bool) {
		for i := range seen {
			seen[i] = strings.Contains(v.web.Get(g.page(i)+"/m/"+g.said[i]).Text, g.word)
			if now := strings.Contains(v.web.Get(g.page(i)).Text, g.word); now != seen[i] {
				t.Errorf("%s: by its link %v, on the page %v", g.page(i), seen[i], now)
			}
		}
		return seen
	}},
	{"search on pages", [3]string{"a", "a", "ax"}, false, func(t *testing.T, v visitor, g gate) (seen [3]bool) {
		text := v.web.Get("/search?q=" + g.word).Text
		for i := range seen {
			seen[i] = strings.Contains(text, g.page(i)+"/m/"+g.said[i])
		}
		return seen
	}},
	{"API", [3]string{"a", "a", "ax"}, false, func(t *testing.T, v visitor, g gate) (seen [3]bool) {
		for i := range seen {
			p := v.api("GET", "/groups/"+g.slug+"/messages?theme="+g.keys[i])
			seen[i] = p.Status == http.StatusOK && strings.Contains(p.Text, g.word)
		}
		found := v.api("GET", "/search?q="+g.word).Text
		for i := range seen {
			if strings.Contains(found, g.said[i]) != seen[i] {
				t.Errorf("read: %v; found: %s", seen, found)
			}
		}
		return seen
	}},
	{"webhooks", [3]string{"c", "c", "c"}, true, func(t *testing.T, v visitor, g gate) (seen [3]bool) {
		for i := range seen {
			seen[i] = runs(t, v.c, g.room, "new-webhook",
				"<field var='name'><value>CI</value></field><field var='theme'><value>"+g.keys[i]+"</value></field>")
		}
		listed := runs(t, v.c, g.room, "webhooks", "")
		tells := runs(t, v.c, g.room, "new-outgoing-webhook",
			"<field var='name'><value>CI</value></field><field var='url'>"+
				"<value>https://ci.example.net/</value></field>")
		if listed != seen[0] || tells != seen[0] {
			t.Errorf("in %v, out %v, listed %v", seen[0], tells, listed)
		}
		return seen
	}},
}

// in says which of the rooms' addresses a text has, between what stands before and after one.
func (g gate) in(text, before, after string) (seen [3]bool) {
	for i, room := range g.rooms() {
		seen[i] = strings.Contains(text, before+room+after)
	}
	return seen
}

// page is the path of a room's page.
func (g gate) page(i int) string {
	if g.keys[i] == "" {
		return "/g/" + g.slug
	}
	return "/g/" + g.slug + "/t/" + g.keys[i]
}

// visit gives somebody of the host a browser and a token.
func visit(t *testing.T, r *testrig.Rig, name string, c *testrig.Client) visitor {
	t.Helper()
	v := visitor{name: name, c: c}
	if c.Host() != testrig.Host {
		return v
	}
	v.web = r.Browser(t)
	v.web.SignIn(name)
	p := v.web.Post("/me/tokens", "name", "doors", "scope", "messages:read", "scope", "groups:read", "days", "30",
		"current", testrig.Password)
	if v.token = regexp.MustCompile(`parley_[0-9a-z]{20,}`).FindString(p.Text); v.token == "" {
		t.Fatalf("%s has no token: %d", name, p.Status)
	}
	return v
}

func (v visitor) api(method, path string) testrig.Page {
	return v.web.Do(method, "/api/v1"+path,
		nil, func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+v.token) })
}

func (v visitor) bare() string { return v.name + "@" + v.c.Host() }

// speak makes a program post something in each room.
func speak(t *testing.T, r *testrig.Rig, ctl *testrig.Line, g *gate) {
	t.Helper()
	var w api.Webhook
	err := ctl.Do("POST", "/webhooks", `{"group": "`+g.slug+`", "name": "Herald"}`, &w)
	if err != nil {
		t.Fatal(err)
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(w.URL, "https://"), "/")
	b := r.Browser(t)
	for i := range g.said {
		p := b.Post("/"+path, "text", "there is "+g.word, "theme", g.keys[i])
		var a struct{ ID string }
		if err := json.Unmarshal([]byte(p.Text), &a); err != nil || p.Status != http.StatusOK {
			t.Fatalf("%d %s", p.Status, p.Text)
		}
		g.said[i] = a.ID
	}
}

// gather sends something and gives what comes until the answer with the id, that included.
func gather(t *testing.T, c *testrig.Client, stanza, id string) (all []*testrig.Element) {
	t.Helper()
	if err := c.Write(stanza); err != nil {
		t.Fatal(err)
	}
	for {
		e, err := c.Next()
		if err != nil {
			t.Fatalf("waiting for %s: %v", id, err)
		}
		all = append(all, e)
		if e.Attr("id") == id && e.Name.Local == "iq" {
			return all
		}
	}
}

// words writes to somebody who answers in words; "" is an error.
func words(t *testing.T, c *testrig.Client, to, text string) string {
	t.Helper()
	if err := c.Write("<message to='" + to + "' type='chat' id='" + fresh() + "'><body>" + text +
		"</body></message>"); err != nil {
		t.Fatal(err)
	}
	for {
		e, err := c.Next()
		if err != nil {
			t.Fatalf("waiting for %s: %v", to, err)
		}
		switch b := e.Find("body"); {
		case e.Name.Local != "message" || e.Attr("from") != to:
		case e.Attr("type") == "error":
			return ""
		case b != nil:
			return b.Text
		}
	}
}

// runs has a command of a room's done, and says whether it was.
func runs(t *testing.T, c *testrig.Client, room, command, fields string) bool {
	t.Helper()
	node := "https://parley.im/commands#" + command
	e := ask(t, c, room, "set", "<command xmlns='http://jabber.org/protocol/commands' node='"+node+"'/>")
	if x := e.Find("command"); ok(e) && x != nil && x.Attr("status") == "executing" {
		e = ask(t, c, room, "set",
			"<command xmlns='http://jabber.org/protocol/commands' node='"+node+"' sessionid='"+x.Attr("sessionid")+
				"'><x xmlns='jabber:x:data' type='submit'>"+fields+"</x></command>")
	}
	x := e.Find("command")
	return ok(e) && x != nil && x.Attr("status") == "completed" && !strings.Contains(x.String(), "type='error'")
}

// open says whether letters of the table have all those that are needed.
func open(letters, needs string) bool {
	for _, l := range needs {
		if !strings.ContainsRune(letters, l) {
			return false
		}
	}
	return needs != ""
}

// look compares what somebody sees in all views with the table.
func look(t *testing.T, kind string, v visitor, g gate, letters string) {
	t.Helper()
	for _, w := range views {
		if v.web == nil && !w.remote {
			continue // pages are of the host, and what another server shows its people is its own
		}
		var want [3]bool
		for i, needs := range w.needs {
			want[i] = open(letters, needs)
		}
		if got := w.see(t, v, g); got != want {
			t.Errorf("%s, %s, %s: group, theme and restricted theme are %v, to be %v", kind, v.name, w.name, got, want)
		}
	}
}

// subscribes knocks at the last door: to subscribe to a space is to join its group, or to ask to.
func subscribes(t *testing.T, kind string, v visitor, g gate, letters string) {
	t.Helper()
	e := ask(t, v.c, "spaces."+testrig.Host, "set",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='"+g.id+"' jid='"+v.bare()+"'/></pubsub>")
	got, want := "", ""
	if s := e.Find("subscription"); ok(e) && s != nil {
		got = s.Attr("subscription")
	}
	switch {
	case open(letters, "j"):
		want = "subscribed"
	case open(letters, "k") && kind == "request":
		want = "pending"
	}
	if got != want {
		t.Errorf("%s, %s: who subscribes is %q, to be %q: %s", kind, v.name, got, want, e)
	}
}

// looksFromOutside follows the links without being signed in: it sees the names of public groups, and nothing of other
// groups or of anything in a group.
func looksFromOutside(t *testing.T, r *testrig.Rig, kind string, g gate) {
	t.Helper()
	b := r.Browser(t)
	for i := range g.keys {
		for _, path := range []string{g.page(i), g.page(i) + "/m/" + g.said[i]} {
			p := b.Get(path)
			if p.Status != http.StatusSeeOther || !strings.HasPrefix(p.To, "/login?") {
				t.Errorf("%s: %d %s", path, p.Status, p.To)
				continue
			}
			text := b.Get(p.To).Text
			if named, want := strings.Contains(text, "the group "+kind),
				kind == "public" || kind == "large"; named != want {
				t.Errorf("%s: its name is shown: %v", kind, named)
			}
			if strings.Contains(text, g.word) || strings.Contains(text, "Secret") || strings.Contains(text, "Open") {
				t.Errorf("%s: more than its name is shown", kind)
			}
		}
	}
}
