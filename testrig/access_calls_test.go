package testrig_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/config"
	"parley/testrig"
)

// TestAccessOfCalls: somebody who is mentioned by name in a room is told if they may read it there, and nobody else is:
// the mention is listed in what they missed, their devices get a push, and their clients get the room's bookmark again.
func TestAccessOfCalls(t *testing.T) {
	r, ctl := startControlled(t, func(c *config.Config) {
		testrig.WithComponent("push.example")(c)
		c.Accounts.PushSender = true
	})
	clients := makeVisitors(t, r)
	r.Account("nurse")
	service, err := r.Component("push.example")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	pushed := func() (who, room string, called bool) { // waits for the next push
		t.Helper()
		for {
			e, err := service.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e.Find("notification") == nil {
				continue
			}
			if err := service.Write("<iq type='result' id='" + e.Attr("id") + "' from='push.example' to='" +
				e.Attr("from") + "'/>"); err != nil {
				t.Fatal(err)
			}
			for _, f := range e.Find("notification").Find("x").Children {
				if f.Attr("var") == "last-message-sender" {
					room = f.Find("value").Text
				}
			}
			level := e.Find("notification").Find("priority")
			return e.Find("publish").Attr("node"), room, level != nil && level.Text == "high"
		}
	}
	var all strings.Builder
	for _, v := range visitors {
		host := clients[v].Host()
		all.WriteString(fmt.Sprintf("<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:%s@%s'/>",
			v, host))
		if host == testrig.Host { // others are pushed by their own server
			enablePush(t, signInAt(t, r, v, host, "phone"), v)
		}
	}
	enablePush(t, signInAt(t, r, "nurse", testrig.Host, "phone"), "nurse")
	for kind, table := range access {
		g := makeGate(t, r, ctl, kind)
		for i, room := range g.rooms() {
			needs := [3]string{"a", "a", "ax"}[i]
			var want, may []string
			for _, v := range visitors {
				if open(table[v], needs) {
					may = append(may, v)
				}
				// the person who mentions them
				if open(table[v], needs) && clients[v].Host() == testrig.Host && v != "moderator" {
					want = append(want, v)
				}
			}
			for _, v := range visitors { // so that the test sees whoever is woken
				if clients[v].Host() == testrig.Host {
					dropMark(t, r, v, room)
				}
			}
			enters(t, clients["moderator"], room)
			id := fresh()
			do(t, clients["moderator"],
				"<message type='groupchat' id='"+id+"' to='"+room+"'><body>hear!</body>"+all.String()+"</message>", id)
			got := make(map[string]bool)
			for len(got) < len(want) {
				who, at, called := pushed()
				if !called { // the push is about a new theme, or another room
					if at == room && !slices.Contains(may, who) {
						t.Errorf("%s: a push for %s, who may not read there", room, who)
					}
					continue
				}
				if at != room || !slices.Contains(want, who) || got[who] {
					t.Errorf("%s: a push for %s of %s", room, who, at)
					continue
				}
				got[who] = true
			}
			for _, v := range visitors {
				if clients[v].Host() != testrig.Host {
					continue
				}
				told := slices.Contains(want, v)
				// written before anybody is pushed
				ids, err := r.Node.Store.Mentions(t.Context(), testrig.Host, v, room, 0, 10)
				if err != nil || (len(ids) > 0) != told {
					t.Errorf("%s, %s: in %s noted %v, to be %v: %v", kind, v, room, ids, told, err)
				}
				for deadline := time.Now().Add(20 * time.Second); told &&
					!hasMark(t, r, v, room); time.Sleep(time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("%s, %s: is not woken", kind, v)
					}
				}
			}
			// The last of those told is woken after all others were looked at, in order of name.
			for _, v := range visitors {
				if clients[v].Host() == testrig.Host && v != "moderator" &&
					!slices.Contains(want, v) && hasMark(t, r, v, room) {
					t.Errorf("%s, %s: is woken for %s", kind, v, room)
				}
			}
		}
	}
	// Pushes to anybody else came before this one.
	do(t, clients["owner"], "<message to='nurse@"+testrig.Host+
		"' type='chat'><body>x</body></message><iq type='get' id='synced'><ping xmlns='urn:xmpp:ping'/></iq>", "synced")
	for who, room, called := pushed(); who != "nurse"; who, room, called = pushed() {
		if called {
			t.Errorf("a push for %s of %s", who, room)
		}
	}
}

// enablePush has an app of somebody woken, and its connection gone.
func enablePush(t *testing.T, c *testrig.Client, node string) {
	t.Helper()
	if e := ask(t, c, strings.Split(c.Address, "/")[0], "set",
		"<enable xmlns='urn:xmpp:push:0' jid='push.example' node='"+node+
			"'><priority xmlns='tigase:push:priority:0'/></enable>"); !ok(e) {
		t.Fatalf("push is not enabled: %s", e)
	}
	if err := c.Write("</stream:stream>"); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := c.Next(); err != nil {
			return
		}
	}
}

func dropMark(t *testing.T, r *testrig.Rig, user, room string) {
	t.Helper()
	if !hasMark(t, r, user, room) {
		return
	}
	if err := r.Node.Store.DeleteBookmarks(t.Context(), testrig.Host, user, room); err != nil {
		t.Fatal(err)
	}
}

func hasMark(t *testing.T, r *testrig.Rig, user, room string) bool {
	t.Helper()
	bs, err := r.Node.Store.Bookmarks(t.Context(), testrig.Host, user)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bs {
		if b.Room == room {
			return true
		}
	}
	return false
}

// TestAccessOfFiles: people of the host may upload a file, whatever they are in a group, and others may not. Anybody
// with a file's address, which nobody can guess, may fetch it; the address is known to those who may read the message
// with it.
func TestAccessOfFiles(t *testing.T) {
	r, ctl := startControlled(t, web)
	clients := makeVisitors(t, r)
	purposes := []string{
		"", "<message xmlns='urn:xmpp:http:upload:purpose:0'/>", "<permanent xmlns='urn:xmpp:http:upload:purpose:0'/>",
		"<profile xmlns='urn:xmpp:http:upload:purpose:0'/>",
	}
	slot := func(v, purpose string) *testrig.Element {
		return ask(t, clients[v], "upload."+testrig.Host, "get",
			"<request xmlns='urn:xmpp:http:upload:0' filename='plan.txt' size='5' content-type='text/plain'>"+purpose+
				"</request>")
	}
	for _, v := range visitors {
		for _, p := range purposes {
			if e, want := slot(v, p), clients[v].Host() == testrig.Host; ok(e) != want {
				t.Errorf("%s: a slot for %q: %s", v, p, e)
			}
		}
	}
	e := slot("member", "")
	put, get := e.Find("put"), e.Find("get").Attr("url")
	b := r.Browser(t) // signed in as nobody
	send := func(method, url, token string) (int, string) {
		t.Helper()
		q, err := http.NewRequest(method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if method == http.MethodPut {
			q.Body, q.ContentLength = io.NopCloser(strings.NewReader("a map")), 5
			q.Header.Set("Content-Type", "text/plain")
			q.Header.Set("Authorization", token)
		}
		res, err := b.Client().Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
	if status, text := send("PUT", put.Attr("url"), put.Find("header").Text); status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	if status, text := send("GET", get, ""); status != http.StatusOK || text != "a map" {
		t.Errorf("by its address: %d %q", status, text)
	}
	dir, name := get[:strings.LastIndexByte(get, '/')], "/plan.txt"
	last := "A"
	if strings.HasSuffix(dir, "A") {
		last = "B"
	}
	for _, at := range []string{
		dir[:len(dir)-1] + last + name, dir[:strings.LastIndexByte(dir, '/')] + "/", dir + "/", dir + "/other.txt", dir,
	} {
		if status, _ := send("GET", at, ""); status < 400 {
			t.Errorf("%s: %d", at, status)
		}
	}
	// The address was posted in a private group: people who may read there find it, and nobody else does.
	g := makeGate(t, r, ctl, "private")
	enters(t, clients["member"], g.room)
	id := fresh()
	do(t, clients["member"], "<message type='groupchat' id='"+id+"' to='"+g.room+"'><body>"+get+
		"</body><x xmlns='jabber:x:oob'><url>"+get+"</url></x></message>", id)
	for _, v := range visitors {
		found := false
		id := fresh()
		for _, e := range gather(t, clients[v],
			"<iq type='set' id='"+id+"' to='"+g.room+"'><query xmlns='urn:xmpp:mam:2'/></iq>", id) {
			found = found || strings.Contains(e.String(), get)
		}
		if want := open(access["private"][v], "a"); found != want {
			t.Errorf("%s finds the file's address: %v", v, found)
		}
	}
	// People who have left the group can still fetch the file, as can anybody with its address.
	if err := r.Node.Org.SetMember(t.Context(), acts.System, testrig.Host, g.id, personOf("member"), ""); err != nil {
		t.Fatal(err)
	}
	if status, _ := send("GET", get, ""); status != http.StatusOK {
		t.Errorf("after its owner has left the group: %d", status)
	}
}
