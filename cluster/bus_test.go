package cluster

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/store"
)

const topic Topic = 7

// testNode is a bus with its listener.
type testNode struct {
	*Bus
	node store.ClusterNode

	mu    sync.Mutex
	conns []net.Conn // that others have made
	heard []string
}

// newTestNodes makes buses that know of each other once meet is called.
func newTestNodes(t testing.TB, n int) []*testNode {
	t.Helper()
	var all []*testNode
	for i := range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		x := &testNode{node: store.ClusterNode{ID: fmt.Sprintf("%016x", i+1), Incarnation: int64(i + 1),
			Address: l.Addr().String(), Scope: scope()}}
		x.Bus, err = NewBus(BusConfig{
			Self:   x.node,
			Secret: bytes.Repeat([]byte{42}, 32),
			Clock:  clock.Clock(nil),
			Log:    slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		x.Handle(topic, func(_ context.Context, from Peer, p []byte) ([]byte, error) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.heard = append(x.heard, from.ID[15:]+":"+string(p))
			return append([]byte("got "), p...), nil
		})
		x.Handle(topic+1, func(context.Context, Peer, []byte) ([]byte, error) { return nil, errors.New("no") })
		var served sync.WaitGroup
		served.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				x.mu.Lock()
				x.conns = append(x.conns, c)
				x.mu.Unlock()
				served.Go(func() {
					if _, err := io.WriteString(c, hello(x.node.ID, x.node.Incarnation)); err == nil {
						x.Serve(c)
					}
				})
			}
		})
		t.Cleanup(func() {
			_ = l.Close()
			x.Close()
			served.Wait()
		})
		all = append(all, x)
	}
	return all
}

func meet(all []*testNode) {
	var nodes []store.ClusterNode
	for _, x := range all {
		nodes = append(nodes, x.node)
	}
	for _, x := range all {
		x.SetNodes(nodes)
	}
}

// ask asks until there is a link.
func (x *testNode) ask(t *testing.T, to *testNode, topic Topic, payload string) (string, error) {
	t.Helper()
	for {
		b, err := x.Ask(t.Context(), to.node.ID, topic, 1, []byte(payload))
		if !errors.Is(err, ErrNoLink) && !errors.Is(err, ErrUnanswered) {
			return string(b), err
		}
		if t.Context().Err() != nil {
			t.Fatal("no link")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestBus(t *testing.T) {
	all := newTestNodes(t, 3)
	var events []string
	var mu sync.Mutex
	note := func(what string) func(Peer) {
		return func(p Peer) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, what+" "+p.ID[15:])
		}
	}
	all[0].Watch(Watcher{Up: note("up"), Down: note("down"), Gone: note("gone")})
	meet(all)
	for i, x := range all {
		for j, y := range all {
			if i == j {
				continue
			}
			if a, err := x.ask(t, y, topic, "hello"); err != nil || a != "got hello" {
				t.Errorf("%d to %d: %q %v", i, j, a, err)
			}
			var r Refusal
			if _, err := x.ask(t, y, topic+1, ""); !errors.As(err, &r) || r != "no" {
				t.Errorf("refusal: %v", err)
			}
			if _, err := x.ask(t, y, topic+2, ""); !errors.As(err, &r) {
				t.Errorf("a topic without a handler: %v", err)
			}
		}
	}
	// What is told comes in its order.
	for i := range 1000 {
		if err := all[0].Tell(all[1].node.ID, topic, 1, []byte(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := all[0].ask(t, all[1], topic, "end"); err != nil {
		t.Fatal(err)
	}
	all[1].mu.Lock()
	var got []string
	for _, h := range all[1].heard {
		if s, ok := strings.CutPrefix(h, "1:"); ok && s != "hello" {
			got = append(got, s)
		}
	}
	all[1].mu.Unlock()
	if len(got) != 1001 || got[0] != "0" || got[999] != "999" || got[1000] != "end" {
		t.Errorf("%d heard: %v", len(got), got[:min(10, len(got))])
	}
	// A connection that breaks is made anew.
	all[1].mu.Lock()
	for _, c := range all[1].conns {
		_ = c.Close()
	}
	all[1].mu.Unlock()
	if _, err := all[0].ask(t, all[1], topic, "again"); err != nil {
		t.Fatal(err)
	}
	// A node that starts again is another one.
	now := all[1].node
	now.Incarnation = 9
	all[0].SetNodes([]store.ClusterNode{now})
	if _, err := all[0].Ask(t.Context(), all[2].node.ID, topic, 1, nil); !errors.Is(err, ErrNoLink) {
		t.Errorf("a node that is gone: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	text := strings.Join(events, ", ")
	for _, want := range []string{"up 2", "up 3", "down 2", "gone 2", "gone 3"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

// A node with the secret of another database gets no link.
func TestStrangers(t *testing.T) {
	all := newTestNodes(t, 2)
	other, err := newAuthority(bytes.Repeat([]byte{41}, 32), all[0].node.ID, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	all[0].authority = other
	meet(all)
	l := all[0].link(all[1].node.ID)
	if c, err := l.connect(); err == nil {
		// TLS 1.3: the client learns from its first read that it was refused.
		_, err = c.Read(make([]byte, 1))
		if err == nil {
			t.Error("a stranger has a link")
		}
		_ = c.Close()
	}
	for _, x := range all {
		if _, err := x.Ask(t.Context(), all[0].node.ID, topic, 1, nil); err == nil {
			t.Error("a stranger is answered")
		}
	}
}

// A node that handles nothing any more stops nobody: what is too much is refused, and answers still pass.
func TestBusy(t *testing.T) {
	all := newTestNodes(t, 2)
	block := make(chan struct{})
	for _, x := range all {
		x.Handle(topic+3, func(context.Context, Peer, []byte) ([]byte, error) {
			<-block
			return nil, nil
		})
	}
	meet(all)
	for i, x := range all {
		if _, err := x.ask(t, all[1-i], topic, "there"); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	busy := 0
	for i, x := range all {
		for range maxQueued + 100 {
			wg.Go(func() {
				_, err := x.Ask(t.Context(), all[1-i].node.ID, topic+3, 5, nil)
				if errors.Is(err, ErrBusy) {
					mu.Lock()
					busy++
					mu.Unlock()
				} else if err != nil {
					t.Error(err)
				}
			})
		}
	}
	// Other queues go on meanwhile, in both directions.
	for i, x := range all {
		for range 10 {
			if _, err := x.ask(t, all[1-i], topic, "still"); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(block)
	wg.Wait()
	if busy == 0 {
		t.Error("nothing was refused")
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(appendFrame(nil, frame{kind: frameAsk, topic: 3, number: 4, queue: 5, payload: []byte("x")}))
	f.Add([]byte{0, 0, 0, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := readFrame(newReader(b))
		if err != nil {
			return
		}
		if again := appendFrame(nil, fr); !bytes.HasPrefix(b, again) {
			t.Errorf("%x becomes %x", b, again)
		}
		if int(binary.BigEndian.Uint32(b))+4 != frameHead+len(fr.payload) {
			t.Error("another length")
		}
	})
}

func newReader(b []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(b)) }
