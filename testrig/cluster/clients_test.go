package cluster

import "testing"

// Real clients of others on three nodes: slixmpp at A, Profanity at B, the chat in Chromium at C. They sign in, see
// each other's presence, and write in every direction; of one who has clients at two nodes, each shows what the other
// one writes. Each step says where its effect was seen.
func TestClientsOnThreeNodes(t *testing.T) {
	needSlixmpp(t)
	profanity, tmux, chromium := program(t, "profanity"), program(t, "tmux"), program(t, "chromium")
	c := newCluster(t)
	c.accounts("anna", "ben", "carl")
	seen := func(at *process, what string) { t.Logf("seen at %s: %s", at.name, what) }

	anna := c.a.slixmpp("anna")
	ben := c.b.terminal(tmux, profanity)
	ben.shows("Profanity", "/register myjid")
	ben.line("/connect ben@example.org server 127.0.0.1 port " + c.b.port("c2s") + " tls force")
	ben.shows("Enter password:")
	ben.line("pencil-and-paper")
	ben.shows("/tls always")
	ben.line("/tls always")
	ben.shows("logged in successfully, online")
	anna.sees("ben", "available")
	seen(c.a, "ben has come at B")
	carl := c.c.browse(chromium, "carl")
	carl.chat("ben")
	anna.sees("carl", "available")
	seen(c.a, "carl has come at C")
	carl.until(`document.querySelector(".conversation .presence.available, header .presence.available") !== null`)
	seen(c.c, "ben is at B")
	second := c.a.slixmpp("carl")
	second.sees("ben", "available")
	seen(c.a, "ben is at B, by who came later")

	ben.line("/msg carl@example.org from B to C")
	carl.shows("from B to C")
	seen(c.c, "what ben has written at B")
	second.gets("from B to C")
	seen(c.a, "the same, by carl's other client")
	carl.write("from C to B")
	ben.shows("from B to C", "from C to B")
	seen(c.b, "what carl has written at C")
	second.gets("urn:xmpp:carbons:2", "from C to B")
	seen(c.a, "the same, by carl's other client")
	second.send("ben", "from A to B")
	ben.shows("from C to B", "from A to B")
	seen(c.b, "what carl has written at A")
	carl.shows("from A to B")
	seen(c.c, "the same, by carl's other client")

	anna.send("carl", "from A to C")
	carl.chat("anna")
	carl.shows("from A to C")
	seen(c.c, "what anna has written at A")
	carl.write("from C to A")
	anna.gets("from C to A")
	seen(c.a, "what carl has written at C")
	ben.line("/msg anna@example.org and from B to A")
	anna.gets("and from B to A")
	seen(c.a, "what ben has written at B")

	carl.chat("ben")
	ben.line("/quit")
	anna.sees("ben", "unavailable")
	seen(c.a, "ben has gone at B")
	carl.until(`document.querySelector(".conversation .presence.available, header .presence.available") === null`)
	seen(c.c, "ben has gone at B")
}
