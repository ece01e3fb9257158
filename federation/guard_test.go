package federation

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A stranger's domain may name any address. The server connects to addresses outside of the public internet only in
// networks that the configuration names, whether they come from SRV, from the domain's own address, or from an address
// as a domain.
func TestPrivateAddresses(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var came atomic.Int64
	ended := make(chan bool)
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			c.Close()
		}
	}()
	a := newSite(t, d, ca, siteConfig{
		domains: []string{"a.example"},
		cert:    ca.issue(nil, "a.example"),
		change:  func(c *Config) { c.AllowNetworks = nil },
	})
	d.point("xmpp-server", "inside.example", l.Addr())
	d.hosts["mapped.example"] = []netip.Addr{
		netip.MustParseAddr("::ffff:127.0.0.1"), netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("fd00::1"),
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, domain := range []string{"inside.example", "mapped.example", "127.0.0.1", "169.254.169.254"} {
		steps := a.door.Probe(ctx, "a.example", domain, nil)
		if last := steps[len(steps)-1]; last.OK || !strings.Contains(last.Text, "federation.allow_networks") {
			t.Errorf("%s: %+v", domain, last)
		}
	}
	a.mustSend("romeo@a.example/x", "juliet@inside.example", "hello")
	a.users["a.example"].next(t) // it comes back
	l.Close()
	<-ended
	if n := came.Load(); n > 0 {
		t.Errorf("%d connections were made", n)
	}
}
