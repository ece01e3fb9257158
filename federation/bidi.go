package federation

import (
	"parley/wire"
)

const (
	nsBidi        = "urn:xmpp:bidi"
	nsBidiFeature = "urn:xmpp:features:bidi"
)

// bothWays is what the other server says before it proves anything: it will take stanzas on this stream too (XEP-0288,
// section 2.2).
func (in *incoming) bothWays() error {
	if in.voice.any() || in.srv.cfg.NoBidi {
		return &wire.StreamError{Condition: "policy-violation", Text: "streams are made bidirectional before they are authenticated, where that is offered"}
	}
	in.bidi = true
	return nil
}

// wayBack lets what goes the other way of a proven pair take this stream. Who has proven that they speak for a domain may
// hear what is said to it.
func (in *incoming) wayBack(p pair) {
	if !in.bidi || in.tls == nil && !in.srv.cfg.AllowPlain {
		return
	}
	s := in.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, is := s.streams[in]; is {
		s.back[p] = in
	}
}

func (in *incoming) noWayBack(p pair) {
	s := in.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.back[p] == in {
		delete(s.back, p)
	}
}

// carrier is what a peer's stanzas go out on.
type carrier struct {
	conn  *wire.Conn
	acks  *acks           // nil: nothing is acknowledged
	ended <-chan struct{} // closed when the stream is over
	why   func() error    // after that
	used  func()          // something has been written
	close func(error)
	ours  bool // of our making
	wrote bool // it has taken something
}

// borrow gives the stream that the other server has opened, if it may be used for the pair.
func (pe *peer) borrow() *carrier {
	s := pe.srv
	s.mu.Lock()
	in := s.back[pe.pair]
	s.mu.Unlock()
	if in == nil {
		return nil
	}
	pe.open("bidi")
	return &carrier{conn: in.conn, ended: in.over, why: func() error { return errIdle }, used: in.wait, close: func(error) {}}
}
