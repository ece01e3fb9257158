package testrig_test

import (
	"testing"

	"parley/config"
	"parley/testrig"
)

// Limits that an operator has lowered stop growth; what is above them already can be changed, imported again unchanged,
// and removed.
func TestLoweredLimits(t *testing.T) {
	var cfg *config.Config
	r := testrig.Start(t, func(c *config.Config) { cfg = c })
	r.Account("romeo")
	r.Run(t, `romeo signs in
romeo sends: <iq type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='n'/></pubsub></iq>
romeo gets: <iq type='result' id='1'/>
romeo sends: <iq type='set' id='2'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'><x xmlns='jabber:x:data' type='submit'><field var='pubsub#max_items'><value>500</value></field></x></configure></pubsub></iq>
romeo gets: <iq type='result' id='2'/>
romeo sends: <iq type='set' id='3'><query xmlns='jabber:iq:private'><e xmlns='x1'/></query></iq>
romeo gets: <iq type='result' id='3'/>
romeo sends: <iq type='set' id='4'><query xmlns='jabber:iq:private'><e xmlns='x2'/></query></iq>
romeo gets: <iq type='result' id='4'/>
romeo sends: <iq type='set' id='5'><query xmlns='jabber:iq:roster'><item jid='x1@c.example'/></query></iq>
romeo forgets
romeo sends: <iq type='set' id='6'><query xmlns='jabber:iq:roster'><item jid='x2@c.example'/></query></iq>
romeo forgets
romeo sends: <iq type='set' id='7'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='r1@c.example'><conference xmlns='urn:xmpp:bookmarks:1'/></item></publish></pubsub></iq>
romeo forgets
romeo sends: <iq type='set' id='8'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='r2@c.example'><conference xmlns='urn:xmpp:bookmarks:1'/></item></publish></pubsub></iq>
romeo forgets`)
	cfg.PubSub.Items, cfg.Accounts.PrivateElements, cfg.Accounts.MaxContacts, cfg.Accounts.MaxBookmarks = 100, 1, 1, 1
	r.Restart()
	r.Run(t, `romeo signs in
romeo sends: <iq type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'><x xmlns='jabber:x:data' type='submit'><field var='pubsub#max_items'><value>500</value></field><field var='pubsub#title'><value>N</value></field></x></configure></pubsub></iq>
romeo gets: <iq type='result' id='1'/>
romeo sends: <iq type='set' id='2'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'><x xmlns='jabber:x:data' type='submit'><field var='pubsub#max_items'><value>501</value></field></x></configure></pubsub></iq>
romeo gets: <iq type='error' id='2'/>
romeo sends: <iq type='set' id='3'><query xmlns='jabber:iq:private'><e xmlns='x1'>anew</e></query></iq>
romeo gets: <iq type='result' id='3'/>
romeo sends: <iq type='set' id='4'><query xmlns='jabber:iq:private'><e xmlns='x3'/></query></iq>
romeo gets: <iq type='error' id='4'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
romeo sends: <iq type='set' id='5'><query xmlns='jabber:iq:roster'><item jid='x1@c.example' name='X'/></query></iq>
romeo gets: <iq type='result' id='5'/>
romeo sends: <iq type='set' id='6'><query xmlns='jabber:iq:roster'><item jid='x3@c.example'/></query></iq>
romeo gets: <iq type='error' id='6'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
romeo sends: <iq type='set' id='7'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='r1@c.example'><conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'/></item></publish></pubsub></iq>
romeo gets: <iq type='result' id='7'/>
romeo sends: <iq type='set' id='8'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='r3@c.example'><conference xmlns='urn:xmpp:bookmarks:1'/></item></publish></pubsub></iq>
romeo gets: <iq type='error' id='8'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
}

// Somebody with as many push registrations as allowed can still renew each of them.
func TestPushRenewedWhereFull(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("romeo")
	script := "romeo signs in\n"
	enable := func(id, node, answer string) {
		script += "romeo sends: <iq type='set' id='" + id +
			"'><enable xmlns='urn:xmpp:push:0' jid='push.c.example' node='" + node +
			"'/></iq>\nromeo gets: <iq type='" + answer + "' id='" + id + "'/>\n"
	}
	for i := range 20 {
		enable(string(rune('a'+i)), string(rune('a'+i)), "result")
	}
	enable("more", "more", "error")
	enable("again", "c", "result")
	r.Run(t, script)
}
