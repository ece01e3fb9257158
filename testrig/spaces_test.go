package testrig_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/org"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// dot is a picture of one pixel.
var dot, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")

// TestSpaceAvatar: the photo of a group is its space's avatar, under both ids, at an address that only members learn.
func TestSpaceAvatar(t *testing.T) {
	t.Parallel()
	h := startHooked(t, nil)
	if err := h.Node.Org.SetPhoto(t.Context(), acts.System, testrig.Host, h.id, dot); err != nil {
		t.Fatal(err)
	}
	g, err := h.Node.Org.GroupByID(t.Context(), testrig.Host, h.id)
	if err != nil {
		t.Fatal(err)
	}
	at := "https://example.org:" + h.addr[strings.LastIndexByte(h.addr, ':')+1:] +
		"/spaces/example.org/" + h.id + "/" + g.PhotoHash
	h.Run(t, `
romeo signs in
romeo sends: <iq type='get' id='1' to='spaces.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='`+h.id+`'/></pubsub></iq>
romeo gets: <iq type='result' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='`+h.id+`'>
<item id='urn:xmpp:spaces:avatar:metadata:0'><metadata xmlns='urn:xmpp:avatar:metadata'><info type='image/png' id='`+
		g.PhotoHash+`' url='`+at+`'/></metadata></item>
<item id='urn:xmpp:avatar:metadata'><metadata xmlns='urn:xmpp:avatar:metadata'><info type='image/png' id='`+g.PhotoHash+
		`'/></metadata></item></items></pubsub></iq>`)
	get := func(path string) (int, []byte) {
		res, err := h.http.Get("https://" + h.addr + "/spaces/example.org/" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, b
	}
	if status, b := get(h.id + "/" + g.PhotoHash); status != 200 || !bytes.Equal(b, dot) {
		t.Errorf("%d %q", status, b)
	}
	for _, path := range []string{h.id + "/", h.id + "/" + strings.Repeat("0", 40), "nosuch/" + g.PhotoHash} {
		if status, _ := get(path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	// Without a photo it is the emoji; the address of the photo leads nowhere any more.
	emoji := "🎭"
	if err := h.Node.Org.SetPhoto(t.Context(), acts.System, testrig.Host, h.id, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Node.Org.Update(t.Context(), acts.System, testrig.Host, h.id,
		org.GroupChange{Emoji: &emoji}); err != nil {
		t.Fatal(err)
	}
	h.Run(t, `
juliet signs in
juliet sends: <iq type='get' id='1' to='spaces.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='`+h.id+`'/></pubsub></iq>
juliet gets: <iq type='result' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='`+h.id+
		`'><item id='urn:xmpp:avatar:metadata'><metadata xmlns='urn:xmpp:avatar:metadata'><info type='image/png' bytes='*'/></metadata></item></items></pubsub></iq>`)
	p, err := h.Node.Org.Picture(t.Context(), testrig.Host, h.id)
	if err != nil {
		t.Fatal(err)
	}
	status, b := get(h.id + "/" + p.Hash)
	if sum := sha1.Sum(b); status != 200 || hex.EncodeToString(sum[:]) != p.Hash ||
		!bytes.HasPrefix(b, []byte("\x89PNG")) {
		t.Errorf("%d, %d bytes of %s", status, len(b), p.Hash)
	}
	if status, _ := get(h.id + "/" + g.PhotoHash); status != 404 {
		t.Errorf("the photo that was taken away: %d", status)
	}
}

// TestNews: pages and digests list missed activity, with mentions among it.
func TestNews(t *testing.T) {
	t.Parallel()
	h := startHooked(t, nil)
	h.Run(t, `
romeo signs in
romeo sends: <presence to='`+h.room+`/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>
romeo forgets from `+h.room+`
romeo sends: <message type='groupchat' to='`+h.room+`'><body>one</body></message>
romeo sends: <message type='groupchat' to='`+h.room+`'><body>@juliet two</body></message>
romeo sends: <message type='groupchat' to='`+h.room+`'><body>@all three</body></message>
romeo forgets from `+h.room)
	juliet, romeo := jid.MustParse("juliet@example.org"), jid.MustParse("romeo@example.org")
	news := func(who jid.JID) org.RoomNews {
		t.Helper()
		ns, err := h.Node.Org.News(t.Context(), testrig.Host, who, false)
		if err != nil || len(ns) != 1 || ns[0].Room.String() != h.room {
			t.Fatalf("%+v %v", ns, err)
		}
		return ns[0]
	}
	n := news(juliet)
	// noted away from the room
	for deadline := time.Now().Add(time.Minute); n.Mentions < 2 && time.Now().Before(deadline); n = news(juliet) {
	}
	if n.Unread != 3 || n.Mentions != 2 || !strings.Contains(string(n.Last.Stanza), "@all three") {
		t.Errorf("%+v", n)
	}
	if n := news(romeo); n.Unread != 0 || n.Mentions != 0 {
		t.Errorf("%+v", n)
	}
	if err := h.Node.Store.SetDisplayed(t.Context(), testrig.Host, "juliet", 10,
		store.Displayed{Chat: h.room, ID: n.Last.ID}); err != nil {
		t.Fatal(err)
	}
	if ns, err := h.Node.Org.News(t.Context(), testrig.Host, juliet, true); err != nil || len(ns) != 0 {
		t.Errorf("%+v %v", ns, err)
	}
	if ns, err := h.Node.Org.News(t.Context(), testrig.Host,
		jid.MustParse("tybalt@example.org"), false); err != nil || len(ns) != 0 {
		t.Errorf("%+v %v", ns, err)
	}
}

// TestTeamMention: mentioning a team by its name tells those of its people who may read the room, and nobody else; the
// author must be allowed to mention the team.
func TestTeamMention(t *testing.T) {
	t.Parallel()
	h := startHooked(t, nil)
	h.Account("tybalt")
	ctx := t.Context()
	for _, n := range []org.NewTeam{
		{Name: "Guard", People: []string{"juliet", "tybalt"}},
		{Name: "Quiet", MentionBy: "nobody", People: []string{"juliet"}},
	} {
		if _, err := h.Node.Org.CreateTeam(ctx, acts.System, testrig.Host, n); err != nil {
			t.Fatal(err)
		}
	}
	h.Run(t, `
romeo signs in
romeo sends: <presence to='`+h.room+`/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>
romeo forgets from `+h.room+`
romeo sends: <message type='groupchat' to='`+h.room+`'><body>@quiet hush</body></message>
romeo sends: <message type='groupchat' to='`+h.room+`'><body>to arms, @guard!</body></message>
romeo sends: <message type='groupchat' to='`+h.room+
		`'><body>to arms</body><mention xmlns='urn:xmpp:mentions:0' mentions='urn:xmpp:mentions:0#hats' uri='https://example.org/hats/team/guard'/></message>
romeo forgets from `+h.room)
	mentions := func(user string) int {
		ids, err := h.Node.Store.Mentions(ctx, testrig.Host, user, h.room, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(ids)
	}
	for deadline := time.Now().Add(time.Minute); mentions("juliet") < 2 && time.Now().Before(deadline); {
	}
	if n := mentions("juliet"); n != 2 {
		t.Errorf("juliet was mentioned %d times", n)
	}
	if n := mentions("tybalt"); n != 0 {
		t.Errorf("tybalt was mentioned %d times", n)
	}
}

// TestMentionOnPage: a mention on a page, by name or by team, gets a reference (XEP-0372), which clients notify of, but
// only for people who may read the room. A team is mentioned once, and by the rules for teams.
func TestMentionOnPage(t *testing.T) {
	t.Parallel()
	h := startHooked(t, nil)
	h.Account("tybalt")
	ctx := t.Context()
	for _, n := range []org.NewTeam{
		{Name: "Guard", People: []string{"juliet", "tybalt"}},
		{Name: "Quiet", MentionBy: "nobody", People: []string{"juliet"}},
	} {
		if _, err := h.Node.Org.CreateTeam(ctx, acts.System, testrig.Host, n); err != nil {
			t.Fatal(err)
		}
	}
	juliet := signIn(t, h.Rig, "juliet")
	do(t, juliet, "<presence id='j' to='"+h.room+
		"/Jule'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	b := h.Browser(t)
	b.SignIn("romeo")
	for _, tc := range []struct {
		text string
		want []string // begin, end, uri
	}{
		{"Héé @juliet, see", []string{"5 11 xmpp:juliet@example.org"}},
		{"@Jule see", []string{"1 5 xmpp:juliet@example.org"}},
		{"to arms, @guard!", []string{"10 15 xmpp:juliet@example.org"}},
		{"@quiet hush @tybalt a@juliet", nil},
	} {
		if p := b.Post("/g/"+h.group, "text", tc.text); p.Status != http.StatusSeeOther {
			t.Fatalf("%s: %d", tc.text, p.Status)
		}
		var got []string
		for {
			e, err := juliet.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e.Name.Local != "message" || e.Find("body") == nil || e.Find("body").Text != tc.text {
				continue
			}
			for _, c := range e.Children {
				if c.Name.Space == "urn:xmpp:reference:0" && c.Attr("type") == "mention" {
					got = append(got, c.Attr("begin")+" "+c.Attr("end")+" "+c.Attr("uri"))
				}
			}
			break
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q", tc.text, got)
		}
	}
	mentions := func() int {
		ids, err := h.Node.Store.Mentions(ctx, testrig.Host, "juliet", h.room, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(ids)
	}
	for deadline := time.Now().Add(time.Minute); mentions() < 3 && time.Now().Before(deadline); {
	}
	if n := mentions(); n != 3 { // twice by name, once by a team
		t.Errorf("juliet was mentioned %d times", n)
	}
}

// TestSharing: saved replies and contacts of a team, by commands and lines in rooms.
func TestSharing(t *testing.T) {
	t.Parallel()
	h := startHooked(t, nil)
	h.Account("tybalt")
	if _, err := h.Node.Org.CreateTeam(t.Context(), acts.System, testrig.Host,
		org.NewTeam{Name: "Guard", People: []string{"romeo", "juliet"}}); err != nil {
		t.Fatal(err)
	}
	h.Run(t, `
romeo signs in
juliet signs in
tybalt signs in
juliet sends: <presence/>
juliet gets: <presence from='juliet@example.org/juliet'/>
# Commands are there for who is in a team.
tybalt sends: <iq type='get' id='1' to='example.org'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>
tybalt gets: <iq type='result' id='1'><query xmlns='http://jabber.org/protocol/disco#items'><never><item node='https://parley.im/commands#snippets'/></never></query></iq>
tybalt sends: <iq type='set' id='2' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='https://parley.im/commands#new-snippet' action='complete'><x xmlns='jabber:x:data' type='submit'/></command></iq>
tybalt gets: <iq type='error' id='2'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
romeo sends: <iq type='get' id='1' to='example.org'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>
romeo gets: <iq type='result' id='1'><query xmlns='http://jabber.org/protocol/disco#items'><item node='https://parley.im/commands#snippets'/><item node='https://parley.im/commands#share-contact'/></query></iq>
romeo sends: <iq type='set' id='2' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='https://parley.im/commands#new-snippet' action='execute'/></iq>
romeo gets: <iq type='result' id='2'><command xmlns='http://jabber.org/protocol/commands' status='executing'><x xmlns='jabber:x:data' type='form'><field var='team'><value>guard</value><option label='Guard'><value>guard</value></option></field><field var='text' type='text-multi'/></x></command></iq>
romeo sends: <iq type='set' id='3' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='https://parley.im/commands#new-snippet' action='complete'><x xmlns='jabber:x:data' type='submit'><field var='team'><value>guard</value></field><field var='name'><value>Peace</value></field><field var='text'><value>I do but keep the peace,</value><value>put up thy sword.</value></field></x></command></iq>
romeo gets: <iq type='result' id='3'><command xmlns='http://jabber.org/protocol/commands' status='completed'><note type='info'/></command></iq>
romeo sends: <iq type='set' id='4' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='https://parley.im/commands#new-snippet' action='complete'><x xmlns='jabber:x:data' type='submit'><field var='team'><value>nosuch</value></field><field var='name'><value>x</value></field><field var='text'><value>x</value></field></x></command></iq>
romeo gets: <iq type='result' id='4'><command xmlns='http://jabber.org/protocol/commands' status='completed'><note type='error'/></command></iq>
romeo sends: <iq type='set' id='5' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='https://parley.im/commands#new-snippet' action='complete'><x xmlns='jabber:x:data' type='submit'><field var='team'><value>guard</value></field><field var='name'><value> </value></field></x></command></iq>
romeo gets: <iq type='result' id='5'><command xmlns='http://jabber.org/protocol/commands' status='completed'><note type='error'/></command></iq>
# A colleague says it in a room by its name.
juliet sends: <presence id='j' to='`+h.room+`/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>
juliet forgets from `+h.room+`
romeo sends: <presence id='j' to='`+h.room+`/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>
romeo forgets from `+h.room+`
juliet forgets from `+h.room+`
juliet sends: <message type='groupchat' id='s1' to='`+h.room+`'><body>!snippet peace</body></message>
romeo gets: <message type='groupchat' from='`+h.room+
		`/Juliet'><body>I do but keep the peace,&#10;put up thy sword.</body><stanza-id xmlns='urn:xmpp:sid:0'/></message>
juliet gets: <message id='s1'/>
juliet gets: <message type='groupchat' from='`+h.room+`/Juliet'/>
juliet sends: <message type='groupchat' id='s2' to='`+h.room+`'><body>!snippet war</body></message>
juliet gets: <message id='s2' type='groupchat'/>
juliet gets: <message id='s2' type='error'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
juliet sends: <message type='groupchat' id='s3' to='`+h.room+`'><body>!snippets</body></message>
juliet gets: <message id='s3'/>
juliet gets: <message from='`+h.room+`'><body>Peace (Guard): I do but keep the peace,</body></message>
# Contacts are sent to the team's people as roster items.
romeo sends: <iq type='set' id='6' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='https://parley.im/commands#share-contact' action='complete'><x xmlns='jabber:x:data' type='submit'><field var='team'><value>guard</value></field><field var='contact'><value>escalus@verona.example</value></field><field var='name'><value>Prince Escalus</value></field></x></command></iq>
romeo gets: <iq type='result' id='6'/>
juliet gets: <message from='example.org'><body>For the team Guard: Prince Escalus xmpp:escalus@verona.example</body><x xmlns='http://jabber.org/protocol/rosterx'><item action='add' jid='escalus@verona.example' name='Prince Escalus'><group>Guard</group></item></x></message>
juliet sends: <iq type='set' id='7' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='https://parley.im/commands#team-contacts' action='execute'/></iq>
juliet gets: <message from='example.org'><body/><x xmlns='http://jabber.org/protocol/rosterx'><item action='add' jid='escalus@verona.example'/></x></message>
juliet gets: <iq type='result' id='7'><command xmlns='http://jabber.org/protocol/commands' status='completed'/></iq>
romeo sends: <iq type='set' id='8' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='https://parley.im/commands#unshare-contact' action='execute'/></iq>
romeo gets: <iq type='result' id='8'><command xmlns='http://jabber.org/protocol/commands' status='executing'><x xmlns='jabber:x:data' type='form'><field var='which'><option><value>guard/escalus@verona.example</value></option></field></x></command></iq>
romeo sends: <iq type='set' id='9' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='https://parley.im/commands#unshare-contact' action='complete'><x xmlns='jabber:x:data' type='submit'><field var='which'><value>guard/escalus@verona.example</value></field></x></command></iq>
romeo gets: <iq type='result' id='9'/>
juliet gets: <message from='example.org'><x xmlns='http://jabber.org/protocol/rosterx'><item action='delete' jid='escalus@verona.example'><group>Guard</group></item></x></message>
tybalt gets nothing`)
}

// TestMentionWakes: a mention wakes a theme for somebody for whom it sleeps, and not for somebody who left it on
// purpose.
func TestMentionWakes(t *testing.T) {
	t.Parallel()
	h := startHooked(t, nil)
	h.Account("nurse")
	ctx := t.Context()
	if err := h.Node.Org.SetMember(ctx, acts.System, testrig.Host, h.id,
		jid.MustParse("nurse@example.org"), store.RoleMember); err != nil {
		t.Fatal(err)
	}
	theme, err := h.Node.Org.CreateTheme(ctx, acts.System, testrig.Host, h.id,
		org.NewTheme{Name: "Balcony", Creator: jid.MustParse("romeo@example.org")})
	if err != nil {
		t.Fatal(err)
	}
	room := theme.Room + "@groups.example.org"
	enters := func(user string) bool {
		bs, err := h.Node.Store.Bookmarks(ctx, testrig.Host, user)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range bs {
			if b.Room == room {
				return b.Autojoin
			}
		}
		return false
	}
	if err := h.Node.Org.Follow(ctx, testrig.Host, theme.Key, "juliet", store.FollowMuted); err != nil {
		t.Fatal(err)
	}
	if err := h.Node.Store.SetBookmarks(ctx, testrig.Host, "nurse", 0,
		store.Bookmark{Room: room, Name: "Balcony", Updated: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if enters("juliet") || enters("nurse") {
		t.Fatal("they enter")
	}
	h.Run(t, `
romeo signs in
romeo sends: <presence to='`+room+`/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>
romeo forgets from `+room+`
romeo sends: <message type='groupchat' to='`+room+`'><body>@juliet @nurse come</body></message>
romeo forgets from `+room)
	for deadline := time.Now().Add(time.Minute); !enters("nurse") && time.Now().Before(deadline); {
	}
	if !enters("nurse") || enters("juliet") { // they are told in the order of their names
		t.Errorf("nurse %v, juliet %v", enters("nurse"), enters("juliet"))
	}
}
