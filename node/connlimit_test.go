package node

import (
	"io"
	"net"
	"testing"
)

// TestConnectionsOfPages: who is over a limit is closed at once, and there is room again when somebody goes.
func TestConnectionsOfPages(t *testing.T) {
	for name, limits := range map[string][2]int{"in all": {2, 0}, "of an address": {0, 2}} {
		t.Run(name, func(t *testing.T) {
			nl, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l := limit(nl, limits[0], limits[1])
			defer l.Close()
			in := make(chan net.Conn)
			go func() {
				defer close(in)
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					in <- c
				}
			}()
			dial := func() net.Conn {
				c, err := net.Dial("tcp", nl.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				return c
			}
			dial()
			first := <-in
			dial()
			second := <-in
			if n, err := dial().Read(make([]byte, 1)); n != 0 || err == nil {
				t.Fatalf("a third is let in: %d, %v", n, err)
			}
			first.Close()
			first.Close() // counts once
			dial()
			third := <-in
			if _, err := dial().Read(make([]byte, 1)); err == nil || err != io.EOF && !isReset(err) {
				t.Fatalf("a fourth is let in: %v", err)
			}
			second.Close()
			third.Close()
			if l.mu.Lock(); l.all != 0 || len(l.from) != 0 {
				t.Errorf("%d connections are left, of %v", l.all, l.from)
			}
			l.mu.Unlock()
		})
	}
}

func isReset(err error) bool {
	_, ok := err.(*net.OpError)
	return ok
}
