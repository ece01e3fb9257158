package testrig_test

import (
	"encoding/json"
	"strings"
	"testing"

	"parley/store"
	"parley/testrig"
)

// talk is a room in which juliet, with an app, has corrected, answered, reacted and sent a file.
type talk struct {
	r                    *testrig.Rig
	romeo                *testrig.Browser
	g                    store.Group
	first, answer, photo string // stanza-ids
	correction           string
}

// talking has juliet say in an app what pages and programs are to show.
func talking(t *testing.T) talk {
	t.Helper()
	r, romeo, g := verona(t, "juliet")
	romeo.Post("/g/verona/members", "member", "juliet", "role", "member")
	room := g.Room + "@groups." + testrig.Host
	c := signIn(t, r, "juliet")
	do(t, c, "<presence to='"+room+"/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	say := func(id, payload string) string {
		return do(t, c, "<message type='groupchat' id='"+id+"' to='"+room+"'>"+payload+"</message>", id).
			Find("stanza-id").Attr("id")
	}
	k := talk{r: r, romeo: romeo, g: g}
	k.first = say("m1", "<body>balconny at noon</body>")
	k.correction = say("m2", "<body>balcony at noon</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>")
	say("m3", "<reactions xmlns='urn:xmpp:reactions:0' id='"+k.first+"'><reaction>🌹</reaction></reactions>")
	k.answer = say("m4", "<body>&gt; balconny at noon\nand at night</body><reply xmlns='urn:xmpp:reply:0' id='"+k.first+
		"' to='"+room+"/Juliet'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>"+
		"<body start='0' end='19'/></fallback>")
	const file = "https://files.example/a/rose.jpg"
	k.photo = say("m5", "<body>"+file+"</body><x xmlns='jabber:x:oob'><url>"+file+"</url></x>")
	say("m6", "<body>I sent you an OMEMO encrypted message</body><encrypted xmlns='eu.siacs.conversations.axolotl'>"+
		"<header sid='1'/><payload>x</payload></encrypted>")
	return k
}

func TestMessagesOnPages(t *testing.T) {
	k := talking(t)
	text := k.romeo.Get("/g/verona").Text
	for what, n := range map[string]int{
		`<div class="text">balcony at noon</div>`: 1,
		"balconny":                             0,
		">edited<":                             1,
		">🌹 1</span>":                          1,
		`<div class="text">and at night</div>`: 1,
		`#m-` + k.first + `">balcony at noon</a>`:                                        1,
		`<a href="https://files.example/a/rose.jpg" rel="noreferrer noopener nofollow">`: 1,
		"This message is encrypted":                                                      1,
		"OMEMO":                                                                          0,
	} {
		if got := strings.Count(text, what); got != n {
			t.Errorf("%q is %d times on the page, not %d", what, got, n)
		}
	}
	for _, id := range []string{k.first, k.correction} {
		p := k.romeo.Get("/g/verona/m/" + id)
		if p.Status != 200 || !strings.Contains(p.Text, `message here" id="m-`+k.first+`"`) {
			t.Errorf("the link to %s: %d", id, p.Status)
		}
	}
	for _, word := range []string{"balconny", "balcony"} {
		p := k.romeo.Get("/search?q=" + word)
		if n := strings.Count(p.Text, "/g/verona/m/"+k.first); n != 1 || strings.Contains(p.Text, "balconny at") {
			t.Errorf("%d hits for %s", n, word)
		}
	}
	if p := k.romeo.Post("/g/verona/m/"+k.correction+"/retract", "reason", "not here"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	text = k.romeo.Get("/g/verona").Text
	if strings.Contains(text, "at noon") || strings.Contains(text, "🌹") ||
		strings.Count(text, "This message was removed.") != 2 || !strings.Contains(text, "(not here)") {
		t.Error("the message that a moderator has removed is on the page")
	}
}

// The newest message of a room is at home as it is now.
func TestNewestMessageAtHome(t *testing.T) {
	r, romeo, g := verona(t, "juliet")
	romeo.Post("/g/verona/members", "member", "juliet", "role", "member")
	room := g.Room + "@groups." + testrig.Host
	c := signIn(t, r, "juliet")
	do(t, c, "<presence to='"+room+"/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	do(t, c, "<message type='groupchat' id='m1' to='"+room+"'><body>balconny</body></message>", "m1")
	do(t, c, "<message type='groupchat' id='m2' to='"+room+"'><body>balcony</body>"+
		"<replace xmlns='urn:xmpp:message-correct:0' id='m1'/></message>", "m2")
	if text := romeo.Get("/").Text; !strings.Contains(text, "Juliet: balcony<") || strings.Contains(text, "balconny") {
		t.Error("the old text is at home")
	}
}

func TestMessagesOfTheAPI(t *testing.T) {
	k := talking(t)
	romeo := apiOfAll(t, k.r, "romeo")[0]
	var got []json.RawMessage
	romeo.want(200, "GET", "/v1/groups/verona/messages", "", &got)
	type message struct {
		ID, Text, Sender, Kind, Edited string
		Reply                          struct{ ID, By, Text string }
		Reactions                      []struct {
			Emoji string
			By    []string
		}
		Files []struct{ URL, Name, Type string }
	}
	read := func(b json.RawMessage) (m message) {
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	if len(got) < 4 {
		t.Fatalf("%s", got)
	}
	got = got[len(got)-4:]
	first, answer, photo, secret := read(got[0]), read(got[1]), read(got[2]), read(got[3])
	if first.ID != k.first || first.Text != "balcony at noon" || first.Edited == "" ||
		first.Sender != "juliet@example.org" || len(first.Reactions) != 1 || first.Reactions[0].Emoji != "🌹" ||
		first.Reactions[0].By[0] != "Juliet" {
		t.Errorf("%s", got[0])
	}
	if answer.Text != "and at night" || answer.Reply.ID != k.first || answer.Reply.By != "Juliet" ||
		answer.Reply.Text != "balcony at noon" {
		t.Errorf("%s", got[1])
	}
	if photo.Text != "https://files.example/a/rose.jpg" || len(photo.Files) != 1 || photo.Files[0].Name != "rose.jpg" ||
		photo.Files[0].Type != "image/jpeg" {
		t.Errorf("%s", got[2])
	}
	if secret.Kind != "encrypted" || secret.Text != "This message is encrypted" {
		t.Errorf("%s", got[3])
	}
	for _, word := range []string{"balconny", "balcony"} {
		romeo.want(200, "GET", "/v1/search?q="+word+"&limit=1&older="+k.answer, "", &got)
		if len(got) != 1 || read(got[0]).Text != "balcony at noon" || !strings.Contains(string(got[0]), "/m/"+k.first) {
			t.Errorf("%s", got)
		}
	}
	romeo.want(204, "DELETE", "/v1/groups/verona/messages/"+k.correction, "", nil)
	romeo.want(200, "GET", "/v1/groups/verona/messages", "", &got)
	if s := string(got[len(got)-3]); strings.Contains(s, "noon") || !strings.Contains(s, `"gone":true`) {
		t.Errorf("%s", s)
	}
}
