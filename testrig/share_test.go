package testrig_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/testrig"
)

// Nobody uses up shared space: one person may make a configured number of nodes at the host's service, and others still
// can; deleting a node makes room.
func TestShareOfTheServicesNodes(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) { c.PubSub.ServiceNodes, c.PubSub.ServiceShare = 5, 2 })
	r.Account("romeo", "juliet")
	romeo, juliet := signIn(t, r, "romeo"), signIn(t, r, "juliet")
	service := "pubsub." + testrig.Host
	create := func(c *testrig.Client, node string) *testrig.Element {
		return ask(t, c, service, "set",
			"<pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='"+node+"'/></pubsub>")
	}
	for i := range 2 {
		if e := create(romeo, fmt.Sprint("r", i)); !ok(e) {
			t.Fatal(e)
		}
	}
	if e := create(romeo, "r2"); ok(e) || e.Find("resource-constraint") == nil || e.Find("max-nodes-exceeded") == nil {
		t.Errorf("one too many: %s", e)
	}
	if e := ask(t, romeo, service, "set",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='r3'><item id='1'><a xmlns='a'/></item>"+
			"</publish></pubsub>"); ok(e) {
		t.Errorf("one too many, by publishing: %s", e)
	}
	if e := create(juliet, "j"); !ok(e) {
		t.Errorf("somebody else: %s", e)
	}
	if e := ask(t, romeo, service, "set",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><delete node='r0'/></pubsub>"); !ok(e) {
		t.Fatal(e)
	}
	if e := create(romeo, "r2"); !ok(e) {
		t.Errorf("after one has gone: %s", e)
	}
}

// People who fill archives are read from more slowly; if they use so many clients that this does not help, their
// messages are refused. Others can still write.
func TestPaceOfArchives(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := testrig.Start(t, func(c *config.Config) {
		c.Limits.StanzaSize, c.Limits.ArchiveBytesPerSecond, c.Limits.ArchiveBytesBurst = 10_000, 400, 20_000
	})
	r.Account("romeo", "juliet")
	var romeos []*testrig.Client
	for i := range 10 {
		romeos = append(romeos, signInAt(t, r, "romeo", testrig.Host, fmt.Sprint("r", i)))
	}
	juliet := signIn(t, r, "juliet")
	write := func(c *testrig.Client, to, id, typ string, size int) {
		t.Helper()
		if err := c.Write("<message to='" + to + "@" + testrig.Host + "' type='" + typ + "' id='" + id + "'><body>" +
			strings.Repeat("x", size) + "</body></message>"); err != nil {
			t.Fatal(err)
		}
	}
	const size = 5000 - 256 - len("<body></body>")
	ping := "<ping xmlns='urn:xmpp:ping'/>"
	began := time.Now()
	for i := range 4 {
		write(romeos[0], "juliet", fmt.Sprint("m", i), "chat", size)
	}
	write(romeos[0], "juliet", "over", "chat", 1000-256-len("<body></body>")) // 2.5 s more than the burst
	if e := ask(t, romeos[0], testrig.Host, "get", ping); !ok(e) || time.Since(began) < 2500*time.Millisecond {
		t.Errorf("after %v: %s", time.Since(began), e)
	}
	for i := range 100 { // messages that are not archived cost nothing
		if err := romeos[0].Write("<message to='juliet@" + testrig.Host + "' type='chat' id='s" + fmt.Sprint(i) +
			"'><composing xmlns='http://jabber.org/protocol/chatstates'/>" +
			"<no-store xmlns='urn:xmpp:hints'/></message>"); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range romeos[1:] { // a client that is 15 s ahead of its rate is refused: 6000 bytes
		write(c, []string{"juliet", "romeo"}[i%2], "n", "chat", size)
	}
	for _, c := range romeos[1:] {
		if err := c.Write("<iq type='get' id='p' to='" + testrig.Host + "'>" + ping + "</iq>"); err != nil {
			t.Fatal(err)
		}
	}
	refused := 0
	for _, c := range romeos[1:] {
		e, err := c.Next()
		if err == nil && e.Attr("id") == "n" {
			refused++
			if e.Find("resource-constraint") == nil || e.Find("text") == nil || e.Find("error").Attr("type") != "wait" {
				t.Error(e)
			}
			e, err = c.Next()
		}
		if err != nil || e.Attr("id") != "p" || !ok(e) {
			t.Error(e, err)
		}
	}
	if refused < 4 || refused > 7 {
		t.Errorf("%d of 9 were refused", refused)
	}
	write(juliet, "romeo", "hers", "chat", 1000)
	if e := ask(t, juliet, testrig.Host, "get", ping); !ok(e) {
		t.Error(e)
	}
}

// The nodes of a service that one person has created may hold a share of its bytes.
func TestShareOfTheServicesBytes(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		c.PubSub.ItemSize, c.PubSub.ServiceBytes, c.PubSub.ServiceBytesShare = 1024, 4096, 1536
	})
	r.Account("romeo", "juliet")
	romeo, juliet := signIn(t, r, "romeo"), signIn(t, r, "juliet")
	publish := func(c *testrig.Client, node string) *testrig.Element {
		return ask(t, c, "pubsub."+testrig.Host, "set",
			"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='"+node+"'><item id='1'><a xmlns='a'>"+
				strings.Repeat("x", 700)+"</a></item></publish></pubsub>")
	}
	for _, node := range []string{"r0", "r1", "r1"} {
		if e := publish(romeo, node); !ok(e) {
			t.Fatal(e)
		}
	}
	if e := publish(romeo, "r2"); ok(e) || e.Find("resource-constraint") == nil || e.Find("text") == nil ||
		!strings.Contains(e.Find("text").Text, "creator") {
		t.Errorf("more than a share: %s", e)
	}
	for _, node := range []string{"j0", "j1"} {
		if e := publish(juliet, node); !ok(e) {
			t.Errorf("somebody else: %s", e)
		}
	}
	if e := ask(t, romeo, "pubsub."+testrig.Host, "set", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
		"<retract node='r0'><item id='1'/></retract></pubsub>"); !ok(e) {
		t.Fatal(e)
	}
	if e := publish(romeo, "r2"); !ok(e) {
		t.Errorf("after one has gone: %s", e)
	}
}
