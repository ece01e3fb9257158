package federation

import (
	"testing"

	"parley/config"
	"parley/testrig"
)

const nick = "http://jabber.org/protocol/nick"

// publishes puts a nick into the account's node.
func (p *party) publishes(id, name string) {
	p.t.Helper()
	p.sends("<iq type='set' id='pub-%s'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='%s'>"+
		"<item id='%s'><nick xmlns='%[2]s'>%[4]s</nick></item></publish></pubsub></iq>", id, nick, id, name)
	p.gets("the item taken", func(e *testrig.Element) bool {
		return e.Attr("id") == "pub-"+id && e.Attr("type") == "result"
	})
}

// getsNick waits for an event of the node of somebody.
func (p *party) getsNick(from, name string) *testrig.Element {
	p.t.Helper()
	return p.gets("the nick "+name, func(e *testrig.Element) bool {
		n := e.Find("nick")
		return e.Name.Local == "message" && e.Attr("type") == "headline" && e.Attr("from") == from &&
			e.Find("event") != nil && n != nil && n.Text == name
	})
}

// shows sends presence with capabilities, and tells as many as will ask that it wants nicks.
func (p *party) shows(asked int) {
	p.t.Helper()
	const caps = "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://example.com/x' " +
		"ver='of-its-own'/></presence>"
	p.sends(caps)
	p.answers(asked)
}

func (p *party) answers(asked int) {
	p.t.Helper()
	for range asked {
		q := p.gets("a question for its capabilities", func(e *testrig.Element) bool {
			return e.Name.Local == "iq" && e.Attr("type") == "get" && e.Find("query") != nil &&
				e.Find("query").Attr("node") == "http://example.com/x#of-its-own"
		})
		p.sends("<iq type='result' id='%s' to='%s'><query xmlns='http://jabber.org/protocol/disco#info' "+
			"node='http://example.com/x#of-its-own'><feature var='%s+notify'/></query></iq>",
			q.Attr("id"), q.Attr("from"), nick)
	}
}

// TestEvents: a contact on another server is told of nodes like a contact on the same server (XEP-0163).
func TestEvents(t *testing.T) {
	dns := startDNS(t)
	fa, fb := certificates(t, "a.example"), certificates(t, "b.example")
	none := func(*config.Config) {}
	a := newHouse(t, "a.example", dns.addr, fa, none)
	b := newHouse(t, "b.example", dns.addr, fb, none)
	for _, h := range []*house{a, b} {
		dns.point(h.Node.Addr("s2s"), h.domain)
	}
	romeo, juliet := a.party(t, "romeo"), b.party(t, "juliet")
	romeo.publishes("1", "Romeo M.")
	get := "<iq type='get' id='get' to='" + romeo.bare +
		"'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='" + nick + "'/></pubsub></iq>"
	answer := func(e *testrig.Element) bool { return e.Attr("id") == "get" }
	juliet.sends("%s", get)
	if e := juliet.gets("an answer", answer); e.Find("presence-subscription-required") == nil {
		t.Errorf("a stranger gets %s", e)
	}
	for _, p := range []struct{ asks, grants *party }{{romeo, juliet}, {juliet, romeo}} {
		p.asks.sends("<presence type='subscribe' to='%s'/>", p.grants.bare)
		p.grants.getsPresence("subscribe", p.asks.bare)
		p.grants.sends("<presence type='subscribed' to='%s'/>", p.asks.bare)
		p.asks.getsPresence("subscribed", p.grants.bare)
		p.asks.getsPresence("", p.grants.c.Address)
	}
	juliet.sends("%s", get)
	if e := juliet.gets("an answer", answer); e.Attr("type") != "result" || e.Find("nick") == nil ||
		e.Find("nick").Text != "Romeo M." {
		t.Errorf("a contact gets %s", e)
	}
	// She comes, and is sent the newest item; both servers ask what she wants.
	juliet.shows(2)
	if e := juliet.getsNick(romeo.bare, "Romeo M."); e.Attr("to") != juliet.c.Address || e.Find("delay") == nil {
		t.Errorf("the newest item came as %s", e)
	}
	romeo.publishes("2", "Montague")
	if e := juliet.getsNick(romeo.bare, "Montague"); e.Attr("to") != juliet.c.Address {
		t.Errorf("the event came as %s", e)
	}
	// She is not told of a node that she may not see, and when she is gone she is told nothing.
	romeo.sends("<iq type='set' id='white'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>"+
		"<configure node='%s'><x xmlns='jabber:x:data' type='submit'><field var='pubsub#access_model'>"+
		"<value>whitelist</value></field></x></configure></pubsub></iq>", nick)
	romeo.gets("the node closed", func(e *testrig.Element) bool {
		return e.Attr("id") == "white" && e.Attr("type") == "result"
	})
	romeo.publishes("3", "secret")
	romeo.sends("<iq type='set' id='open'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>"+
		"<configure node='%s'><x xmlns='jabber:x:data' type='submit'><field var='pubsub#access_model'>"+
		"<value>open</value></field></x></configure></pubsub></iq>", nick)
	romeo.gets("the node open", func(e *testrig.Element) bool {
		return e.Attr("id") == "open" && e.Attr("type") == "result"
	})
	romeo.publishes("4", "public")
	if e := juliet.gets("the next event", func(e *testrig.Element) bool {
		return e.Find("event") != nil
	}); e.Find("nick") == nil || e.Find("nick").Text != "public" {
		t.Errorf("after a closed node: %s", e)
	}
	juliet.sends("<presence type='unavailable'/>")
	romeo.getsPresence("unavailable", juliet.c.Address)
	romeo.publishes("5", "unheard")
	romeo.sends("<message type='chat' to='%s'><body>last words</body></message>", juliet.c.Address)
	if e := juliet.gets("an event or the words",
		func(e *testrig.Element) bool { return e.Name.Local == "message" }); e.Find("event") != nil {
		t.Errorf("who is gone gets %s", e)
	}
}

// TestEventsOfNewContacts: people who become contacts while both are there get each other's events, as if they had just
// come.
func TestEventsOfNewContacts(t *testing.T) {
	dns := startDNS(t)
	fa, fb := certificates(t, "a.example"), certificates(t, "b.example")
	none := func(*config.Config) {}
	a := newHouse(t, "a.example", dns.addr, fa, none)
	b := newHouse(t, "b.example", dns.addr, fb, none)
	for _, h := range []*house{a, b} {
		dns.point(h.Node.Addr("s2s"), h.domain)
	}
	romeo, juliet := a.party(t, "romeo"), b.party(t, "juliet")
	romeo.publishes("1", "Romeo M.")
	juliet.shows(1)
	romeo.sends("<presence type='subscribe' to='%s'/>", juliet.bare)
	juliet.getsPresence("subscribe", romeo.bare)
	juliet.sends("<presence type='subscribed' to='%s'/>", romeo.bare)
	juliet.answers(1) // her presence has gone to him, and his server asks
	juliet.sends("<presence type='subscribe' to='%s'/>", romeo.bare)
	romeo.getsPresence("subscribe", juliet.bare)
	romeo.sends("<presence type='subscribed' to='%s'/>", juliet.bare)
	juliet.getsNick(romeo.bare, "Romeo M.")
}
