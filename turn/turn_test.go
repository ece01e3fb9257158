package turn

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v5"
	"github.com/prometheus/client_golang/prometheus"

	"parley/auth"
	"parley/internal/door"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// start runs a relay on loopback, over UDP and TCP.
func start(t *testing.T, change func(*Config)) (s *Server, udp, tcp string) {
	t.Helper()
	return startOver(t, door.Config{Name: "turn_tcp"}, change)
}

func startOver(t *testing.T, over door.Config, change func(*Config)) (s *Server, udp, tcp string) {
	t.Helper()
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := door.NewHouse(slog.New(slog.DiscardHandler), prometheus.NewRegistry()).Listen("127.0.0.1:0", over)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Realm:   "a.example",
		Secret:  "s",
		Public:  loopback,
		Allow:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Log:     slog.New(slog.DiscardHandler),
		Metrics: prometheus.NewRegistry(),
	}
	if change != nil {
		change(&cfg)
	}
	if s, err = Serve(cfg, []net.PacketConn{pc}, []Listener{{Door: l}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, pc.LocalAddr().String(), l.Addr().String()
}

// client is pion's, over UDP or TCP, with these credentials.
func client(t *testing.T, network, addr, username, password string) *pion.Client {
	t.Helper()
	var conn net.PacketConn
	if network == "tcp" {
		c, err := net.Dial("tcp4", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn = pion.NewSTUNConn(c)
	} else {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conn = c
	}
	c, err := pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: addr,
		TURNServerAddr: addr,
		Conn:           conn,
		Username:       username,
		Password:       password,
		Realm:          "a.example",
		LoggerFactory:  &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); conn.Close() })
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	return c
}

func soon() time.Time { return time.Now().Add(time.Hour) }

// Data that a client sends through the relay arrives at a peer, and back.
func TestRelays(t *testing.T) {
	_, udp, tcp := start(t, nil)
	for network, addr := range map[string]string{"udp": udp, "tcp": tcp} {
		t.Run(network, func(t *testing.T) {
			name, pw := auth.RelayCredentials("s", "romeo@a.example", soon())
			c := client(t, network, addr, name, pw)
			mapped, err := c.SendBindingRequest()
			if err != nil || !strings.HasPrefix(mapped.String(), "127.0.0.1:") {
				t.Fatalf("STUN: %v %v", mapped, err)
			}
			relay, err := c.Allocate()
			if err != nil {
				t.Fatal(err)
			}
			defer relay.Close()
			peer, err := net.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			_ = peer.SetDeadline(time.Now().Add(time.Minute))
			_ = relay.SetDeadline(time.Now().Add(time.Minute))
			if _, err := relay.WriteTo([]byte("hello"), peer.LocalAddr()); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 100)
			n, from, err := peer.ReadFrom(b)
			if err != nil || string(b[:n]) != "hello" || from.String() != relay.LocalAddr().String() {
				t.Fatalf("%q from %v, %v", b[:n], from, err)
			}
			if _, err := peer.WriteTo([]byte("and back again"), from); err != nil {
				t.Fatal(err)
			}
			if n, _, err = relay.ReadFrom(b); err != nil || string(b[:n]) != "and back again" {
				t.Fatalf("%q, %v", b[:n], err)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	_, udp, _ := start(t, nil)
	name, pw := auth.RelayCredentials("s", "romeo@a.example", soon())
	old, oldPW := auth.RelayCredentials("s", "romeo@a.example", time.Now().Add(-time.Minute))
	other, _ := auth.RelayCredentials("s", "juliet@a.example", soon())
	_, wrong := auth.RelayCredentials("another secret", "romeo@a.example", soon())
	for what, c := range map[string][2]string{
		"expired":            {old, oldPW},
		"another's password": {other, pw},
		"another secret":     {name, wrong},
		"no time":            {"romeo", pw},
		"none":               {"", ""},
	} {
		if relay, err := client(t, "udp", udp, c[0], c[1]).Allocate(); err == nil {
			relay.Close()
			t.Errorf("%s: relayed", what)
		}
	}
}

func TestQuota(t *testing.T) {
	s, udp, _ := start(t, func(c *Config) { c.PerUser, c.Total = 2, 3 })
	allocate := func(who string) (net.PacketConn, error) {
		name, pw := auth.RelayCredentials("s", who, soon())
		return client(t, "udp", udp, name, pw).Allocate()
	}
	var first net.PacketConn
	for i := range 2 {
		relay, err := allocate("romeo")
		if err != nil {
			t.Fatal(i, err)
		}
		first = relay
	}
	if _, err := allocate("romeo"); err == nil {
		t.Error("a third relay for one person")
	}
	if _, err := allocate("juliet"); err != nil {
		t.Error(err)
	}
	if _, err := allocate("nurse"); err == nil {
		t.Error("a fourth relay")
	}
	// A relay that is given back is free again.
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; {
		s.mu.Lock()
		n := s.users["romeo"]
		s.mu.Unlock()
		if n == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it is still counted")
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := allocate("romeo"); err != nil {
		t.Error(err)
	}
}

// Nobody reaches the network around the relay.
func TestGuard(t *testing.T) {
	_, udp, _ := start(t, func(c *Config) {
		c.Allow = nil
		c.Public = netip.MustParseAddr("8.8.4.4")
		c.Local = loopback
	})
	name, pw := auth.RelayCredentials("s", "romeo@a.example", soon())
	c := client(t, "udp", udp, name, pw)
	relay, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	if err := c.CreatePermission(&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 53}); err == nil {
		t.Error("loopback may be reached")
	}
	if err := c.CreatePermission(&net.UDPAddr{IP: net.IPv4(8, 8, 8, 8), Port: 53}); err != nil {
		t.Errorf("the internet may not: %v", err)
	}
	s := &Server{
		cfg: Config{
			Public: netip.MustParseAddr("1.2.3.4"),
			Allow:  []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
		},
	}
	for addr, want := range map[string]bool{
		"9.9.9.9":            true,
		"1.2.3.4":            true,
		"2606:4700::1111":    true,
		"10.1.2.3":           true,
		"10.2.0.1":           false,
		"192.168.1.1":        false,
		"172.16.0.1":         false,
		"127.0.0.1":          false,
		"169.254.169.254":    false,
		"100.64.0.1":         false,
		"0.0.0.0":            false,
		"224.0.0.1":          false,
		"255.255.255.255":    false,
		"::1":                false,
		"::":                 false,
		"fe80::1":            false,
		"fd00::1":            false,
		"ff02::1":            false,
		"::ffff:192.168.1.1": false,
		"::ffff:9.9.9.9":     true,
		"64:ff9b::a00:1":     false,
		"2002:a00:1::":       false,
		"::a00:1":            false,
	} {
		if got := s.may(net.ParseIP(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if s.may(nil) {
		t.Error("no address")
	}
}

func TestOnlyUDP(t *testing.T) {
	_, _, tcp := start(t, nil)
	name, pw := auth.RelayCredentials("s", "romeo@a.example", soon())
	if _, err := client(t, "tcp", tcp, name, pw).AllocateTCP(); err == nil {
		t.Error("connections are relayed")
	}
	if _, _, err := (ports{&Server{
		cfg: Config{MinPort: 50000, MaxPort: 50010},
	}}).AllocatePacketConn(pion.AllocateListenerConfig{RequestedPort: 22}); err == nil {
		t.Error("a port that is not one of the relay's")
	}
	if _, err := (ports{}).AllocateConn(pion.AllocateConnConfig{}); !errors.Is(err, errNoTCP) {
		t.Error(err)
	}
}

// cut waits until a connection is closed by the other side.
func cut(t *testing.T, nc net.Conn) {
	t.Helper()
	_ = nc.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := nc.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it is open: %v", err)
	}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

// A connection without a relay is cut; one with a relay stays until the relay ends.
func TestIdle(t *testing.T) {
	s, _, tcp := startOver(t, door.Config{Name: "turn_tcp", SignIn: 3 * time.Second}, nil)
	name, pw := auth.RelayCredentials("s", "romeo@a.example", soon())
	c := client(t, "tcp", tcp, name, pw)
	relay, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		nc := dial(t, tcp)
		if _, err := nc.Write([]byte{0, 1, 0, 8, 0x21}); err != nil { // the beginning of a message
			t.Fatal(err)
		}
		defer cut(t, nc)
	}
	last := dial(t, tcp)
	cut(t, last)
	if err := c.CreatePermission(&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}); err != nil {
		t.Errorf("the one with a relay: %v", err)
	}
	if err := relay.Close(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); s.tcp[0].Door.Open() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a connection stays whose relay was given back")
		}
	}
}

// On this machine only relays can be reached, whatever else listens there.
func TestOwnPorts(t *testing.T) {
	_, udp, _ := start(t, func(c *Config) { c.Allow = nil })
	service, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	open := func(who string) net.PacketConn {
		name, pw := auth.RelayCredentials("s", who, soon())
		r, err := client(t, "udp", udp, name, pw).Allocate()
		if err != nil {
			t.Fatal(err)
		}
		_ = r.SetDeadline(time.Now().Add(time.Minute))
		return r
	}
	romeo, juliet := open("romeo@a.example"), open("juliet@a.example")
	if _, err := juliet.WriteTo([]byte("opens the way"), romeo.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	for _, to := range []net.Addr{service.LocalAddr(), romeo.LocalAddr()} {
		if _, err := romeo.WriteTo([]byte("to itself and to a service"), to); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := romeo.WriteTo([]byte("hello"), juliet.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, _, err := juliet.ReadFrom(b); err != nil || string(b[:n]) != "hello" {
		t.Errorf("the other's relay: %q, %v", b[:n], err)
	}
	// Everything sent before has arrived by now, if it arrives at all.
	_ = service.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, _, err := service.ReadFrom(b); err == nil {
		t.Errorf("a service of this machine gets %q", b[:n])
	}
}

// Credentials lose their value, and relays end, when the account may no longer have relays.
func TestAllowed(t *testing.T) {
	var off atomic.Bool
	s, udp, _ := start(t, func(c *Config) {
		c.Allowed, c.Check = func(who string) bool { return who != "romeo@a.example" || !off.Load() },
			10*time.Millisecond
	})
	allocate := func(who string) error {
		name, pw := auth.RelayCredentials("s", who, soon())
		_, err := client(t, "udp", udp, name, pw).Allocate()
		return err
	}
	for _, who := range []string{"romeo@a.example", "juliet@a.example"} {
		if err := allocate(who); err != nil {
			t.Fatal(err)
		}
	}
	off.Store(true)
	if err := allocate("romeo@a.example"); err == nil {
		t.Error("a relay for who may have none")
	}
	relays := func(who string) int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.users[who]
	}
	for end := time.Now().Add(time.Minute); relays("romeo@a.example") > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the relay is still open")
		}
	}
	if n := relays("juliet@a.example"); n != 1 {
		t.Errorf("another has %d relays", n)
	}
}
