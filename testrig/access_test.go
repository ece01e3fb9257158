package testrig_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"parley/org"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// doors are what somebody may try at a group, each with its letter, in an order in which none opens another.
var doors = []struct {
	letter string
	open   func(t *testing.T, c *testrig.Client, g gate) bool
}{
	{"k", func(t *testing.T, c *testrig.Client, g gate) bool { // know of it
		return ok(ask(t, c, g.room, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>"))
	}},
	{"l", func(t *testing.T, c *testrig.Client, g gate) bool { // find it in the list
		return lists(ask(t, c, "groups.example.org", "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>"), g.room)
	}},
	{"v", func(t *testing.T, c *testrig.Client, g gate) bool { // its picture
		return ok(ask(t, c, g.room, "get", "<vCard xmlns='vcard-temp'/>"))
	}},
	{"t", func(t *testing.T, c *testrig.Client, g gate) bool { // its open theme in the list of themes, and what that is
		e := ask(t, c, g.room, "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>")
		known := ok(ask(t, c, g.theme, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>"))
		if listed := ok(e) && lists(e, g.theme); listed != known {
			t.Errorf("theme listed: %v, known: %v", listed, known)
		}
		return known
	}},
	{"x", func(t *testing.T, c *testrig.Client, g gate) bool { // its restricted theme: in the list, known, read, entered
		e := ask(t, c, g.room, "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>")
		all := [4]bool{ok(e) && lists(e, g.secret), ok(ask(t, c, g.secret, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")),
			ok(ask(t, c, g.secret, "set", "<query xmlns='urn:xmpp:mam:2'/>")), enters(t, c, g.secret)}
		if all != [4]bool{} && all != [4]bool{true, true, true, true} {
			t.Errorf("restricted theme: %v", all)
		}
		return all[0]
	}},
	{"a", func(t *testing.T, c *testrig.Client, g gate) bool { // its archive, and that of its theme
		e, f := ask(t, c, g.room, "set", "<query xmlns='urn:xmpp:mam:2'/>"), ask(t, c, g.theme, "set", "<query xmlns='urn:xmpp:mam:2'/>")
		if ok(e) != ok(f) {
			t.Errorf("archive of the group: %v, of its theme: %v", ok(e), ok(f))
		}
		return ok(e)
	}},
	{"f", func(t *testing.T, c *testrig.Client, g gate) bool { // search in it
		return ok(ask(t, c, g.room, "set", "<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"+
			"<field var='{urn:xmpp:fulltext:0}fulltext'><value>hello</value></field></x></query>"))
	}},
	{"m", func(t *testing.T, c *testrig.Client, g gate) bool { // the list of members
		return ok(ask(t, c, g.room, "get", "<query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='member'/></query>"))
	}},
	{"b", func(t *testing.T, c *testrig.Client, g gate) bool { // the list of who is banned
		return ok(ask(t, c, g.room, "get", "<query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='outcast'/></query>"))
	}},
	{"c", func(t *testing.T, c *testrig.Client, g gate) bool { // its configuration
		return ok(ask(t, c, g.room, "get", "<query xmlns='http://jabber.org/protocol/muc#owner'/>"))
	}},
	{"j", func(t *testing.T, c *testrig.Client, g gate) bool { return enters(t, c, g.room) }},
	{"s", func(t *testing.T, c *testrig.Client, g gate) bool { // say something
		id := fresh()
		return do(t, c, "<message type='groupchat' id='"+id+"' to='"+g.room+"'><body>hello</body></message>", id).Attr("type") != "error"
	}},
}

type gate struct{ room, theme, secret string }

var count int

func fresh() string {
	count++
	return fmt.Sprintf("door-%d", count)
}

func ask(t *testing.T, c *testrig.Client, to, kind, payload string) *testrig.Element {
	t.Helper()
	id := fresh()
	for e := do(t, c, "<iq type='"+kind+"' id='"+id+"' to='"+to+"'>"+payload+"</iq>", id); ; e = do(t, c, "", id) {
		if e.Attr("type") == "result" || e.Attr("type") == "error" {
			return e
		}
	}
}

func ok(e *testrig.Element) bool { return e.Attr("type") == "result" }

func lists(e *testrig.Element, room string) bool { return strings.Contains(e.String(), "'"+room+"'") }

func enters(t *testing.T, c *testrig.Client, room string) bool {
	t.Helper()
	id := fresh()
	return do(t, c, "<presence id='"+id+"' to='"+room+"/"+fresh()+"'><x xmlns='http://jabber.org/protocol/muc'/></presence>", id).Attr("type") != "error"
}

// Who stands before the doors. A stranger is of another server; remote is too, and a member where that can be; colleague
// is of the organization and not in the group; former was in it.
var visitors = []string{"stranger", "remote", "colleague", "member", "moderator", "owner", "admin", "banned", "former"}

// access is the table: which doors are open in which kind of group for whom.
var access = map[string]map[string]string{
	"private": {"member": "klvtafmjs", "moderator": "klvtxafmbjs", "owner": "klvtxafmbcjs", "admin": "klvtxafmbcjs"},
	"public": {"colleague": "klvtjs", "former": "klvtjs",
		"member": "klvtafmjs", "moderator": "klvtxafmbjs", "owner": "klvtxafmbcjs", "admin": "klvtxafmbcjs"},
	"large": {"colleague": "klvtafjs", "former": "klvtafjs",
		"member": "klvtafmjs", "moderator": "klvtxafmbjs", "owner": "klvtxafmbcjs", "admin": "klvtxafmbcjs"},
	"request": {"colleague": "klvt", "former": "klvt",
		"member": "klvtafmjs", "moderator": "klvtxafmbjs", "owner": "klvtxafmbcjs", "admin": "klvtxafmbcjs"},
	"announcement": {"colleague": "klvtj", "former": "klvtj",
		"member": "klvtafmj", "moderator": "klvtxafmbjs", "owner": "klvtxafmbcjs", "admin": "klvtxafmbcjs"},
	"announcement, hidden": {"member": "klvtafmj", "moderator": "klvtxafmbjs", "owner": "klvtxafmbcjs", "admin": "klvtxafmbcjs"},
	"federated": {"remote": "klvtafjs",
		"member": "klvtafjs", "moderator": "klvtxafmbjs", "owner": "klvtxafmbcjs", "admin": "klvtxafmbcjs"},
}

// TestAccess walks every door for everyone and every kind of group.
func TestAccess(t *testing.T) {
	r := testrig.Start(t, nil)
	for _, v := range visitors {
		switch v {
		case "stranger", "remote":
			r.Account(v + "@" + testrig.Second)
		case "admin":
			r.Account("!admin")
		default:
			r.Account(v)
		}
	}
	clients := make(map[string]*testrig.Client)
	for _, v := range visitors {
		host := testrig.Host
		if v == "stranger" || v == "remote" {
			host = testrig.Second
		}
		clients[v] = signInAt(t, r, v, host)
	}
	for kind, table := range access {
		g := makeGate(t, r, kind)
		for _, v := range visitors {
			var open strings.Builder
			for _, d := range doors {
				if d.open(t, clients[v], g) {
					open.WriteString(d.letter)
				}
			}
			if open.String() != table[v] {
				t.Errorf("%s, %s: open are %q, to be open are %q", kind, v, open.String(), table[v])
			}
		}
	}
}

func signInAt(t *testing.T, r *testrig.Rig, name, host string) *testrig.Client {
	t.Helper()
	c, err := r.Connect("tls", host)
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

// makeGate makes a group of a kind, with an open and a restricted theme, and has everyone be what they are there.
func makeGate(t *testing.T, r *testrig.Rig, kind string) gate {
	t.Helper()
	ctx, o := context.Background(), r.Node.Org
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	name, _, hidden := strings.Cut(kind, ",")
	person := func(v string) jid.JID {
		if v == "remote" {
			return jid.MustParse(v + "@" + testrig.Second)
		}
		return jid.MustParse(v + "@" + testrig.Host)
	}
	g, err := o.CreateGroup(ctx, testrig.Host, org.NewGroup{Slug: "g" + org.Slug(kind), Name: kind, Kind: name, Private: hidden, Owner: person("owner"),
		Members: []jid.JID{person("member"), person("moderator"), person("former")}})
	fail(err)
	fail(o.SetMember(ctx, testrig.Host, g.ID, person("moderator"), store.RoleModerator))
	fail(o.SetMember(ctx, testrig.Host, g.ID, person("banned"), store.RoleBanned))
	fail(o.SetMember(ctx, testrig.Host, g.ID, person("former"), ""))
	if err := o.SetMember(ctx, testrig.Host, g.ID, person("remote"), store.RoleMember); (err == nil) != (name == org.Federated) {
		t.Fatalf("%s: a remote member: %v", kind, err)
	}
	theme, err := o.CreateTheme(ctx, testrig.Host, g.ID, org.NewTheme{Name: "Open"})
	fail(err)
	secret, err := o.CreateTheme(ctx, testrig.Host, g.ID, org.NewTheme{Name: "Secret", Restricted: true})
	fail(err)
	address := func(room string) string { return o.RoomJID(testrig.Host, room).String() }
	return gate{address(g.Room), address(theme.Room), address(secret.Room)}
}
