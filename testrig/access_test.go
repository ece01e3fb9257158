package testrig_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"parley/acts"
	"parley/config"
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
		return lists(ask(t, c, "groups.example.org", "get",
			"<query xmlns='http://jabber.org/protocol/disco#items'/>"), g.room)
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
	// its restricted theme: in the list, known, read, entered
	{"x", func(t *testing.T, c *testrig.Client, g gate) bool {
		e := ask(t, c, g.room, "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>")
		all := [4]bool{ok(e) && lists(e, g.secret), ok(ask(t, c, g.secret, "get",
			"<query xmlns='http://jabber.org/protocol/disco#info'/>")),
			ok(ask(t, c, g.secret, "set", "<query xmlns='urn:xmpp:mam:2'/>")), enters(t, c, g.secret)}
		if all != [4]bool{} && all != [4]bool{true, true, true, true} {
			t.Errorf("restricted theme: %v", all)
		}
		return all[0]
	}},
	{"a", func(t *testing.T, c *testrig.Client, g gate) bool { // its archive, and that of its theme
		e, f := ask(t, c, g.room, "set", "<query xmlns='urn:xmpp:mam:2'/>"),
			ask(t, c, g.theme, "set", "<query xmlns='urn:xmpp:mam:2'/>")
		if ok(e) != ok(f) {
			t.Errorf("archive of the group: %v, of its theme: %v", ok(e), ok(f))
		}
		return ok(e)
	}},
	{"f", func(t *testing.T, c *testrig.Client, g gate) bool { // search in it
		return ok(ask(t, c, g.room, "set",
			"<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"+
				"<value>urn:xmpp:mam:2</value></field>"+
				"<field var='{urn:xmpp:fulltext:0}fulltext'><value>hello</value></field></x></query>"))
	}},
	{"m", func(t *testing.T, c *testrig.Client, g gate) bool { // the list of members
		return ok(ask(t, c, g.room, "get",
			"<query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='member'/></query>"))
	}},
	{"b", func(t *testing.T, c *testrig.Client, g gate) bool { // the list of banned people
		return ok(ask(t, c, g.room, "get",
			"<query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='outcast'/></query>"))
	}},
	{"c", func(t *testing.T, c *testrig.Client, g gate) bool { // its configuration
		return ok(ask(t, c, g.room, "get", "<query xmlns='http://jabber.org/protocol/muc#owner'/>"))
	}},
	{"j", func(t *testing.T, c *testrig.Client, g gate) bool { return enters(t, c, g.room) }},
	{"s", func(t *testing.T, c *testrig.Client, g gate) bool { // say something
		id := fresh()
		return do(t, c, "<message type='groupchat' id='"+id+"' to='"+g.room+"'><body>hello</body></message>",
			id).Attr("type") != "error"
	}},
}

// gate is a group with its rooms: its own, an open theme's, a restricted theme's.
type gate struct {
	room, theme, secret string
	id, slug            string
	hidden              bool      // addresses are for moderators
	keys                [3]string // keys of the themes, "" for the group's own room
	said                [3]string // stanza-ids of the messages in each
	word                string    // a word that was said in each, and nowhere else
}

func (g gate) rooms() [3]string { return [3]string{g.room, g.theme, g.secret} }

var count atomic.Int64

func fresh() string { return fmt.Sprintf("door-%d", count.Add(1)) }

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
	return do(t, c, "<presence id='"+id+"' to='"+room+"/"+fresh()+
		"'><x xmlns='http://jabber.org/protocol/muc'/></presence>", id).Attr("type") != "error"
}

// The people who try the doors. A stranger is of another server; remote is too, and is a member where that is possible;
// a colleague is of the organization but not in the group; former was in it.
var visitors = []string{"stranger", "remote", "colleague", "member", "moderator", "owner", "admin", "banned", "former"}

// access is the table: which doors are open in which kind of group to whom. "i" is being a member oneself, as far as
// one's own server knows: those doors, and others that these letters open, are in access_views_test.go.
var access = map[string]map[string]string{
	"private": {"member": "klvtafmjsi", "moderator": "klvtxafmbjsi", "owner": "klvtxafmbcjsi", "admin": "klvtxafmbcjs"},
	"public": {"colleague": "klvtjs", "former": "klvtjs",
		"member": "klvtafmjsi", "moderator": "klvtxafmbjsi", "owner": "klvtxafmbcjsi", "admin": "klvtxafmbcjs"},
	"large": {"colleague": "klvtafjs", "former": "klvtafjs",
		"member": "klvtafmjsi", "moderator": "klvtxafmbjsi", "owner": "klvtxafmbcjsi", "admin": "klvtxafmbcjs"},
	"request": {"colleague": "klvt", "former": "klvt",
		"member": "klvtafmjsi", "moderator": "klvtxafmbjsi", "owner": "klvtxafmbcjsi", "admin": "klvtxafmbcjs"},
	"announcement": {"colleague": "klvtj", "former": "klvtj",
		"member": "klvtafmji", "moderator": "klvtxafmbjsi", "owner": "klvtxafmbcjsi", "admin": "klvtxafmbcjs"},
	"announcement, hidden": {
		"member":    "klvtafmji",
		"moderator": "klvtxafmbjsi",
		"owner":     "klvtxafmbcjsi",
		"admin":     "klvtxafmbcjs",
	},
	"federated": {"remote": "klvtafjs",
		"member": "klvtafjsi", "moderator": "klvtxafmbjsi", "owner": "klvtxafmbcjsi", "admin": "klvtxafmbcjs"},
}

// TestAccess walks every door for everyone and every kind of group.
func TestAccess(t *testing.T) {
	r, ctl := startControlled(t, web)
	clients := makeVisitors(t, r)
	people := make(map[string]visitor)
	for v, c := range clients {
		people[v] = visit(t, r, v, c)
		if b := people[v].web; b != nil { // the console's webhooks are of all groups
			if p := b.Get("/admin/webhooks"); (p.Status == http.StatusOK) != (v == "admin") {
				t.Errorf("%s: the console's webhooks: %d", v, p.Status)
			}
		}
	}
	for kind, table := range access {
		g := makeGate(t, r, ctl, kind)
		for _, v := range visitors {
			look(t, kind, people[v], g, table[v])
		}
		looksFromOutside(t, r, kind, g)
		for _, v := range visitors {
			knock(t, kind, people[v], g, table[v])
			subscribes(t, kind, people[v], g, table[v])
		}
	}
}

// knock tries every door.
func knock(t *testing.T, kind string, v visitor, g gate, letters string) {
	t.Helper()
	var open strings.Builder
	for _, d := range doors {
		if d.open(t, v.c, g) {
			open.WriteString(d.letter)
		}
	}
	if want := strings.TrimSuffix(letters, "i"); open.String() != want {
		t.Errorf("%s, %s: open are %q, to be open are %q", kind, v.name, open.String(), want)
	}
}

// TestAccessOfAdminsApart: where administrators do not own every group, they have in each only the rights of their
// membership.
func TestAccessOfAdminsApart(t *testing.T) {
	r, ctl := startControlled(t, func(c *config.Config) { c.Groups.AdminsOwn = false })
	c := makeVisitors(t, r)["admin"]
	v := visit(t, r, "admin", c)
	for kind, table := range access {
		g := makeGate(t, r, ctl, kind)
		look(t, kind, v, g, table["colleague"])
		knock(t, kind, v, g, table["colleague"])
		subscribes(t, kind, v, g, table["colleague"])
	}
}

// startControlled starts a rig, with its control socket.
func startControlled(t *testing.T, change func(*config.Config)) (*testrig.Rig, *testrig.Line) {
	t.Helper()
	r := testrig.Start(t, func(c *config.Config) {
		c.Web.PlainLinks = false // files are fetched as apps fetch them
		change(c)
	})
	return r, r.Line(t)
}

// makeVisitors makes an account of each, and signs them in.
func makeVisitors(t *testing.T, r *testrig.Rig) map[string]*testrig.Client {
	t.Helper()
	clients := make(map[string]*testrig.Client)
	for _, v := range visitors {
		host := testrig.Host
		switch v {
		case "stranger", "remote":
			host = testrig.Second
			r.Account(v + "@" + host)
		case "admin":
			r.Account("!admin")
		default:
			r.Account(v)
		}
		clients[v] = signInAt(t, r, v, host, "x")
	}
	return clients
}

func signInAt(t *testing.T, r *testrig.Rig, name, host, resource string) *testrig.Client {
	t.Helper()
	c, err := r.Connect("tls", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.SignIn(name, testrig.Password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(resource); err != nil {
		t.Fatal(err)
	}
	return c
}

func personOf(visitor string) jid.JID {
	if visitor == "stranger" || visitor == "remote" {
		return jid.MustParse(visitor + "@" + testrig.Second)
	}
	return jid.MustParse(visitor + "@" + testrig.Host)
}

// makeGate makes a group of a kind, with an open and a restricted theme, and gives everyone their place in them.
func makeGate(t *testing.T, r *testrig.Rig, ctl *testrig.Line, kind string) gate {
	t.Helper()
	ctx, o := context.Background(), r.Node.Org
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	name, _, hidden := strings.Cut(kind, ",")
	person := personOf
	g, err := o.CreateGroup(ctx, acts.System, testrig.Host, org.NewGroup{
		Slug:    "g" + org.Slug(kind),
		Name:    kind,
		Kind:    name,
		Private: hidden,
		Owner:   person("owner"),
		Members: []jid.JID{person("member"), person("moderator"), person("former")},
	})
	fail(err)
	fail(o.SetMember(ctx, acts.System, testrig.Host, g.ID, person("moderator"), store.RoleModerator))
	fail(o.SetMember(ctx, acts.System, testrig.Host, g.ID, person("banned"), store.RoleBanned))
	fail(o.SetMember(ctx, acts.System, testrig.Host, g.ID, person("former"), ""))
	if err := o.SetMember(ctx, acts.System, testrig.Host, g.ID,
		person("remote"), store.RoleMember); (err == nil) != (name == org.Federated) {
		t.Fatalf("%s: a remote member: %v", kind, err)
	}
	theme, err := o.CreateTheme(ctx, acts.System, testrig.Host, g.ID, org.NewTheme{Name: "Open"})
	fail(err)
	secret, err := o.CreateTheme(ctx, acts.System, testrig.Host, g.ID, org.NewTheme{Name: "Secret", Restricted: true})
	fail(err)
	address := func(room string) string { return o.RoomJID(testrig.Host, room).String() }
	made := gate{
		room:   address(g.Room),
		theme:  address(theme.Room),
		secret: address(secret.Room),
		id:     g.ID,
		slug:   g.Slug,
		hidden: name == org.Federated,
		keys:   [3]string{"", theme.Key, secret.Key},
		word:   "rosemary" + strings.ReplaceAll(g.Slug, "-", ""),
	}
	speak(t, r, ctl, &made)
	return made
}
