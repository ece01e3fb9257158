package testrig_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/admin/api"
	"parley/config"
	"parley/node"
	"parley/people"
	"parley/store"
	"parley/testrig"
	"parley/testrig/pgtest"
	"parley/transfer"
)

// A clock that is set back while the server is down hides nothing: later messages come after those that a client knows,
// in its own archive and in a room's, and the item published last is the newest.
func TestClockSetBack(t *testing.T) {
	t.Parallel() // it waits most of the time
	for name, dsn := range map[string]func(t *testing.T) string{
		"SQLite":     nil,
		"PostgreSQL": func(t *testing.T) string { return pgtest.Fresh(t).Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			var back atomic.Int64
			p := &pushes{t: t, rig: testrig.Start(t, func(c *config.Config) {
				if c.Rooms.Create = "anyone"; dsn != nil {
					c.Store.DSN = dsn(t)
				}
			}, node.WithClock(func() time.Time { return time.Now().Add(-time.Duration(back.Load())) }))}
			p.rig.Account("romeo", "juliet")
			p.talk("before")
			known, knownRoom := p.caughtUp("", ""), p.caughtUp("r@groups."+testrig.Host, "")
			if len(known) != 10 || len(knownRoom) != 10 {
				t.Fatalf("%d and %d are there", len(known), len(knownRoom))
			}
			if h := p.health(); !strings.Contains(h, `"status": "ok"`) {
				t.Errorf("before: %s", h)
			}

			back.Store(int64(time.Minute))
			p.rig.Restart()
			if h := p.health(); !strings.Contains(h, "200 OK") || !strings.Contains(h, `"status": "warning"`) ||
				!strings.Contains(h, "the clock is 1m") && !strings.Contains(h, "the clock is 5") {
				t.Errorf("after: %s", h)
			}
			p.talk("after")
			for of, last := range map[string]string{
				"":                         known[9].Attr("id"),
				"r@groups." + testrig.Host: knownRoom[9].Attr("id"),
			} {
				var got, want []string
				for i, e := range p.caughtUp(of, last) {
					got, want = append(got, e.Find("body").Text), append(want, fmt.Sprintf("after %d", i))
				}
				if len(got) != 10 || !slices.Equal(got, want) {
					t.Errorf("archive of %q after what is known: %q", of, got)
				}
			}
			juliet := p.signIn("juliet", "")
			e := p.ask(juliet, "get",
				"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:x' max_items='1'/></pubsub>")
			if i := e.Find("item"); i == nil || i.Attr("id") != "after" {
				t.Errorf("the newest item: %s", e)
			}
		})
	}
}

// Of two nodes in one process, one goes by a clock of its own and the other by the machine's: what messages say of
// their time in archives, in rooms and after waiting, when the audit log says that something happened, since when
// somebody is a member, and how long invitations are valid.
func TestClockOfANode(t *testing.T) {
	var ahead atomic.Int64
	ahead.Store(int64(24 * time.Hour))
	own := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	of := map[string]func() time.Time{"of its own": own, "of the machine": time.Now}
	invited := make(map[string]api.Invitation)
	lines := make(map[string]*testrig.Line)
	for name, now := range of {
		var more []node.Option
		if name == "of its own" {
			more = append(more, node.WithClock(own))
		}
		p := &pushes{t: t, rig: testrig.Start(t, func(c *config.Config) { c.Rooms.Create = "anyone" }, more...)}
		p.rig.Account("!romeo", "juliet")
		lines[name] = p.rig.Line(t)
		for what, at := range p.times(lines[name], invited, name) {
			if d := now().Sub(at); d < -time.Minute || d > 5*time.Minute {
				t.Errorf("clock %s: %s has %v, %v ago", name, what, at, d)
			}
		}
	}

	ahead.Store(int64(60 * 24 * time.Hour))
	for name, state := range map[string]string{"of its own": people.Expired, "of the machine": store.InviteOpen} {
		var i api.Invitation
		err := lines[name].Do("GET", "/invitations/"+invited[name].ID, "", &i)
		if err != nil || i.State != state {
			t.Errorf("clock %s: after two months of one of them the invitation is %q (%v)", name, i.State, err)
		}
	}
}

// times has people and an administrator do things, and gives what is kept and sent of when. It notes the invitation.
func (p *pushes) times(line *testrig.Line, invited map[string]api.Invitation, name string) map[string]time.Time {
	p.t.Helper()
	out := make(map[string]time.Time)
	stamp := func(what string, e *testrig.Element) {
		at, err := time.Parse(time.RFC3339Nano, e.Find("delay").Attr("stamp"))
		p.check(err)
		out[what] = at
	}
	p.talk("said")
	for what, of := range map[string]string{"an archive": "", "a room's archive": "r@groups." + testrig.Host} {
		for _, e := range p.caughtUp(of, "") {
			stamp(what, e)
		}
	}
	romeo := p.signIn("romeo", "phone")
	p.check(romeo.Write("<presence/>"))
	for out["a message that waited"].IsZero() {
		e, err := romeo.Next()
		p.check(err)
		if e.Name.Local == "message" && e.Find("delay") != nil {
			stamp("a message that waited", e)
		}
	}

	p.check(line.Do("POST", "/groups",
		`{"slug": "verona", "name": "Verona", "kind": "private", "owner": "romeo"}`, nil))
	ctx, st := p.t.Context(), p.rig.Node.Store
	g, err := st.GroupBySlug(ctx, testrig.Host, "verona")
	p.check(err)
	ms, err := st.Members(ctx, testrig.Host, g.ID)
	p.check(err)
	out["a group"], out["a member"] = g.Created, ms[0].Since
	var i api.Invitation
	p.check(line.Do("POST", "/invitations", "{}", &i))
	invited[name] = i
	kept, err := st.Invitation(ctx, testrig.Host, i.ID)
	p.check(err)
	p.check(line.Do("POST", "/invitations/"+i.ID+"/extend", `{"valid": "3d"}`, &i))
	out["an invitation"], out["its end"] = kept.Created, i.Expires.Add(-3*24*time.Hour)
	es, err := st.AuditEntries(ctx, testrig.Host, store.AuditFilter{Limit: 10})
	p.check(err)
	for _, e := range es {
		out["the audit log of "+e.Action] = e.ID.Time()
	}
	return out
}

// Imported messages of the future hide no messages sent until then, and do not push the clock ahead.
func TestImportFromTheFuture(t *testing.T) {
	p := &pushes{t: t, rig: testrig.Start(t, nil)}
	p.rig.Account("romeo", "juliet")
	at := time.Now().Add(time.Minute)
	file := "<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'><user name='romeo'>" +
		"<archive xmlns='urn:xmpp:pie:0#mam'>"
	for i, id := range []string{"theirs", (store.FirstID(at) + 5).String()} {
		file += fmt.Sprintf("<result xmlns='urn:xmpp:mam:2' id='%s'><forwarded xmlns='urn:xmpp:forward:0'>"+
			"<delay xmlns='urn:xmpp:delay' stamp='%s'/>"+
			"<message xmlns='jabber:client' type='chat' id='i%d' from='juliet@example.org' to='romeo@example.org'>"+
			"<body>imported %d</body></message></forwarded></result>",
			id, at.UTC().Format(time.RFC3339), i, i)
	}
	file += "</archive></user></host></server-data>"
	for range 2 { // doing it again does no harm
		report, err := (&transfer.Importer{
			Host:   p.rig.Node.Host,
			Merge:  true,
			Config: transfer.Config{Store: p.rig.Node.Store, Iterations: 4096},
		}).Read(t.Context(), strings.NewReader(file))
		p.check(err)
		if len(report.Problems) > 0 {
			t.Errorf("%q", report.Problems)
		}
	}
	known := p.caughtUp("", "")
	if len(known) != 2 {
		t.Fatalf("%d are there", len(known))
	}
	p.rig.Restart()
	juliet := p.signIn("juliet", "")
	p.check(juliet.Write("<message to='romeo@" + testrig.Host + "' type='chat' id='c'><body>said</body></message>"))
	p.ask(juliet, "get", "<ping xmlns='urn:xmpp:ping'/>")
	if got := p.caughtUp("", known[1].Attr("id")); len(got) != 1 || got[0].Find("body").Text != "said" {
		t.Errorf("after what was imported: %v", got)
	}
	if d := p.rig.Node.IDs.Behind(); d > 2*time.Second {
		t.Errorf("ids are %v ahead of the clock", d)
	}
}

// talk has juliet write ten messages to romeo, and ten to a room, and publish an item.
func (p *pushes) talk(what string) {
	p.t.Helper()
	juliet := p.signIn("juliet", "x")
	room := "r@groups." + testrig.Host
	p.check(juliet.Write("<presence to='" + room +
		"/Juliet'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"))
	p.ask(juliet, "set' to='"+room,
		"<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>"+
			"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"+
			"<field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query>")
	for i := range 10 {
		p.check(juliet.Write(fmt.Sprintf("<message to='romeo@%s' type='chat' id='c%s%d'><body>%s %d</body></message>",
			testrig.Host, what, i, what, i)))
		p.check(juliet.Write(fmt.Sprintf("<message to='%s' type='groupchat' id='g%s%d'><body>%s %d</body></message>",
			room, what, i, what, i)))
		for { // its own echo: the room has kept the message
			e, err := juliet.Next()
			p.check(err)
			if e.Name.Local == "message" && e.Attr("id") == fmt.Sprintf("g%s%d", what, i) {
				break
			}
		}
	}
	e := p.ask(juliet, "set", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:x'><item id='"+what+
		"'><x xmlns='urn:x'/></item></publish>"+
		"<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"+
		"<value>http://jabber.org/protocol/pubsub#publish-options</value></field>"+
		"<field var='pubsub#max_items'><value>5</value></field></x></publish-options></pubsub>")
	if e.Attr("type") != "result" {
		p.t.Fatalf("%s", e)
	}
	p.leaves(juliet)
}

// caughtUp gives what romeo finds in an archive after an id: in his own or in a room's.
func (p *pushes) caughtUp(of, after string) (out []*testrig.Element) {
	p.t.Helper()
	who, to := p.signIn("romeo", "y"), ""
	if of != "" {
		who, to = p.signIn("juliet", "y"), "' to='"+of
	}
	if after != "" {
		after = "<after>" + after + "</after>"
	}
	p.check(who.Write("<iq type='set" + to +
		"' id='page'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>50</max>" +
		after + "</set></query></iq>"))
	for {
		e, err := who.Next()
		p.check(err)
		if e.Attr("id") == "page" {
			if e.Attr("type") == "error" {
				p.t.Errorf("%s", e)
			}
			p.leaves(who)
			return out
		}
		if r := e.Find("result"); r != nil && r.Find("body") != nil {
			out = append(out, r)
		}
	}
}

// health returns the status and the body of the answer to a health probe.
func (p *pushes) health() string {
	p.t.Helper()
	res, err := http.Get("http://" + p.rig.Node.Addr("metrics").String() + "/healthz")
	p.check(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	p.check(err)
	return res.Status + " " + string(b)
}
