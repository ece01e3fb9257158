package testrig_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/node"
	"parley/testrig"
)

// pushes is a push service (XEP-0357) and the people whose app it serves.
type pushes struct {
	t       *testing.T
	rig     *testrig.Rig
	service *testrig.Client
	romeo   *testrig.Client // resource phone
	juliet  *testrig.Client
}

func (p *pushes) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pushes) signIn(name, resource string) *testrig.Client {
	p.t.Helper()
	c, err := p.rig.Connect("tls", testrig.Host)
	p.check(err)
	p.check(c.SignIn(name, testrig.Password))
	p.check(c.Bind(resource))
	p.t.Cleanup(c.Close)
	return c
}

// ask sends a request and returns the answer; it drops stanzas that come before.
func (p *pushes) ask(c *testrig.Client, typ, payload string) *testrig.Element {
	p.t.Helper()
	p.check(c.Write("<iq type='" + typ + "' id='asked'>" + payload + "</iq>"))
	for {
		e, err := c.Next()
		p.check(err)
		if e.Attr("id") == "asked" {
			return e
		}
	}
}

// leaves ends a client's session, and waits until its account no longer has it.
func (p *pushes) leaves(c *testrig.Client) {
	p.t.Helper()
	p.check(c.Write("</stream:stream>"))
	for {
		if _, err := c.Next(); err != nil {
			return
		}
	}
}

func (p *pushes) says(id, payload string) {
	p.t.Helper()
	p.check(p.juliet.Write(fmt.Sprintf("<message to='romeo@%s' type='chat' id='%s'>%s</message>",
		testrig.Host, id, payload)))
	p.ask(p.juliet, "get", "<ping xmlns='urn:xmpp:ping'/>") // the message has had its effect
}

// gets waits for a push and answers it.
func (p *pushes) gets(answer string) *testrig.Element {
	p.t.Helper()
	for {
		e, err := p.service.Next()
		p.check(err)
		if e.Name.Local != "iq" || e.Find("notification") == nil {
			continue
		}
		typ := "result"
		if answer != "" {
			typ = "error"
		}
		p.check(p.service.Write(fmt.Sprintf("<iq type='%s' id='%s' from='push.example' to='%s'>%s</iq>",
			typ, e.Attr("id"), e.Attr("from"), answer)))
		return e
	}
}

// nothing checks that the service got no push, by sending one for another account last.
func (p *pushes) nothing(why string) {
	p.t.Helper()
	nurse := p.signIn("nurse", "phone")
	p.ask(nurse, "set", "<enable xmlns='urn:xmpp:push:0' jid='push.example' node='nurse'/>")
	p.leaves(nurse)
	p.check(p.juliet.Write(fmt.Sprintf("<message to='nurse@%s' type='chat'><body>x</body></message>", testrig.Host)))
	if e := p.gets(""); !strings.Contains(e.String(), "node='nurse'") {
		p.t.Errorf("%s: got %s", why, e)
	}
}

// dropped waits until romeo's registration is gone.
func (p *pushes) dropped() {
	p.t.Helper()
	tick, late := time.NewTicker(time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for {
		b, err := p.rig.Node.Store.Private(p.t.Context(), testrig.Host, "romeo", "parley:push", "registrations")
		p.check(err)
		if !strings.Contains(string(b), "push.example") {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatalf("it is still there: %s", b)
		}
	}
}

func startPushes(t *testing.T, change func(*config.Config), more ...node.Option) *pushes {
	p := &pushes{t: t}
	p.rig = testrig.Start(t, func(c *config.Config) {
		testrig.WithComponent("push.example")(c)
		if change != nil {
			change(c)
		}
	}, more...)
	p.rig.Account("romeo", "juliet", "nurse")
	var err error
	p.service, err = p.rig.Component("push.example")
	p.check(err)
	t.Cleanup(p.service.Close)
	p.romeo, p.juliet = p.signIn("romeo", "phone"), p.signIn("juliet", "")
	return p
}

const enable = "<enable xmlns='urn:xmpp:push:0' jid='push.example' node='n1'><x xmlns='jabber:x:data' type='submit'>" +
	"<field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>" +
	"<field var='secret'><value>%s</value></field></x></enable>"

func TestPush(t *testing.T) {
	p := startPushes(t, nil)
	for what, bad := range map[string]string{
		"no service":         "<enable xmlns='urn:xmpp:push:0'/>",
		"no address":         "<enable xmlns='urn:xmpp:push:0' jid='@'/>",
		"nothing to disable": "<disable xmlns='urn:xmpp:push:0'/>",
		"another form": "<enable xmlns='urn:xmpp:push:0' jid='push.example'>" +
			"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>other</value></field></x></enable>",
	} {
		if e := p.ask(p.romeo, "set", bad); e.Find("bad-request") == nil {
			t.Errorf("%s: %s", what, e)
		}
	}
	// The last request counts (section 5).
	for _, secret := range []string{"old", "new"} {
		if e := p.ask(p.romeo, "set", fmt.Sprintf(enable, secret)); e.Attr("type") != "result" {
			t.Fatalf("not enabled: %s", e)
		}
	}
	p.says("here", "<body>You are here</body>")
	p.nothing("while the client is there")
	p.leaves(p.romeo)
	p.says("1", "<body>A secret thing</body>")
	e := p.gets("")
	got := e.String()
	for _, want := range []string{
		"from='romeo@example.org'", "node='n1'", "urn:xmpp:push:summary", "<field var='message-count'><value>1</value>",
		"publish-options", "<value>new</value>", "New message",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	for _, never := range []string{"A secret thing", "juliet", "old"} {
		if strings.Contains(got, never) {
			t.Errorf("%s in %s", never, got)
		}
	}
	p.says("2", "<composing xmlns='http://jabber.org/protocol/chatstates'/>")
	p.says("3", "<body>hint</body><no-store xmlns='urn:xmpp:hints'/><x xmlns='urn:none'/>")
	if e := p.gets(""); !strings.Contains(e.String(), "node='n1'") {
		t.Errorf("got %s", e)
	}
	// Encrypted ones and calls wake, too.
	for _, payload := range []string{
		"<encrypted xmlns='urn:xmpp:omemo:2'/>", "<propose xmlns='urn:xmpp:jingle-message:0' id='c'/>",
	} {
		p.says("4", payload)
		p.gets("")
	}
	// A restart forgets nothing; disabling does.
	p.service.Close()
	p.rig.Restart()
	var err error
	p.service, err = p.rig.Component("push.example")
	p.check(err)
	p.juliet = p.signIn("juliet", "")
	p.says("5", "<body>again</body>")
	p.gets("")
	p.romeo = p.signIn("romeo", "phone")
	if e := p.ask(p.romeo, "set",
		"<disable xmlns='urn:xmpp:push:0' jid='push.example' node='other'/>"); e.Attr("type") != "result" {
		t.Errorf("%s", e)
	}
	p.leaves(p.romeo)
	p.says("6", "<body>still</body>")
	p.gets("")
	p.romeo = p.signIn("romeo", "phone")
	p.ask(p.romeo, "set", "<disable xmlns='urn:xmpp:push:0' jid='push.example'/>")
	p.leaves(p.romeo)
	p.says("7", "<body>no more</body>")
	p.nothing("after disabling")
}

// A client whose connection is gone and that may resume is woken, for messages that it has not acknowledged and for
// later ones.
func TestPushToSleeping(t *testing.T) {
	p := startPushes(t, func(c *config.Config) { c.Accounts.PushSender = true })
	p.ask(p.romeo, "set", fmt.Sprintf(enable, "s"))
	p.check(p.romeo.Write("<presence/><enable xmlns='urn:xmpp:sm:3' resume='true'/>"))
	for {
		e, err := p.romeo.Next()
		p.check(err)
		if e.Name.Local == "enabled" {
			break
		}
	}
	p.ask(p.romeo, "get", "<ping xmlns='urn:xmpp:ping'/>")
	p.romeo.Close()
	p.says("1", "<body>Sleep well</body>")
	if e := p.gets(""); !strings.Contains(e.String(), "<value>juliet@example.org</value>") {
		t.Errorf("no sender in %s", e)
	}
}

// The answer of a push service decides whether it is asked again (section 7.1).
func TestPushErrors(t *testing.T) {
	const wait = "<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	const gone = "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	for name, tc := range map[string]struct {
		answers []string
		asked   bool // afterwards
	}{
		"a node that is gone":    {[]string{gone}, false},
		"four waits and a good":  {[]string{wait, wait, wait, wait, "", wait}, true},
		"five waits":             {[]string{wait, wait, wait, wait, wait}, false},
		"no more than one's own": {[]string{""}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPushes(t, nil)
			p.ask(p.romeo, "set", fmt.Sprintf(enable, "s"))
			p.leaves(p.romeo)
			for i, a := range tc.answers {
				p.says(fmt.Sprint(i), "<body>x</body>")
				p.gets(a)
				// The answer has been taken before the next message is sent: the component's own ping comes after it.
				p.check(p.service.Write("<iq type='get' id='settled' from='push.example' to='" + testrig.Host +
					"'><ping xmlns='urn:xmpp:ping'/></iq>"))
				if e, err := p.service.Next(); err != nil || e.Attr("id") != "settled" {
					t.Fatalf("%s %v", e, err)
				}
			}
			if !tc.asked {
				p.dropped()
				p.says("last", "<body>x</body>")
				p.nothing("after errors")
				return
			}
			p.says("last", "<body>x</body>")
			p.gets("")
		})
	}
}

// TestPushSilent: an account whose push services never answer holds up nobody else's pushes, and goes on with its own.
func TestPushSilent(t *testing.T) {
	p := startPushes(t, nil)
	p.ask(p.romeo, "set", fmt.Sprintf(enable, "s"))
	p.leaves(p.romeo)
	nurse := p.signIn("nurse", "phone")
	for i := range 20 {
		p.ask(nurse, "set", fmt.Sprintf("<enable xmlns='urn:xmpp:push:0' jid='push.example' node='silent%d'/>", i))
	}
	p.leaves(nurse)
	for range 5 { // however many workers there are
		p.check(p.juliet.Write(fmt.Sprintf("<message to='nurse@%s' type='chat'><body>x</body></message>",
			testrig.Host)))
	}
	p.says("1", "<body>wake up</body>")
	silent := []*testrig.Element{}
	for romeo := false; !romeo || len(silent) < 2; {
		e, err := p.service.Next()
		p.check(err)
		if strings.Contains(e.String(), "node='n1'") {
			romeo = true
		} else {
			silent = append(silent, e)
		}
	}
	if len(silent) > 2 {
		t.Errorf("%d at once of one account", len(silent))
	}
	for n := 2; n < 20; n++ { // each answer lets another go
		p.check(p.service.Write(fmt.Sprintf("<iq type='result' id='%s' from='push.example' to='%s'/>",
			silent[0].Attr("id"), silent[0].Attr("from"))))
		e, err := p.service.Next()
		p.check(err)
		silent = append(silent[1:], e)
	}
}
