package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Handler sees every stanza that the session does not answer itself, in the
// order they arrive and always from the session's one reader. st is valid until
// it returns. It may call Session.Send.
type Handler func(s *Session, st []byte)

// Session is one logged-in client.
type Session struct {
	JID  string // Full JID as bound.
	Bare string
	// Index is the caller's, to find its own state in a Handler.
	Index int

	conn    net.Conn
	tls     *tls.Conn
	sc      *Scanner
	sm      bool
	id      string // with which the session is resumed
	resumed bool
	handled atomic.Uint32 // Stanzas received since SM was enabled; only the reader adds.
	ackDue  bool          // The server asked and has no answer yet; reader only.

	sent   atomic.Uint32 // Stanzas sent since SM was enabled.
	acked  atomic.Uint32
	ackGot chan struct{} // Receives a token on each <a/>.

	sendMu sync.Mutex // Keeps sent in step with the bytes written.

	done chan struct{} // Closed when the reader has returned.
	err  error         // Why, valid after done; nil after a clean close.
}

// Send writes bytes that hold n stanzas. It may block while the server does not
// read. It is safe from any goroutine.
func (s *Session) Send(n int, b []byte) error {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	if s.sm {
		s.sent.Add(uint32(n))
	}
	_, err := s.tls.Write(b)
	return err
}

// SendNumbered is Send for one stanza, and gives its number as acknowledgements count.
func (s *Session) SendNumbered(b []byte) (uint32, error) {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	n := s.sent.Add(1)
	_, err := s.tls.Write(b)
	return n, err
}

// Request asks how many stanzas the server has taken over; Acked has it when AckGot gives a token.
func (s *Session) Request() error {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	_, err := s.tls.Write([]byte("<r xmlns='urn:xmpp:sm:3'/>"))
	return err
}

// Acked is the number of stanzas that the server has acknowledged.
func (s *Session) Acked() uint32 { return s.acked.Load() }

// AckGot gives a token after acknowledgements.
func (s *Session) AckGot() <-chan struct{} { return s.ackGot }

// Resumed says whether this is the session that Options.Resume named.
func (s *Session) Resumed() bool { return s.resumed }

// Cut closes the connection as a network that goes away does, and waits for the reader. Start must have been called.
func (s *Session) Cut() {
	s.conn.Close()
	<-s.done
}

// Start hands all further stanzas to h, from a goroutine of its own that ends
// with the connection.
func (s *Session) Start(h Handler) {
	s.tls.SetDeadline(time.Time{})
	go func() {
		defer close(s.done)
		for {
			st, err := s.sc.Next()
			if err != nil {
				if err != io.EOF && !errors.Is(err, net.ErrClosed) {
					s.err = fmt.Errorf("%s: %w", s.JID, err)
				}
				return
			}
			mine, err := s.own(st)
			if err == nil && !mine {
				h(s, st)
			}
			if err == nil {
				err = s.ackIfDue()
			}
			if err != nil {
				s.err = fmt.Errorf("%s: %w", s.JID, err)
				return
			}
		}
	}()
}

// own does what every client must do with st, and reports whether that is all.
func (s *Session) own(st []byte) (bool, error) {
	switch {
	case Is(st, "message"), Is(st, "presence"):
		s.handled.Add(1)
		return false, nil
	case Is(st, "r"):
		s.ackDue = true
	case Is(st, "a"):
		h, err := strconv.ParseUint(string(Attr(st, "h")), 10, 32)
		if err != nil {
			return true, fmt.Errorf("bad ack %s", st)
		}
		s.acked.Store(uint32(h))
		select {
		case s.ackGot <- struct{}{}:
		default:
		}
	case Is(st, "iq"):
		s.handled.Add(1)
		return s.answer(st)
	case Is(st, "stream:error"):
		return true, fmt.Errorf("stream error: %s", st)
	default:
		return false, nil
	}
	return true, nil
}

// answer replies to requests of the server: pings with a result, anything
// else with service-unavailable.
func (s *Session) answer(st []byte) (bool, error) {
	typ := string(Attr(st, "type"))
	if typ != "get" && typ != "set" {
		return false, nil
	}
	to := ""
	if from := Attr(st, "from"); from != nil {
		to = " to='" + string(from) + "'"
	}
	reply := fmt.Sprintf("<iq type='result' id='%s'%s/>", Attr(st, "id"), to)
	if typ == "get" && !strings.Contains(string(st), "urn:xmpp:ping") {
		reply = fmt.Sprintf("<iq type='error' id='%s'%s><error type='cancel'><service-unavailable "+
			"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>", Attr(st, "id"), to)
	}
	return true, s.Send(1, []byte(reply))
}

// ackIfDue answers the server's requests when nothing more is buffered, so that
// many requests get one answer (XEP-0198, section 4).
func (s *Session) ackIfDue() error {
	if !s.ackDue || s.sc.More() {
		return nil
	}
	s.ackDue = false
	return s.ack()
}

// ack tells the server how many stanzas have arrived. It is safe from any goroutine.
func (s *Session) ack() error {
	var b [64]byte
	out := append(b[:0], "<a xmlns='urn:xmpp:sm:3' h='"...)
	out = strconv.AppendUint(out, uint64(s.handled.Load()), 10)
	out = append(out, "'/>"...)
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	_, err := s.tls.Write(out)
	return err
}

// Confirm asks the server how many stanzas it has taken over and returns an
// error unless it is as many as were sent. Without stream management it does
// nothing. Nobody may Send meanwhile.
func (s *Session) Confirm(ctx context.Context) error {
	if !s.sm {
		return nil
	}
	for {
		if _, err := s.tls.Write([]byte("<r xmlns='urn:xmpp:sm:3'/>")); err != nil {
			return err
		}
		select {
		case <-s.ackGot:
			if s.acked.Load() == s.sent.Load() {
				return nil
			}
			// The server may count only what it has committed: ask again, at leisure.
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
			}
		case <-s.done:
			return fmt.Errorf("%s: closed before its stanzas were acknowledged: %v", s.JID, s.err)
		case <-ctx.Done():
			return fmt.Errorf("%s: server acknowledged %d of %d stanzas", s.JID, s.acked.Load(), s.sent.Load())
		}
	}
}

// Done is closed when the reader has ended; Err then says why.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the session ended, nil if it was closed in order or lives.
func (s *Session) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Close ends the stream in order (RFC 6120, section 4.4), waits up to five seconds for the server to do the same, and
// closes the connection. Before that it acknowledges every stanza that has arrived: the server would keep the others
// for the next session (XEP-0198, section 4). Start must have been called.
func (s *Session) Close() {
	if s.sm {
		s.ack()
	}
	s.sendMu.Lock()
	s.tls.SetDeadline(time.Now().Add(5 * time.Second))
	s.tls.Write([]byte("</stream:stream>"))
	s.sendMu.Unlock()
	<-s.done
	s.conn.Close()
}
