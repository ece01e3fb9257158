package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/testrig"
)

// client is somebody's connection to one of the processes, driven by the test.
type client struct {
	*testrig.Client
	t    testing.TB
	at   *process
	name string
	n    int
}

// signIn signs somebody in at a process, and waits until their presence is seen there.
func (p *process) signIn(name, resource string) *client {
	p.Helper()
	c, err := p.connect(name, testrig.Password, resource)
	if err != nil {
		p.Fatalf("%s at %s: %v", name, p.name, err)
	}
	p.Cleanup(c.Close)
	c.available()
	return c
}

// connect signs somebody in, without presence.
func (p *process) connect(name, password, resource string) (*client, error) {
	p.mu.Lock()
	rig := p.rig
	p.mu.Unlock()
	conn, err := rig.Connect("tcp", testrig.Host)
	if err != nil {
		return nil, err
	}
	if err = conn.SignIn(name, password); err == nil {
		err = conn.Bind(resource)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &client{Client: conn, t: p.T, at: p, name: name}, nil
}

func (c *client) available() {
	c.t.Helper()
	c.say("<presence/>")
	c.until("<presence ", "from='"+c.Address+"'")
}

func (c *client) say(xml string) {
	c.t.Helper()
	if err := c.Write(xml); err != nil {
		c.t.Fatalf("%s at %s: %v", c.name, c.at.name, err)
	}
}

// until reads on to an element that has all these texts in it.
func (c *client) until(texts ...string) *testrig.Element {
	c.t.Helper()
	e, _ := c.read(texts...)
	return e
}

// read is until, and gives what came before too.
func (c *client) read(texts ...string) (it *testrig.Element, before []*testrig.Element) {
	c.t.Helper()
	for {
		e, err := c.Next()
		if err != nil {
			c.t.Fatalf("%s at %s, waiting for %q: %v; had %v", c.name, c.at.name, texts, err, before)
		}
		if has(quoted(e), texts...) {
			return e, before
		}
		before = append(before, e)
	}
}

// each reads on until each of several elements has come, in whatever order: those that have all texts of one of wants.
func (c *client) each(wants ...[]string) {
	c.t.Helper()
	for len(wants) > 0 {
		e, err := c.Next()
		if err != nil {
			c.t.Fatalf("%s at %s, waiting for %q: %v", c.name, c.at.name, wants, err)
		}
		if i := slices.IndexFunc(wants, func(w []string) bool { return has(quoted(e), w...) }); i >= 0 {
			wants = slices.Delete(wants, i, i+1)
		}
	}
}

// quoted is an element as text, with one kind of quotes.
func quoted(e *testrig.Element) string { return strings.ReplaceAll(e.String(), `"`, "'") }

// ask sends a request and gives its answer, with what came before it.
func (c *client) ask(to, kind, payload string) (answer *testrig.Element, before []*testrig.Element) {
	c.t.Helper()
	c.n++
	id := fmt.Sprintf("ask%d", c.n)
	if to != "" {
		to = " to='" + to + "'"
	}
	c.say("<iq type='" + kind + "' id='" + id + "'" + to + ">" + payload + "</iq>")
	return c.read("<iq ", "id='"+id+"'")
}

// synced returns when the server has handled what the client has sent, and gives what came before.
func (c *client) synced() []*testrig.Element {
	c.t.Helper()
	_, before := c.ask("", "get", "<ping xmlns='urn:xmpp:ping'/>")
	return before
}

// chat is a message to somebody's bare address.
func chat(to, id string) string {
	return "<message type='chat' id='" + id + "' to='" + to + "@" + testrig.Host + "'><body>" + id + "</body></message>"
}

// kept is an entry of an archive.
type kept struct {
	id, key, from string
}

// archive reads the archive of the client's account from behind an id on, "" being its beginning.
func (c *client) archive(after string) (all []kept) {
	c.t.Helper()
	const page = 200
	for {
		set := ""
		if after != "" {
			set = "<after>" + after + "</after>"
		}
		answer, before := c.ask("", "set", fmt.Sprintf("<query xmlns='urn:xmpp:mam:2'>"+
			"<set xmlns='http://jabber.org/protocol/rsm'><max>%d</max>%s</set></query>", page, set))
		if answer.Attr("type") != "result" {
			c.t.Fatalf("%s cannot read the archive: %s", c.name, answer)
		}
		n := 0
		for _, e := range before {
			r := e.Find("result")
			if r == nil || r.Name.Space != "urn:xmpp:mam:2" {
				continue
			}
			n++
			after = r.Attr("id")
			m := r.Find("message")
			if body := m.Find("body"); body != nil {
				all = append(all, kept{after, body.Text, m.Attr("from")})
			}
		}
		if n < page {
			return all
		}
	}
}

// archiveID gives the id that a message has in the archive of who got it; "" if it is in none.
func archiveID(e *testrig.Element, account string) string {
	for _, c := range e.Children {
		if c.Name.Local == "stanza-id" && c.Attr("by") == account+"@"+testrig.Host {
			return c.Attr("id")
		}
	}
	return ""
}

// condition is the defined condition of an error, "" if it is none.
func condition(e *testrig.Element) string {
	if e.Attr("type") != "error" {
		return ""
	}
	for _, c := range e.Children {
		if c.Name.Local != "error" {
			continue
		}
		for _, d := range c.Children {
			if d.Name.Local != "text" {
				return c.Attr("type") + " " + d.Name.Local
			}
		}
	}
	return "error"
}
