package federation

import (
	"parley/wire"
)

const (
	nsBidi        = "urn:xmpp:bidi"
	nsBidiFeature = "urn:xmpp:features:bidi"
)

// bothWays handles the other server's offer, before authentication, to take stanzas on this stream too (XEP-0288,
// section 2.2).
func (in *incoming) bothWays() error {
	if in.authz.any() || in.srv.cfg.NoBidi {
		return &wire.StreamError{
			Condition: "policy-violation",
			Text:      "a stream can only become bidirectional before authentication, and where that is offered",
		}
	}
	in.bidi = true
	return nil
}

// wayBack uses this stream for the opposite direction of a proven pair. A server that has proven a domain may receive
// what is sent to it.
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

// carrier is a stream that carries a peer's stanzas.
type carrier struct {
	conn  *wire.Conn
	acks  *acks           // nil: no acknowledgements
	ended <-chan struct{} // closed when the stream is over
	why   func() error    // returns the reason after ended is closed
	used  func()          // called after every write
	close func(error)
	ours  bool // we opened it
	wrote bool // it has taken a stanza
}

// borrow returns the stream that the other server opened, if the pair may use it.
func (pe *peer) borrow() *carrier {
	s := pe.srv
	s.mu.Lock()
	in := s.back[pe.pair]
	s.mu.Unlock()
	if in == nil {
		return nil
	}
	pe.open("bidi")
	return &carrier{
		conn:  in.conn,
		ended: in.over,
		why:   func() error { return errIdle },
		used:  in.wait,
		close: func(error) {},
	}
}
