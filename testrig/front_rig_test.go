package testrig_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/store"
	"parley/testrig"
	"parley/webchat"
)

// chatter is somebody who chats in a browser, without the pages: the API with the browser's session.
type chatter struct {
	t      *testing.T
	b      *testrig.Browser
	events chan happened
	ended  chan error // why the last stream has ended; nil: as it should
}

// happened is an event that a browser got.
type happened struct{ id, name, data string }

// newChatter signs somebody in and reads the events.
func newChatter(t *testing.T, r *testrig.Rig, name string) *chatter {
	t.Helper()
	c := &chatter{t: t, b: r.Browser(t), events: make(chan happened, 1000)}
	c.b.SignIn(name)
	c.listen("")
	c.want("hello", func(string) bool { return true })
	return c
}

// listen begins a stream of events after one that the browser has. It ends with the test.
func (c *chatter) listen(last string) (end context.CancelFunc) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, c.b.Base+"/api/v1/events", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	if last != "" {
		q.Header.Set("Last-Event-ID", last)
	}
	stream := *c.b.Client()
	stream.Timeout = 0
	res, err := stream.Do(q)
	if err != nil {
		c.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		c.t.Fatalf("events: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	done := make(chan struct{})
	c.ended = make(chan error, 1)
	go func() {
		defer close(done)
		defer res.Body.Close()
		var e happened
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 2<<20)
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			}
			if lines.Text() == "" && e.name != "" {
				c.events <- e
				e = happened{}
			}
		}
		c.ended <- lines.Err()
	}()
	end = func() {
		cancel()
		<-done
	}
	c.t.Cleanup(end)
	return end
}

// want waits for an event of a name for which is is true.
func (c *chatter) want(name string, is func(data string) bool) happened {
	c.t.Helper()
	late := time.After(30 * time.Second)
	var seen []string
	for {
		select {
		case e := <-c.events:
			if e.name == name && is(e.data) {
				return e
			}
			seen = append(seen, e.name+" "+e.data)
		case <-late:
			c.t.Fatalf("no %s; there were %s", name, strings.Join(seen, "\n"))
		}
	}
}

// message waits for a message in a conversation that is as is says.
func (c *chatter) message(id string, is func(m webchat.Message, fresh bool) bool) webchat.Message {
	c.t.Helper()
	var got webchat.Message
	c.want("message", func(data string) bool {
		var e struct {
			Conversation string
			Message      webchat.Message
			Fresh        bool
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			c.t.Fatal(err)
		}
		got = e.Message
		return e.Conversation == id && is(e.Message, e.Fresh)
	})
	return got
}

// fresh waits for a new message with a text.
func (c *chatter) fresh(id, text string) webchat.Message {
	c.t.Helper()
	return c.message(id, func(m webchat.Message, fresh bool) bool { return fresh && m.Text == text })
}

// do asks the API. body is encoded; nil: none. into may be nil.
func (c *chatter) do(method, path string, body, into any) int {
	c.t.Helper()
	p := c.b.Do(method, "/api/v1"+path, nil, func(q *http.Request) {
		if body == nil {
			return
		}
		text, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		q.Body, q.ContentLength = readCloser{strings.NewReader(string(text))}, int64(len(text))
		q.Header.Set("Content-Type", "application/json")
	})
	if into != nil && p.Status < 300 {
		if err := json.Unmarshal([]byte(p.Text), into); err != nil {
			c.t.Fatalf("%s %s: %d %s", method, path, p.Status, p.Text)
		}
	}
	if p.Status >= 500 {
		c.t.Fatalf("%s %s: %d %s", method, path, p.Status, p.Text)
	}
	return p.Status
}

// must is do for what has to succeed.
func (c *chatter) must(method, path string, body, into any) {
	c.t.Helper()
	if status := c.do(method, path, body, into); status >= 300 {
		c.t.Fatalf("%s %s: %d", method, path, status)
	}
}

// in gives the path of a conversation.
func in(id string, more ...string) string {
	return "/conversations/" + url.PathEscape(id) + strings.Join(more, "")
}

// say sends a text.
func (c *chatter) say(id, text string) (m webchat.Message) {
	c.t.Helper()
	c.must("POST", in(id, "/messages"), webchat.Outgoing{Text: text}, &m)
	return m
}

// history gives the newest page of a conversation.
func (c *chatter) history(id string) (p webchat.Page) {
	c.t.Helper()
	c.must("GET", in(id, "/messages"), nil, &p)
	return p
}

// conversation gives an entry of the list; ok is false if it is not there.
func (c *chatter) conversation(id string) (found webchat.Conversation, ok bool) {
	c.t.Helper()
	var l webchat.List
	c.must("GET", "/conversations", nil, &l)
	for _, x := range l.Conversations {
		if x.ID == id {
			return x, true
		}
	}
	return found, false
}

// addTo makes somebody a member of a group.
func addTo(t *testing.T, r *testrig.Rig, g store.Group, name string) {
	t.Helper()
	m := store.Member{JID: name + "@" + testrig.Host, Role: store.RoleMember}
	if err := r.Node.Org.SetMembers(t.Context(), acts.Operator, testrig.Host, g.ID, []store.Member{m}); err != nil {
		t.Fatal(err)
	}
}

// joinRoom enters a room.
func joinRoom(t *testing.T, c *testrig.Client, room, nick string) {
	t.Helper()
	id := fresh()
	if e := do(t, c, "<presence id='"+id+"' to='"+room+"/"+nick+
		"'><x xmlns='http://jabber.org/protocol/muc'/></presence>", id); e.Attr("type") == "error" {
		t.Fatal(e)
	}
}

// sends sends a stanza.
func sends(t *testing.T, c *testrig.Client, stanza string) {
	t.Helper()
	if err := c.Write(stanza); err != nil {
		t.Fatal(err)
	}
}

// saysIn sends a message to a room.
func saysIn(t *testing.T, c *testrig.Client, room, id, content string) {
	t.Helper()
	sends(t, c, "<message type='groupchat' id='"+id+"' to='"+room+"'>"+content+"</message>")
}

// wantMessage waits for a message for which is is true.
func wantMessage(t *testing.T, c *testrig.Client, is func(e *testrig.Element) bool) *testrig.Element {
	t.Helper()
	for {
		e, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.Name.Local == "message" && is(e) {
			return e
		}
	}
}

// content gives the text of an element's first descendant of a name; "" if there is none.
func content(e *testrig.Element, name string) string {
	x := e.Find(name)
	if x == nil {
		return ""
	}
	return strings.TrimSpace(x.Text)
}
