package turn

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/auth"
)

// wire is a network of two directions, in memory.
type wire struct {
	net.PacketConn
	in  chan int // sizes of incoming packets
	out int      // bytes sent
}

func (w *wire) ReadFrom([]byte) (int, net.Addr, error)    { return <-w.in, nil, nil }
func (w *wire) WriteTo(b []byte, _ net.Addr) (int, error) { w.out += len(b); return len(b), nil }
func (w *wire) Close() error                              { return nil }

// LocalAddr returns an address without a port.
func (w *wire) LocalAddr() net.Addr { return nil }

var far = &net.UDPAddr{IP: net.IPv4(9, 9, 9, 9), Port: 9}

// rated is a server that only has relays.
func rated(perSecond int) *Server {
	return &Server{
		cfg:     Config{Rate: perSecond},
		people:  make(map[string]*user),
		open:    make(map[uint16]int),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "x"}),
	}
}

// dropped returns the value of the counter.
func dropped(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	all, err := r.Gather()
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0].GetMetric()[0].GetCounter().GetValue()
}

// One person's relays share one limit for both directions; another person's are not slowed.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perSecond, size = 100_000, 1000
		l := rated(perSecond)
		one, two, other := &wire{in: make(chan int)}, &wire{in: make(chan int)}, &wire{}
		a, b := l.relayOf("romeo", one), l.relayOf("romeo", two)
		juliet := l.relayOf("juliet", other)
		write := func(c net.PacketConn, n int) {
			for range n {
				if got, err := c.WriteTo(make([]byte, size), far); got != size || err != nil {
					t.Fatal(got, err)
				}
			}
		}
		write(a, 50)
		write(b, 200)
		write(juliet, 200)
		if one.out+two.out != perSecond || other.out != perSecond {
			t.Errorf("%d and %d, %d", one.out, two.out, other.out)
		}
		if n := dropped(t, l.dropped); n != 250 {
			t.Errorf("%v dropped", n)
		}
		time.Sleep(500 * time.Millisecond)
		read := make(chan int)
		go func() { // incoming bytes count, too
			for range 51 {
				n, _, _ := a.ReadFrom(nil)
				read <- n
			}
			close(read)
		}()
		got := 0
		for sent := range 60 {
			select {
			case one.in <- size:
			case <-read:
				got++
				one.in <- size
			}
			synctest.Wait()
			if sent >= 50 && got > 50 {
				t.Fatalf("%d came", got)
			}
		}
		time.Sleep(time.Second)
		one.in <- size
		for range read {
			got++
		}
		if got != 51 {
			t.Errorf("%d came", got)
		}
		// A new relay does not reset the limit.
		write(a, 200)
		_ = a.Close()
		_ = a.Close()
		_ = b.Close()
		_ = juliet.Close()
		three := &wire{}
		write(l.relayOf("romeo", three), 10)
		if three.out != 0 {
			t.Errorf("%d bytes went", three.out)
		}
		time.Sleep(2 * time.Second)
		if c := l.relayOf("nurse", &wire{}); len(l.people) != 2 || c.Close() != nil { // romeo's last is open
			t.Errorf("%d people are remembered", len(l.people))
		}
		free := &wire{}
		write(rated(0).relayOf("romeo", free), 1000)
		if free.out != 1000*size {
			t.Errorf("where there is no limit, %d bytes went", free.out)
		}
	})
}

// A person who sends too much loses some datagrams; another's call continues.
func TestTooMuch(t *testing.T) {
	s, udp, _ := start(t, func(c *Config) { c.Rate = 1 })
	peer, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	relay := func(who string) net.PacketConn {
		name, pw := auth.RelayCredentials("s", who, soon())
		r, err := client(t, "udp", udp, name, pw).Allocate()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	romeo := relay("romeo")
	for end := time.Now().Add(time.Minute); dropped(t, s.dropped) == 0; {
		if time.Now().After(end) {
			t.Fatal("nothing is dropped")
		}
		if _, err := romeo.WriteTo(make([]byte, 1000), peer.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	juliet := relay("juliet")
	got := make(chan bool)
	go func() {
		b := make([]byte, 2000)
		for {
			n, _, err := peer.ReadFrom(b)
			if err != nil || string(b[:n]) == "hello" {
				got <- err == nil
				return
			}
		}
	}()
	_ = peer.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := juliet.WriteTo([]byte("hello"), peer.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if !<-got {
		t.Error("another's is dropped, too")
	}
}
