package testrig_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/testrig"
)

// attachment is a file that somebody has uploaded.
type attachment struct {
	web *http.Client
	get string
}

func putFile(t *testing.T, web *http.Client, c *testrig.Client) attachment {
	t.Helper()
	slot := ask(t, c, "upload."+testrig.Host, "get",
		"<request xmlns='urn:xmpp:http:upload:0' filename='a.txt' size='5' content-type='text/plain'/>")
	if !ok(slot) {
		t.Fatal(slot)
	}
	q, err := http.NewRequestWithContext(t.Context(), "PUT", slot.Find("put").Attr("url"), strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", slot.Find("header").Text)
	res, err := web.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Fatal(res.Status)
	}
	return attachment{web, slot.Find("get").Attr("url")}
}

func (a attachment) status(t *testing.T) int {
	t.Helper()
	res, err := a.web.Get(a.get)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// goes waits until the file is not served any more.
func (a attachment) goes(t *testing.T) {
	t.Helper()
	for late := time.Now().Add(time.Minute); a.status(t) != http.StatusNotFound; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%s is served still", a.get)
		}
	}
}

// filesOf makes a client of a rig's web pages, wherever names lead.
func filesOf(r *testrig.Rig) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: r.Roots},
			DialContext: func(ctx context.Context, network, at string) (net.Conn, error) {
				var d net.Dialer
				if strings.HasPrefix(at, testrig.Host+":") {
					at = r.Node.Addr("websocket").String()
				}
				return d.DialContext(ctx, network, at)
			},
		},
	}
}

// The file of a retracted message is no longer served, if it is the sender's own and no other message has it.
func TestFileOfARetractedMessage(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("romeo", "juliet")
	web := filesOf(r)
	defer web.CloseIdleConnections()
	romeo, juliet := signIn(t, r, "romeo"), signIn(t, r, "juliet")
	say := func(c *testrig.Client, to, typ, payload string) (id string) {
		t.Helper()
		id = fresh()
		if err := c.Write("<message to='" + to + "' type='" + typ + "' id='" + id + "'>" + payload +
			"</message>"); err != nil {
			t.Fatal(err)
		}
		// the server has dealt with the stanza
		if e := ask(t, c, testrig.Host, "get", "<ping xmlns='urn:xmpp:ping'/>"); !ok(e) {
			t.Fatal(e)
		}
		return id
	}
	takeBack := func(c *testrig.Client, to, typ, id string) {
		t.Helper()
		say(c, to, typ, "<retract xmlns='urn:xmpp:message-retract:1' id='"+id+"'/><store xmlns='urn:xmpp:hints'/>")
	}
	share := func(c *testrig.Client, to string, a attachment) string {
		t.Helper()
		return say(c, to, "chat", "<body>"+a.get+"</body><x xmlns='jabber:x:oob'><url>"+a.get+"</url></x>")
	}
	to := func(name string) string { return name + "@" + testrig.Host }
	// sentinel waits until a file is gone; files retracted before have been looked at by then.
	sentinel := func() {
		t.Helper()
		for range 2 {
			a := putFile(t, web, romeo)
			takeBack(romeo, to("juliet"), "chat", share(romeo, to("juliet"), a))
			a.goes(t)
		}
	}
	sentinel()

	// Encrypted, where the address is known all the same; and with attachments by another extension.
	for _, payload := range []string{
		"<body>aesgcm%s#0123456789</body>",
		"<body>see</body><file-sharing xmlns='urn:xmpp:sfs:0'><sources>" +
			"<url-data xmlns='http://jabber.org/protocol/url-data' target='http%s'/></sources></file-sharing>",
	} {
		a := putFile(t, web, romeo)
		id := say(romeo, to("juliet"), "chat", fmt.Sprintf(payload, strings.TrimPrefix(a.get, "http")))
		takeBack(romeo, to("juliet"), "chat", id)
		a.goes(t)
	}

	// Somebody else takes back what has the address of it.
	his := putFile(t, web, romeo)
	share(romeo, to("juliet"), his)
	takeBack(juliet, to("romeo"), "chat", share(juliet, to("romeo"), his))
	sentinel()
	if s := his.status(t); s != http.StatusOK {
		t.Errorf("somebody else has removed it: %d", s)
	}

	// Another message has the file too; when that is retracted as well, the file is removed.
	twice := putFile(t, web, romeo)
	first, forwarded := share(romeo, to("juliet"), twice), share(juliet, to("juliet"), twice)
	takeBack(romeo, to("juliet"), "chat", first)
	sentinel()
	if s := twice.status(t); s != http.StatusOK {
		t.Errorf("another message has it: %d", s)
	}
	takeBack(juliet, to("juliet"), "chat", forwarded)
	twice.goes(t)

	// In a room: retracted by its author, and by a moderator.
	g, err := r.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host, newGroup("Verona", "juliet", "romeo"))
	if err != nil {
		t.Fatal(err)
	}
	room := r.Node.Org.RoomJID(testrig.Host, g.Room).String()
	for _, c := range []*testrig.Client{juliet, romeo} {
		if !enters(t, c, room) {
			t.Fatal("nobody comes in")
		}
	}
	for _, moderated := range []bool{false, true} {
		a := putFile(t, web, romeo)
		id := fresh()
		e := do(t, romeo, "<message to='"+room+"' type='groupchat' id='"+id+"'><body>"+a.get+"</body></message>", id)
		sid := ""
		for _, c := range e.Children {
			if c.Name.Local == "stanza-id" && c.Attr("by") == room {
				sid = c.Attr("id")
			}
		}
		if sid == "" {
			t.Fatal(e)
		}
		if !moderated {
			takeBack(romeo, room, "groupchat", sid)
		} else if e := ask(t, juliet, room, "set", "<moderate xmlns='urn:xmpp:message-moderate:1' id='"+sid+
			"'><retract xmlns='urn:xmpp:message-retract:1'/></moderate>"); !ok(e) {
			t.Fatal(e)
		}
		a.goes(t)
	}
}
