package cluster

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// gate is what a test does to the connections that go one way: it lets them pass, delays them, holds what they carry,
// or cuts them. It is safe from any goroutine.
type gate struct {
	mu      sync.Mutex
	state   state
	delay   time.Duration // of everything that passes
	changed chan struct{} // closed when state or delay is another one
	conns   map[net.Conn]struct{}
}

type state int

const (
	open   state = iota
	silent       // nothing arrives, and nobody is told: everything is held until it is open again
	cut          // connections end, and new ones end at once
)

func newGate() *gate {
	return &gate{changed: make(chan struct{}), conns: make(map[net.Conn]struct{})}
}

// set changes what the gate does from now on.
func (g *gate) set(s state, delay time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state, g.delay = s, delay
	close(g.changed)
	g.changed = make(chan struct{})
	if s == cut {
		for c := range g.conns {
			_ = c.Close() // it may have ended
		}
	}
}

// hold keeps a connection, to cut it; false if it is cut already.
func (g *gate) hold(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == cut {
		return false
	}
	g.conns[c] = struct{}{}
	return true
}

func (g *gate) drop(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
	_ = c.Close()
}

// pass waits until something may pass; false if it may not, or the test is over.
func (g *gate) pass(over <-chan struct{}) bool {
	for {
		g.mu.Lock()
		s, delay, changed := g.state, g.delay, g.changed
		g.mu.Unlock()
		var late <-chan time.Time
		switch {
		case s == cut:
			return false
		case s == open && delay == 0:
			return true
		case s == open:
			late = time.After(delay)
		}
		select {
		case <-late:
			return true
		case <-changed:
		case <-over:
			return false
		}
	}
}

// way is an address of the test, from which connections go on to a program, through gates.
type way struct {
	nl   net.Listener
	dial func() (net.Conn, error) // to the program
	gate func(net.Conn) *gate     // of who has connected
	over chan struct{}            // closed at the end
	once sync.Once
	work sync.WaitGroup
}

func newWay(t testing.TB, dial func() (net.Conn, error), gate func(net.Conn) *gate) *way {
	t.Helper()
	nl, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{nl: nl, dial: dial, gate: gate, over: make(chan struct{})}
	w.work.Go(w.accept)
	t.Cleanup(w.close)
	return w
}

func (w *way) address() string { return w.nl.Addr().String() }

// close ends it: nothing listens at its address any more.
func (w *way) close() {
	w.once.Do(func() {
		close(w.over)
		_ = w.nl.Close()
	})
	w.work.Wait()
}

func (w *way) accept() {
	for {
		c, err := w.nl.Accept()
		if err != nil {
			return
		}
		w.work.Go(func() { w.carry(c) })
	}
}

// carry takes one connection to its end.
func (w *way) carry(from net.Conn) {
	g := w.gate(from)
	defer g.drop(from)
	if !g.hold(from) || !g.pass(w.over) {
		return
	}
	to, err := w.dial()
	if err != nil {
		return
	}
	defer g.drop(to)
	if !g.hold(to) {
		return
	}
	ended := make(chan struct{}, 2)
	for _, d := range [][2]net.Conn{{to, from}, {from, to}} {
		w.work.Go(func() {
			w.pump(g, d[0], d[1])
			ended <- struct{}{}
		})
	}
	left := 2
	select {
	case <-ended:
		left--
	case <-w.over:
	}
	g.drop(from)
	g.drop(to)
	for range left {
		<-ended
	}
}

// pump copies one direction. That the sender has ended passes as late as what it has sent.
func (w *way) pump(g *gate, to, from net.Conn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if !g.pass(w.over) || n > 0 && !written(to, b[:n]) || err != nil {
			return
		}
	}
}

func written(to net.Conn, b []byte) bool {
	_, err := to.Write(b)
	return err == nil
}

// What is held behind a silent gate comes when it is open again; what is cut ends.
func TestGate(t *testing.T) {
	nl, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nl.Close()
	g := newGate()
	w := newWay(t, func() (net.Conn, error) { return net.Dial("tcp", nl.Addr().String()) },
		func(net.Conn) *gate { return g })
	a, err := net.Dial("tcp", w.address())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := nl.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	g.set(silent, 0)
	if _, err := io.WriteString(a, "held"); err != nil {
		t.Fatal(err)
	}
	if err := b.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	var late net.Error
	if _, err := io.ReadFull(b, got); !errors.As(err, &late) || !late.Timeout() {
		t.Errorf("through a silent gate: %q, %v", got, err)
	}
	if err := b.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	g.set(open, time.Millisecond)
	if _, err := io.ReadFull(b, got); err != nil || string(got) != "held" {
		t.Errorf("once it is open: %q, %v", got, err)
	}
	g.set(cut, 0)
	if n, err := b.Read(got); err == nil {
		t.Errorf("through a cut: %q", got[:n])
	}
	if again, err := net.Dial("tcp", w.address()); err == nil {
		defer again.Close()
		if n, err := again.Read(got); err == nil {
			t.Errorf("a new connection through a cut: %q", got[:n])
		}
	}
}
