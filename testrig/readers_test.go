package testrig_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/config"
	"parley/store"
	"parley/testrig"
)

const (
	commands = "http://jabber.org/protocol/commands"
	announce = "SALE" // the word that she tries to show to everybody
)

// attempts are the ways in which a client could have a room say something, each with what its sender gets: an error of
// one condition or of any, first the line itself where that is a command ("echo"), "" where no answer is wanted.
func attempts(room string) []struct{ what, send, err string } {
	command := func(node, fields string) string {
		return "<iq type='set' id='{id}' to='" + room + "'><command xmlns='" + commands +
			"' node='https://parley.im/commands#" + node +
			"' action='complete'><x xmlns='jabber:x:data' type='submit'>" + fields + "</x></command></iq>"
	}
	say := func(payload string) string {
		return "<message type='groupchat' id='{id}' to='" + room + "'>" + payload + "</message>"
	}
	to := func(nick, payload string) string {
		return "<message type='chat' id='{id}' to='" + room + "/" + nick + "'>" + payload + "</message>"
	}
	iq := func(at, payload string) string {
		return "<iq type='set' id='{id}' to='" + room + at + "'>" + payload + "</iq>"
	}
	react := func(id, inner string) string {
		return "<reactions xmlns='urn:xmpp:reactions:0' id='" + id + "'>" + inner + "</reactions>"
	}
	user := "http://jabber.org/protocol/muc#user"
	return []struct{ what, send, err string }{
		{"a message", say("<body>SALE</body>"), "forbidden"},
		{"a message without a body", say("<x xmlns='jabber:x:oob'><url>https://sale.example</url></x>" +
			"<store xmlns='urn:xmpp:hints'/>"), "forbidden"},
		{"a correction", say("<body>SALE</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>"), "forbidden"},
		{"a retraction", say("<body>SALE</body><retract xmlns='urn:xmpp:message-retract:1' id='{m1}'/>"), "forbidden"},
		{"a subject", say("<subject>SALE</subject>"), "forbidden"},
		{"a reaction that is a word", say(react("{m1}", "<reaction>SALE</reaction>")), "forbidden"},
		{"a reaction of letters in circles",
			say(react("{m1}", "<reaction>Ⓢ</reaction><reaction>Ⓐ</reaction>")), "forbidden"},
		{"a reaction of regional letters",
			say(react("{m1}", "<reaction>🇸🇦</reaction><reaction>🇱🇪</reaction>")), "forbidden"},
		{"a reaction to what is no message", say(react("SALE", "<reaction>👍</reaction>")), "forbidden"},
		{"a reaction with a body", say("<body>SALE</body>" + react("{m1}", "<reaction>👍</reaction>")), "forbidden"},
		{"a marker of what is no message", say("<displayed xmlns='urn:xmpp:chat-markers:0' id='SALE'/>"), "forbidden"},
		{"a theme", say("<body>!theme SALE</body>"), "echo not-allowed"},
		{"a theme from a message",
			say("<body>!theme SALE</body><reply xmlns='urn:xmpp:reply:0' id='{m1}'/>"), "echo not-allowed"},
		{"a theme by form", command("new-theme", "<field var='name'><value>SALE</value></field>"), "any"},
		{"a meeting", say("<body>!meet SALE</body>"), "echo forbidden"},
		{"a meeting by form", command("meeting", "<field var='topic'><value>SALE</value></field>"), "any"},
		{"a saved reply", say("<body>!snippet SALE</body>"), "echo item-not-found"},
		{"somebody invited", say("<body>!invite tybalt</body>"), "forbidden"},
		{"an invitation", "<message id='{id}' to='" + room + "'><x xmlns='" + user +
			"'><invite to='nurse@example.org'><reason>SALE</reason></invite></x></message>", "forbidden"},
		{"a refused invitation", "<message id='{id}' to='" + room + "'><x xmlns='" + user +
			"'><decline to='romeo@example.org'><reason>SALE</reason></decline></x></message>", "item-not-found"},
		{"a request for a voice", "<message id='{id}' to='" + room +
			"'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>" +
			"<value>http://jabber.org/protocol/muc#request</value></field><field var='muc#role'>" +
			"<value>participant</value></field></x></message>", "not-allowed"},
		{"a word to a moderator", to("Romeo", "<body>SALE</body>"), "forbidden"},
		{"a word to a reader", to("Nurse", "<body>SALE</body>"), "forbidden"},
		{"an error for a reader", "<message type='error' id='{id}' to='" + room +
			"/Nurse'><body>SALE</body><error type='cancel'><conflict xmlns='" + nsStanzas + "'/><text xmlns='" +
			nsStanzas + "'>SALE</text></error></message>", ""},
		{"a call", iq("/Nurse", "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='SALE'/>"),
			"forbidden"},
		{"another nick", "<presence id='{id}' to='" + room + "/SALE'/>", "not-acceptable"},
		{"a status", "<presence to='" + room + "/Juliet'><status>SALE</status></presence>", ""},
		{"a role of her own", iq("",
			"<query xmlns='http://jabber.org/protocol/muc#admin'><item nick='Juliet' role='participant'>"+
				"<reason>SALE</reason></item></query>"), "forbidden"},
		{"herself put out", iq("",
			"<query xmlns='http://jabber.org/protocol/muc#admin'><item nick='Juliet' role='none'>"+
				"<reason>SALE</reason></item></query>"), "forbidden"},
		{"a reserved nick", iq("",
			"<query xmlns='http://jabber.org/protocol/muc#admin'>"+
				"<item jid='juliet@example.org' nick='SALE' affiliation='member'/></query>"), "forbidden"},
		{"the room's name", iq("",
			"<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>"+
				"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"+
				"<field var='muc#roomconfig_roomname'><value>SALE</value></field></x></query>"), "forbidden"},
		{"the room's picture", iq("", "<vCard xmlns='vcard-temp'><DESC>SALE</DESC></vCard>"), "forbidden"},
	}
}

// attempt makes one attempt: the sender gets the expected answer, and everybody else gets nothing.
func attempt(t *testing.T, r *testrig.Rig, i int, room, what, send, err string) string {
	var b strings.Builder
	id := fmt.Sprint("a", i)
	fmt.Fprintf(&b, "# %s\njuliet sends: %s\n", what, strings.ReplaceAll(send, "{id}", id))
	switch kind, _, _ := strings.Cut(strings.TrimPrefix(send, "<"), " "); {
	case err == "":
		fmt.Fprintf(&b, "juliet forgets from %s\n", room)
	default:
		if strings.HasPrefix(err, "echo ") {
			fmt.Fprintf(&b, "juliet gets: <message id='%s'/>\n", id)
		}
		why := "<" + strings.TrimPrefix(err, "echo ") + " xmlns='" + nsStanzas + "'/>"
		if err == "any" {
			why = ""
		}
		fmt.Fprintf(&b, "juliet gets: <%s type='error' id='%s'><error>%s</error></%s>\n", kind, id, why, kind)
	}
	fmt.Fprintf(&b, "romeo gets nothing from %s\nnurse gets nothing from %s\n", room, room)
	return b.String()
}

// Where moderators write, the others react with an emoji, and have the room say nothing in any other way: in every kind
// of group of announcements, and in their themes.
func TestReadersSayNothing(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) { c.Groups.MeetingURL = "https://meet.example/{room}-{secret}" })
	r.Account("!admin", "romeo", "juliet", "nurse", "tybalt")
	r.Run(t, `administrator does: POST /groups {"slug":"news","name":"News","kind":"announcement","owner":"romeo"}
administrator does: POST /groups {"slug":"board","name":"Board","kind":"announcement","private":true,"owner":"romeo"}
administrator does: POST /groups {"slug":"all","name":"All","kind":"announcement","owner":"romeo"}
administrator does: PUT /groups/all/mandatory {"whom":"everyone"}
administrator does: PUT /groups/news/members/juliet@example.org {"role":"moderator"}
administrator does: PUT /groups/news/members/nurse@example.org {"role":"member"}
administrator does: PUT /groups/board/members/juliet@example.org {"role":"member"}
administrator does: PUT /groups/board/members/nurse@example.org {"role":"member"}
administrator does: POST /groups/news/themes {"name":"Weather","creator":"juliet@example.org"}
administrator does: PUT /groups/news/members/juliet@example.org {"role":"member"}`)
	ctx := t.Context()
	groups, err := r.Node.Store.Groups(ctx, testrig.Host, "", 10)
	if err != nil || len(groups) != 3 {
		t.Fatal(groups, err)
	}
	rooms := map[string]string{}
	for _, g := range groups {
		rooms[g.Slug] = g.Room
		ts, err := r.Node.Store.Themes(ctx, testrig.Host, g.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, th := range ts {
			rooms[g.Slug+" theme"] = th.Room
		}
	}
	if len(rooms) != 4 {
		t.Fatal(rooms)
	}
	for name, local := range rooms {
		t.Run(name, func(t *testing.T) {
			room := local + "@groups." + testrig.Host
			var b strings.Builder
			for _, who := range []string{"romeo", "juliet", "nurse"} {
				fmt.Fprintf(&b, "%s signs in\n%s sends: <presence to='%s/%s'>"+
					"<x xmlns='http://jabber.org/protocol/muc'/></presence>\n%s forgets from %s\n",
					who, who, room, strings.ToUpper(who[:1])+who[1:], who, room)
			}
			fmt.Fprintf(&b, "romeo forgets from %s\njuliet forgets from %s\n", room, room)
			fmt.Fprintf(&b, "romeo sends: <message type='groupchat' id='m1' to='%s'><body>Hear ye</body></message>\n",
				room)
			for _, who := range []string{"romeo", "juliet", "nurse"} {
				fmt.Fprintf(&b, "%s gets: <message id='m1'><stanza-id xmlns='urn:xmpp:sid:0' id='{m1}'/></message>\n",
					who)
			}
			for i, a := range attempts(room) {
				b.WriteString(attempt(t, r, i, room, a.what, a.send, a.err))
			}
			// In with another client, under another nick: she goes by her name, and nobody sees her come and go.
			fmt.Fprintf(&b, `phone signs in as juliet/phone
phone sends: <presence to='%[1]s/SALE'><x xmlns='http://jabber.org/protocol/muc'/></presence>
phone gets: <presence from='%[1]s/Romeo'/>
phone gets: <presence from='%[1]s/juliet'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member' role='visitor'/><status code='110'/><status code='210'/></x></presence>
phone forgets from %[1]s
phone sends: <presence type='unavailable' to='%[1]s/juliet'><status>SALE</status></presence>
phone forgets from %[1]s
romeo gets nothing from %[1]s
nurse gets nothing from %[1]s
`, room)
			// Permitted: an emoji, and how far they have read; everything else in the stanza is removed.
			fmt.Fprintf(&b, `juliet sends: <message type='groupchat' id='r1' to='%[1]s'><reactions xmlns='urn:xmpp:reactions:0' id='{m1}' note='SALE'><reaction label='SALE'>❤️</reaction><reaction>👩🏽‍💻</reaction><reaction>🇫🇷</reaction></reactions><store xmlns='urn:xmpp:hints'>SALE</store></message>
juliet gets: <message id='r1'/>
romeo gets: <message id='r1' from='%[1]s/Juliet'><reactions xmlns='urn:xmpp:reactions:0' id='{m1}' note='-'><reaction label='-'>❤️</reaction><reaction>👩🏽‍💻</reaction><reaction>🇫🇷</reaction></reactions></message>
nurse gets: <message id='r1'/>
juliet sends: <message type='groupchat' id='r2' to='%[1]s'><displayed xmlns='urn:xmpp:chat-markers:0' id='{m1}'>SALE</displayed></message>
juliet gets: <message id='r2'/>
romeo gets: <message id='r2'><displayed xmlns='urn:xmpp:chat-markers:0' id='{m1}'/></message>
nurse gets: <message id='r2'/>
`, room)
			r.Run(t, b.String())
			es, _, _, err := r.Node.Store.ReadRoom(ctx, "groups."+testrig.Host, local, store.Page{Max: 100})
			if err != nil || len(es) == 0 {
				t.Fatal(err)
			}
			for _, e := range es {
				if bytes.Contains(e.Stanza, []byte(announce)) {
					t.Errorf("kept: %s", e.Stanza)
				}
			}
		})
	}
	t.Run("elsewhere", func(t *testing.T) { readersElsewhere(t, r, rooms) })
	for _, g := range groups {
		ts, err := r.Node.Store.Themes(ctx, testrig.Host, g.ID)
		if err != nil || g.Slug == "news" && (len(ts) != 1 || ts[0].Name != "Weather") ||
			g.Slug != "news" && len(ts) != 0 {
			t.Errorf("themes of %s: %v, %v", g.Slug, ts, err)
		}
	}
}

// readersElsewhere tries places other than the room itself: a new room at its address, its space, its pages, a theme
// that the reader began as a moderator.
func readersElsewhere(t *testing.T, r *testrig.Rig, rooms map[string]string) {
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "news")
	if err != nil {
		t.Fatal(err)
	}
	theme := rooms["news theme"] + "@groups." + testrig.Host
	r.Run(t, `juliet signs in as juliet/elsewhere
romeo signs in as romeo/elsewhere
romeo sends: <presence to='news@groups.example.org/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>
romeo forgets from news@groups.example.org
juliet sends: <presence id='1' to='news.sale@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>
juliet gets: <presence type='error' id='1'><error><not-allowed xmlns='`+nsStanzas+`'/></error></presence>
juliet sends: <iq type='set' id='2' to='spaces.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='`+g.ID+`'><item><conference xmlns='urn:xmpp:bookmarks:1' name='SALE'/></item></publish></pubsub></iq>
juliet gets: <iq type='error' id='2'><error><not-allowed xmlns='`+nsStanzas+`'/></error></iq>
juliet sends: <iq type='set' id='3' to='spaces.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='`+g.ID+`'><x xmlns='jabber:x:data' type='submit'><field var='pubsub#title'><value>SALE</value></field></x></configure></pubsub></iq>
juliet gets: <iq type='error' id='3'><error><forbidden xmlns='`+nsStanzas+`'/></error></iq>
juliet sends: <iq type='set' id='4' to='`+theme+`'><command xmlns='`+commands+
		`' node='https://parley.im/commands#rename-theme' action='complete'><x xmlns='jabber:x:data' type='submit'><field var='name'><value>SALE</value></field></x></command></iq>
juliet gets: <iq type='error' id='4'><error><forbidden xmlns='`+nsStanzas+`'/></error></iq>
juliet sends: <iq type='get' id='5' to='news@groups.example.org'><query xmlns='http://jabber.org/protocol/disco#items' node='`+commands+`'/></iq>
juliet gets: <iq type='result' id='5'><query xmlns='http://jabber.org/protocol/disco#items'><item node='https://parley.im/commands#leave-group'/><never><item node='https://parley.im/commands#new-theme'/></never><never><item node='https://parley.im/commands#meeting'/></never></query></iq>
romeo gets nothing from news@groups.example.org`)
	web := r.Browser(t)
	web.SignIn("juliet")
	if p := web.Get("/g/news"); p.Status != http.StatusOK || !strings.Contains(p.Text, "Moderators write here.") ||
		!strings.Contains(p.Text, "moderators write") || strings.Contains(p.Text, "/themes/new") {
		t.Errorf("the page does not say who writes: %d %s", p.Status, p.Text)
	}
	for path, fields := range map[string][]string{
		"/g/news":            {"text", announce},
		"/g/news/themes/new": {"name", announce},
		"/g/news/t/" + keyOf(t, r, g.ID) + "/settings": {"name", announce},
	} {
		if p := web.Post(path, fields...); p.Status < 400 {
			t.Errorf("POST %s: %d to %s", path, p.Status, p.To)
		}
	}
}

func keyOf(t *testing.T, r *testrig.Rig, group string) string {
	ts, err := r.Node.Store.Themes(t.Context(), testrig.Host, group)
	if err != nil || len(ts) == 0 {
		t.Fatal(err)
	}
	return ts[0].Key
}
