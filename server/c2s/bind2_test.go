package c2s

import (
	"context"
	"slices"
	"strings"
	"testing"

	"mellium.im/sasl"

	"parley/server"
	"parley/wire"
)

// bind2 signs in and binds at once. It returns the address and <bound/>, after reading the features.
func (c *client) bind2(user, inline string) (full string, bound *node) {
	c.t.Helper()
	n := c.scram(sasl.ScramSha256, user, "pencil", inline)
	full = identifier(n)
	if bound = n.at("urn:xmpp:bind:0 bound"); bound == nil || !strings.HasPrefix(full, user+"@"+domain+"/") {
		c.t.Fatalf("not bound: %+v", n)
	}
	c.features = c.want("http://etherx.jabber.org/streams features")
	if c.features.at(wire.NSBind+" bind") != nil {
		c.t.Fatal("binding is offered to who is bound")
	}
	return full, bound
}

func tagged(tag, more string) string {
	return "<bind xmlns='urn:xmpp:bind:0'><tag>" + tag + "</tag>" + more + "</bind>"
}

func session(t *testing.T, d *testDoor, user, full string) *server.Session {
	t.Helper()
	for _, s := range d.host.Account(user).Sessions() {
		if s.JID.String() == full {
			return s
		}
	}
	t.Fatalf("no session %s", full)
	return nil
}

func TestBind2Resource(t *testing.T) {
	d := newDoor(t, nil)
	full := make(map[string]string)
	for _, tc := range []struct{ name, agent, tag string }{
		{"phone", agent(phone), "AwesomeXMPP"},
		{"laptop", agent(laptop), "AwesomeXMPP"},
		{"nobody", "", "AwesomeXMPP"},
		{"nobody again", "", "AwesomeXMPP"},
		{"phone in capitals", agent(strings.ToUpper(phone)), "AwesomeXMPP"},
		{"no tag", agent(phone), ""},
		{"bad tag", agent(phone), "a\u2028b"},
		{"long tag", agent(phone), strings.Repeat("x", 2000)},
	} {
		c := d.dial(t, "")
		full[tc.name], _ = c.bind2("romeo", tc.agent+tagged(tc.tag, ""))
		if strings.Contains(full[tc.name], phone[:8]) {
			t.Errorf("%s gives the installation away", full[tc.name])
		}
		if has := strings.HasPrefix(full[tc.name], "romeo@"+domain+"/AwesomeXMPP/"); has != (tc.tag == "AwesomeXMPP") {
			t.Errorf("%s: %s", tc.name, full[tc.name])
		}
	}
	if full["phone"] != full["phone in capitals"] || full["no tag"] != full["bad tag"] ||
		full["no tag"] != full["long tag"] {
		t.Errorf("an installation's resource changes: %v", full)
	}
	if full["phone"] == full["laptop"] || full["nobody"] == full["nobody again"] {
		t.Errorf("one resource for two: %v", full)
	}
}

// A second sign-in of the same installation ends its first session, even with another tag.
func TestBind2EndsTheOlderSession(t *testing.T) {
	d := newDoor(t, nil)
	old, other := d.dial(t, ""), d.dial(t, "")
	old.bind2("romeo", agent(phone)+tagged("Version1", ""))
	other.bind2("romeo", agent(laptop)+tagged("Version1", ""))
	d.dial(t, "").bind2("romeo", agent(phone)+tagged("Version2", ""))
	old.wantStreamError("conflict")
	other.write("<iq type='get' id='p' to='" + domain + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	other.want("jabber:client iq")
}

func TestBind2Inline(t *testing.T) {
	d := newDoor(t, nil)
	c := d.dial(t, "")
	full, bound := c.bind2("romeo",
		agent(phone)+tagged("x", "<enable xmlns='urn:xmpp:sm:3' resume='true'/><inactive xmlns='urn:xmpp:csi:0'/>"))
	enabled := bound.at("urn:xmpp:sm:3 enabled")
	if enabled == nil || enabled.attr("resume") != "true" || enabled.attr("id") == "" || enabled.attr("max") != "60" {
		t.Fatalf("%+v", bound)
	}
	if c.features.at("urn:xmpp:sm:3 sm") != nil {
		t.Error("stream management is offered once more")
	}
	s := session(t, d, "romeo", full)
	if !s.Is(server.Acknowledges) ||
		s.Info.Client != (server.Client{ID: phone, Software: "AwesomeXMPP", Device: "Kiva's Phone"}) {
		t.Errorf("%+v", s.Info)
	}
	// Presence waits for a client that nobody looks at; a message with a body sends it along.
	if err := s.Send(&wire.Stanza{Kind: wire.Presence, ID: "one"}); err != nil {
		t.Fatal(err)
	}
	m := (&wire.Stanza{Kind: wire.Message, ID: "two", Type: "chat"}).Add(wire.T(wire.NSClient, "body", "hi"))
	c.write("<iq type='get' id='p' to='" + domain + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	c.want("jabber:client presence")
	c.want("jabber:client iq")
	if err := s.Send(m); err != nil {
		t.Fatal(err)
	}
	c.want("jabber:client message")
	c.write("<r xmlns='urn:xmpp:sm:3'/>")
	if a := c.want("urn:xmpp:sm:3 a"); a.attr("h") != "1" {
		t.Errorf("%+v", a)
	}
	c.write("<a xmlns='urn:xmpp:sm:3' h='4'/>")
	c.wantStreamError("undefined-condition") // three were sent, presence, answer and message
}

// A failure to bind does not undo the authentication.
func TestBind2WithoutRoom(t *testing.T) {
	d := newDoor(t, nil)
	d.host.Limits.SessionsPerAccount = 1
	d.dial(t, "").bind2("romeo", tagged("x", ""))
	c := d.dial(t, "")
	n := c.scram(sasl.ScramSha256, "romeo", "pencil", tagged("x", ""))
	if identifier(n) != "romeo@"+domain || n.at("urn:xmpp:bind:0 bound") != nil {
		t.Fatalf("%+v", n)
	}
	c.want("http://etherx.jabber.org/streams features")
	c.write("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	if e := c.want("jabber:client iq").at("jabber:client error", wire.NSStanzas+" resource-constraint"); e == nil {
		t.Fatal("no resource-constraint")
	}
}

func TestResumeInline(t *testing.T) {
	d := newDoor(t, nil)
	c := d.dial(t, "")
	full, bound := c.bind2("romeo", agent(phone)+tagged("x", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"))
	id := bound.at("urn:xmpp:sm:3 enabled").attr("id")
	s := session(t, d, "romeo", full)
	if err := s.Send((&wire.Stanza{Kind: wire.Message, ID: "lost"}).Add(wire.T(wire.NSClient,
		"body", "hi"))); err != nil {
		t.Fatal(err)
	}
	resume := func(previd, h string) string {
		return "<resume xmlns='urn:xmpp:sm:3' previd='" + previd + "' h='" + h + "'/>"
	}
	// Juliet cannot resume somebody else's session; she gets a new one.
	j := d.dial(t, "")
	n := j.scram(sasl.ScramSha256, "juliet", "pencil", resume(id, "0")+tagged("x", ""))
	if n.at("urn:xmpp:sm:3 failed", wire.NSStanzas+" item-not-found") == nil || n.at("urn:xmpp:bind:0 bound") == nil ||
		!strings.HasPrefix(identifier(n), "juliet@"+domain+"/") {
		t.Fatalf("%+v", n)
	}
	again := d.dial(t, "")
	n = again.scram(sasl.ScramSha256, "romeo", "pencil",
		agent(phone)+resume(id, "0")+tagged("y", "<enable xmlns='urn:xmpp:sm:3'/>"))
	r := n.at("urn:xmpp:sm:3 resumed")
	if r == nil || r.attr("previd") != id || r.attr("h") != "0" || identifier(n) != full ||
		n.at("urn:xmpp:bind:0 bound") != nil {
		t.Fatalf("not resumed: %+v", n)
	}
	if m := again.want("jabber:client message"); m.attr("id") != "lost" { // no features before it
		t.Fatalf("%+v", m)
	}
	again.want("urn:xmpp:sm:3 r")
	for _, tc := range []struct{ previd, h, want string }{
		{"nothing", "0", "item-not-found"},
		{id, "many", "bad-request"},
		{"", "0", "bad-request"},
	} {
		c := d.dial(t, "")
		n := c.scram(sasl.ScramSha256, "romeo", "pencil", resume(tc.previd, tc.h))
		if n.at("urn:xmpp:sm:3 failed", wire.NSStanzas+" "+tc.want) == nil || identifier(n) != "romeo@"+domain {
			t.Fatalf("%+v", n)
		}
		if f := c.want("http://etherx.jabber.org/streams features"); f.at(wire.NSBind+" bind") == nil {
			t.Fatalf("%+v", f)
		}
	}
	over := d.dial(t, "")
	if n := over.scram(sasl.ScramSha256, "romeo",
		"pencil", resume(id, "7")); n.at("urn:xmpp:sm:3 handled-count-too-high") == nil {
		t.Fatalf("%+v", n)
	}
}

// Stanzas that arrive during binding come after the address, and count from there. What features report about binding
// is in <bound/>.
func TestBind2Order(t *testing.T) {
	greet := &server.Feature{
		Name: "greet",
		Bound: func(_ context.Context, s *server.Session) {
			if err := s.Send((&wire.Stanza{Kind: wire.Message, ID: "early"}).Add(wire.T(wire.NSClient,
				"body", "hi"))); err != nil {
				t.Error(err)
			}
		},
		Inline: []server.Inline{
			{
				Announce: "urn:example:greet",
				Do: func(_ context.Context, _ *server.Session, bind *wire.Element) *wire.Element {
					if bind.Child("urn:example:greet", "please") == nil {
						return nil
					}
					return wire.E("urn:example:greet", "hello")
				},
			},
		},
	}
	d := newDoor(t, nil, greet)
	c := d.dial(t, "")
	var offered []string
	for _, f := range c.features.at("urn:xmpp:sasl:2 authentication", "urn:xmpp:sasl:2 inline", "urn:xmpp:bind:0 bind",
		"urn:xmpp:bind:0 inline").Nodes {
		offered = append(offered, f.attr("var"))
	}
	if !slices.Equal(offered, []string{"urn:example:greet", "urn:xmpp:csi:0", "urn:xmpp:sm:3"}) {
		t.Errorf("offered: %v", offered)
	}
	_, bound := c.bind2("romeo", tagged("x", "<please xmlns='urn:example:greet'/><enable xmlns='urn:xmpp:sm:3'/>"))
	if bound.at("urn:example:greet hello") == nil {
		t.Errorf("%+v", bound)
	}
	if m := c.want("jabber:client message"); m.attr("id") != "early" {
		t.Fatalf("%+v", m)
	}
	c.write("<a xmlns='urn:xmpp:sm:3' h='1'/><r xmlns='urn:xmpp:sm:3'/>")
	c.want("urn:xmpp:sm:3 a")
}
