package testrig_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/config"
	"parley/server"
	"parley/testrig"
)

// seen gives the address that the session of an account is shown with.
func seen(t *testing.T, r *testrig.Rig, account string) string {
	t.Helper()
	var all []*server.Session
	if a := r.Node.Host(testrig.Host).Account(account); a != nil {
		all = a.Sessions()
	}
	if len(all) != 1 {
		t.Fatalf("%s has %d sessions", account, len(all))
	}
	return all[0].Info.Remote
}

// via signs in by a proxy that connects for an address; "" connects without a proxy.
func via(r *testrig.Rig, door, from string, version byte, account string) (*testrig.Client, error) {
	var p *testrig.Proxied
	if from != "" {
		p = &testrig.Proxied{From: from, Version: version}
	}
	c, err := r.ConnectVia(p, door, testrig.Host)
	if err != nil {
		return nil, err
	}
	if err = c.SignIn(account, testrig.Password); err == nil {
		err = c.Bind("r")
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// A trusted proxy says whom it connects, on every door for clients: the address that is shown, and that the limits
// count.
func TestClientsOfProxies(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		c.Limits.ConnectionsPerAddress = 2
		c.Listeners.C2S.TrustedProxies, c.Listeners.C2STLS.TrustedProxies = []string{"127.0.0.0/8"},
			[]string{"127.0.0.1"}
	})
	r.Account("romeo", "juliet", "nurse", "tybalt")
	for name, c := range map[string]struct {
		door          string
		version       byte
		one, two, own string // two is counted with one
		other         string
	}{
		"WebSocket":   {"ws", 0, "203.0.113.9", "203.0.113.9", "203.0.113.9", "203.0.113.10"},
		"IPv6 by /64": {"ws", 0, "2001:db8:1:2::1", "2001:db8:1:2:ffff::", "2001:db8:1:2::1", "2001:db8:1:3::1"},
		"PROXY 1":     {"tcp", 1, "203.0.113.19", "203.0.113.19", "203.0.113.19", "203.0.113.20"},
		"PROXY 2":     {"tcp", 2, "2001:db8:2:2::1", "2001:db8:2:2::2", "2001:db8:2:2::1", "2001:db8:2:3::1"},
		"PROXY, TLS":  {"tls", 2, "203.0.113.29", "203.0.113.29", "203.0.113.29", "203.0.113.30"},
	} {
		t.Run(name, func(t *testing.T) {
			var open []*testrig.Client
			come := func(from, account string) error {
				c, err := via(r, c.door, from, c.version, account)
				if err == nil {
					open = append(open, c)
				}
				return err
			}
			if err := come(c.one, "romeo"); err != nil {
				t.Fatal(err)
			}
			if got := seen(t, r, "romeo"); got != c.own {
				t.Errorf("romeo is shown at %q", got)
			}
			if err := come(c.two, "juliet"); err != nil {
				t.Fatal(err)
			}
			if err := come(c.one, "nurse"); err == nil {
				t.Error("a third connection of one address is let in")
			}
			if err := come(c.other, "tybalt"); err != nil {
				t.Errorf("another's is not: %v", err)
			} else if got := seen(t, r, "tybalt"); got != c.other {
				t.Errorf("tybalt is shown at %q", got)
			}
			for _, c := range open {
				c.Close()
			}
		})
	}
	// The proxy itself, which looks whether somebody is there, and programs beside it.
	for range 4 {
		if _, err := via(r, "tls", "", 0, "romeo"); err != nil {
			t.Fatal(err)
		}
	}
	if got := seen(t, r, "romeo"); got != "127.0.0.1" {
		t.Errorf("who comes without a proxy is shown at %q", got)
	}
}

// Nobody else may say to be another.
func TestNoProxy(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		c.Listeners.C2S.TrustedProxies = []string{"192.0.2.0/24"}
		c.Listeners.WebSocket.TrustedProxies = []string{"192.0.2.0/24", "2001:db8::/32"}
	})
	r.Account("romeo")
	for _, door := range []string{"tcp", "tls"} {
		if c, err := via(r, door, "203.0.113.9", 1, "romeo"); err == nil {
			c.Close()
			t.Errorf("%s: the PROXY protocol is believed of anybody", door)
		}
	}
	c, err := via(r, "ws", "203.0.113.9", 0, "romeo")
	if err != nil {
		t.Fatal(err)
	}
	if got := seen(t, r, "romeo"); got != "127.0.0.1" {
		t.Errorf("a header is believed of anybody: %q", got)
	}
	c.Close()
}

// Servers and components may come by a proxy, too.
func TestOthersByProxy(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		testrig.WithComponent("bots.example.org")(c)
		c.Listeners.Component.TrustedProxies = []string{"127.0.0.1"}
		c.Federation.Enabled, c.Federation.Addresses, c.Federation.TLSAddresses = true, []string{"127.0.0.1:0"}, nil
		c.Federation.TrustedProxies = []string{"127.0.0.1"}
	})
	for _, p := range []*testrig.Proxied{nil, {From: "203.0.113.9", Version: 1}, {From: "2001:db8::7", Version: 2}} {
		c, err := r.ComponentVia(p, "bots.example.org")
		if err != nil {
			t.Fatal(p, err)
		}
		c.Close()
		s, err := r.ConnectVia(p, "s2s", testrig.Host)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Write("<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' " +
			"xmlns:stream='http://etherx.jabber.org/streams' from='other.example' to='" + testrig.Host +
			"' version='1.0'>"); err != nil {
			t.Fatal(err)
		}
		s.Listen()
		if e, err := s.Next(); err != nil || e.Attr("from") != testrig.Host {
			t.Errorf("%v: no stream of a server: %v, %v", p, e, err)
		}
		s.Close()
	}
}

// Pages and the API see the same address as chat does: an address with too many attempts is shut out, and no other is.
func TestPagesByProxy(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Auth.Throttle.PerAddress, c.Auth.Throttle.PerAccount = 5, 2
	})
	r.Account("romeo")
	ask := func(from, guess string) int {
		q, err := http.NewRequest("POST", "http://"+r.Node.Addr("websocket_plain").String()+"/login",
			strings.NewReader("user=romeo&password="+guess))
		if err != nil {
			t.Fatal(err)
		}
		q.Host = testrig.Host
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.Header.Set("X-Forwarded-For", "198.51.100.1, "+from)
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for i := range 10 {
		ask("203.0.113.9", fmt.Sprint("wrong", i))
	}
	if got := ask("203.0.113.9", "another"); got != http.StatusTooManyRequests {
		t.Errorf("who guesses gets %d", got)
	}
	if got := ask("203.0.113.10", "wrong"); got == http.StatusTooManyRequests {
		t.Error("another behind the same proxy is shut out")
	}
	if c, err := via(r, "ws", "203.0.113.10", 0, "romeo"); err != nil {
		t.Errorf("another behind the same proxy cannot sign in: %v", err)
	} else {
		c.Close()
	}
}

// The addresses that the server publishes are those where a proxy serves it.
func TestPublicAddresses(t *testing.T) {
	const base = "https://chat.example.org:47600"
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Web.URL = base
	})
	r.Account("romeo")
	b := r.Browser(t)
	for _, path := range []string{"/.well-known/host-meta", "/.well-known/host-meta.json"} {
		p := b.Do("GET", path, nil, nil)
		for _, want := range []string{"wss://chat.example.org:47600/xmpp-websocket", base + "/http-bind"} {
			if !strings.Contains(p.Text, want) {
				t.Errorf("%s does not name %s: %s", path, want, p.Text)
			}
		}
	}
	c := (&pushes{t: t, rig: r}).signIn("romeo", "phone")
	slot := (&pushes{t: t, rig: r}).ask(c, "get' to='upload."+testrig.Host,
		"<request xmlns='urn:xmpp:http:upload:0' filename='a.txt' size='5'/>")
	for _, e := range slot.Children[0].Children {
		if !strings.HasPrefix(e.Attr("url"), base+"/upload/") {
			t.Errorf("%s", e)
		}
	}
}
