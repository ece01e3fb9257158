package federation

import (
	"testing"
	"time"

	"parley/config"
	"parley/testrig"
	"parley/wire/jid"
)

// newHouses is newHouse for two nodes that serve together.
func newHouses(t *testing.T, domain, resolver, cert, key, ca string) (one, two *house) {
	t.Helper()
	r := testrig.StartNodes(t, 2, func(c *config.Config) {
		c.Hosts = []config.Host{{Domain: domain}}
		c.TLS.Certificate, c.TLS.Key = cert, key
		c.DNS.Resolver = resolver
		c.Federation.Enabled = true
		c.Federation.AllowNetworks = []string{"127.0.0.0/8", "10.99.0.0/16"}
		c.Federation.Addresses, c.Federation.TLSAddresses = []string{"127.0.0.1:0"}, nil
	})
	of := func(r *testrig.Rig) *house {
		return &house{
			Rig:     r,
			domain:  domain,
			ca:      ca,
			clients: testrig.Attach(t, map[string]string{"c2s": r.Node.Addr("c2s").String()}, roots(t, ca)),
		}
	}
	return of(r), of(r.On(1))
}

// A contact on another server shows itself to one node, and is told of what is published at the other one. A rule that
// is made on one node ends the streams of both.
func TestNodesAbroad(t *testing.T) {
	dns := startDNS(t)
	fa, fb := certificates(t, "a.example"), certificates(t, "b.example")
	one, two := newHouses(t, "a.example", dns.addr, fa.Cert, fa.Key, fa.CA)
	b := newHouse(t, "b.example", dns.addr, fb, func(*config.Config) {})
	dns.point(one.Node.Addr("s2s"), "a.example") // what comes from b comes to this node
	dns.point(b.Node.Addr("s2s"), "b.example")
	romeo, juliet := two.party(t, "romeo"), b.party(t, "juliet")
	for _, p := range []struct{ asks, grants *party }{{romeo, juliet}, {juliet, romeo}} {
		p.asks.sends("<presence type='subscribe' to='%s'/>", p.grants.bare)
		p.grants.getsPresence("subscribe", p.asks.bare)
		p.grants.sends("<presence type='subscribed' to='%s'/>", p.asks.bare)
		p.asks.getsPresence("subscribed", p.grants.bare)
		p.asks.getsPresence("", p.grants.c.Address)
	}
	juliet.shows(2)
	her, host := jid.MustParse(juliet.bare), two.Node.Host("a.example")
	for deadline := time.Now().Add(time.Minute); len(host.Watchers(her)) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the other node never knows what she follows")
		}
		time.Sleep(10 * time.Millisecond)
	}
	romeo.publishes("1", "Montague")
	juliet.getsNick(romeo.bare, "Montague")

	streams := func(h *house) (n int) {
		t.Helper()
		var all []struct {
			Domain  string
			Streams []struct{ To string }
		}
		if err := testrig.NewLine(t, "a.example", h.Node.Config.Listeners.Control.Path).
			Do("GET", "/federation/domains", "", &all); err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
			n += len(d.Streams)
		}
		return n
	}
	if streams(one) != streams(two) || streams(one) == 0 {
		t.Errorf("one node knows of %d streams, the other one of %d", streams(one), streams(two))
	}
	if err := testrig.NewLine(t, "a.example", one.Node.Config.Listeners.Control.Path).
		Do("PUT", "/federation/rules/b.example", `{"action":"block"}`, nil); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); streams(two) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("streams with a blocked server go on")
		}
		time.Sleep(10 * time.Millisecond)
	}
}
