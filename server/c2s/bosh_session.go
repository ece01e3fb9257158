package c2s

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"parley/wire"
)

// boshSession is one stream over HTTP, and the transport that the stream's goroutine reads from.
type boshSession struct {
	b      *bosh
	id     string
	st     *stream
	secure bool
	wait   time.Duration
	hold   int
	lim    wire.Limits
	ctx    context.Context
	cancel context.CancelFunc
	in     chan boshIn // what the client sent, in order

	mu      sync.Mutex
	moved   *sync.Cond            // signalled when nextID moves or the session ends
	nextID  int64                 // the request id to take next
	held    []*boshAnswer         // open requests without an answer, the oldest first
	answers map[int64]*boshAnswer // the answers to the last requests, for clients that repeat one (section 14.3)
	out     [][]byte              // elements that wait for a request
	queued  int                   // bytes in out
	begun   bool                  // the session's attributes were sent
	ended   bool
	fault   bool        // a stream error was sent
	idle    *time.Timer // while no request is held
}

// boshIn is one event from the client: an element, the beginning of a stream, or its end.
type boshIn struct {
	st  *wire.Stanza
	hdr *wire.Header
	err error
}

// boshAnswer is one request and its answer.
type boshAnswer struct {
	rid    int64
	ready  chan struct{} // closed when body is set
	body   *wire.Element
	frames [][]byte
}

// request takes one HTTP request of the session. It answers when there is something to send or the time is up.
func (s *boshSession) request(w http.ResponseWriter, r *http.Request, e *wire.Element, rid int64) {
	a, again, bad := s.admit(r.Context(), rid)
	if bad != "" {
		s.end()
		s.b.terminate(w, bad)
		return
	}
	if a == nil {
		return // the client left before its turn came
	}
	if !again && !s.take(r.Context(), e, a) {
		return
	}
	t := time.NewTimer(s.wait)
	defer t.Stop()
	select {
	case <-a.ready:
	case <-t.C:
		s.answer(a)
	case <-r.Context().Done(): // the client may repeat the request with the same id
		return
	}
	<-a.ready
	writeBody(w, a.body, a.frames)
}

// admit waits for a request's turn. again says that the request repeats an earlier one and only wants its answer. bad
// is the reason to end the session: an id outside the window, or too many open requests (section 14).
func (s *boshSession) admit(ctx context.Context, rid int64) (a *boshAnswer, again bool, bad string) {
	stop := context.AfterFunc(ctx, s.moved.Broadcast)
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.answers[rid]; old != nil {
		return old, true, ""
	}
	if rid < s.nextID || rid >= s.nextID+boshRequests {
		return nil, false, "item-not-found"
	}
	for rid > s.nextID && !s.ended && ctx.Err() == nil {
		s.moved.Wait()
	}
	if ctx.Err() != nil {
		return nil, false, ""
	}
	if s.ended {
		return nil, false, "item-not-found"
	}
	if len(s.held) >= boshRequests {
		return nil, false, "policy-violation"
	}
	a = &boshAnswer{rid: rid, ready: make(chan struct{})}
	s.answers[rid] = a
	delete(s.answers, rid-boshRequests-1)
	return a, false, ""
}

// take hands a request's contents to the stream and holds the request open. It returns false if the stream is over.
func (s *boshSession) take(ctx context.Context, e *wire.Element, a *boshAnswer) bool {
	for _, x := range s.read(e) {
		select {
		case s.in <- x:
		case <-s.ctx.Done():
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	s.nextID++
	s.moved.Broadcast()
	s.held = append(s.held, a)
	if s.idle != nil {
		s.idle.Stop()
		s.idle = nil
	}
	if s.ended || len(s.out) > 0 && s.begun {
		s.flushLocked()
	}
	// section 12: every open request is answered, and the client may stay away for longer
	if p := e.Attr("pause"); p != "" {
		n, err := strconv.Atoi(p)
		if err == nil && n > 0 && time.Duration(n)*time.Second <= boshPause {
			for len(s.held) > 0 {
				s.answerLocked(s.held[0])
			}
			s.restLocked(time.Duration(n) * time.Second)
		}
	}
	for len(s.held) > s.hold && s.begun {
		s.answerLocked(s.held[0])
	}
	s.mu.Unlock()
	return true
}

// read parses the contents of a request.
func (s *boshSession) read(e *wire.Element) []boshIn {
	var in []boshIn
	restart := false
	for _, at := range e.Attrs {
		restart = restart || at.Name == wire.Name{Space: nsXBOSH, Local: "restart"} &&
			(at.Value == "true" || at.Value == "1")
	}
	if e.Attr("sid") == "" || restart {
		h := &wire.Header{
			To:        e.Attr("to"),
			From:      e.Attr("from"),
			Version:   "1.0",
			Lang:      langOf(e),
			ContentNS: wire.NSClient,
		}
		if h.To == "" && s.st.host != nil {
			h.To = s.st.host.Domain
		}
		in = append(in, boshIn{hdr: h})
	}
	for _, c := range e.Elements() {
		st, err := wire.ReceiveStanza(c.AppendXML(nil, ""), s.limits())
		in = append(in, boshIn{st: st, err: err})
	}
	if e.Attr("type") == "terminate" {
		in = append(in, boshIn{err: wire.ErrStreamEnd})
	}
	return in
}

func (s *boshSession) limits() wire.Limits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lim
}

func langOf(e *wire.Element) string {
	for _, a := range e.Attrs {
		if a.Name == (wire.Name{Space: wire.NSXML, Local: "lang"}) {
			return a.Value
		}
	}
	return ""
}

// write queues one element for the client.
func (s *boshSession) write(b []byte) error {
	if len(b) == 0 { // a header: its attributes go out with the first answer
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return net.ErrClosed
	}
	if s.queued += len(b); s.queued > s.st.srv.cfg.MaxQueue && s.st.srv.cfg.MaxQueue > 0 {
		return wire.ErrFull
	}
	s.fault = s.fault || len(b) > 13 && string(b[:13]) == "<stream:error"
	s.out = append(s.out, append([]byte(nil), b...))
	s.flushLocked()
	return nil
}

// flushLocked answers the oldest open request with everything that waits.
func (s *boshSession) flushLocked() {
	if len(s.held) > 0 {
		s.answerLocked(s.held[0])
	}
}

func (s *boshSession) answer(a *boshAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answerLocked(a)
}

// answerLocked answers an open request; it does nothing if the request has its answer.
func (s *boshSession) answerLocked(a *boshAnswer) {
	at := -1
	for i, h := range s.held {
		if h == a {
			at = i
		}
	}
	if at < 0 {
		return
	}
	s.held = append(s.held[:at:at], s.held[at+1:]...)
	a.body, a.frames = wire.E(nsBOSH, "body"), s.out
	s.out, s.queued = nil, 0
	if !s.begun {
		s.begun = true
		s.attributes(a.body)
	}
	if s.ended {
		a.body.Set("type", "terminate")
		if s.fault {
			a.body.Set("condition", "remote-stream-error")
		}
	}
	close(a.ready)
	if len(s.held) == 0 {
		s.restLocked(boshInactivity)
	}
}

// attributes adds the attributes of the session (section 7.2, XEP-0206).
func (s *boshSession) attributes(e *wire.Element) {
	sec := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	e.Set("sid", s.id).Set("wait", sec(s.wait)).Set("requests", strconv.Itoa(boshRequests)).
		Set("hold", strconv.Itoa(s.hold)).
		Set("inactivity", sec(boshInactivity)).Set("maxpause", sec(boshPause)).
		Set("polling", strconv.Itoa(boshPolling)).Set("ver", "1.11").Set("authid", s.st.id)
	if s.st.host != nil {
		e.Set("from", s.st.host.Domain)
	}
	for _, l := range []string{"version", "restartlogic"} {
		v := map[string]string{"version": "1.0", "restartlogic": "true"}[l]
		e.Attrs = append(e.Attrs, wire.Attr{Name: wire.Name{Space: nsXBOSH, Local: l}, Value: v})
	}
}

// restLocked starts the time that the client may stay without a request.
func (s *boshSession) restLocked(d time.Duration) {
	if s.idle != nil {
		s.idle.Stop()
	}
	if s.ended {
		return
	}
	s.idle = time.AfterFunc(d, func() {
		select {
		case s.in <- boshIn{err: errGone}:
		case <-s.ctx.Done():
		}
	})
}

// end ends the session for its client. Everything that waits is still sent.
func (s *boshSession) end() {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended = true
	if s.idle != nil {
		s.idle.Stop()
	}
	for len(s.held) > 0 {
		s.answerLocked(s.held[0])
	}
	s.moved.Broadcast()
	s.mu.Unlock()
	s.cancel()
	// The client may repeat its last request for a while.
	time.AfterFunc(10*time.Second, func() { s.b.drop(s) })
}

// These methods make boshSession a transport.
func (s *boshSession) receive() (boshIn, error) {
	select {
	case x := <-s.in:
		return x, nil
	case <-s.ctx.Done():
		return boshIn{}, net.ErrClosed
	}
}

func (s *boshSession) open() (wire.Header, error) {
	x, err := s.receive()
	switch {
	case err != nil:
		return wire.Header{}, err
	case x.err != nil:
		return wire.Header{}, x.err
	case x.hdr == nil:
		return wire.Header{}, &wire.StreamError{Condition: "not-authorized", Text: "expected a stream restart"}
	}
	return *x.hdr, nil
}

func (s *boshSession) next() (*wire.Stanza, error) {
	x, err := s.receive()
	if err != nil {
		return nil, err
	}
	if x.hdr != nil {
		return nil, &wire.StreamError{Condition: "policy-violation", Text: "the stream is already open"}
	}
	return x.st, x.err
}

func (s *boshSession) hello(*stream, string) []byte { return nil }
func (s *boshSession) footer() []byte               { return nil }
func (s *boshSession) restart()                     {}
func (s *boshSession) more() bool                   { return len(s.in) > 0 }
func (s *boshSession) name() string                 { return "bosh" }

func (s *boshSession) setLimits(l wire.Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lim = l
}

// boshConn is the net.Conn of a BOSH session. It only closes the session and limits its time.
type boshConn struct {
	s      *boshSession
	remote string

	mu    sync.Mutex
	timer *time.Timer
}

// Read always fails: elements come through the transport.
func (c *boshConn) Read([]byte) (int, error) { return 0, net.ErrClosed }

// Write always fails: elements go out through the transport.
func (c *boshConn) Write([]byte) (int, error) { return 0, net.ErrClosed }

// LocalAddr returns an empty address.
func (c *boshConn) LocalAddr() net.Addr { return wsAddr("") }

// RemoteAddr returns the client's network address.
func (c *boshConn) RemoteAddr() net.Addr { return wsAddr(c.remote) }

// Close ends the session.
func (c *boshConn) Close() error {
	_ = c.SetReadDeadline(time.Time{})
	c.s.end()
	return nil
}

// SetDeadline limits how long the client may take to sign in.
func (c *boshConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline does nothing, since nothing is written here.
func (c *boshConn) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline limits how long the client may take to sign in.
func (c *boshConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if !t.IsZero() {
		c.timer = time.AfterFunc(time.Until(t), c.s.cancel)
	}
	return nil
}
