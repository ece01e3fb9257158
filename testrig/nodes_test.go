package testrig_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/config"
	"parley/internal/changes"
	"parley/node"
	"parley/org"
	"parley/people"
	"parley/store"
	"parley/store/sqlstore"
	"parley/testrig"
	"parley/testrig/sqlitetest"
	"parley/wire/jid"
)

// beside tells another node in this process of changes.
type beside struct{ to **testrig.Rig }

func (b beside) Tell(ctx context.Context, t changes.Topic, key string) error {
	if *b.to == nil {
		return nil // it has not started
	}
	return (*b.to).Node.Changes().Hear(ctx, t, key)
}

// twoNodes starts two nodes that serve one database.
func twoNodes(t *testing.T) (a, b *testrig.Rig) {
	t.Helper()
	db := filepath.Join(t.TempDir(), "shared.db")
	sqlitetest.Put(t, db)
	start := func(other **testrig.Rig) *testrig.Rig {
		return testrig.Start(t, func(c *config.Config) {
			web(c)
			c.Store.DSN = "sqlite:" + db
			c.Federation.Enabled, c.Federation.Addresses, c.Federation.TLSAddresses = true, []string{"127.0.0.1:0"}, nil
			c.DNS.Resolver = "127.0.0.1:1" // nobody answers
			c.DNS.Timeout = 100 * time.Millisecond
		}, node.Among(beside{other}), node.WithStoreOptions(func(o *sqlstore.Options) { o.Shared = true }))
	}
	a = start(&b)
	b = start(&a)
	return a, b
}

// within checks what nodes say.
type within struct{ *testing.T }

// is checks a value that comes with an error.
func (w within) is(what string, got any, err error, want any) {
	w.Helper()
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		w.Errorf("%s: %v, %v; want %v", what, got, err, want)
	}
}

func (w within) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// answered is what a client gets: its answer's type, or the condition of its error.
func answered(e *testrig.Element) string {
	if e.Attr("type") != "error" {
		return e.Attr("type")
	}
	for _, c := range e.Children {
		if c.Name.Local == "error" {
			for _, d := range c.Children {
				if d.Name.Local != "text" {
					return d.Name.Local
				}
			}
		}
	}
	return "error"
}

// Who is removed from a group on one node can do nothing in it on the other one, by no door.
func TestNodesMembership(t *testing.T) {
	a, b := twoNodes(t)
	w := within{t}
	ctx := t.Context()
	a.Account("!!romeo", "juliet", "nurse")
	n := newGroup("Plot", "romeo", "juliet", "nurse")
	n.Kind = org.Private
	g, err := a.Node.Org.CreateGroup(ctx, acts.System, testrig.Host, n)
	w.must(err)
	room := g.Room + "@groups." + testrig.Host
	juliet := jid.MustParse("juliet@" + testrig.Host)
	client := signIn(t, b, "juliet")
	browser := b.Browser(t)
	browser.SignIn("juliet")
	api := apiClient{t, b.Browser(t), newToken(t, browser, "messages:read", "messages:write", "groups:read")}
	doors := func() string {
		mam := do(t, client, "<iq type='set' id='mam' to='"+room+"'><query xmlns='urn:xmpp:mam:2'/></iq>", "mam")
		info := do(t, client, "<iq type='get' id='info' to='"+room+
			"'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", "info")
		read := api.do("GET", "/v1/conversations/"+room+"/messages", "", nil)
		write := api.do("POST", "/v1/conversations/"+room+"/messages", `{"text":"a word"}`, nil)
		group := api.do("GET", "/v1/groups/"+g.Slug, "", nil)
		return fmt.Sprintln(answered(mam), answered(info), read, write, group)
	}
	before := doors()
	if !strings.HasPrefix(before, "result result 200 20") || strings.Contains(before, " 4") {
		t.Fatalf("a member: %s", before)
	}
	w.must(a.Node.Org.SetMember(ctx, acts.System, testrig.Host, g.ID, juliet, ""))
	after := doors()
	if strings.Contains(after, "result") || strings.Contains(after, " 2") {
		t.Errorf("who was removed: %s; as a member: %s", after, before)
	}
	enter := do(t, client, "<presence id='in' to='"+room+
		"/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "in")
	if enter.Attr("type") != "error" {
		t.Errorf("who was removed enters: %s", enter)
	}
	access, err := b.Node.Org.Access(ctx, testrig.Host, g.ID, "", juliet)
	w.is("what they may know", access.Know, err, false)
	// and back again
	w.must(b.Node.Org.SetMember(ctx, acts.System, testrig.Host, g.ID, juliet, store.RoleMember))
	access, err = a.Node.Org.Access(ctx, testrig.Host, g.ID, "", juliet)
	w.is("a member again", access.Write, err, true)
}

// Themes, teams and groups that are changed on one node are so on the other one.
func TestNodesOrg(t *testing.T) {
	a, b := twoNodes(t)
	w := within{t}
	ctx := t.Context()
	a.Account("!!romeo", "juliet", "nurse")
	juliet := jid.MustParse("juliet@" + testrig.Host)
	g, err := a.Node.Org.CreateGroup(ctx, acts.System, testrig.Host, newGroup("Balcony", "romeo", "juliet", "nurse"))
	w.must(err)
	th, err := a.Node.Org.CreateTheme(ctx, acts.System, testrig.Host, g.ID,
		org.NewTheme{Name: "Potion", Creator: jid.MustParse("romeo@" + testrig.Host), Restricted: true})
	w.must(err)
	put := func(r *testrig.Rig, role string) {
		w.must(r.Node.Org.SetThemePeople(ctx, acts.System, testrig.Host, th.Key,
			[]store.Member{{JID: juliet.String(), Role: role}}))
	}
	reads := func(r *testrig.Rig) (bool, error) {
		x, err := r.Node.Org.Access(ctx, testrig.Host, g.ID, th.Key, juliet)
		return x.Read, err
	}
	may, err := reads(b)
	w.is("a theme that she is not in", may, err, false)
	put(a, store.RoleMember)
	may, err = reads(b)
	w.is("a theme that she is in", may, err, true)
	put(b, "")
	may, err = reads(a)
	w.is("a theme that she is in no more", may, err, false)

	team, err := a.Node.Org.CreateTeam(ctx, acts.System, testrig.Host,
		org.NewTeam{Name: "Capulets", People: []string{"juliet", "nurse"}})
	w.must(err)
	mates := func(r *testrig.Rig) (bool, error) {
		cs, err := r.Node.Host(testrig.Host).Contacts(ctx, "juliet")
		return err == nil && cs.SubscribedFrom(jid.MustParse("nurse@"+testrig.Host)), err
	}
	client := signIn(t, b, "juliet") // who has a session has her contacts in memory
	do(t, client, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "r")
	may, err = mates(b)
	w.is("people of a team", may, err, true)
	w.must(a.Node.Org.SetTeamPeople(ctx, acts.System, testrig.Host, team.ID, nil, []string{"nurse"}))
	may, err = mates(b)
	w.is("who has left the team", may, err, false)
	ts, err := b.Node.Org.TeamsOf(ctx, testrig.Host, "nurse")
	w.is("her teams", len(ts), err, 0)

	w.must(a.Node.Org.DeleteGroup(ctx, acts.System, testrig.Host, g.ID))
	x, err := b.Node.Org.Access(ctx, testrig.Host, g.ID, "", juliet)
	if err == nil && x.Read {
		t.Error("a deleted group can be read")
	}
}

// Whom somebody blocks on one node does not reach them on the other one.
func TestNodesBlocklist(t *testing.T) {
	a, b := twoNodes(t)
	a.Account("romeo", "juliet")
	here, there, romeo := signIn(t, a, "juliet"), signInAt(t, b, "juliet", testrig.Host, "there"), signIn(t, b, "romeo")
	do(t, there, "<iq type='get' id='sync'><ping xmlns='urn:xmpp:ping'/></iq>", "sync")
	say := func(id string) string {
		if err := romeo.Write("<message type='chat' id='" + id + "' to='juliet@" + testrig.Host +
			"'><body>x</body></message><iq type='get' id='after-" + id +
			"'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
			t.Fatal(err)
		}
		for got := ""; ; {
			e, err := romeo.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e.Attr("id") == id {
				got = answered(e)
			}
			if e.Attr("id") == "after-"+id {
				return got
			}
		}
	}
	for i, step := range []struct{ send, want string }{
		{"", ""}, {"block", "service-unavailable"}, {"unblock", ""},
	} {
		if step.send != "" {
			do(t, here, "<iq type='set' id='b"+step.send+"'><"+step.send+
				" xmlns='urn:xmpp:blocking'><item jid='romeo@example.org'/></"+step.send+"></iq>", "b"+step.send)
		}
		if got := say(fmt.Sprint("m", i)); got != step.want {
			t.Errorf("after %q: %q, want %q", step.send, got, step.want)
		}
	}
}

// Accounts that are made, disabled and deleted on one node are so on the other one, at each door.
func TestNodesAccount(t *testing.T) {
	a, b := twoNodes(t)
	w := within{t}
	ctx := t.Context()
	a.Account("!!romeo", "juliet", "nurse")
	exists := func(r *testrig.Rig, name string) (bool, error) { return r.Node.Host(testrig.Host).Exists(ctx, name) }
	is, err := exists(b, "paris")
	w.is("before he is made", is, err, false)
	_, err = a.Node.People(testrig.Host).Create(ctx, people.System, people.NewPerson{Name: "paris"})
	w.must(err)
	is, err = exists(b, "paris")
	w.is("after he is made", is, err, true)
	w.must(b.Node.People(testrig.Host).Delete(ctx, people.System, "paris"))
	is, err = exists(a, "paris")
	w.is("after he is deleted", is, err, false)

	browser := b.Browser(t)
	browser.SignIn("juliet")
	api := apiClient{t, b.Browser(t), newToken(t, browser, "messages:read")}
	if code := api.do("GET", "/v1/conversations", "", nil); code != http.StatusOK {
		t.Fatalf("the API: %d", code)
	}
	signIn(t, b, "juliet").Close()
	yes := true
	_, err = a.Node.People(testrig.Host).Update(ctx, people.System, "juliet", people.Change{Disabled: &yes})
	w.must(err)
	if code := api.do("GET", "/v1/conversations", "", nil); code != http.StatusUnauthorized {
		t.Errorf("the API to who is disabled: %d", code)
	}
	if p := browser.Get("/me"); p.Status == http.StatusOK && strings.Contains(p.Text, "juliet") {
		t.Errorf("the pages to who is disabled: %d", p.Status)
	}
	c, err := b.Connect("tls", testrig.Host)
	w.must(err)
	defer c.Close()
	if err := c.SignIn("juliet", testrig.Password); err == nil {
		t.Error("who is disabled signs in")
	}
}

// A token that is revoked on one node is refused by the other one.
func TestNodesToken(t *testing.T) {
	a, b := twoNodes(t)
	w := within{t}
	a.Account("juliet")
	browser := a.Browser(t)
	browser.SignIn("juliet")
	token := newToken(t, browser, "messages:read")
	api := apiClient{t, b.Browser(t), token}
	if code := api.do("GET", "/v1/conversations", "", nil); code != http.StatusOK {
		t.Fatalf("the API: %d", code)
	}
	u, err := a.Node.People(testrig.Host).Get(t.Context(), "juliet")
	w.must(err)
	w.must(a.Node.People(testrig.Host).RevokeToken(t.Context(), people.As(u, acts.Page, ""), "juliet",
		people.HashToken(token)))
	if code := api.do("GET", "/v1/conversations", "", nil); code != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d", code)
	}
}

// Settings, rules for other servers and the message of the day are in force on both nodes at once.
func TestNodesSettings(t *testing.T) {
	a, b := twoNodes(t)
	w := within{t}
	ctx := t.Context()
	a.Account("!!romeo", "juliet")
	title := "Verona"
	_, err := a.Node.People(testrig.Host).ChangeSettings(ctx, people.System,
		map[string]*string{"organization.title": &title})
	w.must(err)
	w.is("the title", b.Node.People(testrig.Host).Title(), nil, title)

	client := signIn(t, b, "juliet")
	reach := func(id string) string {
		e := do(t, client, "<iq type='get' id='"+id+"' to='far.example'><ping xmlns='urn:xmpp:ping'/></iq>", id)
		return answered(e)
	}
	before := reach("far1")
	w.must(a.Line(t).Do("PUT", "/federation/rules/far.example", `{"action":"block"}`, nil))
	if after := reach("far2"); after == before {
		t.Errorf("a blocked domain: %s, and before %s", after, before)
	}
}

// What an account prefers on one node is done by the other one: archive, contacts, quiet hours.
func TestNodesPreferences(t *testing.T) {
	a, b := twoNodes(t)
	w := within{t}
	ctx := t.Context()
	a.Account("romeo", "juliet")
	here, there, romeo := signIn(t, a, "juliet"), signInAt(t, b, "juliet", testrig.Host, "there"), signIn(t, b, "romeo")
	archived := func(id string) int {
		if err := romeo.Write("<message type='chat' id='" + id + "' to='juliet@" + testrig.Host + "'><body>" + id +
			"</body></message>"); err != nil {
			t.Fatal(err)
		}
		do(t, romeo, "<iq type='get' id='ping-"+id+"'><ping xmlns='urn:xmpp:ping'/></iq>", "ping-"+id)
		es, _, _, err := b.Node.Store.ReadArchive(ctx, testrig.Host, "juliet", store.Page{Max: 10})
		w.must(err)
		return len(es)
	}
	w.is("the archive", archived("m1"), nil, 1)
	do(t, here, "<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>", "p")
	w.is("the archive of who wants none", archived("m2"), nil, 1)

	h := b.Node.Host(testrig.Host)
	listed := func() (bool, error) {
		cs, err := h.Contacts(ctx, "juliet")
		return err == nil && cs.InRoster(jid.MustParse("romeo@"+testrig.Host)), err
	}
	do(t, there, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "r")
	is, err := listed()
	w.is("the contacts before", is, err, false)
	do(t, here, "<iq type='set' id='add'><query xmlns='jabber:iq:roster'><item jid='romeo@example.org'/>"+
		"</query></iq>", "add")
	is, err = listed()
	w.is("the contacts after", is, err, true)
	do(t, here, "<iq type='set' id='del'><query xmlns='jabber:iq:roster'>"+
		"<item jid='romeo@example.org' subscription='remove'/></query></iq>", "del")
	is, err = listed()
	w.is("the contacts at last", is, err, false)

	pa, pb := a.Node.People(testrig.Host), b.Node.People(testrig.Host)
	is, err = pb.IsQuiet(ctx, "juliet", time.Now())
	w.is("quiet hours before", is, err, false)
	until := time.Now().Add(time.Hour)
	u, err := pa.Get(ctx, "juliet")
	w.must(err)
	_, err = pa.SetQuiet(ctx, people.As(u, acts.Page, ""), "juliet", people.QuietChange{Until: &until})
	w.must(err)
	is, err = pb.IsQuiet(ctx, "juliet", time.Now())
	w.is("quiet hours after", is, err, true)
}

// What people are shown of somebody is the same on both nodes: the name, the role in rooms, who pinned something.
func TestNodesShown(t *testing.T) {
	a, b := twoNodes(t)
	w := within{t}
	ctx := t.Context()
	a.Account("!!romeo", "juliet")
	browser := b.Browser(t)
	browser.SignIn("romeo")
	api := apiClient{t, b.Browser(t), newToken(t, browser, "messages:read", "messages:write", "people:read")}
	g, err := a.Node.Org.CreateGroup(ctx, acts.System, testrig.Host, newGroup("Plot", "romeo", "juliet"))
	w.must(err)
	room := "/v1/conversations/" + g.Room + "@groups." + testrig.Host
	client := signIn(t, b, "juliet")
	do(t, client, "<presence id='in' to='"+g.Room+"@groups."+testrig.Host+
		"/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "in")
	do(t, client, "<message type='groupchat' id='said' to='"+g.Room+"@groups."+testrig.Host+
		"'><body>Good night</body></message>", "said")
	var page struct {
		Messages []struct {
			ID string                `json:"id"`
			By struct{ Name string } `json:"by"`
		} `json:"messages"`
	}
	author := func() string {
		page.Messages = nil
		if code := api.do("GET", room+"/messages", "", &page); code != http.StatusOK || len(page.Messages) == 0 {
			t.Fatalf("no messages: %d", code)
		}
		return page.Messages[len(page.Messages)-1].By.Name
	}
	w.is("her name before", author(), nil, "juliet")
	name := "Juliet Capulet"
	change := people.Change{}
	change.FullName = &name
	_, err = a.Node.People(testrig.Host).Update(ctx, people.System, "juliet", change)
	w.must(err)
	w.is("her name after", author(), nil, name)

	pins := func(r *testrig.Rig) int {
		x := apiClient{t, r.Browser(t), api.token}
		var list struct{ Pins []struct{} }
		if code := x.do("GET", room+"/pins", "", &list); code != http.StatusOK {
			t.Fatalf("pins: %d", code)
		}
		return len(list.Pins)
	}
	w.is("pins before", pins(a), nil, 0)
	if code := api.do("PUT", room+"/messages/"+page.Messages[len(page.Messages)-1].ID+"/pin", "", nil); code >= 300 {
		t.Fatalf("a pin: %d", code)
	}
	w.is("pins after", pins(a), nil, 1)
}

// A node that has missed something forgets everything, and goes on.
func TestNodesForget(t *testing.T) {
	a, b := twoNodes(t)
	w := within{t}
	a.Account("!!romeo", "juliet")
	g, err := a.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host, newGroup("Plot", "romeo", "juliet"))
	w.must(err)
	ids := func() (ids []string, err error) {
		gs, err := b.Node.Org.GroupsOf(t.Context(), testrig.Host, jid.MustParse("juliet@"+testrig.Host))
		for _, g := range gs {
			ids = append(ids, g.ID)
		}
		return ids, err
	}
	for range 2 {
		got, err := ids()
		if err != nil || !slices.Equal(got, []string{g.ID}) {
			t.Errorf("got %v, %v", got, err)
		}
		w.must(b.Node.Changes().Forget(t.Context()))
	}
}
