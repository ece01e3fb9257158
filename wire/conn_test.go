package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/wire/jid"
)

// recorder is a connection that keeps the data of each Write. While its gate is locked it accepts nothing.
type recorder struct {
	net.Conn
	gate sync.Mutex

	mu     sync.Mutex
	writes [][]byte
	closed bool
}

func (r *recorder) Write(b []byte) (int, error) {
	r.gate.Lock()
	defer r.gate.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, bytes.Clone(b))
	return len(b), nil
}
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }
func (r *recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return nil
}

func (r *recorder) got() (string, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(bytes.Join(r.writes, nil)), len(r.writes)
}

func note(n int) *Stanza {
	return &Stanza{Kind: Message, Name: Name{NSClient, "message"}, ID: fmt.Sprint(n)}
}

var juliet = jid.MustParse("juliet@capulet.example/balcony")

func TestConnManySenders(t *testing.T) {
	const senders, each = 8, 200
	a, b := net.Pipe()
	c := NewConn(a, ConnConfig{})
	for s := range senders {
		go func() {
			for n := range each {
				st := note(n)
				st.Type = fmt.Sprint(s)
				if err := c.Send(st, juliet); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	r := NewReader(io.MultiReader(bytes.NewReader([]byte(hdr)), b), Limits{})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	next := make(map[string]int)
	for range senders * each {
		st, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if st.ID != fmt.Sprint(next[st.Type]) || st.To != juliet {
			t.Fatalf("%v from sender %s, want %d", st, st.Type, next[st.Type])
		}
		next[st.Type]++
	}
	go c.Close([]byte("</stream:stream>"))
	if _, err := r.Next(); err != ErrStreamEnd {
		t.Fatal(err)
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	if err := c.Send(note(0), juliet); err != ErrClosed {
		t.Fatal(err)
	}
}

func TestConnWritesWhatGathersAtOnce(t *testing.T) {
	rec := &recorder{}
	c := NewConn(rec, ConnConfig{})
	rec.gate.Lock() // the first write waits, the others gather
	for n := range 50 {
		if err := c.Send(note(n), juliet); err != nil {
			t.Fatal(err)
		}
	}
	rec.gate.Unlock()
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if s, n := rec.got(); n > 2 || bytes.Count([]byte(s), []byte("<message")) != 50 {
		t.Fatalf("%d writes: %s", n, s)
	}
}

func TestConnCork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		c := NewConn(rec, ConnConfig{})
		c.Cork()
		c.Cork()
		for n := range 50 {
			_ = c.Send(note(n), juliet)
		}
		c.Uncork()
		synctest.Wait()
		if _, n := rec.got(); n != 0 {
			t.Fatal("a corked connection has written")
		}
		c.Uncork()
		synctest.Wait()
		if _, n := rec.got(); n != 1 {
			t.Fatalf("%d writes", n)
		}
		c.Uncork() // one uncork too many does not cork the next write
		c.Cork()
		_ = c.WriteRaw([]byte("<r/>"))
		c.UncorkWrite()
		if s, n := rec.got(); n != 2 || s[len(s)-4:] != "<r/>" {
			t.Fatalf("%d writes: %s", n, s)
		}
		c.Cork()
		_ = c.WriteRaw(make([]byte, 17<<10)) // more than a TLS record holds
		synctest.Wait()
		if _, n := rec.got(); n != 3 {
			t.Fatalf("%d writes", n)
		}
		c.Close() // a cork does not hold it up
	})
}

func TestConnFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		c := NewConn(a, ConnConfig{MaxQueue: 1000})
		done := c.Done()
		var err error
		n := 0
		for ; err == nil && n < 100; n++ {
			err = c.Send(note(n), juliet)
			synctest.Wait() // bytes in flight count too
		}
		if err != ErrFull || n > 1000/40 {
			t.Fatalf("%v after %d", err, n)
		}
		<-done
		if _, err := io.ReadAll(b); err != nil { // the connection is closed
			t.Fatal(err)
		}
		if err := c.Send(note(0), juliet); err != ErrFull {
			t.Fatal(err)
		}
		c.Close([]byte("bye"))
	})
}

func TestConnPeerDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := net.Pipe()
		c := NewConn(a, ConnConfig{WriteTimeout: time.Minute})
		started := time.Now()
		_ = c.Send(note(0), juliet)
		<-c.Done()
		if !errors.Is(c.Err(), os.ErrDeadlineExceeded) || time.Since(started) != time.Minute {
			t.Fatalf("%v after %v", c.Err(), time.Since(started))
		}
	})
}

func TestConnCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := net.Pipe()
		c := NewConn(a, ConnConfig{WriteTimeout: time.Minute})
		started := time.Now()
		_ = c.Send(note(0), juliet)
		synctest.Wait()
		go c.Close([]byte("bye"))
		synctest.Wait()
		c.Close()
		if d := time.Since(started); d > 2*time.Minute {
			t.Fatalf("closing took %v", d)
		}
	})
}

func TestConnAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		c := NewConn(a, ConnConfig{})
		_ = c.Send(note(0), juliet)
		synctest.Wait() // the writer waits for b
		gone := errors.New("gone")
		c.Abort(gone)
		c.Abort(errors.New("again"))
		c.Close([]byte("bye"))
		if c.Err() != gone || c.Send(note(1), juliet) != gone || c.Flush() != gone {
			t.Fatal(c.Err())
		}
		if all, err := io.ReadAll(b); err != nil || len(all) != 0 {
			t.Fatalf("%q %v", all, err)
		}
	})
}

func TestConnFrames(t *testing.T) {
	rec := &recorder{}
	var frames []string
	c := NewConn(rec, ConnConfig{WriteFrame: func(b []byte) error {
		rec.gate.Lock()
		defer rec.gate.Unlock()
		frames = append(frames, string(b))
		return nil
	}})
	rec.gate.Lock()
	for n := range 3 {
		_ = c.Send(note(n), juliet)
	}
	_ = c.WriteRaw([]byte("<r xmlns='urn:xmpp:sm:3'/>"))
	rec.gate.Unlock()
	c.Close([]byte("<a/>"), nil, []byte("<b/>"))
	want := []string{}
	for n := range 3 {
		want = append(want, fmt.Sprintf("<message xmlns='jabber:client' to='juliet@capulet.example/balcony' id='%d'/>",
			n))
	}
	want = append(want, "<r xmlns='urn:xmpp:sm:3'/>", "<a/>", "<b/>")
	if fmt.Sprint(frames) != fmt.Sprint(want) {
		t.Fatalf("%q", frames)
	}
	if !rec.closed {
		t.Fatal("not closed")
	}
}

func TestConnSwap(t *testing.T) {
	plain, secure := &recorder{}, &recorder{}
	c := NewConn(plain, ConnConfig{})
	_ = c.WriteRaw([]byte("<proceed/>"))
	c.Swap(secure)
	_ = c.WriteRaw([]byte("<stream>"))
	c.Close()
	if s, _ := plain.got(); s != "<proceed/>" || plain.closed {
		t.Fatalf("%q", s)
	}
	if s, _ := secure.got(); s != "<stream>" || !secure.closed {
		t.Fatalf("%q", s)
	}
}

// TestConnLarge: data larger than the pooled buffers, and smaller data after it, arrives unchanged.
func TestConnLarge(t *testing.T) {
	rec := &recorder{}
	c := NewConn(rec, ConnConfig{})
	var want []byte
	for i, n := range []int{10, 5000, 100, 40 << 10, 200 << 10, 1} {
		b := bytes.Repeat([]byte{'a' + byte(i)}, n)
		want = append(want, b...)
		if i%2 == 0 {
			c.Cork()
		}
		if err := c.WriteRaw(b); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			c.Uncork()
		}
	}
	c.Close()
	if s, _ := rec.got(); s != string(want) {
		t.Fatal("changed on the way")
	}
}

func BenchmarkConnSend(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	out, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, in)
	}()
	st, err := ParseStanza([]byte(`<message xmlns='jabber:client'`+chat[len("<message"):]), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	c := NewConn(out, ConnConfig{})
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Send(st, juliet); err != nil {
			b.Fatal(err)
		}
		if err := c.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
	<-drained
	in.Close()
}
