package federation

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/wire"
)

// peer is the way from one of our domains to a remote one: a queue and, while there is something to send, a stream. Its
// goroutine lives as long as the peer is in the table.
type peer struct {
	srv  *Server
	pair pair
	log  *slog.Logger
	wake chan struct{} // of size 1

	mu       sync.Mutex
	queue    []*wire.Stanza // not written yet
	bytes    int
	gone     bool // the peer takes no more stanzas: another one replaces it
	stopping bool
	anew     bool // the current stream must end; what is queued continues under the new rules
	since    time.Time
	how      string
}

// holdTime is how long a client's stream counts a stanza for another server as under way (XEP-0198). The count ends
// earlier when that server has the stanza or its sender has an error. A server that does not answer must not stop the
// client's stream.
const holdTime = 10 * time.Second

// settle ends the holds of stanzas that the other server has, or whose senders got an error.
func settle(sts []*wire.Stanza) {
	for _, st := range sts {
		st.Receipt.Settle()
	}
}

// size returns about how many bytes a stanza takes on the wire.
func size(st *wire.Stanza) int { return len(st.Payload) + 512 }

var errQueueFull = server.WithText(stanza.Error{Type: stanza.Wait, Condition: stanza.ResourceConstraint},
	"too many stanzas are waiting for the other server")

// Receive queues a stanza for another server and returns. If it cannot be delivered, the sender learns of it later; an
// error is for the sender at once. This method makes Server the router's Entity for all domains that are not served
// here.
func (s *Server) Receive(_ context.Context, st *wire.Stanza) error {
	p := pair{st.From.Domain(), st.To.Domain()}
	if p.from == "" || p.to == "" || !s.cfg.Router.Local(p.from) || s.cfg.Router.Local(p.to) {
		return server.RemoteNotFound // nothing is relayed for others
	}
	st.HoldFor(holdTime)
	for {
		pe, made, err := s.peer(p, st)
		if err != nil {
			st.Receipt.Settle()
			return err
		}
		if made {
			return nil
		}
		ok, err := pe.push(st)
		if err != nil {
			st.Receipt.Settle()
		}
		if ok || err != nil {
			return err
		}
	}
}

// peer returns the pair's peer and whether it is new. A new peer already has the stanza, since it may end at once.
func (s *Server) peer(p pair, st *wire.Stanza) (pe *peer, made bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pe := s.peers[p]; pe != nil && s.permits(p.to) {
		return pe, false, nil
	}
	switch err := s.backs.refuses(p, time.Now()); {
	case s.stopping:
		return nil, false, server.WithText(stanza.Error{Type: stanza.Wait, Condition: stanza.RemoteServerTimeout},
			"this server is stopping")
	case !s.permits(p.to):
		return nil, false, toSender(errBlocked)
	case err != nil && s.back[p] == nil:
		return nil, false, toSender(err)
	case len(s.peers) >= s.cfg.MaxPairs:
		return nil, false, server.ResourceConstraint
	}
	pe = &peer{
		srv:   s,
		pair:  p,
		log:   s.log.With("from", p.from, "to", p.to),
		wake:  make(chan struct{}, 1),
		since: s.cfg.Clock.Now(),
		queue: []*wire.Stanza{st},
		bytes: size(st),
	}
	s.peers[p] = pe
	s.wg.Go(pe.run)
	return pe, true, nil
}

// push queues a stanza. It returns false if the peer is ending.
func (pe *peer) push(st *wire.Stanza) (bool, error) {
	pe.mu.Lock()
	defer pe.mu.Unlock()
	if pe.gone {
		return false, nil
	}
	n := size(st)
	if len(pe.queue) >= pe.srv.cfg.MaxQueued || pe.bytes+n > pe.srv.cfg.MaxQueue && len(pe.queue) > 0 {
		return true, errQueueFull
	}
	pe.bytes += n
	pe.queue = append(pe.queue, st)
	pe.poke()
	return true, nil
}

func (pe *peer) poke() {
	select {
	case pe.wake <- struct{}{}:
	default:
	}
}

// stop lets the peer send what is queued and end.
func (pe *peer) stop() {
	pe.mu.Lock()
	pe.stopping = true
	pe.mu.Unlock()
	pe.poke()
}

// reconsider ends the current stream, whatever is queued: the new rules would not have allowed it.
func (pe *peer) reconsider() {
	pe.mu.Lock()
	pe.anew = true
	pe.mu.Unlock()
	pe.poke()
}

func (pe *peer) reconsiders() (is bool) {
	pe.mu.Lock()
	defer pe.mu.Unlock()
	is, pe.anew = pe.anew, false
	return is
}

var (
	errRules   = &wire.StreamError{Condition: "policy-violation", Text: "the requirements for this domain have changed"}
	errBlocked = &wire.StreamError{
		Condition: "policy-violation",
		Text:      "this server no longer communicates with that domain",
	}
)

func (pe *peer) status() Status {
	pe.mu.Lock()
	defer pe.mu.Unlock()
	return Status{From: pe.pair.from, To: pe.pair.to, Since: pe.since, How: pe.how, Queued: len(pe.queue)}
}

// take returns what is queued, and whether the peer is stopping.
func (pe *peer) take() (sts []*wire.Stanza, stopping bool) {
	pe.mu.Lock()
	defer pe.mu.Unlock()
	sts, pe.queue, pe.bytes = pe.queue, nil, 0
	return sts, pe.stopping
}

// end removes the peer from the table; with ifEmpty only if nothing is queued. It returns what is queued.
func (pe *peer) end(ifEmpty bool) (left []*wire.Stanza, ended bool) {
	pe.mu.Lock()
	if ifEmpty && len(pe.queue) > 0 {
		pe.mu.Unlock()
		return nil, false
	}
	pe.gone = true
	left, pe.queue, pe.bytes = pe.queue, nil, 0
	pe.mu.Unlock()
	s := pe.srv
	s.mu.Lock()
	if s.peers[pe.pair] == pe {
		delete(s.peers, pe.pair)
	}
	s.mu.Unlock()
	return left, true
}

// run is the peer's goroutine: it connects, carries stanzas and returns what is left to the senders.
func (pe *peer) run() {
	s := pe.srv
	var left []*wire.Stanza
	for {
		var unsure []*wire.Stanza
		c, err := pe.connect()
		if err != nil {
			pe.log.Info("no stream to another server", "err", err)
			s.failed(pe.blame(err), err) // before the peer ends, so that the next stanza sees the failure
			more, _ := pe.end(false)
			pe.bounce(append(left, more...), err)
			return
		}
		s.gauge.WithLabelValues("out").Inc()
		left, unsure, err = pe.carry(c, left)
		if !s.permits(pe.pair.to) {
			left, unsure, err = append(unsure, left...), nil, errBlocked
		}
		s.gauge.WithLabelValues("out").Dec()
		pe.log.Log(context.Background(), s.closedLevel(), "stream closed", "err", err)
		pe.bounce(unsure, err)
		c.close(ourError(err))
		if c.ours && !c.wrote && err != errRules || err == errBlocked || s.ctx.Err() != nil {
			more, _ := pe.end(false)
			pe.bounce(append(left, more...), err)
			return
		}
		// What has not been written goes out on another stream: the other server may close one at any time.
		if len(left) == 0 {
			if _, ended := pe.end(true); ended {
				return
			}
		}
	}
}

// blame returns the pair that a failure counts for: the whole remote domain if it cannot be reached, else this pair.
func (pe *peer) blame(err error) pair {
	if errors.Is(err, errDial) || errors.Is(err, errNotFound) {
		return pair{"", pe.pair.to}
	}
	return pe.pair
}

// connect returns a stream for the pair: the other server's, or a new one.
func (pe *peer) connect() (*carrier, error) {
	if c := pe.borrow(); c != nil {
		return c, nil
	}
	s := pe.srv
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.AuthTimeout)
	defer cancel()
	out, err := s.open(ctx, pe.pair)
	if err != nil {
		return nil, err
	}
	how, err := out.authenticate()
	if err != nil {
		out.close(ourError(err))
		return nil, err
	}
	out.keep()
	pe.open(how)
	s.reached(pe.pair, out.tls)
	pe.log.Info("stream open", "by", how, "tls", out.tls != nil, "both_ways", out.bidi,
		"remote", out.raw.RemoteAddr().String())
	return out.carrier(), nil
}

// open logs how the stream was authenticated.
func (pe *peer) open(how string) {
	pe.mu.Lock()
	pe.how, pe.since = how, pe.srv.cfg.Clock.Now()
	pe.mu.Unlock()
}

// ourError returns the error for the other server, or nil: it learns only of its own mistakes.
func ourError(err error) error {
	var se *wire.StreamError
	if errors.As(err, &se) {
		return se
	}
	return nil
}

// carry sends first and then what is queued, until the stream ends. left was not written; unsure was written, but the
// other server did not acknowledge it although it agreed to.
func (pe *peer) carry(c *carrier, first []*wire.Stanza) (left, unsure []*wire.Stanza, err error) {
	idle := time.NewTimer(pe.srv.cfg.IdleTimeout)
	defer idle.Stop()
	for {
		if pe.reconsiders() {
			left, _ := pe.take()
			return append(first, left...), c.lost(), errRules
		}
		sts, stopping := first, false
		if first = nil; sts == nil && !c.full(pe) {
			sts, stopping = pe.take()
		}
		select {
		case <-c.ended: // a closed connection gets no more stanzas
			return sts, c.lost(), c.why()
		default:
		}
		if given, err := c.write(sts); err != nil {
			if given {
				sts = nil // these stanzas count as unacknowledged
			}
			return sts, c.lost(), err
		}
		if stopping {
			if left, ok := pe.end(true); ok {
				return left, nil, &wire.StreamError{Condition: "system-shutdown"}
			}
			continue
		}
		if len(sts) > 0 {
			idle.Reset(pe.srv.cfg.IdleTimeout)
		}
		select {
		case <-pe.wake:
		case <-c.more():
		case <-c.ended:
			left, _ := pe.take()
			return left, c.lost(), c.why()
		case <-idle.C:
			if c.full(pe) { // the other server has acknowledged nothing for that long
				return nil, c.lost(), &wire.StreamError{Condition: "connection-timeout"}
			}
			if _, ok := pe.end(true); ok {
				return nil, nil, errIdle
			}
		}
	}
}

func (c *carrier) full(pe *peer) bool {
	return c.acks != nil && c.acks.full(pe.srv.cfg.MaxQueued, pe.srv.cfg.MaxQueue)
}

func (c *carrier) lost() []*wire.Stanza {
	if c.acks == nil {
		return nil
	}
	return c.acks.lost()
}

func (c *carrier) more() <-chan struct{} {
	if c.acks == nil {
		return nil
	}
	return c.acks.more
}

// write sends stanzas and waits until the network has taken them. given says that they are kept until the other server
// acknowledges them.
func (c *carrier) write(sts []*wire.Stanza) (given bool, err error) {
	if len(sts) == 0 {
		return false, nil
	}
	c.conn.Cork()
	for _, st := range sts {
		if err = c.conn.Send(st, st.To); err != nil {
			break
		}
	}
	if err == nil && c.acks != nil && c.acks.sent(sts) { // one acknowledgement for all of them
		given = true
		err = c.conn.WriteRaw(ackRequest)
	}
	c.conn.Uncork()
	if err != nil {
		return given, err
	}
	if err := c.conn.Flush(); err != nil {
		return given, err
	}
	if !given {
		settle(sts)
	}
	c.wrote = true
	c.used()
	return given, nil
}

// carrier starts to read the authenticated stream and returns it for a peer to send on.
func (out *outgoing) carrier() *carrier {
	ended := make(chan struct{})
	var why error
	stop := context.AfterFunc(out.srv.ctx, func() { out.raw.Close() })
	c := &carrier{conn: out.conn, ended: ended, why: func() error { return why }, used: func() {}, ours: true,
		close: func(err error) { stop(); out.close(err) }}
	if out.acks.more != nil {
		c.acks = &out.acks
	}
	out.srv.wg.Go(func() {
		defer close(ended)
		defer out.receiver.close()
		why = out.listen()
	})
	return c
}

// listen reads what the other server sends on a stream that we opened. It accepts stanzas only if that was agreed
// (XEP-0288).
func (out *outgoing) listen() error {
	if out.bidi {
		out.rd.SetLimits(out.srv.cfg.Limits)
		if err := out.authz.provePair(pair{out.pair.to, out.pair.from}); err != nil {
			return err
		}
	}
	for {
		x, err := out.rd.Next()
		switch {
		case err != nil:
			return err
		case isStreamError(x):
			return readStreamError(x)
		case x.Name.Space == nsSM:
			err = out.acks.nonza(out.conn, x, false)
		case x.Name == wire.Name{Space: nsDialback, Local: "result"} && x.Attr("type") == "" && out.bidi:
			// XEP-0288 would allow another pair here; the other server may open a stream of its own for it.
			err = out.conn.WriteRaw(dialback("result", x.Attr("to"), x.Attr("from"), "", "error", "policy-violation"))
		case x.Name.Space == nsDialback:
			// XEP-0220, section 4.1: an answer without a question, or a key on the wrong stream
		case x.Kind != wire.Other && !out.bidi:
			return &wire.StreamError{
				Condition: "not-authorized",
				Text:      "this stream only carries stanzas in the other direction",
			}
		case x.Kind != wire.Other:
			err = out.acks.receive(out.conn, x, out.receive)
		}
		if err != nil {
			return err
		}
	}
}

// bounce returns stanzas to their senders with the error.
func (pe *peer) bounce(sts []*wire.Stanza, err error) {
	why := toSender(err)
	for _, st := range sts {
		pe.srv.bounced.Inc()
		pe.srv.cfg.Router.Reply(pe.srv.ctx, st, why)
		st.Receipt.Settle()
	}
}

// toSender returns the stanza error for a failure (RFC 6120, sections 8.3.3.16 and 8.3.3.17; XEP-0220, section 2.1.1).
func toSender(err error) stanza.Error {
	timeout := func(text string) stanza.Error {
		return server.WithText(stanza.Error{Type: stanza.Wait, Condition: stanza.RemoteServerTimeout}, text)
	}
	var re *remoteError
	var er *errRefused
	var de *net.DNSError
	switch {
	case errors.Is(err, errBlocked):
		return server.WithText(server.NotAllowed, "this server does not communicate with that domain")
	case errors.As(err, &re) && re.condition == "host-unknown":
		return server.WithText(server.RemoteNotFound, "the other server does not serve this domain")
	case errors.Is(err, errNotFound):
		return server.WithText(server.RemoteNotFound, "no XMPP server was found for this domain")
	case errors.As(err, &er) && er.condition == "invalid":
		return server.WithText(server.Internal, "the other server did not accept this server's proof of identity")
	case errors.As(err, &er):
		return timeout("the other server refused this server's proof of identity")
	case errors.As(err, &de):
		return timeout("DNS did not answer for this domain")
	case errors.Is(err, errDial):
		return timeout("the other server could not be reached")
	}
	return timeout("the connection to the other server failed")
}
