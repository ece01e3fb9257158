package testrig_test

import (
	"html"
	"testing"

	"parley/config"
	"parley/testrig"
)

// Fields of forms have the names and types that are registered for them: libraries read forms as the registries
// describe them. Every form that a client of a rig gets is compared, in scripts too; this test asks for all others, so
// that none is left out, and for those of all commands.
func TestFormsAreAsRegistered(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Contact.Abuse = []string{"mailto:abuse@example.org"}
	})
	r.Account("!!romeo")
	r.Run(t, `romeo signs in
romeo sends: <presence to='hall@groups.example.org/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>
romeo forgets from hall@groups.example.org
romeo sends: <iq type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='n'/></pubsub></iq>
romeo gets: <iq type='result' id='1'/>
romeo sends: <iq type='set' id='2' to='pubsub.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='n'/></pubsub></iq>
romeo gets: <iq type='result' id='2'/>
romeo sends: <iq type='set' id='3' to='pubsub.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='n' jid='romeo@example.org'/></pubsub></iq>
romeo gets: <iq type='result' id='3'/>`)
	c := signInAt(t, r, "romeo", testrig.Host, "forms")
	configure := "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'/></pubsub>"
	info := "<query xmlns='http://jabber.org/protocol/disco#info'"
	ask := func(typ, to, payload string) *testrig.Element {
		t.Helper()
		if err := c.Write("<iq type='" + typ + "' id='q' to='" + to + "'>" + payload + "</iq>"); err != nil {
			t.Fatal(err)
		}
		for {
			answer, err := c.Next()
			if err != nil {
				t.Fatal(err)
			}
			if answer.Attr("id") == "q" {
				return answer
			}
		}
	}
	for _, q := range [][2]string{
		{"romeo@example.org", configure},
		{"pubsub.example.org", configure},
		{"romeo@example.org", info + " node='n'/>"},
		{"pubsub.example.org", info + " node='n'/>"},
		{"pubsub.example.org", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>" +
			"<options node='n' jid='romeo@example.org'/></pubsub>"},
		{"hall@groups.example.org", "<query xmlns='http://jabber.org/protocol/muc#owner'/>"},
		{"hall@groups.example.org", info + "/>"},
		{"hall@groups.example.org", "<query xmlns='jabber:iq:register'/>"},
		{"users.example.org", "<query xmlns='jabber:iq:search'/>"},
		{"romeo@example.org", "<query xmlns='urn:xmpp:mam:2'/>"},
		{"hall@groups.example.org", "<query xmlns='urn:xmpp:mam:2'/>"},
		{"groups.example.org", "<search xmlns='urn:xmpp:channel-search:0:search'/>"},
		{"example.org", info + "/>"},
		{"upload.example.org", info + "/>"},
	} {
		ask("get", q[0], q[1])
	}
	commands := 0
	for _, at := range []string{
		"example.org", "romeo@example.org", "groups.example.org", "hall@groups.example.org", "pubsub.example.org",
	} {
		list := ask("get", at,
			"<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>")
		for _, it := range list.Children[0].Children {
			ask("set", at, "<command xmlns='http://jabber.org/protocol/commands' node='"+
				html.EscapeString(it.Attr("node"))+"'/>")
			commands++
		}
	}
	if commands < 30 {
		t.Errorf("only %d commands were looked at", commands)
	}
	seen := testrig.Forms()
	for _, about := range []string{
		"http://jabber.org/protocol/pubsub#node_config", "http://jabber.org/protocol/pubsub#meta-data",
		"http://jabber.org/protocol/muc#roomconfig", "http://jabber.org/protocol/muc#roominfo", "jabber:iq:search",
		"http://jabber.org/protocol/pubsub#subscribe_options", "http://jabber.org/protocol/muc#register",
		"urn:xmpp:mam:2", "urn:xmpp:channel-search:0:search-params", "http://jabber.org/network/serverinfo",
		"urn:xmpp:http:upload:0", "http://jabber.org/protocol/admin",
	} {
		if seen[about] == 0 {
			t.Errorf("no form of type %s was seen", about)
		}
	}
}
