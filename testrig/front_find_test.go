package testrig_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/testrig"
	"parley/webchat"
)

// Messages are found by filters alone: in a conversation, by their author, by what they have, by their time. A page and
// the API agree, and somebody who may not read the messages finds none.
func TestFindWithoutWords(t *testing.T) {
	r, romeo, g := verona(t, "juliet", "tybalt")
	addTo(t, r, g, "juliet")
	room := g.Room + "@groups." + testrig.Host
	juliet, tybalt := newChatter(t, r, "juliet"), newChatter(t, r, "tybalt")
	c := signIn(t, r, "romeo")
	joinRoom(t, c, room, "Romeo")
	saysIn(t, c, room, "f1", "<body>no link</body>")
	saysIn(t, c, room, "f2", "<body>see https://verona.example/balcony</body>")
	saysIn(t, c, room, "f3", "<body>https://verona.example/rose.jpg</body>"+
		"<x xmlns='jabber:x:oob'><url>https://verona.example/rose.jpg</url></x>")
	saysIn(t, c, room, "f4", "<body>@juliet come</body>"+
		"<reference xmlns='urn:xmpp:reference:0' type='mention' begin='0' end='7' uri='xmpp:juliet@example.org'/>")
	saysIn(t, c, room, "f5", "<body>no longer a link</body><replace xmlns='urn:xmpp:message-correct:0' id='f1'/>")
	juliet.message(room, func(m webchat.Message, _ bool) bool { return m.Text == "no longer a link" })
	juliet.say(room, "I come")
	juliet.say("tybalt@"+testrig.Host, "cousin")

	find := func(who *chatter, query ...string) (texts string) {
		v := url.Values{}
		for i := 0; i < len(query); i += 2 {
			v.Set(query[i], query[i+1])
		}
		var hits webchat.Hits
		who.must("GET", "/find?"+v.Encode(), nil, &hits)
		if hits.Until != nil {
			t.Errorf("%v: it stopped at %v", query, hits.Until)
		}
		var all []string
		for _, h := range hits.Hits {
			text := h.Message.Text
			for _, f := range h.Message.Files {
				text += "[" + f.Name + "]"
			}
			all = append(all, text)
		}
		return strings.Join(all, "|")
	}
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	for _, x := range []struct {
		who   *chatter
		query []string
		want  string
	}{
		{juliet, []string{"in", room, "has", "link"}, "see https://verona.example/balcony"},
		{juliet, []string{"has", "file"}, "[rose.jpg]"},
		{juliet, []string{"has", "mention"}, "@juliet come"},
		{juliet, []string{"from", "juliet@example.org"}, "cousin|I come"},
		{juliet, []string{"from", "juliet@example.org", "in", room}, "I come"},
		{juliet, []string{"in", room, "from", "romeo@example.org"},
			"@juliet come|[rose.jpg]|see https://verona.example/balcony|no longer a link"},
		{juliet, []string{"in", "tybalt@example.org"}, "cousin"},
		{juliet, []string{"in", room, "after", tomorrow.Format(time.RFC3339)}, ""},
		{juliet, []string{"in", room, "before", yesterday.Format(time.RFC3339)}, ""},
		{juliet, []string{"in", room, "after", yesterday.Format(time.RFC3339), "limit", "1"}, "I come"},
		{tybalt, []string{"has", "link"}, ""},
		{tybalt, []string{"from", "romeo@example.org"}, ""},
		{tybalt, []string{"from", "juliet@example.org"}, "cousin"},
	} {
		if got := find(x.who, x.query...); got != x.want {
			t.Errorf("%v: %q, want %q", x.query, got, x.want)
		}
	}
	if status := tybalt.do("GET", "/find?in="+url.QueryEscape(room), nil, nil); status != 404 && status != 403 {
		t.Errorf("in a room that one may not read: %d", status)
	}
	for query, want := range map[string]int{
		"from=juliet": 1, "has=link": 1, "has=file": 1, "has=link&from=juliet": 0, "group=verona&before=2020-01-01": 0,
		"group=verona&after=2020-01-01": 5, "q=come&has=link": 0, "q=see&has=link": 1,
	} {
		p := romeo.Get("/search?" + query)
		if n := strings.Count(p.Text, "<time "); p.Status != 200 || n != want {
			t.Errorf("%s: %d hits on the page", query, n)
		}
	}
	if p := romeo.Get("/search?before=yesterday"); p.Status != 404 {
		t.Errorf("a day that is none: %d", p.Status)
	}
}
