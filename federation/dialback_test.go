package federation

import "testing"

// TestSeatsForKeys: a key that is not being verified takes no place from others, and is verified when there is one.
func TestSeatsForKeys(t *testing.T) {
	s := &Server{asks: make(chan struct{}, 1)}
	one, other := &incoming{receiver: receiver{srv: s}}, &incoming{receiver: receiver{srv: s}}
	p, q := pair{"a.example", "b.example"}, pair{"c.example", "b.example"}
	if !one.asks(p) || one.asks(p) || other.asks(q) {
		t.Fatal("more are asked about than may be, or none")
	}
	<-s.asks // the answer has come
	if !other.asks(q) {
		t.Error("it was refused once, and is refused for ever")
	}
	<-s.asks
	if len(s.asks) != 0 {
		t.Error("a seat is lost")
	}
}
