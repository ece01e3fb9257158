package federation

import (
	"net"
	"strings"
	"testing"

	"parley/config"
	"parley/testrig"
)

// TestGroupAcross: a federated group has members on another server: they are invited (their bookmarks are not ours),
// talk, read the archive under the same ids, and are invited to themes.
func TestGroupAcross(t *testing.T) {
	a, b := twoHouses(t, func(c *config.Config) { c.Groups.Create = "members" })
	romeo, juliet := a.party(t, "romeo"), b.party(t, "juliet")
	romeo.sends("<iq type='set' id='new' to='groups.a.example'><command xmlns='http://jabber.org/protocol/commands' " +
		"node='https://parley.im/commands#new-group' action='complete'>" +
		"<x xmlns='jabber:x:data' type='submit'><field var='name'><value>Allies</value></field><field var='kind'>" +
		"<value>federated</value></field></x></command></iq>")
	made := romeo.gets("the group", func(e *testrig.Element) bool {
		return e.Attr("id") == "new" && e.Attr("type") == "result"
	})
	room := valueOf(made, "room")
	if !strings.HasSuffix(room, "@groups.a.example") {
		t.Fatalf("got %s", made)
	}
	romeo.opens(room, "romeo")
	invited := func(to string) {
		t.Helper()
		juliet.gets("an invitation to "+to, func(e *testrig.Element) bool {
			x := e.Find("x")
			return e.Name.Local == "message" && x != nil && x.Name.Space == "jabber:x:conference" && x.Attr("jid") == to
		})
	}
	romeo.sends("<iq type='set' id='add' to='%s'><query xmlns='http://jabber.org/protocol/muc#admin'>"+
		"<item jid='%s' affiliation='member'/></query></iq>", room, juliet.bare)
	invited(room)
	juliet.sends("<presence to='%s/juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room)
	romeo.getsPresence("", room+"/juliet")
	juliet.getsPresence("", room+"/juliet")
	romeo.sends("<message type='groupchat' to='%s'><body>welcome</body></message>", room)
	seen := juliet.getsMessage("groupchat", room+"/romeo", "welcome")
	juliet.sends("<message type='groupchat' to='%s'><body>thank you</body></message>", room)
	romeo.getsMessage("groupchat", room+"/juliet", "thank you")
	juliet.sends("<iq type='set' id='mam' to='%s'><query xmlns='urn:xmpp:mam:2' queryid='q'>"+
		"<set xmlns='http://jabber.org/protocol/rsm'><max>50</max></set></query></iq>", room)
	id := seen.Find("stanza-id").Attr("id")
	juliet.gets("the message in the archive", func(e *testrig.Element) bool {
		r := e.Find("result")
		return r != nil && r.Attr("id") == id && strings.Contains(e.String(), "welcome")
	})
	// A theme.
	romeo.sends("<message type='groupchat' to='%s'><body>!theme Plans</body></message>", room)
	var theme string
	told := false
	juliet.gets("the line in the group's room, and an invitation", func(e *testrig.Element) bool {
		if x := e.Find("x"); x != nil && x.Name.Space == "jabber:x:conference" &&
			strings.HasPrefix(x.Attr("jid"), strings.TrimSuffix(room, "@groups.a.example")+".") {
			theme = x.Attr("jid")
		}
		b := e.Find("body")
		told = told || e.Attr("type") == "groupchat" && b != nil && strings.HasPrefix(b.Text, "New theme: Plans")
		return told && theme != ""
	})
	juliet.sends("<presence to='%s/juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", theme)
	juliet.getsPresence("", theme+"/juliet")
	// Whoever is put out of the group is put out of both rooms.
	romeo.sends("<iq type='set' id='out' to='%s'><query xmlns='http://jabber.org/protocol/muc#admin'>"+
		"<item jid='%s' affiliation='none'/></query></iq>", room, juliet.bare)
	for range 2 {
		juliet.gets("a way out", func(e *testrig.Element) bool {
			return e.Name.Local == "presence" && e.Attr("type") == "unavailable" &&
				strings.HasSuffix(e.Attr("from"), "/juliet") && strings.Contains(e.String(), "code='321'")
		})
	}
}

// valueOf reads a field of a form.
func valueOf(e *testrig.Element, field string) string {
	if e.Name.Local == "field" && e.Attr("var") == field {
		if v := e.Find("value"); v != nil {
			return v.Text
		}
	}
	for _, c := range e.Children {
		if v := valueOf(c, field); v != "" {
			return v
		}
	}
	return ""
}

// TestDNSLies: where certificates are required, a server that DNS names and that is not the domain's hears nothing;
// where dialback is enough, it has to serve the domain.
func TestDNSLies(t *testing.T) {
	dns := startDNS(t)
	fa, fb := certificates(t, "a.example", "groups"), certificates(t, "b.example", "groups")
	for _, strict := range []bool{true, false} {
		a := newHouse(t, "a.example", dns.addr, fa, func(c *config.Config) { c.Federation.RequireCertificate = strict })
		b := newHouse(t, "b.example", dns.addr, fb, func(*config.Config) {})
		dns.point(b.Node.Addr("s2s"), "victim.example") // b's door, which does not serve it
		romeo := a.party(t, "romeo")
		want := "remote-server-not-found"
		romeo.fails("x@victim.example", "lie", want)
	}
	// A door that says nothing.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dns.point(l.Addr(), "mute.example")
	a := newHouse(t, "a.example", dns.addr,
		fa, func(c *config.Config) { c.Federation.AuthTimeout, c.Federation.HandshakeTimeout = 1e9, 1e9 })
	a.party(t, "romeo").fails("x@mute.example", "mute", "remote-server-timeout")
}
