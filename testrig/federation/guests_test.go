package federation

import (
	"fmt"
	"testing"

	"parley/config"
	"parley/testrig"
)

// twoHouses can reach each other.
func twoHouses(t *testing.T, change func(*config.Config)) (a, b *house) {
	t.Helper()
	dns := startDNS(t)
	a = newHouse(t, "a.example", dns.addr, certificates(t, "a.example", "groups"), change)
	b = newHouse(t, "b.example", dns.addr, certificates(t, "b.example", "groups"), change)
	for _, h := range []*house{a, b} {
		dns.point(h.Node.Addr("s2s"), h.domain, "groups."+h.domain)
	}
	return a, b
}

// TestStrangersRefused: messages from strangers are refused, but strangers may ask to become contacts; people who were
// written to may answer.
func TestStrangersRefused(t *testing.T) {
	a, b := twoHouses(t, func(c *config.Config) { c.Federation.Strangers = "refuse" })
	romeo, juliet, nurse := a.party(t, "romeo"), b.party(t, "juliet"), b.party(t, "nurse")
	romeo.fails(juliet.bare, "stranger", "service-unavailable")
	romeo.sends("<presence type='subscribe' to='%s'/>", juliet.bare)
	juliet.getsPresence("subscribe", romeo.bare)
	juliet.sends("<presence type='subscribed' to='%s'/>", romeo.bare)
	romeo.getsPresence("subscribed", juliet.bare)
	romeo.sends("<message type='chat' to='%s'><body>a contact</body></message>", juliet.bare)
	juliet.getsMessage("chat", romeo.c.Address, "a contact")
	nurse.fails(romeo.bare, "stranger", "service-unavailable")
	// she has written to him before
	romeo.sends("<message type='chat' to='%s'><body>what is it?</body></message>", nurse.bare)
	nurse.getsMessage("chat", romeo.c.Address, "what is it?")
	nurse.sends("<message type='chat' to='%s'><body>an answer</body></message>", romeo.bare)
	romeo.getsMessage("chat", nurse.c.Address, "an answer")
	// After entering a room, a person gets messages of its occupants from the other server, in public and in private.
	const room = "hall@groups.a.example"
	romeo.opens(room, "romeo")
	nurse.sends("<presence to='%s/nurse'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room)
	nurse.getsPresence("", room+"/nurse")
	romeo.sends("<message type='groupchat' to='%s'><body>welcome</body></message>", room)
	nurse.getsMessage("groupchat", room+"/romeo", "welcome")
	romeo.sends("<message type='chat' to='%s/nurse'><body>psst</body>"+
		"<x xmlns='http://jabber.org/protocol/muc#user'/></message>", room)
	nurse.getsMessage("chat", room+"/romeo", "psst")
}

// TestStrangersAtARate: those of one domain are heard a little; contacts are not counted.
func TestStrangersAtARate(t *testing.T) {
	a, b := twoHouses(t, func(c *config.Config) { c.Federation.StrangersPerMinute, c.Federation.JoinsPerMinute = 3, 2 })
	romeo, juliet := a.party(t, "romeo"), b.party(t, "juliet")
	for i := range 3 {
		romeo.sends("<message type='chat' to='%s@b.example'><body>%d</body></message>", "juliet", i)
		// After the first message they know each other, as Juliet's archive has it. The rate then limits messages to
		// other people.
		juliet.getsMessage("chat", romeo.c.Address, fmt.Sprint(i))
	}
	for _, name := range []string{"nurse", "paris", "tybalt"} {
		b.Account(name + "@b.example")
		romeo.sends("<message type='chat' to='%s@b.example' id='%s'><body>hi</body></message>", name, name)
	}
	e := romeo.gets("a refusal", func(e *testrig.Element) bool { return e.Attr("type") == "error" })
	if e.Attr("id") != "tybalt" || e.Find("resource-constraint") == nil {
		t.Errorf("got %s", e)
	}
	// Rooms are entered at a rate as well.
	for _, room := range []string{"one", "two", "three"} {
		juliet.opens(room+"@groups.b.example", "juliet")
		romeo.sends("<presence to='%s@groups.b.example/romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
			room)
	}
	e = romeo.gets("a refusal", func(e *testrig.Element) bool {
		return e.Name.Local == "presence" && e.Attr("type") == "error"
	})
	if e.Attr("from") != "three@groups.b.example/romeo" || e.Find("resource-constraint") == nil {
		t.Errorf("got %s", e)
	}
}

// TestBlockedAbroad: nothing from a domain that a person has blocked reaches that person.
func TestBlockedAbroad(t *testing.T) {
	a, b := twoHouses(t, func(*config.Config) {})
	romeo, juliet := a.party(t, "romeo"), b.party(t, "juliet")
	juliet.sends("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='a.example'/></block></iq>")
	juliet.gets("done", func(e *testrig.Element) bool { return e.Attr("id") == "b" && e.Attr("type") == "result" })
	romeo.fails(juliet.bare, "blocked", "service-unavailable")
	juliet.fails(romeo.bare, "back", "not-acceptable") // XEP-0191, section 3.2
}

// TestEventsAbroad: what a contact on another server publishes reaches people who want to know (XEP-0163).
func TestEventsAbroad(t *testing.T) {
	a, b := twoHouses(t, func(*config.Config) {})
	romeo, juliet := a.party(t, "romeo"), b.party(t, "juliet")
	// his server has to hear what her client wants
	for _, p := range []struct{ asks, grants *party }{{juliet, romeo}, {romeo, juliet}} {
		p.asks.sends("<presence type='subscribe' to='%s'/>", p.grants.bare)
		p.grants.getsPresence("subscribe", p.asks.bare)
		p.grants.sends("<presence type='subscribed' to='%s'/>", p.asks.bare)
		p.asks.getsPresence("subscribed", p.grants.bare)
	}
	romeo.sends("<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'>" +
		"<publish node='http://jabber.org/protocol/tune'><item id='t'>" +
		"<tune xmlns='http://jabber.org/protocol/tune'><title>Greensleeves</title></tune></item>" +
		"</publish></pubsub></iq>")
	romeo.gets("it is published", func(e *testrig.Element) bool {
		return e.Attr("id") == "p" && e.Attr("type") == "result"
	})
	juliet.sends("<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example:client' " +
		"ver='tunes'/></presence>")
	event := juliet.gets("the event", func(e *testrig.Element) bool {
		// each server asks
		if q := e.Find("query"); q != nil && e.Attr("type") == "get" &&
			q.Name.Space == "http://jabber.org/protocol/disco#info" {
			juliet.sends("<iq type='result' id='%s' to='%s'><query xmlns='http://jabber.org/protocol/disco#info'>"+
				"<identity category='client' type='pc'/>"+
				"<feature var='http://jabber.org/protocol/tune+notify'/></query></iq>", e.Attr("id"), e.Attr("from"))
		}
		return e.Name.Local == "message" && e.Find("event") != nil
	})
	if event.Attr("from") != romeo.bare || event.Find("title") == nil || event.Find("title").Text != "Greensleeves" {
		t.Errorf("got %s", event)
	}
}
