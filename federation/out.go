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

// peer is the way from one of our domains to one elsewhere: its queue, and while there is something to send its stream.
// Its goroutine lives as long as the peer is on the table.
type peer struct {
	srv  *Server
	pair pair
	log  *slog.Logger
	wake chan struct{} // of size 1

	mu       sync.Mutex
	queue    []*wire.Stanza // not yet given to the connection
	bytes    int
	gone     bool // nothing more is taken: another peer takes its place
	stopping bool
	since    time.Time
	how      string
}

// size is about what a stanza takes on the wire.
func size(st *wire.Stanza) int { return len(st.Payload) + 512 }

var errQueueFull = server.WithText(stanza.Error{Type: stanza.Wait, Condition: stanza.ResourceConstraint}, "too much is waiting for the other server")

// Receive queues a stanza for another server and returns; what comes of it the sender is told later. It is the router's
// Entity for all domains that are not served here.
func (s *Server) Receive(_ context.Context, st *wire.Stanza) error {
	p := pair{st.From.Domain(), st.To.Domain()}
	if p.from == "" || p.to == "" || !s.cfg.Router.Local(p.from) || s.cfg.Router.Local(p.to) {
		return server.RemoteNotFound // nothing is relayed
	}
	for {
		pe, err := s.peer(p)
		if err != nil {
			return err
		}
		if ok, err := pe.push(st); ok {
			return err
		}
	}
}

// peer gives the pair's peer, made if need be.
func (s *Server) peer(p pair) (*peer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pe := s.peers[p]; pe != nil {
		return pe, nil
	}
	switch err := s.backs.refuses(p, time.Now()); {
	case s.stopping:
		return nil, server.WithText(stanza.Error{Type: stanza.Wait, Condition: stanza.RemoteServerTimeout}, "this server is stopping")
	case !s.cfg.Policy.permits(p.to):
		return nil, server.WithText(server.NotAllowed, "this domain is not spoken with")
	case err != nil:
		return nil, toSender(err)
	case len(s.peers) >= s.cfg.MaxPairs:
		return nil, server.ResourceConstraint
	}
	pe := &peer{srv: s, pair: p, log: s.log.With("from", p.from, "to", p.to), wake: make(chan struct{}, 1), since: time.Now()}
	s.peers[p] = pe
	s.wg.Go(pe.run)
	return pe, nil
}

// push queues; false if the peer is at its end.
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

// stop lets the peer finish what is queued and end.
func (pe *peer) stop() {
	pe.mu.Lock()
	pe.stopping = true
	pe.mu.Unlock()
	pe.poke()
}

func (pe *peer) status() Status {
	pe.mu.Lock()
	defer pe.mu.Unlock()
	return Status{From: pe.pair.from, To: pe.pair.to, Since: pe.since, How: pe.how, Queued: len(pe.queue)}
}

// take gives what is queued.
func (pe *peer) take() (sts []*wire.Stanza, stopping bool) {
	pe.mu.Lock()
	defer pe.mu.Unlock()
	sts, pe.queue, pe.bytes = pe.queue, nil, 0
	return sts, pe.stopping
}

// end takes the peer off the table; with ifEmpty only if nothing is queued. It gives what is.
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

// run is the life of a peer: connect, carry, bounce what is left.
func (pe *peer) run() {
	s := pe.srv
	out, err := pe.connect()
	if err != nil {
		pe.log.Info("no stream to another server", "err", err)
		s.backs.failed(pe.blame(err), err, time.Now()) // before the peer goes: the next stanza finds it
		left, _ := pe.end(false)
		pe.bounce(left, err)
		return
	}
	s.backs.worked(pe.pair)
	s.gauge.WithLabelValues("out").Inc()
	defer s.gauge.WithLabelValues("out").Dec()
	left, err := pe.carry(out)
	pe.log.Info("stream closed", "err", err)
	more, _ := pe.end(false)
	pe.bounce(append(left, more...), err)
	out.close(ourError(err))
}

// blame says for what a failure counts: the other domain cannot be reached at all, or it does not take this pair.
func (pe *peer) blame(err error) pair {
	if errors.Is(err, errDial) || errors.Is(err, errNotFound) {
		return pair{"", pe.pair.to}
	}
	return pe.pair
}

func (pe *peer) connect() (*outgoing, error) {
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
	pe.mu.Lock()
	pe.how, pe.since = how, time.Now()
	pe.mu.Unlock()
	pe.log.Info("stream open", "by", how, "tls", out.tls != nil, "remote", out.raw.RemoteAddr().String())
	return out, nil
}

// ourError is what the other server is told: only what is its own fault.
func ourError(err error) error {
	var se *wire.StreamError
	if errors.As(err, &se) {
		return se
	}
	return nil
}

// carry sends what is queued until the stream ends, and gives what it was given and could not write.
func (pe *peer) carry(out *outgoing) (left []*wire.Stanza, err error) {
	ended := make(chan error, 1)
	stop := context.AfterFunc(pe.srv.ctx, func() { out.raw.Close() })
	defer stop()
	pe.srv.wg.Go(func() { ended <- pe.listen(out) })
	idle := time.NewTimer(pe.srv.cfg.IdleTimeout)
	defer idle.Stop()
	for {
		sts, stopping := pe.take()
		select {
		case err := <-ended: // nothing more is given to a connection that is closed
			return sts, err
		default:
		}
		if err := pe.write(out, sts); err != nil {
			return sts, err
		}
		if stopping {
			if left, ok := pe.end(true); ok {
				return left, &wire.StreamError{Condition: "system-shutdown"}
			}
			continue
		}
		if len(sts) > 0 {
			idle.Reset(pe.srv.cfg.IdleTimeout)
		}
		select {
		case <-pe.wake:
		case err := <-ended:
			return nil, err
		case <-idle.C:
			if _, ok := pe.end(true); ok {
				return nil, errIdle
			}
		}
	}
}

// write hands stanzas to the network and waits until it has taken them.
func (pe *peer) write(out *outgoing, sts []*wire.Stanza) error {
	if len(sts) == 0 {
		return nil
	}
	out.conn.Cork()
	var err error
	for _, st := range sts {
		if err = out.conn.Send(st, st.To); err != nil {
			break
		}
	}
	out.conn.Uncork()
	if err != nil {
		return err
	}
	return out.conn.Flush()
}

// listen reads what the other server says on a stream that is ours to send on: nothing but its end is expected.
func (pe *peer) listen(out *outgoing) error {
	for {
		x, err := out.rd.Next()
		switch {
		case err != nil:
			return err
		case isStreamError(x):
			return readStreamError(x)
		case x.Kind != wire.Other:
			return &wire.StreamError{Condition: "not-authorized", Text: "this stream is for the other direction"}
		case x.Name.Space == nsDialback: // section 4.1: answers that nobody waits for, or keys for the wrong stream
			continue
		}
	}
}

// bounce tells the senders what has become of their stanzas.
func (pe *peer) bounce(sts []*wire.Stanza, err error) {
	why := toSender(err)
	for _, st := range sts {
		pe.srv.bounced.Inc()
		pe.srv.cfg.Router.Reply(pe.srv.ctx, st, why)
	}
}

// toSender is the stanza error for a failure (RFC 6120, sections 8.3.3.16 and 8.3.3.17; XEP-0220, section 2.1.1).
func toSender(err error) stanza.Error {
	timeout := func(text string) stanza.Error {
		return server.WithText(stanza.Error{Type: stanza.Wait, Condition: stanza.RemoteServerTimeout}, text)
	}
	var re *remoteError
	var er *errRefused
	var de *net.DNSError
	switch {
	case errors.As(err, &re) && re.condition == "host-unknown":
		return server.WithText(server.RemoteNotFound, "the other server does not serve this domain")
	case errors.Is(err, errNotFound):
		return server.WithText(server.RemoteNotFound, "no server was found for this domain")
	case errors.As(err, &er) && er.condition == "invalid":
		return server.WithText(server.Internal, "the other server did not accept that we are who we are")
	case errors.As(err, &er):
		return timeout("the other server refused our proof")
	case errors.As(err, &de):
		return timeout("DNS did not answer for this domain")
	case errors.Is(err, errDial):
		return timeout("the other server could not be reached")
	}
	return timeout("the connection to the other server failed")
}
