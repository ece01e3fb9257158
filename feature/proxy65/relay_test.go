package proxy65

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are pipes, so that the test controls time.
type pipes struct{ in chan net.Conn }

func (p *pipes) Accept() (net.Conn, error) {
	c, ok := <-p.in
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p *pipes) Close() error   { close(p.in); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// from is the end of a pipe that claims an address.
type from struct {
	net.Conn
	ip string
}

func (f from) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(f.ip), Port: 1} }

type rig struct {
	*testing.T
	relay *Relay
	in    chan net.Conn
}

// relaying runs f with a relay in a synctest bubble.
func relaying(t *testing.T, cfg Config, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.Log = slog.New(slog.DiscardHandler)
		r := &rig{t, NewRelay(cfg), make(chan net.Conn)}
		ended := make(chan error, 1)
		go func() { ended <- r.relay.Serve(&pipes{r.in}) }()
		f(r)
		r.relay.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if len(r.relay.conns)+len(r.relay.waiting)+r.relay.gate.Open() > 0 {
			t.Errorf("left: %d connections, %d names, %d that are counted",
				len(r.relay.conns), len(r.relay.waiting), r.relay.gate.Open())
		}
	})
}

func (r *rig) dial(ip string) net.Conn {
	ours, theirs := net.Pipe()
	r.in <- from{theirs, ip}
	r.Cleanup(func() { ours.Close() })
	return ours
}

// name makes a stream's name, as long as SHA-1.
func name(c string) string { return strings.Repeat(c, lengthOfSum) }

// shake does the handshake; false: the relay hung up.
func (r *rig) shake(c net.Conn, name string) bool {
	r.Helper()
	for _, s := range []struct{ say, hear int }{{3, 2}, {7 + len(name), 7 + len(name)}} {
		say := []byte{socks5, 1, 0}
		if s.say > 3 {
			say = append(append([]byte{socks5, connect, 0, domain, byte(len(name))}, name...), 0, 0)
		}
		if _, err := c.Write(say); err != nil {
			return false
		}
		if _, err := io.ReadFull(c, make([]byte, s.hear)); err != nil {
			return false
		}
	}
	return true
}

// stream gives both ends of a running stream.
func (r *rig) stream(a, b, n string) (net.Conn, net.Conn) {
	r.Helper()
	one, two := r.dial(a), r.dial(b)
	if !r.shake(one, n) || !r.shake(two, n) {
		r.Fatal("refused")
	}
	if err := r.relay.Activate(n); err != nil {
		r.Fatal(err)
	}
	return one, two
}

// gone waits until the relay has closed c, and gives how long that took.
func (r *rig) gone(c net.Conn) time.Duration {
	r.Helper()
	start := time.Now()
	_ = c.SetReadDeadline(start.Add(time.Hour))
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		r.Error("it stays")
	}
	return time.Since(start)
}

// TestNobodyIsWaitedFor checks that silent connections are closed: before the handshake, in the middle of it, and
// before the stream is started.
func TestNobodyIsWaitedFor(t *testing.T) {
	cfg := Config{Handshake: 10 * time.Second, Wait: time.Minute, Idle: 5 * time.Minute}
	relaying(t, cfg, func(r *rig) {
		if d := r.gone(r.dial("192.0.2.1")); d != cfg.Handshake {
			t.Errorf("silent: closed after %v", d)
		}
		c := r.dial("192.0.2.1")
		time.Sleep(4 * time.Second)
		_, _ = c.Write([]byte{socks5, 1, 0})
		_, _ = io.ReadFull(c, make([]byte, 2))
		if d := r.gone(c); d != 6*time.Second { // data in pieces does not extend the time
			t.Errorf("in the middle: closed after %v", d)
		}
		c = r.dial("192.0.2.1")
		if !r.shake(c, name("a")) {
			t.Fatal("refused")
		}
		if d := r.gone(c); d != cfg.Wait {
			t.Errorf("not started: closed after %v", d)
		}
		if err := r.relay.Activate(name("a")); !errors.Is(err, ErrNobody) {
			t.Errorf("the name is still taken: %v", err)
		}
	})
}

// TestIdle checks that a stream without data in either direction ends, and that one direction is enough to keep it.
func TestIdle(t *testing.T) {
	cfg := Config{Idle: 5 * time.Minute, Wait: time.Minute}
	relaying(t, cfg, func(r *rig) {
		one, two := r.stream("192.0.2.1", "192.0.2.2", name("a"))
		for range 10 { // longer than either time
			time.Sleep(4 * time.Minute)
			go func() { _, _ = one.Write([]byte("x")) }()
			if _, err := io.ReadFull(two, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if d := r.gone(two); d != cfg.Idle {
			t.Errorf("closed after %v", d)
		}
		if d := r.gone(one); d != 0 {
			t.Errorf("the other side is closed %v later", d)
		}
	})
}

// TestWhoDoesNotRead checks that a stream whose receiver does not read ends.
func TestWhoDoesNotRead(t *testing.T) {
	cfg := Config{Idle: 5 * time.Minute}
	relaying(t, cfg, func(r *rig) {
		one, two := r.stream("192.0.2.1", "192.0.2.2", name("a"))
		start := time.Now()
		_ = one.SetWriteDeadline(start.Add(time.Hour))
		for {
			if _, err := one.Write(make([]byte, chunk)); err != nil {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("it stays")
				}
				break
			}
		}
		if d := time.Since(start); d > 2*cfg.Idle {
			t.Errorf("closed after %v", d)
		}
		r.gone(two)
	})
}

// TestRate checks that the rate limit applies to each direction.
func TestRate(t *testing.T) {
	const perSecond, size = 64 << 10, 640 << 10
	relaying(t, Config{Rate: perSecond}, func(r *rig) {
		one, two := r.stream("192.0.2.1", "192.0.2.2", name("a"))
		start := time.Now()
		go func() { _, _ = one.Write(make([]byte, size)) }()
		n, err := io.CopyN(io.Discard, two, size)
		if err != nil || n != size {
			t.Fatalf("%d bytes, %v", n, err)
		}
		// the first second's worth may come at once
		if d := time.Since(start); d < 8*time.Second || d > 11*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

// TestConnections checks the limits of connections: per address, without a stream, in all.
func TestConnections(t *testing.T) {
	taken := func(r *rig, c net.Conn, n string) bool {
		_ = c.SetDeadline(time.Now().Add(time.Second))
		defer func() { _ = c.SetDeadline(time.Time{}) }()
		return r.shake(c, n)
	}
	relaying(t, Config{PerAddress: 2}, func(r *rig) {
		first := r.dial("2001:db8::1")
		for i, c := range []struct {
			ip   string
			want bool
		}{
			{"2001:db8::2", true}, {"2001:db8::3", false}, {"2001:db8:0:1::1", true}, {"192.0.2.1", true},
			{"::ffff:192.0.2.1", true}, {"192.0.2.1", false},
		} {
			if got := taken(r, r.dial(c.ip), name(string('a'+rune(i)))); got != c.want {
				t.Errorf("%d, from %s: %v", i, c.ip, got)
			}
		}
		first.Close() // there is room again
		synctest.Wait()
		if !taken(r, r.dial("2001:db8::3"), name("f")) {
			t.Error("one that has gone is still counted")
		}
	})
	relaying(t, Config{Pending: 2}, func(r *rig) {
		r.stream("192.0.2.1", "192.0.2.2", name("a"))
		one := r.dial("192.0.2.3")
		r.dial("192.0.2.4")
		if taken(r, r.dial("192.0.2.5"), name("b")) {
			t.Error("a third waits")
		}
		one.Close()
		synctest.Wait()
		if !taken(r, r.dial("192.0.2.5"), name("b")) {
			t.Error("one that has gone is still counted")
		}
	})
	relaying(t, Config{Total: 3, Pending: 9}, func(r *rig) {
		one, two := r.stream("192.0.2.1", "192.0.2.2", name("a"))
		r.dial("192.0.2.3")
		if taken(r, r.dial("192.0.2.4"), name("b")) {
			t.Error("a fourth is taken")
		}
		one.Close()
		two.Close()
		synctest.Wait()
		if !taken(r, r.dial("192.0.2.4"), name("b")) {
			t.Error("a stream that has ended is still counted")
		}
	})
}

// TestRefused checks that other parts of SOCKS5 are refused, and the connection closed.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		say  string
		hear string
	}{
		{"\x04\x01\x00", ""},
		{"\x05\x01\x02", "\x05\xff"},
		{"\x05\x01\x00\x05\x02\x00\x03\x00", "\x05\x00\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50", "\x05\x00\x05\x08\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"\x05\x01\x00\x05\x01\x00\x03\x03abc\x00\x00", "\x05\x00\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"\x05\x01\x00\x05\x01\x00\x03\x28" + name("a") + "\x00\x50",
			"\x05\x00\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"\x05\x01\x00\x05\x01\x00\x03\x28" + name("g") + "\x00\x00",
			"\x05\x00\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"},
	} {
		relaying(t, Config{}, func(r *rig) {
			conn := r.dial("192.0.2.1")
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			go func() { _, _ = conn.Write([]byte(c.say)) }()
			if got, _ := io.ReadAll(conn); string(got) != c.hear {
				t.Errorf("%q: %q", c.say, got)
			}
			conn.Close()
			synctest.Wait()
		})
	}
}
