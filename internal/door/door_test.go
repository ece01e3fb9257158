package door

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
	"github.com/prometheus/client_golang/prometheus"
)

var quiet = slog.New(slog.DiscardHandler)

// listen opens a listener on loopback, and returns the channel of its connections.
func listen(t *testing.T, cfg Config) (*Listener, <-chan net.Conn) {
	t.Helper()
	l, err := NewHouse(quiet, prometheus.NewRegistry()).Listen("127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l, serve(t, l)
}

func serve(t *testing.T, l *Listener) <-chan net.Conn {
	t.Helper()
	in, ended := make(chan net.Conn, 100), make(chan error, 1)
	go func() { ended <- Serve(l, quiet, func(nc net.Conn) { in <- nc }) }()
	t.Cleanup(func() {
		if err := l.Cut(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if n := l.house.open.Load(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
		if n := value(t, l.connections); n != 0 {
			t.Errorf("the gauge says %v", n)
		}
	})
	return in
}

// value returns the value of a metric with one series.
func value(t *testing.T, c prometheus.Collector) float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	all, err := r.Gather()
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	m := all[0].GetMetric()[0]
	return m.GetCounter().GetValue() + m.GetGauge().GetValue()
}

func dial(t *testing.T, l *Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// closed waits until the other side has closed.
func closed(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	n, err := c.Read(make([]byte, 1))
	if n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("it is still open: %d, %v", n, err)
	}
}

// who returns the next connection and the client's address.
func who(t *testing.T, in <-chan net.Conn) (net.Conn, string) {
	t.Helper()
	select {
	case c := <-in:
		a := addrOf(c.RemoteAddr())
		return c, a.String()
	case <-time.After(time.Minute):
		t.Fatal("nobody comes in")
	}
	return nil, ""
}

// A connection over a limit is closed at once, and there is room again when another one leaves.
func TestLimits(t *testing.T) {
	for name, l := range map[string]Limits{
		"in all":                       {All: 2},
		"of an address":                {PerAddress: 2},
		"not signed in":                {Pending: 2},
		"of an address, not signed in": {PendingPerAddress: 2},
	} {
		t.Run(name, func(t *testing.T) {
			door, in := listen(t, Config{Name: "x", Limits: l})
			dial(t, door)
			first, _ := who(t, in)
			dial(t, door)
			second, _ := who(t, in)
			closed(t, dial(t, door))
			if l.Pending+l.PendingPerAddress > 0 {
				SignedIn(first)
				SignedIn(first) // counts once
			} else {
				first.Close()
				first.Close()
			}
			dial(t, door)
			third, _ := who(t, in)
			closed(t, dial(t, door))
			for _, c := range []net.Conn{first, second, third} {
				c.Close()
			}
			if n := door.gate.Open(); n != 0 || len(door.gate.from)+len(door.gate.pendingFrom)+door.gate.pending != 0 {
				t.Errorf("%d are left, %v, %v", n, door.gate.from, door.gate.pendingFrom)
			}
		})
	}
}

// A /64 is one address.
func TestNetworks(t *testing.T) {
	door, in := listen(t, Config{Name: "x", Limits: Limits{PerAddress: 1}, Proxies: Trust(nets("127.0.0.0/8"))})
	come := func(from string) net.Conn {
		c := dial(t, door)
		a := &net.TCPAddr{IP: net.ParseIP(from), Port: 9}
		if _, err := proxyproto.HeaderProxyFromAddrs(2, a,
			&net.TCPAddr{IP: net.ParseIP("2001:db8::99"), Port: 5222}).WriteTo(c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	come("2001:db8:0:1::1")
	if _, a := who(t, in); a != "2001:db8:0:1::1" {
		t.Error(a)
	}
	closed(t, come("2001:db8:0:1:ffff::2"))
	come("2001:db8:0:2::1")
	if _, a := who(t, in); a != "2001:db8:0:2::1" {
		t.Error(a)
	}
}

// lacking is a listener whose Accept fails now and then.
type lacking struct {
	net.Listener
	errs chan error
}

func (l *lacking) Accept() (net.Conn, error) {
	select {
	case err := <-l.errs:
		return nil, err
	default:
		return l.Listener.Accept()
	}
}

// No failure of accept ends a listener or the server behind it; only closing does.
func TestNothingEndsAListener(t *testing.T) {
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &lacking{raw, make(chan error, 10)}
	for _, e := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED,
		syscall.EPERM, syscall.EPROTO,
	} {
		l.errs <- &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", e)}
	}
	l.errs <- errors.New("something else")
	house := NewHouse(quiet, prometheus.NewRegistry())
	door := house.On(l, Config{Name: "x"})
	in := serve(t, door)
	dial(t, door)
	who(t, in)
	if n := value(t, house.failed); n != 8 {
		t.Errorf("%v failures are counted", n)
	}
}

// When as many connections are open as the process can have, further ones are closed, and some descriptors stay free.
func TestDescriptors(t *testing.T) {
	for files, want := range map[int64]int64{0: 0, -1: 0, 20: 1, 256: 224, 1024: 896, 1 << 20: 1<<20 - 2000} {
		if got := connectionsFit(files); got != want {
			t.Errorf("with %d files %d connections fit, not %d", files, got, want)
		}
	}
	house := NewHouse(quiet, prometheus.NewRegistry())
	if house.Connections() <= 0 {
		t.Error("the machine says nothing of its limit")
	}
	house.max = 1
	one, err := house.Listen("127.0.0.1:0", Config{Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := house.Listen("127.0.0.1:0", Config{Name: "two"})
	if err != nil {
		t.Fatal(err)
	}
	inOne, inTwo := serve(t, one), serve(t, two)
	dial(t, one)
	c, _ := who(t, inOne)
	closed(t, dial(t, two))
	c.Close()
	dial(t, two)
	c, _ = who(t, inTwo)
	c.Close()
}

// A client that is silent, or never finishes, is cut: before sign-in and after.
func TestTimes(t *testing.T) {
	door, in := listen(t, Config{Name: "x", SignIn: 50 * time.Millisecond, Idle: time.Hour})
	c := dial(t, door)
	s, _ := who(t, in)
	go io.Copy(io.Discard, s)
	go func() { // a byte from time to time
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	closed(t, c)

	door, in = listen(t, Config{Name: "x", SignIn: time.Hour, Idle: 50 * time.Millisecond})
	dial(t, door)
	s, _ = who(t, in)
	SignedIn(s)
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a silent one: %v", err)
	}
}

// A proxy's line is read whole, whatever follows it. A missing or invalid line admits nobody.
func TestHeaders(t *testing.T) {
	door, in := listen(t, Config{Name: "x", Proxies: Trust(nets("127.0.0.0/8")), Header: 100 * time.Millisecond})
	const line = "PROXY TCP4 203.0.113.9 192.0.2.1 50000 5222\r\n"
	for said, want := range map[string]string{
		line + "<stream>": "203.0.113.9",
		"PROXY TCP6 2001:db8::7 2001:db8::1 50000 5222\r\n<stream>": "2001:db8::7",
		"PROXY UNKNOWN\r\n<stream>":                                 "127.0.0.1",
		"<stream>":                                                  "127.0.0.1",
	} {
		c := dial(t, door)
		if _, err := io.WriteString(c, said); err != nil {
			t.Fatal(err)
		}
		s, a := who(t, in)
		if a != want || Shared(s) != (want == "127.0.0.1") {
			t.Errorf("%q is from %s", said, a)
		}
		b := make([]byte, len("<stream>"))
		if _, err := io.ReadFull(s, b); err != nil || string(b) != "<stream>" {
			t.Errorf("after %q: %q, %v", said, b, err)
		}
		if _, err := io.WriteString(c, "more"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(s, b[:4]); err != nil || string(b[:4]) != "more" {
			t.Errorf("later: %q, %v", b[:4], err)
		}
	}
	for _, said := range []string{
		"", "PROXY TCP4 203.0.113.9", "PROXY TCP4 nobody 192.0.2.1 1 2\r\n", "PROXY " + strings.Repeat("x", 200),
		"\r\n\r\n\x00\r\nQUIT\n\xff\xff\xff\xff",
	} {
		c := dial(t, door)
		if _, err := io.WriteString(c, said); err != nil {
			t.Fatal(err)
		}
		closed(t, c)
	}
	if len(in) > 0 {
		t.Error("somebody came in")
	}
}

// Close stops accepting but keeps open connections; Cut ends those too.
func TestEnd(t *testing.T) {
	door, in := listen(t, Config{Name: "x"})
	c := dial(t, door)
	s, _ := who(t, in)
	if err := door.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := door.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	if _, err := s.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	if err := door.Cut(); err != nil {
		t.Error(err)
	}
	closed(t, c)
}
