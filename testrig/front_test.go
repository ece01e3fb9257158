package testrig_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/acts"
	"parley/node"
	"parley/org"
	"parley/store"
	"parley/testrig"
	"parley/webchat"
)

// A browser sees what clients do in a room, and clients see what the browser does, as the same stanzas. The browser is
// not in the room.
func TestFrontInRoom(t *testing.T) {
	r, _, g := verona(t, "juliet", "benvolio")
	addTo(t, r, g, "juliet")
	room := g.Room + "@groups." + testrig.Host
	juliet := newChatter(t, r, "juliet")
	c := signIn(t, r, "romeo")
	joinRoom(t, c, room, "Romeo")

	saysIn(t, c, room, "r1", "<body>Soft!</body>")
	m := juliet.fresh(room, "Soft!")
	if m.By == nil || m.By.Address != "romeo@"+testrig.Host || m.ID == "" {
		t.Errorf("got %+v", m)
	}

	said := juliet.say(room, "Ay me!")
	got := wantMessage(t, c, func(e *testrig.Element) bool { return content(e, "body") == "Ay me!" })
	if got.Find("occupant-id") == nil || got.Attr("from") == room || said.ID != got.Find("stanza-id").Attr("id") {
		t.Errorf("the client got %s, the browser %+v", got, said)
	}
	if list := ask(t, c, room, "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>"); strings.Contains(
		list.String(), "juliet") {
		t.Errorf("the browser is in the room: %s", list)
	}

	// A correction, a reaction and a reply of the client.
	saysIn(t, c, room, "r2", "<body>Soft! What light</body><replace xmlns='urn:xmpp:message-correct:0' id='r1'/>")
	m = juliet.message(room, func(m webchat.Message, fresh bool) bool { return !fresh && m.Edited != nil })
	if m.Text != "Soft! What light" {
		t.Errorf("got %+v", m)
	}
	saysIn(t, c, room, "r3",
		"<reactions xmlns='urn:xmpp:reactions:0' id='"+said.ID+"'><reaction>👍</reaction></reactions>")
	m = juliet.message(room, func(m webchat.Message, _ bool) bool { return m.ID == said.ID && len(m.Reactions) == 1 })
	if m.Reactions[0].Emoji != "👍" || len(m.Reactions[0].By) != 1 {
		t.Errorf("got %+v", m)
	}
	saysIn(t, c, room, "r4", "<body>&gt; Ay me!\nShe speaks</body><reply xmlns='urn:xmpp:reply:0' to='"+room+
		"/Juliet' id='"+said.ID+"'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>"+
		"<body start='0' end='9'/></fallback>")
	m = juliet.fresh(room, "She speaks")
	if m.Reply == nil || m.Reply.ID != said.ID || m.Reply.Text != "Ay me!" {
		t.Errorf("got %+v", m.Reply)
	}

	// And of the browser.
	var edited webchat.Message
	juliet.must("PUT", in(room, "/messages/", said.ID), map[string]any{"text": "Ay me, again!"}, &edited)
	if edited.ID != said.ID || edited.Text != "Ay me, again!" || edited.Edited == nil {
		t.Errorf("edited: %+v", edited)
	}
	wantMessage(t, c, func(e *testrig.Element) bool {
		x := e.Find("replace")
		return x != nil && content(e, "body") == "Ay me, again!" && x.Attr("id") == got.Attr("id")
	})
	juliet.must("PUT", in(room, "/messages/", m.ID, "/reactions"), map[string]any{"emoji": []string{"❤️"}}, nil)
	wantMessage(t, c, func(e *testrig.Element) bool {
		x := e.Find("reactions")
		return x != nil && x.Attr("id") == m.ID && strings.Contains(e.String(), "❤️")
	})
	var reply webchat.Message
	juliet.must("POST", in(room, "/messages"), webchat.Outgoing{Text: "Wherefore?", Reply: m.ID}, &reply)
	if reply.Text != "Wherefore?" || reply.Reply == nil || reply.Reply.ID != m.ID || reply.Reply.Text != "She speaks" {
		t.Errorf("reply: %+v", reply)
	}
	wantMessage(t, c, func(e *testrig.Element) bool {
		x := e.Find("reply")
		return x != nil && x.Attr("id") == m.ID && strings.HasSuffix(content(e, "body"), "Wherefore?")
	})
	juliet.must("DELETE", in(room, "/messages/", reply.ID), nil, nil)
	wantMessage(t, c, func(e *testrig.Element) bool { return e.Find("retract") != nil })
	juliet.message(room, func(m webchat.Message, _ bool) bool { return m.ID == reply.ID && m.Removed != nil })

	var texts []string
	for _, x := range juliet.history(room).Messages {
		if x.Removed == nil {
			texts = append(texts, x.Text)
		}
	}
	if want := "Soft! What light|Ay me, again!|She speaks"; strings.Join(texts, "|") != want {
		t.Errorf("history: %q, want %q", texts, want)
	}
}

// Rights hold for browsers as for clients, and end at once.
func TestFrontRights(t *testing.T) {
	r, _, g := verona(t, "juliet", "benvolio")
	addTo(t, r, g, "juliet")
	room := g.Room + "@groups." + testrig.Host
	juliet, benvolio := newChatter(t, r, "juliet"), newChatter(t, r, "benvolio")
	m := juliet.say(room, "In secret")
	for _, ask := range [][2]string{
		{"GET", in(room)}, {"GET", in(room, "/messages")}, {"POST", in(room, "/messages")},
		{"PUT", in(room, "/messages/", m.ID)}, {"DELETE", in(room, "/messages/", m.ID)},
		{"PUT", in(room, "/messages/", m.ID, "/reactions")}, {"PUT", in(room, "/read")},
		{"PUT", in(room, "/typing")}, {"GET", in(room, "/people")}, {"PUT", in(room, "/notify")},
	} {
		var body any
		if ask[0] != "GET" && ask[0] != "DELETE" {
			body = map[string]any{"text": "x", "emoji": []string{"x"}, "message": m.ID, "typing": true, "notify": "all"}
		}
		if status := benvolio.do(ask[0], ask[1], body, nil); status != http.StatusNotFound &&
			status != http.StatusUnprocessableEntity {
			t.Errorf("%s %s: %d", ask[0], ask[1], status)
		}
	}
	if _, ok := benvolio.conversation(room); ok {
		t.Error("it is in the list of somebody who may not know of it")
	}
	if _, ok := juliet.conversation(room); !ok {
		t.Error("it is not in the list of a member")
	}
	// Somebody who comes sees the conversation at once; somebody who is put out loses it at once.
	addTo(t, r, g, "benvolio")
	benvolio.want("conversation", func(data string) bool { return strings.Contains(data, room) })
	juliet.say(room, "Welcome")
	benvolio.fresh(room, "Welcome")
	if err := r.Node.Org.SetMembers(t.Context(), acts.Operator, testrig.Host, g.ID,
		[]store.Member{{JID: "juliet@" + testrig.Host}}); err != nil {
		t.Fatal(err)
	}
	juliet.want("gone", func(data string) bool { return strings.Contains(data, room) })
	if status := juliet.do("POST", in(room, "/messages"), webchat.Outgoing{Text: "still?"}, nil); status < 400 {
		t.Errorf("writes after being put out: %d", status)
	}
}

// Two people write to each other, one of them in a browser, with what both of them read.
func TestFrontWithPerson(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet")
	juliet := newChatter(t, r, "juliet")
	c := signIn(t, r, "romeo")
	sends(t, c, "<presence/>")
	him, her := "romeo@"+testrig.Host, "juliet@"+testrig.Host
	sends(t, c, "<message to='"+her+"' type='chat' id='a1'><body>Good night</body></message>")
	m := juliet.fresh(him, "Good night")
	if x, ok := juliet.conversation(him); !ok || x.Kind != "person" || x.Unread == nil || *x.Unread != 1 ||
		x.Last == nil || x.Last.Text != "Good night" {
		t.Errorf("listed as %+v", x)
	}
	said := juliet.say(him, "A thousand times")
	got := wantMessage(t, c, func(e *testrig.Element) bool { return content(e, "body") == "A thousand times" })
	if got.Attr("type") != "chat" {
		t.Errorf("got %s", got)
	}
	var left webchat.Unread
	juliet.must("PUT", in(him, "/read"), map[string]any{"message": m.ID}, &left)
	if left.Unread != 0 {
		t.Errorf("unread: %+v", left)
	}
	wantMessage(t, c, func(e *testrig.Element) bool {
		x := e.Find("displayed")
		return x != nil && x.Attr("id") == "a1"
	})
	juliet.want("read", func(data string) bool { return strings.Contains(data, m.ID) })
	sends(t, c, "<message to='"+her+"' type='chat' id='a2'><reactions xmlns='urn:xmpp:reactions:0' id='"+
		got.Attr("id")+"'><reaction>🌹</reaction></reactions></message>")
	juliet.message(him, func(m webchat.Message, _ bool) bool { return m.ID == said.ID && len(m.Reactions) == 1 })
	sends(t, c, "<message to='"+her+"' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
	juliet.want("typing", func(data string) bool { return strings.Contains(data, `"typing":true`) })
	sends(t, c, "<message to='"+her+"' type='chat' id='a3'><body>Good morning</body>"+
		"<replace xmlns='urn:xmpp:message-correct:0' id='a1'/></message>")
	juliet.message(him, func(x webchat.Message, _ bool) bool { return x.ID == m.ID && x.Text == "Good morning" })
}

// What a browser misses while its stream is broken comes with the next stream, once; and what is sent twice is kept
// once.
func TestFrontNothingLost(t *testing.T) {
	r, _, g := verona(t, "juliet")
	addTo(t, r, g, "juliet")
	room := g.Room + "@groups." + testrig.Host
	juliet := newChatter(t, r, "juliet")
	c := signIn(t, r, "romeo")
	joinRoom(t, c, room, "Romeo")
	saysIn(t, c, room, "1", "<body>one</body>")
	last := juliet.want("message", func(data string) bool { return strings.Contains(data, `"one"`) })

	other := &chatter{t: t, b: juliet.b, events: make(chan happened, 1000)}
	saysIn(t, c, room, "2", "<body>two</body>")
	juliet.fresh(room, "two")
	end := other.listen(last.id)
	other.want("hello", func(string) bool { return true })
	other.fresh(room, "two")
	end()
	lost := &chatter{t: t, b: juliet.b, events: make(chan happened, 1000)}
	lost.listen("elsewhere-7")
	lost.want("reset", func(string) bool { return true })

	var first, second webchat.Message
	o := webchat.Outgoing{Text: "once", Origin: "o1"}
	juliet.must("POST", in(room, "/messages"), o, &first)
	juliet.must("POST", in(room, "/messages"), o, &second)
	if first.ID == "" || first.ID != second.ID {
		t.Errorf("sent twice: %s and %s", first.ID, second.ID)
	}
	n := 0
	for _, m := range juliet.history(room).Messages {
		if m.Text == "once" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("kept %d times", n)
	}
}

// A browser that sends a message several times at once has sent it once, and each request gets the same answer.
func TestFrontSendsOnce(t *testing.T) {
	r, _, g := verona(t, "juliet")
	addTo(t, r, g, "juliet")
	room := g.Room + "@groups." + testrig.Host
	juliet := newChatter(t, r, "juliet")
	var made [5]webchat.Message
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			o := webchat.Outgoing{Text: "at once", Origin: "o2"}
			if status := juliet.do("POST", in(room, "/messages"), o, &made[i]); status >= 300 {
				t.Errorf("POST: %d", status)
			}
		})
	}
	wg.Wait()
	for _, m := range made {
		if m.ID == "" || m.ID != made[0].ID {
			t.Errorf("sent twice: %s and %s", made[0].ID, m.ID)
		}
	}
	if ms := juliet.history(room).Messages; len(ms) != 1 {
		t.Errorf("%d messages are kept", len(ms))
	}
}

// The stream of events is for people who are signed in, on the pages or with a token.
func TestFrontStream(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo")
	nobody := r.Browser(t)
	if p := nobody.Get("/api/v1/events"); p.Status != http.StatusUnauthorized {
		t.Errorf("nobody: %d", p.Status)
	}
	romeo := newChatter(t, r, "romeo")
	romeo.b.Post("/logout")
	if p := romeo.b.Get("/api/v1/events"); p.Status != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", p.Status)
	}
}

// A person in a browser is mentioned by everyone who is here, and hears of it.
func TestFrontMention(t *testing.T) {
	r, _, g := verona(t, "juliet", "benvolio")
	addTo(t, r, g, "juliet")
	addTo(t, r, g, "benvolio")
	room := g.Room + "@groups." + testrig.Host
	juliet, benvolio := newChatter(t, r, "juliet"), newChatter(t, r, "benvolio")
	var who webchat.Mentionable
	juliet.must("GET", in(room, "/people?q=ben"), nil, &who)
	if len(who.People) != 1 || who.People[0].Address != "benvolio@"+testrig.Host || !who.People[0].Here {
		t.Errorf("got %+v", who)
	}
	var m webchat.Message
	juliet.must("POST", in(room, "/messages"), webchat.Outgoing{
		Text:     "Ask Ben",
		Mentions: []webchat.Mention{{Begin: 4, End: 7, Address: "benvolio@" + testrig.Host}},
	}, &m)
	if len(m.Mentions) != 1 || m.Mentions[0].Begin != 4 || m.Mentions[0].End != 7 {
		t.Errorf("sent %+v", m)
	}
	benvolio.want("mention", func(data string) bool { return strings.Contains(data, m.ID) })
	if c, _ := benvolio.conversation(room); c.Mentions == nil || *c.Mentions != 1 {
		t.Errorf("listed as %+v", c)
	}
	here := benvolio.say(room, "@here too")
	juliet.want("mention", func(data string) bool { return strings.Contains(data, here.ID) })
}

// A server that stops ends the streams itself: it does not wait for browsers, and cuts nothing off.
func TestFrontServerStops(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo")
	romeo := newChatter(t, r, "romeo")
	r.Restart()
	if err := <-romeo.ended; err != nil {
		t.Errorf("the stream was cut off: %v", err)
	}
}

// Somebody who looks at a group that everybody may read, without being in it, hears of what is said there.
func TestFrontVisit(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	romeo := r.Browser(t)
	romeo.SignIn("romeo")
	if p := romeo.Post("/groups/new", "name", "News", "kind", "large"); p.Status != http.StatusSeeOther {
		t.Fatal(p.Status, p.Text)
	}
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "news")
	if err != nil {
		t.Fatal(err)
	}
	juliet := newChatter(t, r, "juliet")
	room := g.Room + "@groups." + testrig.Host
	var c webchat.Conversation
	juliet.must("GET", in(room), nil, &c)
	if c.Name != "News" {
		t.Errorf("got %+v", c)
	}
	romeo.Post("/g/news", "text", "Hear, hear")
	juliet.fresh(room, "Hear, hear")
	juliet.say(room, "Me too")
	juliet.fresh(room, "Me too")
}

// A group's photo, or the emoji in its place, is shown in the list.
func TestFrontGroupPicture(t *testing.T) {
	r, _, g := verona(t, "juliet")
	addTo(t, r, g, "juliet")
	emoji := "\U0001F339"
	if _, err := r.Node.Org.Update(t.Context(), acts.Operator, testrig.Host, g.ID,
		org.GroupChange{Emoji: &emoji}); err != nil {
		t.Fatal(err)
	}
	juliet := newChatter(t, r, "juliet")
	c, _ := juliet.conversation(g.Room + "@groups." + testrig.Host)
	p := juliet.b.Get(c.Photo)
	if c.Photo == "" || p.Status != http.StatusOK || !strings.HasPrefix(p.Header.Get("Content-Type"), "image/") {
		t.Errorf("%q: %d %s", c.Photo, p.Status, p.Header.Get("Content-Type"))
	}
}

// Home and the list of devices name people and browsers as people know them.
func TestHomeNames(t *testing.T) {
	r, romeo, g := verona(t, "juliet")
	addTo(t, r, g, "juliet")
	if _, _, err := r.Node.Store.UpdateOwner(t.Context(), testrig.Host, "romeo", func(p *store.Person) error {
		p.FullName = "Romeo Montague"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	romeo.Post("/g/verona", "text", "But soft")
	juliet := newChatter(t, r, "juliet")
	home := juliet.b.Get("/").Text
	if !strings.Contains(home, "Romeo Montague:") || !strings.Contains(home, "But soft") {
		t.Error("home does not say who has written")
	}
	if strings.Contains(home, "Go-http-client") || !strings.Contains(home, "A browser") {
		t.Error("home does not name the browser")
	}
}

// A status ends when its time is over by the node's clock.
func TestFrontStatusEnds(t *testing.T) {
	t.Parallel() // it waits most of the time
	var ahead atomic.Int64
	r := testrig.Start(t, web, node.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
	r.Account("juliet")
	juliet := newChatter(t, r, "juliet")
	until := time.Now().Add(time.Hour)
	juliet.must("PUT", "/me/status", webchat.Status{Show: "away", Until: &until}, nil)
	shows := func(show string) func(string) bool {
		return func(data string) bool {
			var me webchat.Me
			return json.Unmarshal([]byte(data), &me) == nil && me.Status.Show == show
		}
	}
	juliet.want("me", shows("away"))
	ahead.Store(int64(2 * time.Hour))
	juliet.want("me", shows("available"))
}

// A message that no archive keeps is seen in the browser all the same: nobody else shows it later.
func TestFrontWithoutArchive(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet")
	phone, c := signIn(t, r, "juliet"), signIn(t, r, "romeo")
	if e := ask(t, phone, "juliet@"+testrig.Host, "set",
		"<prefs xmlns='urn:xmpp:mam:2' default='never'><always/><never/></prefs>"); !ok(e) {
		t.Fatal(e)
	}
	juliet := newChatter(t, r, "juliet")
	sends(t, c, "<message to='juliet@"+testrig.Host+"' type='chat' id='u1'><body>Burn this</body></message>")
	juliet.fresh("romeo@"+testrig.Host, "Burn this")
}
