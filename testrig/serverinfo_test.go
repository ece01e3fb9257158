package testrig_test

import (
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/testrig"
)

// Everyone may read what a server publishes of itself (XEP-0485), and nobody else may write there.
func TestServerInfo(t *testing.T) {
	p := &pushes{t: t, rig: testrig.Start(t, func(c *config.Config) { c.Federation.Publish = true })}
	p.rig.Account("romeo")
	romeo := p.signIn("romeo", "")
	const to = "' to='pubsub.example.org"
	for late := time.Now().Add(time.Minute); ; {
		e := p.ask(romeo, "get"+to,
			"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='serverinfo'/></pubsub>")
		if s := e.String(); strings.Contains(s, "<domain name='example.org'><federation/></domain>") &&
			strings.Contains(s, "id='current'") {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("nothing is published: %s", e)
		}
	}
	if e := p.ask(romeo, "get"+to, "<query xmlns='http://jabber.org/protocol/disco#info' "+
		"node='serverinfo'/>"); e.Find("identity").Attr("type") != "leaf" {
		t.Errorf("%s", e)
	}
	if e := p.ask(romeo, "set"+to,
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='serverinfo'><item id='current'>"+
			"<x xmlns='x'/></item></publish></pubsub>"); e.Find("forbidden") == nil {
		t.Errorf("%s", e)
	}
}
