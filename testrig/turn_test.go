package testrig_test

import (
	"net"
	"testing"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v5"

	"parley/config"
	"parley/testrig"
)

// Two people whose clients have asked for relays (XEP-0215) reach each other through the TURN server that is built in.
func TestTURN(t *testing.T) {
	p := &pushes{t: t, rig: testrig.Start(t, func(c *config.Config) {
		c.TURN = config.TURN{Enabled: true, Addresses: []string{"127.0.0.1:0"}, TLSAddresses: []string{"127.0.0.1:0"}, Host: "127.0.0.1", PublicAddress: "127.0.0.1",
			MinPort: 1024, MaxPort: 65535, AllowNetworks: []string{"127.0.0.0/8"}, PerUser: 2, Total: 10}
	})}
	p.rig.Account("romeo", "juliet@second.example")
	relay := func(c *testrig.Client) net.PacketConn {
		t.Helper()
		e := p.ask(c, "get' to='"+c.Host(), "<services xmlns='urn:xmpp:extdisco:2' type='turn'/>")
		var udp *testrig.Element
		for _, s := range e.Children[0].Children {
			if s.Attr("transport") == "udp" {
				udp = s
			}
		}
		if udp == nil || udp.Attr("username") == "" || udp.Attr("restricted") != "true" {
			t.Fatalf("no relay for UDP in %s", e)
		}
		if until, err := time.Parse(time.RFC3339, udp.Attr("expires")); err != nil || time.Until(until) < time.Hour {
			t.Errorf("good until %v, %v", until, err)
		}
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		p.check(err)
		addr := net.JoinHostPort(udp.Attr("host"), udp.Attr("port"))
		tc, err := pion.NewClient(&pion.ClientConfig{TURNServerAddr: addr, Conn: conn, Username: udp.Attr("username"), Password: udp.Attr("password"),
			LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}})
		p.check(err)
		t.Cleanup(func() { tc.Close(); conn.Close() })
		p.check(tc.Listen())
		r, err := tc.Allocate()
		p.check(err)
		_ = r.SetDeadline(time.Now().Add(time.Minute))
		return r
	}
	romeo := relay(p.signIn("romeo", "phone"))
	second, err := p.rig.Connect("tls", testrig.Second)
	p.check(err)
	t.Cleanup(second.Close)
	p.check(second.SignIn("juliet", testrig.Password))
	p.check(second.Bind("phone"))
	juliet := relay(second)
	_, err = juliet.WriteTo([]byte("opens the way"), romeo.LocalAddr())
	p.check(err)
	_, err = romeo.WriteTo([]byte("hello, Juliet"), juliet.LocalAddr())
	p.check(err)
	b := make([]byte, 100)
	n, from, err := juliet.ReadFrom(b)
	if err != nil || string(b[:n]) != "hello, Juliet" || from.String() != romeo.LocalAddr().String() {
		t.Fatalf("%q from %v, %v", b[:n], from, err)
	}
}
