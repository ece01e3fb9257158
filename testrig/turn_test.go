package testrig_test

import (
	"errors"
	"maps"
	"net"
	"os"
	"testing"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v5"

	"parley/config"
	"parley/store"
	"parley/testrig"
)

// Two people whose clients have asked for relays (XEP-0215) reach each other through the TURN server that is built in.
func TestTURN(t *testing.T) {
	p := &pushes{t: t, rig: testrig.Start(t, func(c *config.Config) {
		c.TURN = config.TURN{
			Enabled:       true,
			Addresses:     []string{"127.0.0.1:0"},
			TLSAddresses:  []string{"127.0.0.1:0"},
			Host:          "127.0.0.1",
			PublicAddress: "127.0.0.1",
			MinPort:       1024,
			MaxPort:       65535,
			AllowNetworks: []string{"127.0.0.0/8"},
			PerUser:       2,
			Total:         10,
		}
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
		tc, err := pion.NewClient(&pion.ClientConfig{
			TURNServerAddr: addr,
			Conn:           conn,
			Username:       udp.Attr("username"),
			Password:       udp.Attr("password"),
			LoggerFactory:  &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
		})
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

// Idle connections to the relay are cut and their number is bounded, and only enabled accounts may use the relay.
func TestTURNDoor(t *testing.T) {
	t.Parallel() // it waits most of the time
	p := &pushes{t: t, rig: testrig.Start(t, func(c *config.Config) {
		c.TURN = config.TURN{
			Enabled:               true,
			Addresses:             []string{"127.0.0.1:0"},
			TLSAddresses:          []string{"127.0.0.1:0"},
			PublicAddress:         "127.0.0.1",
			MinPort:               1024,
			MaxPort:               65535,
			ConnectionsPerAddress: 3,
		}
		c.Limits.AuthTimeout = 5 * time.Second
	})}
	p.rig.Account("romeo")
	for _, name := range []string{"turn_tcp", "turns_tcp"} {
		var idle []net.Conn
		for range 4 {
			nc, err := net.Dial("tcp", p.rig.Node.Addr(name).String())
			p.check(err)
			defer nc.Close()
			idle = append(idle, nc)
		}
		for i := range idle {
			nc := idle[len(idle)-1-i] // the last is one too many, and closed at once
			_ = nc.SetReadDeadline(time.Now().Add(time.Minute))
			if n, err := nc.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: it is open: %v", name, err)
			}
		}
	}
	e := p.ask(p.signIn("romeo", "phone"), "get' to='"+testrig.Host, "<services xmlns='urn:xmpp:extdisco:2'/>")
	hosts := make(map[string]string)
	var user, password, port string
	for _, s := range e.Children[0].Children {
		hosts[s.Attr("type")+" "+s.Attr("transport")] = s.Attr("host")
		if s.Attr("type") == "turn" && s.Attr("transport") == "udp" {
			user, password, port = s.Attr("username"), s.Attr("password"), s.Attr("port")
		}
	}
	want := map[string]string{
		"stun udp":  "127.0.0.1",
		"turn udp":  "127.0.0.1",
		"turn tcp":  "127.0.0.1",
		"turns tcp": testrig.Host,
	}
	if !maps.Equal(hosts, want) {
		t.Errorf("clients are told of %v", hosts)
	}
	allocate := func() error {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		p.check(err)
		tc, err := pion.NewClient(&pion.ClientConfig{
			TURNServerAddr: "127.0.0.1:" + port,
			Conn:           conn,
			Username:       user,
			Password:       password,
			LoggerFactory:  &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
		})
		p.check(err)
		t.Cleanup(func() { tc.Close(); conn.Close() })
		p.check(tc.Listen())
		_, err = tc.Allocate()
		return err
	}
	p.check(allocate())
	_, _, err := p.rig.Node.Store.UpdatePerson(t.Context(), testrig.Host,
		"romeo", func(u *store.Person) error { u.Disabled = true; return nil })
	p.check(err)
	if allocate() == nil {
		t.Error("a relay for a disabled account")
	}
}
