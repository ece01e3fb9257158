package testrig_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/config"
	"parley/people"
	"parley/store"
	"parley/testrig"
	"parley/webchat"
	"parley/wire/jid"
)

// linked starts two nodes that are joined by links.
func linked(t *testing.T, change func(*config.Config)) (a, b *testrig.Rig) {
	t.Helper()
	a = testrig.StartNodes(t, 2, func(c *config.Config) {
		web(c)
		if change != nil {
			change(c)
		}
	})
	return a, a.On(1)
}

// balcony makes a group of romeo, who owns it, and juliet.
func balcony(t *testing.T, r *testrig.Rig) (g store.Group, room string) {
	t.Helper()
	g, err := r.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host, newGroup("Balcony", "romeo", "juliet"))
	if err != nil {
		t.Fatal(err)
	}
	return g, g.Room + "@groups." + testrig.Host
}

// saysHere says something. The room may have gone to the other node meanwhile: then it is said again, and comes back.
func (c *chatter) saysHere(id, text string) (m webchat.Message) {
	c.t.Helper()
	for range 50 {
		p := c.b.Do("POST", "/api/v1"+in(id, "/messages"), nil, func(q *http.Request) {
			body := fmt.Sprintf(`{"text":%q}`, text)
			q.Body, q.ContentLength = readCloser{strings.NewReader(body)}, int64(len(body))
			q.Header.Set("Content-Type", "application/json")
		})
		if p.Status == http.StatusServiceUnavailable {
			continue
		}
		if err := json.Unmarshal([]byte(p.Text), &m); err != nil || p.Status >= 300 {
			c.t.Fatalf("%s in %s: %d %s", text, id, p.Status, p.Text)
		}
		return m
	}
	c.t.Fatalf("nobody can say %q in %s", text, id)
	return m
}

// What happens in a room on one node is seen in browsers at the other one: messages, who writes, pins, tasks, and that
// somebody is mentioned. Who is removed sees nothing from the moment at which that is done.
func TestNodesBrowsersOfRooms(t *testing.T) {
	a, b := linked(t, nil)
	a.Account("!!romeo", "juliet")
	romeo, juliet := newChatter(t, a, "romeo"), newChatter(t, b, "juliet")
	g, room := balcony(t, a)
	juliet.want("conversation", func(data string) bool { return strings.Contains(data, room) })

	said := romeo.saysHere(room, "But soft")
	juliet.fresh(room, "But soft")
	c := signIn(t, a, "romeo")
	joinRoom(t, c, room, "Romeo")
	saysIn(t, c, room, "t1", "<composing xmlns='http://jabber.org/protocol/chatstates'/>")
	juliet.want("typing", func(data string) bool { return strings.Contains(data, room) })
	romeo.must("PUT", in(room, "/messages/", said.ID, "/pin"), nil, nil)
	juliet.pinned(room, said.ID)
	romeo.must("POST", in(room, "/tasks"), webchat.NewTask{What: "Be new baptized"}, nil)
	juliet.taskEvent(func(id string, x *webchat.Task, _ string) bool { return id == room && x != nil })
	here := romeo.saysHere(room, "@here Juliet is the sun")
	juliet.want("mention", func(data string) bool {
		return strings.Contains(data, room) && strings.Contains(data, here.ID)
	})

	err := a.Node.Org.SetMember(t.Context(), acts.System, testrig.Host, g.ID,
		jid.MustParse("juliet@"+testrig.Host), "")
	within{t}.must(err)
	romeo.saysHere(room, "alone")
	romeo.say("juliet@"+testrig.Host, "the end")
	gone := false
	juliet.want("message", func(data string) bool {
		gone = gone || strings.Contains(data, "alone")
		return strings.Contains(data, "the end")
	})
	if gone {
		t.Error("who was removed hears what is said")
	}
}

// A node that has missed something has its browsers hear of the rooms that their people may read, and of no others.
func TestNodesBrowsersCatchUp(t *testing.T) {
	a, b := linked(t, nil)
	a.Account("!!romeo", "juliet")
	_, room := balcony(t, a)
	romeo, juliet := newChatter(t, a, "romeo"), newChatter(t, b, "juliet")
	b.Node.Missed()
	juliet.want("reset", func(string) bool { return true })
	romeo.saysHere(room, "still here")
	juliet.fresh(room, "still here")
}

// A conversation of several people comes and goes in browsers at another node.
func TestNodesSeveral(t *testing.T) {
	a, b := linked(t, nil)
	a.Account("!!romeo", "juliet", "nurse", "peter")
	romeo, juliet, peter := newChatter(t, a, "romeo"), newChatter(t, b, "juliet"), newChatter(t, b, "peter")
	var c webchat.Conversation
	romeo.must("POST", "/conversations", webchat.NewSeveral{
		People: []string{"juliet@" + testrig.Host, "nurse@" + testrig.Host},
	}, &c)
	juliet.want("conversation", func(data string) bool { return strings.Contains(data, c.ID) })
	romeo.saysHere(c.ID, "three of us")
	juliet.fresh(c.ID, "three of us")
	romeo.must("POST", in(c.ID, "/people"), map[string]any{"people": []string{"peter@" + testrig.Host}}, nil)
	peter.want("conversation", func(data string) bool { return strings.Contains(data, c.ID) })
	romeo.saysHere(c.ID, "four of us")
	peter.fresh(c.ID, "four of us")
}

// A browser's stream may be open at one node, and what it says of itself come to another one.
func TestNodesConfirm(t *testing.T) {
	a, b := linked(t, nil)
	a.Account("romeo", "juliet")
	juliet := newChatter(t, b, "juliet")
	romeo := newChatter(t, a, "romeo")
	romeo.must("GET", in("juliet@"+testrig.Host), nil, nil) // it hears of her presence from now on
	other := a.Browser(t)
	other.Client().Jar = juliet.b.Client().Jar
	at := chatter{t: t, b: other}
	at.must("POST", "/events/confirm", map[string]any{"last": "", "idle": true}, nil)
	romeo.want("presence", func(data string) bool {
		return strings.Contains(data, "juliet") && strings.Contains(data, `"away"`)
	})
}

// Whoever signs somebody out on one node ends their streams on the other one, and nothing else.
func TestNodesSignOut(t *testing.T) {
	a, b := linked(t, nil)
	w := within{t}
	ctx := t.Context()
	a.Account("!!romeo", "juliet")
	rules := a.Node.People(testrig.Host)
	u, err := rules.Get(ctx, "juliet")
	w.must(err)
	her := people.As(u, acts.Page, "")
	ends := func(what string, c *testrig.Client, condition string) {
		t.Helper()
		for {
			e, err := c.Next()
			if err != nil {
				t.Fatalf("%s: no stream error: %v", what, err)
			}
			if e.Name.Local == "error" && len(e.Children) > 0 {
				if got := e.Children[0].Name.Local; got != condition {
					t.Errorf("%s: %s", what, got)
				}
				return
			}
		}
	}
	stays := func(what string, c *testrig.Client) {
		t.Helper()
		id := fresh()
		e := do(t, c, "<iq type='get' id='"+id+"'><ping xmlns='urn:xmpp:ping'/></iq>", id)
		if e.Attr("type") != "result" {
			t.Errorf("%s: %s", what, e)
		}
	}
	with := func(password, resource string) *testrig.Client {
		t.Helper()
		c, err := b.Connect("tls", testrig.Host)
		w.must(err)
		t.Cleanup(c.Close)
		w.must(c.SignIn("juliet", password))
		w.must(c.Bind(resource))
		return c
	}

	app, password, err := rules.AddAppPassword(ctx, her, "juliet", "phone")
	w.must(err)
	phone, desk := with(password, "phone"), with(testrig.Password, "desk")
	w.must(rules.RevokeAppPassword(ctx, her, "juliet", app.ID))
	ends("a revoked app password", phone, "reset")
	stays("a revoked app password of another client", desk)

	here := signInAt(t, a, "juliet", testrig.Host, "here")
	late, err := b.Connect("tls", testrig.Host) // it has given the password, and is no session yet
	w.must(err)
	t.Cleanup(late.Close)
	w.must(late.SignIn("juliet", testrig.Password))
	keep := a.Node.Host(testrig.Host).Account("juliet").Session("here")
	w.must(rules.SetPasswordAs(ctx, her, "juliet", "sweet-sorrow-and-more", people.PasswordBy{Keep: keep}))
	ends("a new password", desk, "reset")
	if err := late.Bind("late"); err == nil {
		t.Error("who has given the old password is signed in")
	}
	stays("who has set it", here)

	desk = with("sweet-sorrow-and-more", "desk")
	n, err := rules.EndDevices(ctx, people.System, "juliet", "desk")
	w.is("how many are ended", n, err, 1)
	ends("a session that an administrator ends", desk, "policy-violation")

	desk = with("sweet-sorrow-and-more", "desk")
	n, err = rules.SignOut(ctx, people.System, "juliet")
	w.is("how many are signed out", n, err, 2)
	ends("an account that is signed out", desk, "policy-violation")

	browser := b.Browser(t)
	page := browser.Post("/login", "user", "juliet", "password", "sweet-sorrow-and-more")
	if page.Status >= http.StatusBadRequest {
		t.Fatalf("the page: %d", page.Status)
	}
	yes := true
	_, err = rules.Update(ctx, people.System, "juliet", people.Change{Disabled: &yes})
	w.must(err)
	if p := browser.Get("/me"); p.Status == http.StatusOK && strings.Contains(p.Text, "juliet@") {
		t.Error("a disabled account's browser is still signed in")
	}
}

// What one node alone can know is told by the other one as well: who is there, which other servers were reached, and
// when somebody has left.
func TestNodesShowAll(t *testing.T) {
	a, b := linked(t, func(c *config.Config) {
		c.Federation.Enabled, c.Federation.Addresses, c.Federation.TLSAddresses = true, []string{"127.0.0.1:0"}, nil
		c.DNS.Resolver = "127.0.0.1:1" // nobody answers
		c.DNS.Timeout = 100 * time.Millisecond
	})
	a.Account("!!romeo", "juliet")
	romeo, juliet := signIn(t, a, "romeo"), signInAt(t, b, "juliet", testrig.Host, "tomb")
	var sessions []struct{ Address string }
	within{t}.must(a.Line(t).Do("GET", "/sessions", "", &sessions))
	if !strings.Contains(fmt.Sprint(sessions), "juliet@"+testrig.Host+"/tomb") {
		t.Errorf("sessions: %v", sessions)
	}
	do(t, juliet, "<iq type='get' id='far' to='far.example'><ping xmlns='urn:xmpp:ping'/></iq>", "far")
	var domains []struct{ Domain string }
	within{t}.must(a.Line(t).Do("GET", "/federation/domains", "", &domains))
	if !strings.Contains(fmt.Sprint(domains), "far.example") {
		t.Errorf("other servers: %v", domains)
	}

	do(t, romeo, "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='juliet@"+testrig.Host+
		"'/></query></iq>", "r")
	sends(t, romeo, "<presence id='s1' type='subscribe' to='juliet@"+testrig.Host+"'/>")
	sends(t, juliet, "<presence id='s2' type='subscribed' to='romeo@"+testrig.Host+"'/><presence/>")
	do(t, juliet, "<iq type='get' id='sync'><ping xmlns='urn:xmpp:ping'/></iq>", "sync")
	within{t}.must(a.Node.Store.SetLastSeen(t.Context(), testrig.Host, "juliet", time.Now().Add(-time.Hour), "before"))
	sends(t, juliet, "<presence type='unavailable'><status>the tomb</status></presence>")
	do(t, juliet, "<iq type='get' id='gone'><ping xmlns='urn:xmpp:ping'/></iq>", "gone")
	within{t}.must(b.Node.Flush(t.Context()))
	e := do(t, romeo, "<iq type='get' id='last' to='juliet@"+testrig.Host+
		"'><query xmlns='jabber:iq:last'/></iq>", "last")
	if q := e.Find("query"); q == nil || q.Text != "the tomb" {
		t.Errorf("the last activity: %s", e)
	} else if n, err := strconv.Atoi(q.Attr("seconds")); err != nil || n > 60 {
		t.Errorf("the last activity: %s", e)
	}
}

// A node that has missed something ends streams whose credential was revoked meanwhile, and only those.
func TestNodesRevokedMeanwhile(t *testing.T) {
	a, b := linked(t, nil)
	w := within{t}
	a.Account("juliet")
	rules := a.Node.People(testrig.Host)
	u, err := rules.Get(t.Context(), "juliet")
	w.must(err)
	var clients [2]*testrig.Client
	var made [2]store.AppPassword
	for i := range made {
		var password string
		made[i], password, err = rules.AddAppPassword(t.Context(), people.As(u, acts.Page, ""), "juliet", fmt.Sprint(i))
		w.must(err)
		clients[i], err = b.Connect("tls", testrig.Host)
		w.must(err)
		t.Cleanup(clients[i].Close)
		w.must(clients[i].SignIn("juliet", password))
		w.must(clients[i].Bind(fmt.Sprint(i)))
	}
	w.must(a.Node.Store.DeleteAppPassword(t.Context(), testrig.Host, "juliet", made[0].ID)) // and nobody is told
	b.Node.Missed()
	for {
		e, err := clients[0].Next()
		if err != nil {
			t.Fatalf("no stream error: %v", err)
		}
		if e.Name.Local == "error" {
			break
		}
	}
	do(t, clients[1], "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>", "p")
}

// Who has signed in at one node is not locked out of the other one by guesses from the same address.
func TestNodesPlaces(t *testing.T) {
	a, b := linked(t, func(c *config.Config) {
		c.Auth.Throttle.PerAddress, c.Auth.Throttle.Window = 20, 6*time.Hour
	})
	a.Account("romeo", "tybalt")
	if got := plainly(t, a, "romeo", testrig.Password); got != "" {
		t.Fatal(got)
	}
	within{t}.must(a.Node.Flush(t.Context()))
	thief := b.Browser(t)
	for i := range 21 {
		thief.Post("/login", "user", fmt.Sprint("someone", i), "password", "Summer2026")
	}
	if got := plainly(t, b, "romeo", testrig.Password); got != "" {
		t.Errorf("who was here before: %s", got)
	}
	if got := plainly(t, b, "tybalt", testrig.Password); got != "temporary-auth-failure" {
		t.Errorf("somebody new at the address: %q", got)
	}
}

// What somebody does in a browser at one node is seen in their browser at the other one: what they write and do not
// send, have read, keep, pin, have to do, order, send later, and show of themselves.
func TestNodesDesk(t *testing.T) {
	a, b := linked(t, nil)
	a.Account("romeo", "juliet")
	romeo, here, there := newChatter(t, a, "romeo"), newChatter(t, a, "juliet"), newChatter(t, b, "juliet")
	chat := "romeo@" + testrig.Host
	romeo.say("juliet@"+testrig.Host, "Lady")
	m := there.fresh(chat, "Lady")
	about := func(text string) func(string) bool {
		return func(data string) bool { return strings.Contains(data, text) }
	}
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	for _, x := range []struct {
		method, path string
		body         any
		event, text  string
	}{
		{"PUT", in(chat, "/draft"), map[string]string{"text": "O Romeo"}, "draft", "O Romeo"},
		{"PUT", in(chat, "/read"), map[string]string{"message": m.ID}, "read", m.ID},
		{"PUT", in(chat, "/messages/", m.ID, "/saved"), nil, "saved", m.ID},
		{"PUT", in(chat, "/messages/", m.ID, "/pin"), nil, "pins", m.ID},
		{"POST", in(chat, "/tasks"), webchat.NewTask{What: "Marry"}, "task", "Marry"},
		{"PUT", "/me/sidebar", webchat.NewSidebar{Favourites: []string{chat}}, "sidebar", chat},
		{"POST", in(chat, "/scheduled"), webchat.NewScheduled{Text: "Good night", At: soon}, "scheduled", "Good night"},
		{"PUT", "/me/status", webchat.Status{Show: "away", Text: "asleep"}, "me", "asleep"},
		{"PATCH", "/me/quiet-hours", map[string]any{"paused_until": soon}, "me", `"quiet":true`},
	} {
		here.must(x.method, x.path, x.body, nil)
		there.want(x.event, about(x.text))
	}
	// and what one does with a client
	c := signIn(t, a, "romeo")
	sends(t, c, "<message type='chat' to='juliet@"+testrig.Host+
		"'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
	there.want("typing", about(chat))
}

// A component is connected to one node, and serves the people of both. It may go to the other node.
func TestNodesComponent(t *testing.T) {
	a, b := linked(t, testrig.WithComponent("bot.example"))
	a.Account("romeo", "juliet")
	romeo, juliet := signIn(t, a, "romeo"), signIn(t, b, "juliet")
	ask := func(c *testrig.Client) string {
		id := fresh()
		return answered(do(t, c, "<iq type='get' id='"+id+"' to='bot.example'><ping xmlns='urn:xmpp:ping'/></iq>", id))
	}
	serve := func(bot *testrig.Client) {
		for {
			e, err := bot.Next()
			if err != nil {
				return
			}
			_ = bot.Write("<iq type='result' from='bot.example' id='" + e.Attr("id") +
				"' to='" + e.Attr("from") + "'/>")
		}
	}
	both := func(what, want string) {
		t.Helper()
		for _, r := range []*testrig.Rig{a, b} {
			within{t}.must(r.Node.Flush(t.Context()))
		}
		if got := ask(romeo) + " " + ask(juliet); got != want+" "+want {
			t.Errorf("%s: %s, want twice %s", what, got, want)
		}
	}
	both("nowhere", "remote-server-timeout")
	for _, r := range []*testrig.Rig{a, b} {
		bot, err := r.Component("bot.example")
		within{t}.must(err)
		t.Cleanup(bot.Close)
		go serve(bot)
		both("at one node", "result")
	}
}
