package testrig_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/server"
	"parley/testrig"
	"parley/transfer"
	"parley/webchat"
)

// wantSidebar waits until a browser is told of favourites.
func (c *chatter) wantSidebar(favourites ...string) {
	c.t.Helper()
	c.want("sidebar", func(data string) bool {
		var s webchat.Sidebar
		if err := json.Unmarshal([]byte(data), &s); err != nil {
			c.t.Fatal(err)
		}
		return slices.Equal(s.Favourites, favourites)
	})
}

// Favourites and their order are the same in all browsers; rooms are pinned in bookmarks, by browsers and by clients.
func TestSidebar(t *testing.T) {
	r, _, g := verona(t, "juliet")
	addTo(t, r, g, "juliet")
	room, romeo := g.Room+"@groups."+testrig.Host, "romeo@"+testrig.Host
	juliet := newChatter(t, r, "juliet")
	var s webchat.Sidebar
	juliet.must("GET", "/me/sidebar", nil, &s)
	if s.Kept || len(s.Favourites) != 0 || !s.ByName {
		t.Errorf("at first: %+v", s)
	}
	arrange := func(favourites ...string) webchat.NewSidebar {
		return webchat.NewSidebar{Favourites: favourites, Folded: []string{"rooms"}}
	}
	juliet.must("PUT", "/me/sidebar", arrange(romeo, room), &s)
	if !s.Kept || !slices.Equal(s.Favourites, []string{romeo, room}) || s.ByName ||
		!slices.Equal(s.Folded, []string{"rooms"}) {
		t.Errorf("arranged: %+v", s)
	}
	juliet.wantSidebar(romeo, room)
	c := signIn(t, r, "juliet")
	bookmark := func() *testrig.Element {
		t.Helper()
		id := fresh()
		return do(t, c, "<iq type='get' id='"+id+"'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
			"<items node='urn:xmpp:bookmarks:1'><item id='"+room+"'/></items></pubsub></iq>", id)
	}
	const pinned = "<pinned xmlns='urn:xmpp:bookmarks-pinning:0'/>"
	if e := bookmark(); e.Find("pinned") == nil || e.Find("conference").Attr("autojoin") != "true" {
		t.Errorf("the bookmark is %s", e)
	}
	publish := func(extensions string) {
		t.Helper()
		id := fresh()
		do(t, c, "<iq type='set' id='"+id+"'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish "+
			"node='urn:xmpp:bookmarks:1'><item id='"+room+"'><conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'>"+
			"<extensions>"+extensions+"</extensions></conference></item></publish></pubsub></iq>", id)
	}
	publish("")
	juliet.wantSidebar(romeo)
	publish(pinned + "<x xmlns='urn:other'/>")
	juliet.wantSidebar(romeo, room)
	juliet.must("PUT", "/me/sidebar", arrange(romeo), &s)
	if e := bookmark(); e.Find("pinned") != nil || e.Find("x") == nil {
		t.Errorf("the bookmark is %s", e)
	}
	for what, n := range map[string]webchat.NewSidebar{
		"nothing":  arrange("x"),
		"too many": arrange(make([]string, 201)...),
		"too much": {Favourites: []string{}, Folded: []string{strings.Repeat("x", 33<<10)}},
	} {
		if status := juliet.do("PUT", "/me/sidebar", n, nil); status != 422 {
			t.Errorf("%s: %d", what, status)
		}
	}
}

// A draft is there in one's other browsers, alone there, and goes when it is sent.
func TestDrafts(t *testing.T) {
	r, _, g := verona(t, "juliet", "benvolio")
	addTo(t, r, g, "juliet")
	room := g.Room + "@groups." + testrig.Host
	juliet, other, benvolio := newChatter(t, r, "juliet"), newChatter(t, r, "juliet"), newChatter(t, r, "benvolio")
	set := func(c *chatter, id, text string) int {
		t.Helper()
		return c.do("PUT", in(id, "/draft"), map[string]string{"text": text}, nil)
	}
	if status := set(juliet, room, "Dear "); status != 200 {
		t.Fatal(status)
	}
	other.want("draft", func(data string) bool {
		return strings.Contains(data, `"conversation":"`+room+`","text":"Dear "`)
	})
	var l webchat.DraftList
	other.must("GET", "/drafts", nil, &l)
	if len(l.Drafts) != 1 || l.Drafts[0].Text != "Dear " || l.Drafts[0].Conversation != room {
		t.Errorf("drafts: %+v", l)
	}
	benvolio.must("GET", "/drafts", nil, &l)
	if len(l.Drafts) != 0 {
		t.Errorf("somebody else's: %+v", l)
	}
	if status := set(benvolio, room, "x"); status != 403 && status != 404 {
		t.Errorf("where one may not read: %d", status)
	}
	if status := set(juliet, room, strings.Repeat("x", 10_001)); status != 422 {
		t.Errorf("too long: %d", status)
	}
	set(juliet, room, "")
	other.want("draft", func(data string) bool { return strings.Contains(data, `"text":""`) })
	for i := range 100 {
		set(juliet, fmt.Sprintf("servant%d@else.example", i), "x")
	}
	if status := set(juliet, room, "the 101st"); status != 403 {
		t.Errorf("too many: %d", status)
	}
}

// A person's file has what the person has not sent yet.
func TestUnsentInFile(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet")
	juliet := absent(t, r, "juliet")
	romeo := "romeo@" + testrig.Host
	juliet.must("PUT", in(romeo, "/draft"), map[string]string{"text": "Dear"}, nil)
	juliet.later(romeo, "Good night", time.Now().Add(time.Hour))
	var file bytes.Buffer
	err := transfer.Exporter{Store: r.Node.Store}.Write(t.Context(), &file, []*server.Host{r.Node.Host(testrig.Host)},
		func(_ *server.Host, name string) bool { return name == "juliet" })
	for _, want := range []string{">Dear</draft>", " reminder='false'>Good night</scheduled>"} {
		if err != nil || !strings.Contains(file.String(), want) {
			t.Errorf("no %s in the file: %v %s", want, err, file.String())
		}
	}
}
